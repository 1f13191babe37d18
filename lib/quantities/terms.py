"""Numbers of a text with the words right beside them and what joins each to the one before."""

from typing import NamedTuple

from lib.quantities.axes import read_after, read_before
from lib.quantities.tokens import NumberToken, read_tokens
from lib.quantities.unit_names import read_unit_at, read_unit_before
from lib.quantities.units import UNIT_KIND, to_base


class Term(NamedTuple):
    """An atom in its phrase.

    Attributes:
        value: The number.
        unit: Its own or its phrase's, `""` for none.
        atom: As found, with its place.
        link: What joins it to the part before: "times", "range", "slash", "dual", "and",
            "tolerance", "space" or "".
        axis: Named right beside it, else None.
        qualifier: "max", "min", "approx" right before it, else None.
        bound: "low" or "high" end of a range, else None.
        repaired: A glyph slip was mended.
        conversion: The second of a dual unit.
        series: Position and count.
        count: Of a multi-pack.
    """

    value: float
    unit: str
    atom: NumberToken
    link: str = ""
    axis: str | None = None
    qualifier: str | None = None
    bound: str | None = None
    repaired: bool = False
    conversion: bool = False
    series: tuple[int, int] = (0, 1)
    count: int = 1

    @property
    def kind(self) -> str:
        """Sort of unit: length, weight, voltage, wattage, volume, or `""` without a unit."""
        return UNIT_KIND.get(self.unit, "")

    @property
    def base(self) -> float:
        """The value in metre, gram, volt, watt or litre; needs a unit."""
        return to_base(self.value, self.unit)


# What stands between two numbers (brackets and spaces aside) -> how they belong together.
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
# `Size (cm): 30`, `Maße in mm: 30`: how the head of a number ends that holds its unit.
_HEAD_ENDS = frozenset(":)]=")


def read_terms(text: str) -> list[Term]:
    """Find the numbers of a text, the words right beside them and their links, left to right.

    >>> [(p.value, p.unit, p.axis, p.link) for p in read_terms('W 8.8 x H 6" max. 3 kg')]
    [(8.8, '', 'width', ''), (6.0, 'inch', 'height', 'times'), (3.0, 'kilogram', None, 'space')]
    """
    parts: list[Term] = []
    reach = 0
    for atom in read_tokens(text):
        part, reach = _read_part(text, atom, reach, is_first=not parts)
        parts.append(part)
    return parts


def _read_part(text: str, atom: NumberToken, reach: int, is_first: bool) -> tuple[Term, int]:
    """Read what stands around an atom; give how far its words reach, too."""
    between = text[reach : atom.start]
    link, axis, qualifier = _read_words(between, is_first)
    if axis and atom.letter in ("w", "l"):
        atom = _give_letter_back(text, atom)
    if not atom.unit and between.rstrip()[-1:] in _HEAD_ENDS:
        atom = atom._replace(unit=read_unit_before(between) or "")
    reach = atom.end
    if axis is None:
        axis, reach = read_after(text, atom.end)
        atom = _read_unit_behind(text, atom, reach)
        reach = max(reach, atom.end)
    part = Term(atom.value, atom.unit, atom, link, axis, qualifier, repaired=atom.repaired)
    return part, reach


def _read_words(between: str, is_first: bool) -> tuple[str, str | None, str | None]:
    """Read link, axis and qualifier from the text between two numbers."""
    link = "" if is_first else _read_link(between)
    if link not in ("", "and"):
        return link, None, None
    axis, qualifier, left = read_before(between)
    return "" if is_first else _read_link(left), axis, qualifier


def _give_letter_back(text: str, atom: NumberToken) -> NumberToken:
    """Leave the W of `L 30 W 20` to the next number, of which it is the axis."""
    number = text[atom.start : atom.end - 1]
    if not number[-1].isspace():
        return atom
    return atom._replace(unit="", letter="", end=atom.start + len(number.rstrip()))


def _read_unit_behind(text: str, atom: NumberToken, reach: int) -> NumberToken:
    """Read the unit of `75H cm`, which stands behind the axis."""
    found = read_unit_at(text, reach) if reach > atom.end and not atom.unit else None
    return atom._replace(unit=found[0], end=found[1]) if found else atom


def _read_link(between: str) -> str:
    """Tell how the text between two numbers joins them."""
    if len(between) > _LONGEST_JOIN:
        return ""
    core = between.strip(" \t\r\n()[]{}").lower()
    if core in ("", "."):
        return "dual" if "(" in between or "[" in between else "space"
    return _JOINS.get(core) or _JOINS.get(core.lstrip(".( "), "")
