"""Match unit names in running text, after a number or alone."""

import re
from functools import lru_cache

from lib.quantities.units import ALIASES, SLIP_ALIASES, strip_accents

LETTER: str = r"A-Za-zÀ-ÖØ-öø-ſµμ"

# An electrical quantity that follows another without a space: `1.5L220V`, `5V2A`.
_ELECTRICAL = rf"\d{{1,4}}(?:\.\d)?(?:[AVW]|[mk]?Ah|Hz|Wh|kW|VAC|VDC)(?![{LETTER}])"
# What may follow a one-letter unit: G is no gram in `QD30H11G4`; L is an axis in `5 L: 10`.
_LETTER_ENDS: dict[str, str] = {
    letter: rf"(?!(?!{_ELECTRICAL})\d|\s?[:=]\s?\d)"
    if letter != "w"
    else r"(?!\s?[:=]\s?\d++(?:[.,]\d++)?(?!\s?w))"
    for letter in "mglwt"
}
# No letter may follow a unit in letters, except an axis (`30cmW`), a times sign (`30cmx40cm`), the
# EU estimated sign, which OCR reads as an e (`500ge`), or a few words (`12Vmax`); nor may an
# exponent, a "per" or a torque's arm (`30 ml/h`, `160 g/m²`, `5 kg.cm`).
_WORD_END = (
    rf"(?:(?![{LETTER}])|(?=[xX]\s?\d)|(?=e(?![{LETTER}]))"
    rf"|(?=(?:pack|each|net|max|min|approx)(?![{LETTER}]))"
    rf"|(?<=[A-Za-z]{{2}})(?=(?-i:[WHDL])(?![{LETTER}\d])))"
    rf"(?![²³]|(?!{_ELECTRICAL})[23](?!\d))"
    r"(?!\s?/\s?(?:h|hr|hour|min|s|sec|m|m2|m²|km|day|cell|mol|dl|cm[2²]?)\b)"
    r"(?![.·*-](?:cm|m|in|ft|lbs?)\b)"
)
# Between number and unit: `12.Inch`, `500+ lbs`, `220 (V)`, `14-inch`.
_GAP = r"(?:\.(?=[A-Za-z])|\+?\s{0,3}(?:[(\[]\s?)?|-(?=[A-Za-z]{2}))"


def normalise_surface(text: str) -> str:
    """Normalise a surface to a table key: lower case, no accents, dots, hyphens or spaces."""
    return re.sub(r"[\s.\-]", "", strip_accents(text.lower()))


_UNIT_OF: dict[str, str] = {normalise_surface(word): unit for word, unit in ALIASES.items()}
_SLIP_OF: dict[str, str] = {normalise_surface(word): unit for word, unit in SLIP_ALIASES.items()}


@lru_cache(maxsize=1024)
def look_up(surface: str) -> tuple[str, bool]:
    """Return the unit that a surface names and whether an OCR error was corrected.

    >>> look_up("FL. OZ"), look_up("1bs")
    (('fluid ounce', False), ('pound', True))
    """
    key = normalise_surface(surface)
    return (_UNIT_OF[key], False) if key in _UNIT_OF else (_SLIP_OF[key], True)


def _alternatives(words: list[str]) -> str:
    """Build one pattern of all words, longest first; dots and spaces inside are optional.

    Words are grouped by first letter, so that most mismatches fail on one character.
    """
    by_first: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        pattern = r"[\s.\-]{0,2}".join(re.escape(part) for part in word[1:].split(" "))
        end = r"(?!\s?\d)" if word[-1] in "~～=" else _LETTER_ENDS.get(word, "")
        by_first.setdefault(word[0], []).append(pattern + end)
    return "|".join(f"{re.escape(c)}(?:{'|'.join(rests)})" for c, rests in by_first.items())


# OCR errors that would take the number's last digit: `0.51b` is 0.5 1b, `15.21nch` 15.2 1nch.
_GUARDED: dict[str, str] = {"b": r"(?<=\s)b", "02": r"(?<=\s)02", "nch": r"(?<!1)nch"}


def _is_name(word: str) -> bool:
    """Return whether a unit word is a name, not a symbol."""
    return word[0].isalnum() and word != "º"


def _unit(group: str) -> str:
    """Build the pattern of a unit, correct names before OCR errors."""
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
    """Read a unit at `start`, after an optional gap; return it with its end.

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
    """Read the unit of a heading at the end of the text before a number.

    >>> read_unit_before("Size (cm): "), read_unit_before("Maße in mm: "), read_unit_before("in ")
    ('centimetre', 'millimetre', None)
    """
    match = _UNIT_BEFORE.search(before[-_HEAD_WINDOW:])
    return look_up(match["bracketed"] or match["named"])[0] if match else None


_HEAD_WINDOW = 20

# Unit names that are also everyday words are ignored in running text.
_EVERYDAY = re.compile(
    r"ins?|to|po|pies?|onces?|cups?|foot|feet|pieds?|pouce|tons?|livres?|metros?|kilos?|chilo|volt"
    r"|watt|voltaje|wattage|pounds?|bs"
)
_LONE = re.compile(rf"(?<![{LETTER}\d]){_unit('unit')}", re.IGNORECASE)
_HEAD = re.compile(r"(?:units?|einheit|unité|unidad|unità|in)\s?[:=]?\s?\(?\Z", re.IGNORECASE)
_WINDOW = 12


def find_units(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Find units that stand alone, with their spans: `lbs`, `(V)`, `Unit: mm`.

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
    """Return whether a word is a unit: alone, in brackets, after "unit" or unambiguous."""
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
