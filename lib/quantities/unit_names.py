"""Units in running text: the pattern that finds them, and units that stand alone."""

import re
from functools import lru_cache

from lib.quantities.units import ALIASES, SLIP_ALIASES, strip_accents

LETTER: str = r"A-Za-zÀ-ÖØ-öø-ÿµμ"

# An electrical quantity glued behind another: `1.5L220V`, `5V2A`.
_ELECTRICAL = rf"\d{{1,4}}(?:\.\d)?(?:[AVW]|[mk]?Ah|Hz|Wh|kW|VAC|VDC)(?![{LETTER}])"
# What may follow a single letter: in `QD30H11G4` it is no gram, in `5 L: 10` it names the next.
_LETTER_ENDS: dict[str, str] = {
    letter: rf"(?!(?!{_ELECTRICAL})\d|\s?[:=]\s?\d)" if letter != "w" else r"(?!\s?[:=]\s?\d)"
    for letter in "mglwt"
}
# After a unit in letters come no more letters, except an axis (`30cmW`), a times sign
# (`30cmx40cm`), the packer's sign, which is read as an e (`500ge`), or a few words (`12Vmax`); no
# exponent, and no "per" (`30 ml/h`, `160 g/m²`).
_WORD_END = (
    rf"(?:(?![{LETTER}])|(?=[xX]\s?\d)|(?=e(?![{LETTER}]))"
    rf"|(?=(?:pack|each|net|max|min|approx)(?![{LETTER}]))"
    rf"|(?<=[A-Za-z]{{2}})(?=(?-i:[WHDL])(?![{LETTER}\d])))"
    rf"(?![²³]|(?!{_ELECTRICAL})[23](?!\d))"
    r"(?!\s?/\s?(?:h|hr|hour|min|s|sec|m|m2|m²|km|day|cell|mol|dl)\b)"
)
# Between number and unit: `12.Inch`, `500+ lbs`, `220 (V)`, `14-inch`.
_GAP = r"(?:\.(?=[A-Za-z])|\+?\s{0,3}(?:[(\[]\s?)?|-(?=[A-Za-z]{2}))"


def squeeze(text: str) -> str:
    """Make the table's key of a surface: lower case, no accents, dots, hyphens or spaces."""
    return re.sub(r"[\s.\-]", "", strip_accents(text.lower()))


_UNIT_OF: dict[str, str] = {squeeze(word): unit for word, unit in ALIASES.items()}
_SLIP_OF: dict[str, str] = {squeeze(word): unit for word, unit in SLIP_ALIASES.items()}


@lru_cache(maxsize=1024)
def look_up(surface: str) -> tuple[str, bool]:
    """Give the unit that a surface names and whether it took mending.

    >>> look_up("FL. OZ"), look_up("1bs")
    (('fluid ounce', False), ('pound', True))
    """
    key = squeeze(surface)
    return (_UNIT_OF[key], False) if key in _UNIT_OF else (_SLIP_OF[key], True)


def _alternatives(words: list[str]) -> str:
    """Build one pattern of all words, the longest first; dots and spaces inside are loose.

    Words are grouped by their first letter: without a match, one look at it is enough.
    """
    by_first: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        pattern = r"[\s.\-]{0,2}".join(re.escape(part) for part in word[1:].split(" "))
        end = r"(?!\s?\d)" if word[-1] in "~～=" else _LETTER_ENDS.get(word, "")
        by_first.setdefault(word[0], []).append(pattern + end)
    return "|".join(f"{re.escape(c)}(?:{'|'.join(rests)})" for c, rests in by_first.items())


# Slips that would misread the number's last digits: `0.51b` is 0.5 1b, `15.21nch` is 15.2 1nch.
_GUARDED: dict[str, str] = {"b": r"(?<=\s)b", "02": r"(?<=\s)02", "nch": r"(?<!1)nch"}


def _is_name(word: str) -> bool:
    """Tell names in letters from symbols."""
    return word[0].isalnum() and word != "º"


def _unit(group: str) -> str:
    """Build the pattern of a unit, clean names before slipped ones."""
    names = _alternatives([word for word in ALIASES if _is_name(word)])
    slips = _alternatives(
        [word for word in SLIP_ALIASES if _is_name(word) and word not in _GUARDED]
    )
    symbols = _alternatives([word for word in ALIASES if not _is_name(word)])
    slips = "|".join([slips, *_GUARDED.values()])
    return (
        rf"(?P<{group}>(?:{names}){_WORD_END}|(?:{slips}){_WORD_END}|{symbols}"
        r"|[°º˚](?!\s?[CF]\b))"
    )


def unit_pattern(group: str) -> str:
    """Build the pattern of the gap after a number and its unit, as a named group."""
    return _GAP + _unit(group)


_UNIT_AT = re.compile(unit_pattern("unit"), re.IGNORECASE)


def read_unit_at(text: str, start: int) -> tuple[str, int] | None:
    """Read a unit that begins, but for a gap, at `start`; give its end too.

    >>> read_unit_at("75H cm", 3), read_unit_at("75H x", 3)
    (('centimetre', 6), None)
    """
    match = _UNIT_AT.match(text, start)
    return (look_up(match["unit"])[0], match.end()) if match else None


_UNIT_BEFORE = re.compile(
    rf"(?:[(\[]\s?{_unit('bracketed')}\s?[)\]]|\bin\s{_unit('named')}\s?(?=[:=)]))[\s:=)]{{0,3}}\Z",
    re.IGNORECASE,
)


def read_unit_before(before: str) -> str | None:
    """Read the unit of a table's head at the end of the text before a number.

    >>> read_unit_before("Size (cm): "), read_unit_before("Maße in mm: "), read_unit_before("in ")
    ('centimetre', 'millimetre', None)
    """
    match = _UNIT_BEFORE.search(before[-_HEAD_WINDOW:])
    return look_up(match["bracketed"] or match["named"])[0] if match else None


_HEAD_WINDOW = 20

# Unit names that are also everyday words do not count in running text.
_EVERYDAY = re.compile(
    r"ins?|to|po|pies?|onces?|cups?|foot|feet|pieds?|pouce|tons?|livres?|metros?|kilos?|chilo|volt"
    r"|watt|voltaje|wattage|pounds?|bs"
)
_LONE = re.compile(rf"(?<![{LETTER}\d]){_unit('unit')}", re.IGNORECASE)
_HEAD = re.compile(r"(?:units?|einheit|unité|unidad|unità|in)\s?[:=]?\s?\(?\Z", re.IGNORECASE)
_WINDOW = 12


def find_units(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Find units that stand alone, with their places: `lbs`, `(V)`, `Unit: mm`.

    >>> find_units("Product voltage (V)"), find_units("Unit: mm"), find_units("in the box")
    ([('volt', (17, 18))], [('millimetre', (6, 8))], [])
    >>> find_units("3 kg")
    []
    """
    return [
        (look_up(match["unit"])[0], match.span())
        for match in _LONE.finditer(text)
        if _stands_alone(text, match.start(), match.end())
    ]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether a word is meant as a unit: alone, in brackets, after "unit" or unmistakable."""
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + _WINDOW]
    if not before.strip(" .:;-([") and not after.strip(" .:;-)]"):
        return True
    if before.endswith(("(", "[", "/")) and after[:1] in (")", "]", "/"):
        return True
    if re.search(r"\d\s{0,3}\Z", before):
        return False
    word = text[start:end].lower()
    if _HEAD.search(before) and word != "in":
        return True
    return len(word) > 1 and word.isalpha() and word in ALIASES and not _EVERYDAY.fullmatch(word)
