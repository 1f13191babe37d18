"""Fixed rules that weigh a candidate by keywords, print and drawn direction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from lib.candidates import ENTITY_KIND, Candidate, Reading, Scan, is_same
from lib.geometry import STRAIGHT
from lib.page import find_center
from lib.units import ENTITIES, to_base

# Entity -> meanings that ask for it, the surest first.
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
# Meanings that name another quantity in the same sort of unit.
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
# Entity -> the direction in which its dimension line is drawn, an index into DIRECTIONS.
DIRECTION: dict[str, int] = {"width": 0, "height": 1, "depth": 2}
# Score below which the rules answer nothing, chosen on labelled photos.
LEAST: dict[str, float] = dict.fromkeys(ENTITIES, -1.0) | {"depth": 1.5, "item_weight": 1.0}

# Roundness from which a thing is taken to be as deep as wide. An answer that is right more often
# than half the F1 raises the F1 (Lipton et al., "Optimal thresholding of classifiers to maximize
# F1 measure", 2014): 0.45 at an F1 of 0.9; the estimates lie somewhat low.
ROUND: float = 0.35


def choose_candidate(
    scan: Scan,
    candidates: Sequence[Candidate],
    entity: str,
    scored: Sequence[tuple[float, str]],
) -> tuple[int, str]:
    """Choose the candidate that answers a question.

    Args:
        scan: The page.
        candidates: At least one, as `find_candidates` gives them.
        entity: What is asked for.
        scored: What `weigh` says of each candidate.

    Returns:
        Its index, -1 for no answer, and why in a few words.
    """
    best = max(range(len(scored)), key=lambda i: scored[i][0])
    if ENTITY_KIND[entity] == "length":
        assigned = assign_lengths(candidates, scan)
        best = assigned[entity]
        if entity == "depth" and best < 0 <= assigned["width"] and scan.roundness >= ROUND:
            return assigned["width"], "round: as deep as wide"
    if best < 0 or scored[best][0] < LEAST[entity]:
        return -1, "nothing fits well enough"
    return best, scored[best][1]


def assign_lengths(candidates: Sequence[Candidate], scan: Scan) -> dict[str, int]:
    """Share the lengths of a page out to width, height and depth, each measure to one of them.

    The sum of the scores is the greatest possible (Hungarian algorithm, as SciPy has it).

    Returns:
        The index of each entity's candidate, -1 where none is better than no answer.
    """
    scores = np.array(
        [[weigh(c, candidates, scan, entity)[0] for c in candidates] for entity in DIRECTION]
    )  # (3, N)
    firsts = [first_of_measure(candidates, i) for i in range(len(candidates))]
    best = np.full((len(DIRECTION), len(candidates)), -np.inf)
    np.maximum.at(best.T, firsts, scores.T)  # A measure is as good as its best print.
    nothing = np.diag([LEAST[entity] for entity in DIRECTION])
    nothing[~np.eye(len(DIRECTION), dtype=bool)] = -99
    gains = np.hstack([np.maximum(best, -99), nothing])
    rows, columns = linear_sum_assignment(gains, maximize=True)
    found = dict(zip(DIRECTION, columns[np.argsort(rows)].tolist(), strict=True))
    return {
        entity: max(
            (i for i, first in enumerate(firsts) if first == column),
            key=lambda i, k=k: scores[k, i],
            default=-1,
        )
        for k, (entity, column) in enumerate(found.items())
    }


def first_of_measure(candidates: Sequence[Candidate], i: int) -> int:
    """Give the index of the first candidate that prints the same measure as the `i`-th."""
    one = candidates[i].reading
    return next(k for k, other in enumerate(candidates) if is_reprint(other.reading, one))


def is_reprint(one: Reading, other: Reading) -> bool:
    """Whether two readings print one measure: the same value, on one line or stacked.

    A square is no reprint: its sides are equal, but their numbers stand apart. A measure given in
    inches and in centimetres is often rounded twice: `1.9 in` beside `5.0 cm`.
    """
    apart = math.dist(find_center(one.quad), find_center(other.quad))
    size = max(one.line.size, other.line.size)
    if is_same(one.base, other.base):
        return one.line is other.line or apart < 3 * size
    if not is_rounded_pair(one, other):
        return False
    if one.line is other.line:
        return abs(one.mention.span[0] - other.mention.span[0]) < LONGEST_PAIR
    return apart < 2 * size


IMPERIAL: frozenset[str] = frozenset({"inch", "foot", "yard"})
ROUNDING: float = 1.25  # Factor by which the two prints of one measure may differ.
LONGEST_PAIR: int = 14  # Characters from one number to the other: `12.5 in (31 cm)`.


def is_rounded_pair(one: Reading, other: Reading) -> bool:
    """Whether two lengths may be one, printed in inches and in centimetres, each rounded."""
    if one.kind != "length" or other.kind != "length":
        return False
    if one.mention.series != other.mention.series:
        return False
    systems = [reading.mention.quantity.unit in IMPERIAL for reading in (one, other)]
    ratio = one.base / max(other.base, 1e-9)
    return systems[0] != systems[1] and 1 / ROUNDING < ratio < ROUNDING


# Entity -> least and greatest value that products have, in metre, gram, volt, watt or litre: about
# the 0.5 % and 98 % quantiles of the challenge's train labels, which hold slips themselves.
PLAUSIBLE: dict[str, tuple[float, float]] = {
    "width": (0.003, 3.0),
    "height": (0.003, 3.0),
    "depth": (0.0003, 4.0),
    "item_weight": (0.001, 500_000.0),
    "maximum_weight_recommendation": (50.0, 50_000_000.0),
    "voltage": (0.5, 1_000.0),
    "wattage": (0.05, 10_000.0),
    "item_volume": (0.0005, 1_000.0),
}


def weigh(
    candidate: Candidate, candidates: Sequence[Candidate], scan: Scan, entity: str
) -> tuple[float, str]:
    """Score one candidate and say in words what spoke for or against it."""
    low, high = PLAUSIBLE[entity]
    points = weigh_cues(candidate, entity) | weigh_print(candidate, candidates)
    value = to_base(candidate.quantity.value, candidate.quantity.unit)
    points["implausible value"] = -4.0 * (not low <= value <= high)
    if ENTITY_KIND[entity] == "length":
        points |= weigh_axis(candidate, candidates, entity)
    else:
        points |= weigh_label(candidate, candidates, scan, entity)
    told = sorted(points.items(), key=lambda item: -abs(item[1]))
    return sum(points.values()), ", ".join(name for name, value in told[:3] if value)


def weigh_cues(candidate: Candidate, entity: str) -> dict[str, float]:
    """Score the keywords around a candidate."""
    weights = {"line": 3.0, "after": 2.0, "beside": 2.0, "above": 2.0, "below": 0.5}
    points: dict[str, float] = {}
    for place, meaning in reversed(candidate.reading.cues):
        if meaning in OWN[entity]:
            points[f"{meaning} {place}"] = weights[place]
        elif meaning in RIVAL[entity]:
            points[f"{meaning} {place}"] = -weights[place] * (0.3 if meaning == "length" else 1.0)
    return points


def weigh_print(candidate: Candidate, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Score how a candidate is printed."""
    largest = max(other.reading.line.size for other in candidates)
    mention = candidate.reading.mention
    return {
        "large print": candidate.reading.line.size / max(largest, 1.0),
        "mended glyphs": -0.5 * mention.repaired,
        "conversion": -0.2 * mention.conversion,
        "end of a range": -0.2 * (mention.bound == "low"),
    }


def weigh_label(
    candidate: Candidate, candidates: Sequence[Candidate], scan: Scan, entity: str
) -> dict[str, float]:
    """Score a weight, load, volume, voltage or wattage."""
    mention = candidate.reading.mention
    largest = max(other.reading.base for other in candidates)
    points = {"dose in the list": -0.5 * ("serving" in scan.meanings and mention.conversion)}
    if entity == "maximum_weight_recommendation":
        points["maximum in front"] = 1.0 * (mention.qualifier == "max")
        points["large value"] = candidate.reading.base / largest
    return points


def weigh_axis(
    candidate: Candidate, candidates: Sequence[Candidate], entity: str
) -> dict[str, float]:
    """Score the direction in which a length is drawn."""
    reading = candidate.reading
    own = DIRECTION[entity]
    strokes = reading.strokes[:, 1]
    drawn = int(strokes.argmax())
    axis = reading.mention.axis
    turned = 60 < abs(reading.line.angle) < 120
    largest = max(other.reading.base for other in candidates)
    named = any(meaning in OWN[entity] for _, meaning in reading.cues)
    ahead = float(strokes[own] - max(strokes[k] for k in range(3) if k != own))
    points = {
        f"marked {axis}": 4.0 * (axis == entity) - 4.0 * (axis in DIRECTION and axis != entity),
        "turned text": {"height": 1.5}.get(entity, -1.5) * turned,
        "stroke beside": 0.0 if named else 6.0 * ahead,
    }
    if candidate.rivals == 1 and drawn == 2 and strokes.any():  # the only one, drawn aslant
        points["stroke beside"] *= entity != "width"
        points["only measure"] = {"width": 2.0, "height": -2.0, "depth": -4.0}[entity]
    if entity == "depth":
        points["thickness"] = 4.0 * (axis == "thickness")
        points["third measure"] = 0.8 if candidate.rivals > 2 else -0.8
        points["not the largest"] = 0.5 * (reading.base < 0.97 * largest)
        points["not drawn aslant"] = -3.0 * (not named and not recedes(reading))
    else:
        alike = [c.reading.base for c in candidates if c.reading.strokes[:, 1].argmax() == drawn]
        points["large value"] = reading.base / largest
        points["largest drawn this way"] = 2.0 * reading.base / max(alike)
    place, count = reading.mention.series
    if count > 1 and axis is None:
        order = {2: ("width", "height"), 3: ("depth", "width", "height")}.get(count, ())
        points["place in the series"] = 1.5 if order[place : place + 1] == (entity,) else -1.0
    return points


def recedes(reading: Reading) -> bool:
    """Whether a length is marked or drawn as one that leads into the picture."""
    turn = abs(reading.line.angle)
    aslant = STRAIGHT < min(turn, 180 - turn) < 90 - STRAIGHT
    return reading.mention.axis in ("depth", "thickness") or aslant or reading.strokes[2, 0] > FAINT


FAINT: float = 0.02  # Strength of a stroke below which it may be anything.
