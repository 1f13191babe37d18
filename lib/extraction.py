"""The answer to each question: the best candidate of its page, or nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from lib.candidates import ENTITY_KIND, Candidate, Reading, Scan, find_candidates, is_same
from lib.page import find_center
from lib.ranking import DIRECTION, OWN, RIVAL
from lib.units import ENTITIES

# Score below which the rules answer nothing, chosen on labelled photos.
LEAST: dict[str, float] = dict.fromkeys(ENTITIES, -1.0) | {"depth": 1.5}


@dataclass(frozen=True)
class Choice:
    """What was answered and why.

    Attributes:
        prediction: The official print, `""` for no answer.
        candidate: The one chosen, None for no answer.
        score: Of the method that chose; a probability where it is fitted.
        reason: A few plain words.
    """

    prediction: str
    candidate: Candidate | None
    score: float
    reason: str


def choose_by_rules(scan: Scan, entity: str) -> Choice:
    """Answer one question by fixed rules.

    Args:
        scan: The page's quantities.
        entity: What is asked for.

    Raises:
        ValueError: When the entity is not one of the challenge's eight.
    """
    candidates = find_candidates(scan, entity)
    if not candidates:
        return Choice("", None, 0.0, "no quantity in a fitting unit")
    scored = [weigh(candidate, candidates, scan, entity) for candidate in candidates]
    scores = np.array([score for score, _ in scored])
    best = int(scores.argmax())
    if ENTITY_KIND[entity] == "length":
        best = assign_lengths(candidates, scan)[entity]
    score, reason = scored[best]
    if best < 0 or score < LEAST[entity]:
        return Choice("", None, float(scores.max()), "no quantity fits well enough")
    chosen = first_printed(candidates, candidates[best])
    return Choice(str(chosen.quantity), chosen, score, reason)


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

    A square is no reprint: its sides are equal, but their numbers stand apart.
    """
    if not is_same(one.base, other.base):
        return False
    apart = math.dist(find_center(one.quad), find_center(other.quad))
    return one.line is other.line or apart < 3 * max(one.line.size, other.line.size)


def first_printed(candidates: Sequence[Candidate], chosen: Candidate) -> Candidate:
    """Give the first print of a measure: `6.1 in (15.5 cm)` answers in inches."""
    line = chosen.reading.line
    same = [c for c in candidates if c.reading.line is line]
    return next(c for c in same if is_same(c.reading.base, chosen.reading.base))


def weigh(
    candidate: Candidate, candidates: Sequence[Candidate], scan: Scan, entity: str
) -> tuple[float, str]:
    """Score one candidate and say in words what spoke for or against it."""
    points = weigh_cues(candidate, entity) | weigh_print(candidate, candidates)
    if ENTITY_KIND[entity] == "length":
        points |= weigh_axis(candidate, candidates, entity)
    else:
        points |= weigh_label(candidate, candidates, scan, entity)
    told = sorted(points.items(), key=lambda item: -abs(item[1]))
    return sum(points.values()), ", ".join(name for name, value in told[:3] if value)


def weigh_cues(candidate: Candidate, entity: str) -> dict[str, float]:
    """Score the keywords around a candidate."""
    weights = {"line": 3.0, "after": 2.0, "beside": 2.0, "above": 2.0, "below": 1.0}
    points: dict[str, float] = {}
    for place, meaning in reversed(candidate.reading.cues):
        if meaning in OWN[entity]:
            points[f"{meaning} {place}"] = weights[place]
        elif meaning in RIVAL[entity]:
            points[f"{meaning} {place}"] = -weights[place]
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
    axis = reading.mention.axis
    turned = 60 < abs(reading.line.angle) < 120
    largest = max(other.reading.base for other in candidates)
    ahead = float(strokes[own] - max(strokes[k] for k in range(3) if k != own))
    points = {
        f"marked {axis}": 4.0 * (axis == entity) - 4.0 * (axis in DIRECTION and axis != entity),
        "turned text": {"height": 1.5}.get(entity, -1.5) * turned,
        "stroke beside": 6.0 * ahead,
    }
    if entity == "depth":
        points["thickness"] = 4.0 * (axis == "thickness")
        points["third measure"] = 0.8 if candidate.rivals > 2 else -0.8
        points["not the largest"] = 0.5 * (reading.base < 0.97 * largest)
    else:
        points["large value"] = reading.base / largest
    place, count = reading.mention.series
    if count > 1 and axis is None:
        order = {2: ("width", "height"), 3: ("depth", "width", "height")}.get(count, ())
        points["place in the series"] = 1.5 if order[place : place + 1] == (entity,) else -1.0
    return points
