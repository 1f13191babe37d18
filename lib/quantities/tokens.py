"""Split a label's text into number tokens: one number each, with its unit if it has one."""

import re
from string import ascii_lowercase
from typing import NamedTuple

from lib.quantities.numbers import NUMBER, SLIPPED, read_number, read_slipped
from lib.quantities.unit_names import LETTER, look_up, unit_pattern
from lib.quantities.units import DEGREES, UNIT_KIND


class NumberToken(NamedTuple):
    """A number and its unit, with their position in the text.

    Attributes:
        value: The number.
        unit: In the challenge's spelling, `""` if the number has none.
        start: Start of the number in the text.
        end: End of the unit, or of the number if it has none.
        repaired: Whether an OCR error was corrected.
        letter: The single letter that was read as the unit, else `""`; in `80W x 60D` it later
            proves to name an axis.
        glued: "after" if a letter follows the bare number (`4K`), "before" if a word only
            precedes it (`DB9`), else `""`.
    """

    value: float
    unit: str
    start: int
    end: int
    repaired: bool = False
    letter: str = ""
    glued: str = ""


_TOKEN = re.compile(
    rf"(?<!\d)(?<!\d[.,:])(?<!\w(?=\.))(?=[\dOoIlS.½¼¾⅐-⅞])(?:"
    rf"(?P<number>{NUMBER}){unit_pattern('unit')}"
    rf"|(?<![{LETTER}])(?!\.)(?=(?-i:[OoIl|S]){{0,2}}\.?\d)(?=[\d.,]{{0,7}}[A-Z|])"
    rf"(?P<slipped>{SLIPPED}){unit_pattern('slip_unit')}"
    rf"|(?P<bare>{NUMBER}))",
    re.IGNORECASE,
)


def read_tokens(text: str) -> list[NumberToken]:
    """Find the numbers of a text with their units, from left to right.

    >>> [(t.value, t.unit) for t in read_tokens("5OOLBS, DC12V, 5 in the box")]
    [(500.0, 'pound'), (12.0, 'volt'), (5.0, '')]
    >>> read_tokens("QD30H11G")
    []
    """
    tokens: list[NumberToken] = []
    for match in _TOKEN.finditer(text):
        token = _read_match(text, match)
        if not token or not _stands_apart(text, token, tokens[-1].end if tokens else -1):
            continue
        if tokens and _continues_thousands(text, tokens[-1], token):
            first = tokens.pop()
            token = token._replace(value=first.value * 1000 + token.value, start=first.start)
        tokens.append(token)
    return tokens


_WITH_THOUSANDS = frozenset({"weight", "volume", "wattage"})


def _continues_thousands(text: str, first: NumberToken, token: NumberToken) -> bool:
    """Return whether a blank or prime marks thousands, as in `1 250 g`."""
    return (
        first.unit in ("", "foot")
        and not first.glued
        and 1 <= first.value <= 999
        and UNIT_KIND.get(token.unit) in _WITH_THOUSANDS
        and bool(_THOUSANDS.fullmatch(text, first.start, token.end))
        and not _BEFORE_THOUSANDS.search(text[max(0, first.start - 2) : first.start])
    )


_THOUSANDS = re.compile(rf"[1-9]\d{{0,2}}[ \u00a0'’]\d{{3}}(?:[.,]\d+)?\s?[{LETTER}.]+")
_BEFORE_THOUSANDS = re.compile(r"[\d.,/x×*+-]\s?\Z", re.IGNORECASE)


def _read_match(text: str, match: re.Match[str]) -> NumberToken | None:
    """Convert a match to a token, without the unit if that is rejected."""
    number = match["number"] or match["slipped"] or match["bare"]
    surface = match["unit"] or match["slip_unit"] or ""
    start, end = match.start(), match.start() + len(number)
    if surface in ("z", "Z") and number[-1] == "0" and match.end() == end + 1:
        number = number[:-1]  # `80z` is 8 0z
    value = read_slipped(number) if match["slipped"] else read_number(number)
    if value is None:
        return None
    before = _UNIT_GLUED.search(text[max(0, start - _WINDOW) : start]) if not surface else None
    if before and not text[end : end + 1].isalnum():
        unit, _ = look_up(before[1])
        return NumberToken(value, unit, start - len(before[0]), end)
    if surface and _may_be_unit(text, number, surface, end, match.end()):
        unit, is_repaired = look_up(surface)
        letter = surface.lower() if len(surface) == 1 and surface.isalpha() else ""
        repaired = is_repaired or bool(match["slipped"])
        if number[0] == "0" and number.isdigit() and len(number) > 1:
            if UNIT_KIND[unit] in ("voltage", "wattage"):
                return None  # part of a code: `2-002W`
            if UNIT_KIND[unit] in ("weight", "volume"):
                value, repaired = float(f"0.{number[1:]}"), True  # `025 L` has lost its point
        return NumberToken(value, unit, start, match.end(), repaired, letter)
    return (
        None
        if match["slipped"]
        else NumberToken(value, "", start, end, glued=_glue(text, start, end))
    )


# Italian and Spanish labels print the unit first: `Peso netto gr250`, `Kg1.5`; not so `ML750`,
# which is a model, unless a word precedes it.
_UNIT_GLUED = re.compile(
    rf"(?:(?<![{LETTER}\d])(?-i:(?=[gmclk]|K[g]|G[r]|M[l]|C[l]|L[t]))|(?<=[a-z:.]\s))"
    r"(?<!\d\s)(gr|kg|ml|cl|lt|mg|g(?=[.\s]))\.?\s?\Z",
    re.IGNORECASE,
)

_SERIES_LETTER = re.compile(rf"[xX]\s?[\d.]|[WHDLB](?![{LETTER}\d])")


def _glue(text: str, start: int, end: int) -> str:
    """Return the side on which a bare number touches a word."""
    if text[end : end + 1].isalpha() and not _SERIES_LETTER.match(text, end):
        return "after"
    before = text[start - 1 : start]
    return "before" if before.isalpha() and before not in "xX" else ""


# "in" and "im" are also English and German words, as in "3 in 1".
_IN_WORDS = frozenset({"in", "im"})
_IN_PHRASE = re.compile(
    r"\s+(?:an?|the|one|1|stock|your|our|my|this|each|all|any|total|case|box|der|die|das|dem|den"
    r"|ein|einem|einer|und)\b|\s?-?\s?1\b(?!\s?[/.,]|\s?[a-z])",
    re.IGNORECASE,
)
_PRIMES = frozenset("'’′‘")
_GLUED_ONLY = frozenset({"im", "ln", "1n", "mi", "bs", "cn", "#"}) | _PRIMES | DEGREES
# A prime or degree sign before a letter is no unit (`70's`, `23°s`) unless the letter is an axis.
_WORD_AFTER = re.compile(rf"(?!(?-i:[xXWHDLT])(?![{LETTER}]))[{LETTER}]", re.IGNORECASE)
# OCR reads inch marks as degree signs; these values are more often angles, unless in a series.
_ANGLES = re.compile(r"15|30|45|60|90|110|120|135|150|160|170|180|270|36[0oO]")
_SERIES_OR_AXIS = re.compile(r"\s?[(x×/*WHDL]")


def _may_be_unit(text: str, number: str, surface: str, number_end: int, end: int) -> bool:
    """Reject what only looks like a unit: `5 in the box`, `360°`, `4G`, `70's`."""
    key, gap = surface.lower(), end - len(surface) - number_end
    after = text[end : end + _WINDOW]
    if key in _IN_WORDS and _IN_PHRASE.match(after):
        return False
    if key in _GLUED_ONLY and surface != "mI" and (gap or _WORD_AFTER.match(after)):
        return False
    if not key[0].isalnum() and gap and after[:1].isalpha():
        return False
    if key in DEGREES and _ANGLES.fullmatch(number) and not _SERIES_OR_AXIS.match(after):
        return False
    if _MONTH.fullmatch(number) or (len(key) == 1 and key.isalpha() and _leads(gap, after)):
        return False
    if surface == "MI" or (surface == "L" and not gap and number in _STEELS):
        return False
    if surface in ("W", "L", "T", "B") and after[:1] == ")" and _BRACKETED_AXIS.search(text):
        return False
    if key in _MASSES and _PER_VOLUME.match(after):
        return False
    if UNIT_KIND.get(look_up(surface)[0]) == "volume" and _MASS_PER.search(
        text[max(0, number_end - len(number) - _WINDOW) : number_end - len(number)]
    ):
        return False
    if surface in ("G", "M") and not gap and number in _BANDS:
        return _is_weight(text[max(0, number_end - _WINDOW) : number_end - 1], after)
    return not _is_odd_slip(key, number, gap)


_MONTH = re.compile(r"(?:0[1-9]|1[0-2])[.,]20[2-4]\d")  # `08.2027   L 6114`
_CODE = re.compile(r"[ .:]{0,3}(?=\d{3})")


def _leads(gap: int, after: str) -> bool:
    """Return whether a letter belongs to the digits after it, as that of a lot does: `12 L6114`."""
    code = _CODE.match(after)
    return code is not None and code.end() < gap


_WINDOW = 16
_BANDS = frozenset({"2.4", "3", "4", "5", "5.8", "6"})  # mobile and radio: `4G`, `2.4G`; `3M`
_STEELS = frozenset({"304", "316", "317"})  # low-carbon stainless steels, AISI 304L to 317L
_BRACKETED_AXIS = re.compile(r"\d\s?\([HDTPB]\)")  # `60(W) 40(D)`
# A concentration: `18.55 g/20 ml`.
_MASSES = frozenset({"g", "gr", "mg", "mcg", "µg", "μg"})
_PER_VOLUME = re.compile(r"\s?/\s?\d{0,4}\s?(?:ml|cl|dl|l|litre|liter)\b", re.IGNORECASE)
_MASS_PER = re.compile(r"\d\s?(?:m?g|mcg|[µμ]g|kcal|kJ|I\.?[UE])\s?/\s?\Z", re.IGNORECASE)

# Before "4G" or "3M" these show that a measure is meant, not a network or a brand.
_WEIGHT_WORDS = re.compile(
    r"(?:weight|wt|net|fat|carbs?|protein|sugars?|[:=x×])[\s.]*\Z", re.IGNORECASE
)


def _is_weight(before: str, after: str) -> bool:
    """Return whether the words around `4G` indicate a weight."""
    return bool(_WEIGHT_WORDS.search(before)) or after.lower().startswith(" per")


def _is_odd_slip(key: str, number: str, gap: int) -> bool:
    """Return whether an OCR correction is implausible: `2 mil`, `600lm`, `1st`, `2024 02`."""
    if key == "mil":
        return len(number) < 2
    if key == "02":
        return len(number) > 4
    return len(key) == 1 and number[-1] in "lI|S"


_RUN_BEFORE = re.compile(r"[A-Za-z0-9.\-]{1,16}\Z")
_CURRENCIES = frozenset("$€£¥")
_QUOTES = frozenset("\"“„'‘«")
# These letters are no unit in a model number (`P300344-31M`); W is (`FS-A1-30W`).
_MODEL_LETTERS = frozenset("mglt")
# Prefixes that labels print before a number without a space, besides words of three letters or
# more; a number whose unit has several letters may follow any letters.
_PREFIX = re.compile(r"[lwhdbtxrve]|ac|dc|pd|ca|wt|nw|gw|us|to")
_AXES = frozenset("lwhdbtp")  # only before a length: `L20V` is 120 V misread
_LONGEST_DEPTH = 1000
# Electrical units that no question asks for; a quantity may follow without a space: `5.0Ah18V`.
_UNASKED = re.compile(r"a|m?ah|[mk]?wh|hz|va|lm", re.IGNORECASE)


def _stands_apart(text: str, token: NumberToken, previous_end: int) -> bool:
    """Reject prices, quoted numbers and parts of model numbers: `QD30H11G`, `MX12V`."""
    before = text[token.start - 1 : token.start]
    if not before or token.start == previous_end:
        return True
    if previous_end >= 0 and _UNASKED.fullmatch(text, previous_end, token.start):
        return True
    if before in _CURRENCIES:
        return False
    if before in _QUOTES and not text[token.end - 1].isalnum():
        return not token.unit
    if not ((before.isascii() and before.isalnum()) or before == "-"):
        return True
    run = _RUN_BEFORE.search(text[max(0, previous_end, token.start - _WINDOW) : token.start])
    return run is None or _is_prefix(run[0], token)


def _is_prefix(run: str, token: NumberToken) -> bool:
    """Return whether the characters right before a number are a word or axis, not a model."""
    stem = run.lower().rstrip(".-")
    head = stem.rstrip(ascii_lowercase)
    word = stem[len(head) :]
    if len(word) > 2 or run in ("-", "x", "X"):
        return True
    if any(letter.isdigit() for letter in head):
        return not word and token.letter not in _MODEL_LETTERS
    if word in _AXES and UNIT_KIND.get(token.unit, "length") != "length":
        return False
    if word == "p" and token.value < _LONGEST_DEPTH:  # `L50 x P40`; `P300344` is a model
        return True
    return bool(_PREFIX.fullmatch(word)) or (token.unit != "" and token.letter == "")
