"""Read the numbers of a text with their adjacent words and the links between them."""

import re
from typing import NamedTuple

from lib.quantities.axes import read_after, read_before
from lib.quantities.tokens import NumberToken, read_tokens
from lib.quantities.unit_names import read_unit_at, read_unit_before
from lib.quantities.units import UNIT_KIND, to_base


class Term(NamedTuple):
    """A number token with its adjacent words and its link to the term before.

    Attributes:
        value: The number.
        unit: Its own or one shared with its neighbours, `""` for none.
        token: The number token it was read from.
        link: What joins it to the term before: "times", "range", "slash", "dual", "and",
            "tolerance", "space" or "".
        axis: Axis named next to it, else None.
        qualifier: "max", "min" or "approx" right before it, else None.
        bound: "low" or "high" end of a range, else None.
        repaired: Whether an OCR error was corrected.
        conversion: Whether it is the second value of a dual unit.
        series: Position in its series and length of the series.
        pieces: Pieces of a multi-pack.
    """

    value: float
    unit: str
    token: NumberToken
    link: str = ""
    axis: str | None = None
    qualifier: str | None = None
    bound: str | None = None
    repaired: bool = False
    conversion: bool = False
    series: tuple[int, int] = (0, 1)
    pieces: int = 1

    @property
    def kind(self) -> str:
        """Return the kind of unit: length, weight, voltage, wattage, volume; `""` if none."""
        return UNIT_KIND.get(self.unit, "")

    @property
    def base(self) -> float:
        """Return the value in metre, gram, volt, watt or litre; needs a unit."""
        return to_base(self.value, self.unit)


# Text between two numbers (without brackets and spaces) -> how they are linked.
_JOINS: dict[str, str] = {
    join: link
    for link, joins in {
        "times": "x × * ✕ ✖ ╳ ⨯ х χ xx by mal por per",
        "range": "- – — − ~ ～ 〜 ÷ .. ... … to bis à a al",
        "slash": "/ | \\",
        "dual": "= ≈ or oder ou o • ·",
        "and": ", ; & and und et y e",
        "tolerance": "± +/- +- -/+ ∓",
    }.items()
    for join in joins.split()
}
_LONGEST_JOIN = 9
# Last characters of a heading that may hold the unit: `Size (cm): 30`, `Maße in mm: 30`.
_HEAD_ENDS = frozenset(":)]=")


def read_terms(text: str) -> list[Term]:
    """Find the numbers of a text, their adjacent words and their links, left to right.

    >>> [(p.value, p.unit, p.axis, p.link) for p in read_terms('W 8.8 x H 6" max. 3 kg')]
    [(8.8, '', 'width', ''), (6.0, 'inch', 'height', 'times'), (3.0, 'kilogram', None, 'space')]
    """
    terms: list[Term] = []
    reach = 0
    for token in read_tokens(text):
        term, reach = _read_term(text, token, reach, is_first=not terms)
        terms.append(term)
    return terms


def _read_term(text: str, token: NumberToken, reach: int, is_first: bool) -> tuple[Term, int]:
    """Read the words around a token; return the term and where its words end."""
    between = text[reach : token.start]
    link, axis, qualifier = _read_words(between, is_first)
    if axis and token.letter in ("w", "l"):
        token = _drop_letter_unit(text, token)
    if not token.unit and between.rstrip()[-1:] in _HEAD_ENDS:
        token = token._replace(unit=read_unit_before(between) or "")
    reach = token.end
    if axis is None:
        axis, reach = read_after(text, token.end)
        token = _read_unit_behind(text, token, reach)
        reach = max(reach, token.end)
    if (
        axis is None
        and UNIT_KIND.get(token.unit) == "length"
        and _MISREAD_SIGN.match(text, token.start)
    ):
        axis = "diameter"
    term = Term(token.value, token.unit, token, link, axis, qualifier, repaired=token.repaired)
    return term, reach


# OCR reads the sign of a diameter as a zero: `07,5 cm`.
_MISREAD_SIGN = re.compile(r"0\d")


def _read_words(between: str, is_first: bool) -> tuple[str, str | None, str | None]:
    """Read link, axis and qualifier from the text between two numbers."""
    link = "" if is_first else _read_link(between)
    if link not in ("", "and"):
        return link, None, None
    axis, qualifier, left = read_before(between)
    return "" if is_first else _read_link(left), axis, qualifier


def _drop_letter_unit(text: str, token: NumberToken) -> NumberToken:
    """Drop the W of `L 30 W 20` as a unit: it is the axis of the next number."""
    number = text[token.start : token.end - 1]
    if not number[-1].isspace():
        return token
    return token._replace(unit="", letter="", end=token.start + len(number.rstrip()))


def _read_unit_behind(text: str, token: NumberToken, reach: int) -> NumberToken:
    """Read a unit that follows the axis, as in `75H cm`."""
    found = read_unit_at(text, reach) if reach > token.end and not token.unit else None
    return token._replace(unit=found[0], end=found[1]) if found else token


def _read_link(between: str) -> str:
    """Return the link that the text between two numbers expresses."""
    if len(between) > _LONGEST_JOIN:
        return ""
    core = between.strip(" \t\r\n()[]{}").lower()
    if core in ("", "."):
        return "dual" if "(" in between or "[" in between else "space"
    return _JOINS.get(core) or _JOINS.get(core.lstrip(".( "), "")
