"""Represent quantities and their mentions in text; parse the official answer form."""

import re
from decimal import Decimal
from typing import NamedTuple

from lib.quantities.units import ENTITY_UNITS, list_spellings

_ALLOWED: frozenset[str] = frozenset().union(*ENTITY_UNITS.values())

# Three digits after a comma may be thousands or decimals, so `1,200 mm` is no quantity.
_TYPED = re.compile(
    r" *(?=[0-9.,]{1,20}[ A-Za-z])([0-9]+(?:(?:\.|,(?![0-9]{3}(?![0-9])))[0-9]+)?)"
    r" *([A-Za-z]+(?: +[A-Za-z]+)*) *"
)
_OFFICIAL = re.compile(r"\s*(\d++(?:\.\d++)?)\s+([a-z]+(?: [a-z]+)?)\s*", re.IGNORECASE)


class Quantity(NamedTuple):
    """A number and a unit; `str` prints the challenge's official form.

    >>> str(Quantity(12, "inch")), str(Quantity(0.709, "gram"))
    ('12.0 inch', '0.709 gram')
    >>> str(Quantity(0.00001, "gram")), str(Quantity(1e16, "volt"))
    ('0.00001 gram', '10000000000000000.0 volt')
    """

    value: float
    unit: str

    def __str__(self) -> str:
        number = format(Decimal(repr(float(self.value))), "f")
        return f"{number}{'' if '.' in number else '.0'} {self.unit}".strip()


class Mention(NamedTuple):
    """A quantity and its position in a text.

    Attributes:
        quantity: Number and unit; the unit is `""` for a bare number.
        span: Start and end in the text.
        surface: The matched characters.
        axis: "height", "width", "depth", "length", "diameter" or "thickness" if a letter or word
            beside it says so, else None.
        series: Position and length of a series such as `10 x 20 x 30 cm`; (0, 1) if alone.
        bound: "low" or "high" for the ends of a range, else None.
        repaired: Whether an OCR error was corrected.
        conversion: Whether it is the second value of a dual unit: `2.2 lb (1 kg)`.
        qualifier: "max", "min" or "approx" if the word precedes it, else None.
        pieces: Pieces of a multi-pack: 6 for `6 x 250 ml`.
    """

    quantity: Quantity
    span: tuple[int, int]
    surface: str
    axis: str | None = None
    series: tuple[int, int] = (0, 1)
    bound: str | None = None
    repaired: bool = False
    conversion: bool = False
    qualifier: str | None = None
    pieces: int = 1


def parse_answer(text: str) -> Quantity | None:
    """Parse an answer in the official form; return None for ranges and anything else.

    >>> parse_answer("15.5 centimetre"), parse_answer("15 gram")
    (Quantity(value=15.5, unit='centimetre'), Quantity(value=15.0, unit='gram'))
    >>> parse_answer("[100.0, 240.0] volt") is None, parse_answer("5 to 7 kilogram") is None
    (True, True)
    >>> parse_answer("") is None
    True
    """
    match = _OFFICIAL.fullmatch(text)
    if not match or match[2].lower() not in _ALLOWED:
        return None
    return Quantity(float(match[1]), match[2].lower())


def parse_typed(text: str, entity: str) -> Quantity | None:
    """Parse a quantity as a reviewer types it: a number and a unit of the entity.

    >>> parse_typed("12,50 CM", "width"), parse_typed("8fl oz", "item_volume")
    (Quantity(value=12.5, unit='centimetre'), Quantity(value=8.0, unit='fluid ounce'))
    >>> [parse_typed(text, "width") for text in ("1,200 mm", "12", "12 gram", "-5 cm")]
    [None, None, None, None]

    Raises:
        ValueError: When the entity is not one of the challenge's eight.
    """
    match = _TYPED.fullmatch(text)
    name = " ".join(match[2].lower().split()) if match else ""
    unit = list_spellings(entity).get(name)
    return Quantity(float(match[1].replace(",", ".")), unit) if match and unit else None
