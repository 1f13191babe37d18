"""Read numbers as labels print them: decimal commas, thousands marks, fractions, OCR errors."""

import re
import unicodedata

# Fractions of an inch from halves to sixty-fourths; thirds, fifths and sixths as in recipes.
_PROPER = (
    r"(?:1\s?[/⁄]\s?2|[12]\s?[/⁄]\s?3|[13]\s?[/⁄]\s?4|[1-4]\s?[/⁄]\s?5|[15]\s?[/⁄]\s?6"
    r"|[1-7]\s?[/⁄]\s?8|1?[13579]\s?[/⁄]\s?16|[123]?[13579]\s?[/⁄]\s?32|[1-6]?[13579]\s?[/⁄]\s?64)"
    r"(?![\d/])"
)
DECIMALS: int = 6  # of a fraction; 1/64, the finest of an inch, has as many.
_VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"

# A number without OCR errors; runs are bounded and possessive, so that matching stays linear.
NUMBER: str = (
    rf"(?:\d{{1,4}}(?:\s{{1,2}}(?:&\s|and\s)?|\s?[-–]\s?|){_PROPER}"
    rf"|{_PROPER}"
    rf"|(?:\d{{1,4}}[\s-]?)?[{_VULGAR}](?:[/⁄]\d)?"
    r"|(?:\d{1,9}+(?:[.,]\d{1,9}+){0,3}+(?!\d)|(?<![\w./])\.\d{1,6}+(?!\d|\.\d)))"
)

# A number with letters in place of digits; needs a digit (checked by the caller) and a unit.
SLIPPED: str = r"(?-i:[\dOoIl|S.,]){1,8}?"

_SLIPS = str.maketrans("OoIl|S", "001115")
_MIXED = re.compile(r"(?P<whole>\d{1,4})?(?P<gap>[^\d/⁄]*)(?P<top>\d+)\s?[/⁄]\s?(?P<bottom>\d+)")
_FRACTION = re.compile(r"(?P<whole>\d{0})(?P<top>\d+)\s?[/⁄]\s?(?P<bottom>\d+)")
# OCR may read the end of `1/2` twice: `16½/2`.
_WITH_VULGAR = re.compile(rf"(?P<whole>\d{{1,4}})?[\s-]?(?P<sign>[{_VULGAR}])(?:[/⁄]\d)?")
_DECIMAL = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?P<mark>[.,])\d{3})(?:(?P=mark)\d{3})*")


def read_number(text: str) -> float | None:
    """Read one number; return None if its marks are inconsistent.

    A comma before exactly three digits marks thousands, any other comma is decimal; a dot is
    decimal unless it occurs more than once; of both, the last is decimal. Compared with the
    challenge's labels, 44 of 48 texts with `N,NNN` mean thousands, all 29 with `N.NNN` decimals.

    >>> read_number("1,5"), read_number("1,500"), read_number("0,500"), read_number("1.500")
    (1.5, 1500.0, 0.5, 1.5)
    >>> read_number("1.500,5"), read_number("1,234,567"), read_number("1.234.567")
    (1500.5, 1234567.0, 1234567.0)
    >>> read_number("5 1/2"), read_number("5-1/2"), read_number("1/2"), read_number("5½")
    (5.5, 5.5, 0.5, 5.5)
    >>> read_number("16½/2"), read_number("¾/4")
    (16.5, 0.75)
    >>> read_number(".73"), read_number("12.")
    (0.73, 12.0)
    >>> read_number("2/3"), read_number("1⅓"), read_number("1/64")
    (0.666667, 1.333333, 0.015625)
    >>> read_number("24.12.2024") is None, read_number("") is None
    (True, True)
    """
    text = text.strip()
    vulgar = _WITH_VULGAR.fullmatch(text)
    if vulgar:
        return int(vulgar["whole"] or 0) + round(unicodedata.numeric(vulgar["sign"]), DECIMALS)
    if "/" in text or "⁄" in text:
        return _read_fraction(text)
    return _read_decimal(text.rstrip(".,"))


def read_slipped(text: str) -> float | None:
    """Read a number in which letters stand for digits.

    >>> read_slipped("5OO"), read_slipped("O.76"), read_slipped("l2"), read_slipped("lO")
    (500.0, 0.76, 12.0, None)
    """
    if not any(letter.isdigit() for letter in text):
        return None
    return read_number(text.translate(_SLIPS))


def _read_fraction(text: str) -> float | None:
    """Read `1/2`, `5 1/2` or `51/2` (space lost)."""
    match = (re.fullmatch(_PROPER, text) and _FRACTION.fullmatch(text)) or _MIXED.fullmatch(text)
    if not match:
        return None
    whole, top, bottom = match["whole"] or "0", match["top"], int(match["bottom"])
    if not bottom or int(top) >= bottom:
        return None
    return int(whole) + round(int(top) / bottom, DECIMALS)


def _read_decimal(text: str) -> float | None:
    """Read digits with decimal and thousands marks."""
    if "," in text and "." in text:
        thousands, point = (",", ".") if text.rfind(".") > text.rfind(",") else (".", ",")
        text = text.replace(thousands, "").replace(point, ".")
    elif _THOUSANDS.fullmatch(text) and ("," in text or text.count(".") > 1):
        text = text.replace(",", "").replace(".", "")
    text = text.replace(",", ".")
    return float(text) if _DECIMAL.fullmatch(text) else None
