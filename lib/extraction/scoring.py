"""Score the candidates of a page for one question and explain the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib.extraction.candidates import ENTITY_KIND, Candidate, find_candidates
from lib.extraction.dimension_lines import STRAIGHT
from lib.extraction.scan import PlacedQuantity, Scan
from lib.extraction.weights import PLACES, PLAUSIBLE
from lib.quantities import ENTITIES, to_base

# Entity -> meanings that name it, the most certain first.
OWN: dict[str, tuple[str, ...]] = {
    "width": ("width",),
    "height": ("height",),
    "depth": ("depth", "thickness"),
    "item_weight": ("net weight", "weight", "net content"),
    "maximum_weight_recommendation": ("maximum load",),
    "voltage": ("voltage",),
    "wattage": ("power",),
    "item_volume": ("volume", "net content"),
}

# Meanings that name another quantity in the same kind of unit.
_LENGTHS: frozenset[str] = frozenset(
    {"width", "height", "depth", "thickness", "length", "inner", "package"}
)

RIVAL: dict[str, frozenset[str]] = {
    **{entity: _LENGTHS - set(OWN[entity]) for entity in ("width", "depth")},
    "height": _LENGTHS - {"height"} | {"diameter"},
    "item_weight": frozenset({"maximum load", "gross weight", "serving", "package"}),
    "maximum_weight_recommendation": frozenset({"net weight", "gross weight", "serving"}),
    "voltage": frozenset({"output"}),
    "wattage": frozenset({"equivalent"}),
    "item_volume": frozenset({"net weight", "weight", "gross weight", "maximum load"}),
}

# Entity -> direction of its dimension line, an index into `dimension_lines.DIRECTIONS`.
DIRECTION: dict[str, int] = {"width": 0, "height": 1, "depth": 2}


@dataclass(frozen=True, eq=False)
class ScoredCandidates:
    """The candidates of one question and their scores by the rules.

    Attributes:
        candidates: In reading order.
        points: For each candidate reason -> points, above 0 for it, below 0 against it.
        scores: Sum of the points of each candidate.
    """

    candidates: tuple[Candidate, ...]
    points: tuple[dict[str, float], ...]
    scores: tuple[float, ...]

    def tell_reason(self, i: int) -> str:
        """Name the up to three reasons with most weight for or against a candidate."""
        told = sorted(self.points[i].items(), key=lambda item: -abs(item[1]))
        return ", ".join(name for name, value in told[:3] if value)


@dataclass(frozen=True)
class Maxima:
    """The greatest values of a question's candidates, which their scores are relative to.

    Attributes:
        value: Greatest value, in metre, gram, volt, watt or litre.
        print: Height of the largest letters, in pixels.
        drawn: Greatest value beside a level, an upright and a slanted line segment.
    """

    value: float
    print: float
    drawn: tuple[float, ...]


@lru_cache(maxsize=len(ENTITIES))  # the questions about the current page
def weigh_candidates(scan: Scan, entity: str) -> ScoredCandidates:
    """Score all candidates of a question.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
    """
    candidates = find_candidates(scan, entity)
    greatest = find_maxima(candidates)
    points = tuple(weigh(candidate, greatest, scan, entity) for candidate in candidates)
    return ScoredCandidates(tuple(candidates), points, tuple(sum(p.values()) for p in points))


def find_maxima(candidates: Sequence[Candidate]) -> Maxima:
    """Find the greatest values among the candidates."""
    drawn = [0.0, 0.0, 0.0]
    for candidate in candidates:
        kind = candidate.reading.direction
        drawn[kind] = max(drawn[kind], candidate.reading.base)
    value = max((candidate.reading.base for candidate in candidates), default=0.0)
    size = max((candidate.reading.line.size for candidate in candidates), default=0.0)
    return Maxima(value, max(size, 1.0), tuple(drawn))


def weigh(candidate: Candidate, greatest: Maxima, scan: Scan, entity: str) -> dict[str, float]:
    """Score one candidate: reason -> points, above 0 for it, below 0 against it."""
    low, high = PLAUSIBLE[entity]
    points = weigh_cues(candidate, entity) | weigh_print(candidate, greatest)
    value = to_base(candidate.quantity.value, candidate.quantity.unit)
    points["implausible value"] = -4.0 * (not low <= value <= high)
    if ENTITY_KIND[entity] == "length":
        return points | weigh_axis(candidate, greatest, entity)
    return points | weigh_label(candidate, greatest, scan, entity)


def weigh_cues(candidate: Candidate, entity: str) -> dict[str, float]:
    """Score the keywords around a candidate."""
    points: dict[str, float] = {}
    for place, meaning in reversed(candidate.reading.cues):
        if meaning in OWN[entity]:
            points[f"{meaning} {place}"] = PLACES[place]
        elif meaning in RIVAL[entity]:
            points[f"{meaning} {place}"] = -PLACES[place] * (0.3 if meaning == "length" else 1.0)
    return points


def weigh_print(candidate: Candidate, greatest: Maxima) -> dict[str, float]:
    """Score how a candidate is printed."""
    mention = candidate.reading.mention
    return {
        "large print": candidate.reading.line.size / greatest.print,
        "mended glyphs": -0.5 * mention.repaired,
        "conversion": -0.2 * mention.conversion,
        "end of a range": -0.2 * (mention.bound == "low"),
    }


def weigh_label(
    candidate: Candidate, greatest: Maxima, scan: Scan, entity: str
) -> dict[str, float]:
    """Score a weight, load, volume, voltage or wattage."""
    mention = candidate.reading.mention
    points = {"dose in the list": -0.5 * ("serving" in scan.meanings and mention.conversion)}
    if entity == "maximum_weight_recommendation":
        points["maximum in front"] = 1.0 * (mention.qualifier == "max")
        points["large value"] = candidate.reading.base / greatest.value
    return points


def weigh_axis(candidate: Candidate, greatest: Maxima, entity: str) -> dict[str, float]:
    """Score the axis and the drawn direction of a length."""
    reading = candidate.reading
    own, drawn = DIRECTION[entity], reading.direction
    axis = reading.mention.axis
    turned = 60 < abs(reading.line.angle) < 120
    named = any(meaning in OWN[entity] for _, meaning in reading.cues)
    ahead = reading.drawn[own] - max(reading.drawn[:own] + reading.drawn[own + 1 :])
    points = {
        f"marked {axis}": 4.0 * (axis == entity) - 4.0 * (axis in DIRECTION and axis != entity),
        "turned text": {"height": 1.5}.get(entity, -1.5) * turned,
        "line segment beside": 0.0 if named else 6.0 * ahead,
    }
    if candidate.rivals == 1 and drawn == 2 and reading.segments.any():  # a lone slanted measure
        points["line segment beside"] *= entity != "width"
        points["only measure"] = {"width": 2.0, "height": -2.0, "depth": -4.0}[entity]
    if entity == "depth":
        points["thickness"] = 4.0 * (axis == "thickness")
        points["third measure"] = 0.8 if candidate.rivals > 2 else -0.8
        points["not the largest"] = 0.5 * (reading.base < 0.97 * greatest.value)
        points["not drawn aslant"] = -3.0 * (not named and not recedes(reading))
    else:
        points["large value"] = reading.base / greatest.value
        points["largest drawn this way"] = 2.0 * reading.base / greatest.drawn[drawn]
    place, count = reading.mention.series
    if count > 1 and axis is None:
        order = {2: ("width", "height"), 3: ("depth", "width", "height")}.get(count, ())
        points["place in the series"] = 1.5 if order[place : place + 1] == (entity,) else -1.0
    return points


def recedes(reading: PlacedQuantity) -> bool:
    """Return whether a length is marked as a depth or drawn as receding into the image."""
    turn = abs(reading.line.angle)
    aslant = STRAIGHT < min(turn, 180 - turn) < 90 - STRAIGHT
    return (
        reading.mention.axis in ("depth", "thickness") or aslant or reading.segments[2, 0] > FAINT
    )


FAINT: float = 0.02  # Strength below which a line segment tells nothing.
