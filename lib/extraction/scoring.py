"""Score the candidates of a page for one question and explain the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib.extraction.candidates import ENTITY_KIND, Candidate, find_candidates
from lib.extraction.dimension_lines import STRAIGHT
from lib.extraction.scan import PlacedQuantity, Scan
from lib.extraction.weights import KEYWORD_POINTS, PLAUSIBLE
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
        reasons = sorted(self.points[i].items(), key=lambda item: -abs(item[1]))
        return ", ".join(name for name, value in reasons[:3] if value)


@dataclass(frozen=True)
class Maxima:
    """The greatest values of a question's candidates, which their scores are relative to.

    Attributes:
        value: Greatest value, in metre, gram, volt, watt or litre.
        size: Height of the largest letters, in pixels.
        by_direction: Greatest value beside a level, an upright and a slanted line segment.
    """

    value: float
    size: float
    by_direction: tuple[float, ...]


@lru_cache(maxsize=len(ENTITIES))  # the questions about the current page
def score_candidates(scan: Scan, entity: str) -> ScoredCandidates:
    """Score all candidates of a question.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
    """
    candidates = find_candidates(scan, entity)
    maxima = find_maxima(candidates)
    points = tuple(score_candidate(candidate, maxima, scan, entity) for candidate in candidates)
    return ScoredCandidates(tuple(candidates), points, tuple(sum(p.values()) for p in points))


def find_maxima(candidates: Sequence[Candidate]) -> Maxima:
    """Find the greatest values among the candidates."""
    by_direction = [0.0, 0.0, 0.0]
    for candidate in candidates:
        direction = candidate.placed.direction
        by_direction[direction] = max(by_direction[direction], candidate.placed.base)
    value = max((candidate.placed.base for candidate in candidates), default=0.0)
    size = max((candidate.placed.line.size for candidate in candidates), default=0.0)
    return Maxima(value, max(size, 1.0), tuple(by_direction))


def score_candidate(
    candidate: Candidate, maxima: Maxima, scan: Scan, entity: str
) -> dict[str, float]:
    """Score one candidate: reason -> points, above 0 for it, below 0 against it."""
    low, high = PLAUSIBLE[entity]
    points = score_keywords(candidate, entity) | score_print(candidate, maxima)
    value = to_base(candidate.quantity.value, candidate.quantity.unit)
    points["implausible value"] = -4.0 * (not low <= value <= high)
    if ENTITY_KIND[entity] == "length":
        return points | score_axis(candidate, maxima, entity)
    return points | score_label(candidate, maxima, scan, entity)


def score_keywords(candidate: Candidate, entity: str) -> dict[str, float]:
    """Score the keywords around a candidate."""
    points: dict[str, float] = {}
    for position, meaning in reversed(candidate.placed.keywords):
        if meaning in OWN[entity]:
            points[f"{meaning} {position}"] = KEYWORD_POINTS[position]
        elif meaning in RIVAL[entity]:
            points[f"{meaning} {position}"] = -KEYWORD_POINTS[position] * (
                0.3 if meaning == "length" else 1.0
            )
    return points


def score_print(candidate: Candidate, maxima: Maxima) -> dict[str, float]:
    """Score how a candidate is printed."""
    mention = candidate.placed.mention
    return {
        "large print": candidate.placed.line.size / maxima.size,
        "repaired OCR error": -0.5 * mention.repaired,
        "conversion": -0.2 * mention.conversion,
        "end of a range": -0.2 * (mention.bound == "low"),
    }


def score_label(candidate: Candidate, maxima: Maxima, scan: Scan, entity: str) -> dict[str, float]:
    """Score a weight, load, volume, voltage or wattage."""
    mention = candidate.placed.mention
    points = {"dose in the list": -0.5 * ("serving" in scan.meanings and mention.conversion)}
    if entity == "maximum_weight_recommendation":
        points["maximum in front"] = 1.0 * (mention.qualifier == "max")
        points["large value"] = candidate.placed.base / maxima.value
    return points


def score_axis(candidate: Candidate, maxima: Maxima, entity: str) -> dict[str, float]:
    """Score the axis and the drawn direction of a length."""
    placed = candidate.placed
    own = DIRECTION[entity]
    axis = placed.mention.axis
    rotated = 60 < abs(placed.line.angle) < 120
    named = any(meaning in OWN[entity] for _, meaning in placed.keywords)
    ahead = placed.strengths[own] - max(placed.strengths[:own] + placed.strengths[own + 1 :])
    points = {
        f"marked {axis}": 4.0 * (axis == entity) - 4.0 * (axis in DIRECTION and axis != entity),
        "rotated text": {"height": 1.5}.get(entity, -1.5) * rotated,
        "line segment beside": 0.0 if named else 6.0 * ahead,
    }
    is_slanted = placed.direction == 2 and placed.segments.any()
    if candidate.rivals == 1 and is_slanted:
        points["line segment beside"] *= entity != "width"
        points["only measure"] = {"width": 2.0, "height": -2.0, "depth": -4.0}[entity]
    if entity == "depth":
        points["thickness"] = 4.0 * (axis == "thickness")
        points["third measure"] = 0.8 if candidate.rivals > 2 else -0.8
        points["not the largest"] = 0.5 * (placed.base < 0.97 * maxima.value)
        points["not drawn aslant"] = -3.0 * (not named and not recedes(placed))
    else:
        points["large value"] = placed.base / maxima.value
        points["largest drawn this way"] = 2.0 * placed.base / maxima.by_direction[placed.direction]
    index, count = placed.mention.series
    if count > 1 and axis is None:
        order = {2: ("width", "height"), 3: ("depth", "width", "height")}.get(count, ())
        points["position in the series"] = 1.5 if order[index : index + 1] == (entity,) else -1.0
    return points


def recedes(placed: PlacedQuantity) -> bool:
    """Return whether a length is marked as a depth or drawn as receding into the image."""
    turn = abs(placed.line.angle)
    aslant = STRAIGHT < min(turn, 180 - turn) < 90 - STRAIGHT
    return placed.mention.axis in ("depth", "thickness") or aslant or placed.segments[2, 0] > FAINT


FAINT: float = 0.02  # Strength below which a line segment tells nothing.
