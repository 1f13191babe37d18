"""Score the candidates of a page for one question and explain the scores."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib.extraction import weights
from lib.extraction.candidates import ENTITY_KIND, Candidate, find_candidates
from lib.extraction.edges import Edge, find_edges
from lib.extraction.evidence import LENGTHS, OTHERS, find_doubts, has_limit_sign, is_note
from lib.extraction.scan import TAKEN, PlacedQuantity, Scan
from lib.quantities import ENTITIES, Mention, Quantity, to_base

# Entity -> meanings that name it, the most certain first.
OWN: dict[str, tuple[str, ...]] = {
    "width": ("width",),
    "height": ("height",),
    "depth": ("depth", "thickness"),
    "item_weight": ("net weight", "weight", "net content"),
    "maximum_weight_recommendation": ("maximum load",),
    "voltage": ("voltage",),
    "wattage": ("power",),
    "item_volume": ("volume", "capacity", "net content"),
}

# Meanings that name another quantity in the same kind of unit.
_LENGTHS: frozenset[str] = LENGTHS | {"inner"}

RIVAL: dict[str, frozenset[str]] = {
    **{entity: _LENGTHS - set(OWN[entity]) | OTHERS for entity in ("width", "depth")},
    "height": _LENGTHS - {"height"} | OTHERS | {"diameter"},
    "item_weight": frozenset(
        {"maximum load", "capacity", "limit", "up to", "gross weight", "serving", "package", "user"}
        | {"fits"}
    ),
    "maximum_weight_recommendation": frozenset(
        {"weight", "net weight", "net content", "gross weight", "serving", "recipe"}
    ),
    "voltage": frozenset({"output"}),
    "wattage": frozenset({"equivalent", "standby"}),
    "item_volume": frozenset(
        {"net weight", "weight", "gross weight", "maximum load", "recipe", "user"}
    ),
}

# Positions of keywords in a quantity's own line.
IN_LINE: frozenset[str] = frozenset({"line", "earlier", "after"})

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
    """

    value: float
    size: float


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
    """Find the greatest values among the candidates, without those that measure something else."""
    candidates = [one for one in candidates if not one.placed.in_line & OTHERS] or candidates
    value = max((candidate.placed.base for candidate in candidates), default=0.0)
    size = max((candidate.placed.line.size for candidate in candidates), default=0.0)
    return Maxima(max(value, 1e-9), max(size, 1.0))


def score_candidate(
    candidate: Candidate, maxima: Maxima, scan: Scan, entity: str
) -> dict[str, float]:
    """Score one candidate: reason -> points, above 0 for it, below 0 against it."""
    low, high = weights.PLAUSIBLE[entity]
    value = to_base(candidate.quantity.value, candidate.quantity.unit)
    features = describe_print(candidate, maxima) | {"implausible value": not low <= value <= high}
    points = score_keywords(candidate, entity) | multiply(features)
    points |= score_echo(candidate.placed, scan, entity)
    if not is_named(candidate.placed, entity):
        points |= dict.fromkeys(find_doubts(candidate, scan, entity), weights.DOUBT)
    elif is_note(candidate.placed, scan):
        points["in a note"] = weights.NOTE
    if ENTITY_KIND[entity] == "length":
        edge = find_edges(scan)[candidate.placed.order]
        return points | score_axis(candidate, maxima, entity, edge) | score_edge(edge, entity)
    return points | multiply(describe_label(candidate, maxima, scan, entity))


def is_named(placed: PlacedQuantity, entity: str) -> bool:
    """Return whether a keyword or its axis says that a quantity answers the question."""
    if has_limit_sign(placed) or is_of_another(placed):
        return False
    is_owned = bool(placed.in_line & OTHERS)
    return has_own_keyword(placed, entity) or (placed.mention.axis == entity and not is_owned)


def is_of_another(placed: PlacedQuantity) -> bool:
    """Return whether words before a quantity say whose it is, as in `Weight of the package`."""
    before = {meaning for position, meaning in placed.keywords if position == "line"}
    return "user" in before or ("package" in before and not before & NET)


# Meanings that a package states of its content.
NET: frozenset[str] = frozenset({"net weight", "net content"})


def has_own_keyword(placed: PlacedQuantity, entity: str) -> bool:
    """Return whether a keyword around a quantity names what is asked for."""
    return any(meaning in OWN[entity] for _, meaning in find_applicable(placed, entity))


def find_applicable(placed: PlacedQuantity, entity: str) -> Sequence[tuple[str, str]]:
    """List the keywords around a quantity; only those of its own line if these name another."""
    if not placed.keywords or not placed.in_line & RIVAL[entity]:
        return placed.keywords
    return [(position, meaning) for position, meaning in placed.keywords if position in IN_LINE]


def multiply(features: Mapping[str, float]) -> dict[str, float]:
    """Multiply each feature by its points."""
    return {reason: weights.POINTS[reason] * value for reason, value in features.items()}


def score_keywords(candidate: Candidate, entity: str) -> dict[str, float]:
    """Score the keywords around a candidate."""
    points: dict[str, float] = {}
    for position, meaning in reversed(find_applicable(candidate.placed, entity)):
        if meaning in OWN[entity]:
            value = weights.KEYWORD_POINTS[position.removesuffix(TAKEN)]
            points[f"{meaning} {position}"] = value
        elif meaning in RIVAL[entity] and not (meaning == "serving" and is_dose(candidate)):
            share = weights.LENGTH_SHARE if meaning == "length" else 1.0
            points[f"{meaning} {position}"] = -share * weights.RIVAL_POINTS[position]
    return points


def is_dose(candidate: Candidate) -> bool:
    """Return whether a weight is the dose that a supplement has on its front: `Zinc 50 mg`."""
    unit = candidate.quantity.unit
    return candidate.rivals == 1 and unit in ("milligram", "microgram")


def score_echo(placed: PlacedQuantity, scan: Scan, entity: str) -> dict[str, float]:
    """Score the keywords on the lines of other prints of a quantity that has none of its own."""
    meanings = list_meanings(scan).get(placed.mention.quantity)
    if not meanings or placed.in_line:
        return {}
    own, rivals = meanings.intersection(OWN[entity]), meanings & RIVAL[entity]
    named = {f"{meaning} elsewhere": weights.ECHO for meaning in own}
    return named | {f"{meaning} elsewhere": -weights.ECHO for meaning in rivals}


@lru_cache(maxsize=1)  # of the current page
def list_meanings(scan: Scan) -> dict[Quantity, frozenset[str]]:
    """List the meanings of the keywords on all lines that print a quantity."""
    meanings: dict[Quantity, frozenset[str]] = {}
    for placed in scan.quantities if scan.meanings else ():
        if placed.in_line:
            quantity = placed.mention.quantity
            meanings[quantity] = meanings.get(quantity, frozenset()) | placed.in_line
    return meanings


def describe_print(candidate: Candidate, maxima: Maxima) -> dict[str, float]:
    """Describe how a candidate is printed."""
    mention = candidate.placed.mention
    return {
        "large print": candidate.placed.line.size / maxima.size,
        "repaired OCR error": mention.repaired,
        "conversion": mention.conversion,
        "end of a range": mention.bound == "low",
    }


def describe_label(
    candidate: Candidate, maxima: Maxima, scan: Scan, entity: str
) -> dict[str, float]:
    """Describe a weight, load, volume, voltage or wattage."""
    mention = candidate.placed.mention
    features = {
        "dose in the list": float("serving" in scan.meanings and mention.conversion),
        "estimated sign": float(has_estimated_sign(candidate.placed)),
    }
    if entity == "maximum_weight_recommendation":
        features["large value"] = candidate.placed.base / max(maxima.value, candidate.placed.base)
        features["estimated sign"] *= -1
    return features


def has_estimated_sign(placed: PlacedQuantity) -> bool:
    """Return whether the EU's sign of a net quantity follows, which OCR reads as an e: `250 g e`.

    The sign: Council Directive 76/211/EEC, annex I.
    """
    return bool(_ESTIMATED_SIGN.match(placed.line.text, placed.mention.span[1]))


_ESTIMATED_SIGN = re.compile(r"\s?[℮e](?!\w)")


def score_axis(candidate: Candidate, maxima: Maxima, entity: str, edge: Edge) -> dict[str, float]:
    """Score the axis and the drawn direction of a length."""
    placed = candidate.placed
    least, most = weights.ROTATED_ANGLES
    has_keyword = has_own_keyword(placed, entity)
    points = {
        f"marked {placed.mention.axis}": score_marking(placed.mention.axis, entity),
        "rotated text": weights.ROTATED[entity] * (least < abs(placed.line.angle) < most),
    }
    lead = 0.0 if has_keyword else measure_lead(placed, entity, edge)
    points |= multiply({"line segment beside": lead})
    if candidate.rivals == 1 and placed.direction == 2 and placed.segments.any():
        points["line segment beside"] *= weights.SLANTED_SHARE[entity]
        points["only measure"] = weights.ONLY_SLANTED[entity]
    if entity == "depth":
        points |= multiply(describe_depth(candidate, maxima, has_keyword, edge))
    else:
        share = placed.base / max(maxima.value, placed.base)
        points |= multiply({"large value": share})
    return points | score_lone(candidate, entity) | score_position(placed.mention, entity)


def measure_lead(placed: PlacedQuantity, entity: str, edge: Edge) -> float:
    """Return by how much the lines along the entity's edge are stronger than all others."""
    if edge.is_told:
        return max(placed.strengths) * (1 if edge.name == entity else -1)
    own = DIRECTION[entity]
    return placed.strengths[own] - max(placed.strengths[:own] + placed.strengths[own + 1 :])


def score_edge(edge: Edge, entity: str) -> dict[str, float]:
    """Score the edge that a length is drawn along and its share of the whole edge."""
    points = {}
    if edge.is_told and entity != "height":
        points["slanted edge"] = weights.EDGE if edge.name == entity else -weights.EDGE
    if edge.name in weights.OWN_EDGES[entity]:
        points |= multiply({"largest drawn this way": edge.share})
    return points


def score_marking(axis: str | None, entity: str) -> float:
    """Score the letter or word that names the axis of a length."""
    if axis == entity:
        return weights.OWN_AXIS
    return weights.OTHER_AXIS if axis in DIRECTION else 0.0


def describe_depth(
    candidate: Candidate, maxima: Maxima, has_keyword: bool, edge: Edge
) -> dict[str, float]:
    """Describe what speaks for and against a depth."""
    placed = candidate.placed
    return {
        "thickness": placed.mention.axis == "thickness",
        "third measure": 1.0 if candidate.rivals > 2 else -1.0,
        "not the largest": placed.base < maxima.value,
        "not drawn aslant": not (
            has_keyword or edge.name == "depth" or recedes(placed) or is_third_axis(placed)
        ),
    }


def is_third_axis(placed: PlacedQuantity) -> bool:
    """Return whether a length is the L of `L x W x H`, in which the other two are named."""
    return placed.mention.axis == "length" and placed.mention.series[1] == len(DIRECTION)


def score_lone(candidate: Candidate, entity: str) -> dict[str, float]:
    """Score a page's only length, of which no line tells the direction.

    Product images state a width more often than a height; feet with inches are a height.
    """
    placed = candidate.placed
    if candidate.rivals > 1 or placed.segments.any():
        return {}
    likely = "height" if _FEET_AND_INCHES.search(placed.mention.surface) else "width"
    return {"only length": weights.LONE * (entity == likely)}


_FEET_AND_INCHES = re.compile(r"\d\s?(?:'|’|′|ft|feet)\s?\d")


def score_position(mention: Mention, entity: str) -> dict[str, float]:
    """Score the position in a series without axes, taken as width x height or D x W x H."""
    index, count = mention.series
    if count == 1 or mention.axis is not None:
        return {}
    order = {2: ("width", "height"), 3: ("depth", "width", "height")}.get(count, ())
    is_own = order[index : index + 1] == (entity,)
    return {"position in the series": weights.OWN_POSITION if is_own else weights.OTHER_POSITION}


def recedes(placed: PlacedQuantity) -> bool:
    """Return whether a length is marked as a depth or drawn as receding into the image."""
    turn = abs(placed.line.angle)
    aslant = weights.STRAIGHT < min(turn, 180 - turn) < 90 - weights.STRAIGHT
    marked = placed.mention.axis in ("depth", "thickness")
    return marked or aslant or bool(placed.segments[2, 0] > weights.FAINT)
