"""A candidate as numbers: what the fixed rules and the picture's shape say for and against it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lib.candidates import ENTITY_KIND, Candidate, Scan, is_same
from lib.rules import DIRECTION, assign_lengths, choose_candidate, is_reprint, weigh
from lib.units import ENTITIES

# Name -> how a greater value bears on being right: 1 for, -1 against, 0 either way. The fitted
# trees may not contradict it, which keeps them sober on a few hundred questions.
TRAITS: dict[str, int] = {
    "entity": 0,
    "score of the rules": 1,
    "lead over the next": 1,
    "chosen by the rules": 1,
    "rules answer at all": 0,
}
LENGTH_TRAITS: dict[str, int] = TRAITS | {
    "assigned": 1,
    "assigned to another": -1,
    "assigned to width": 0,
    "has a depth": 0,
    "roundness": 0,
    "roundness as width": 1,
    "size of the width": 0,
}


def list_traits(entity: str) -> dict[str, int]:
    """Give the traits that candidates for an entity have, in order."""
    return LENGTH_TRAITS if ENTITY_KIND[entity] == "length" else TRAITS


def describe_candidates(scan: Scan, candidates: Sequence[Candidate], entity: str) -> np.ndarray:
    """Turn the candidates of one question into numbers.

    Args:
        scan: The page.
        candidates: At least one, as `find_candidates` gives them.
        entity: What is asked for.

    Returns:
        (N, F) float64, a column for each of `list_traits(entity)`.
    """
    rows = describe_choice(scan, candidates, entity)
    if ENTITY_KIND[entity] == "length":
        lengths = describe_lengths(scan, candidates, entity)
        rows = [[*row, *length] for row, length in zip(rows, lengths, strict=True)]
    return np.array(rows, float)


def describe_choice(scan: Scan, candidates: Sequence[Candidate], entity: str) -> list[list[float]]:
    """Give what the rules make of each candidate: `TRAITS`."""
    scored = [weigh(candidate, candidates, scan, entity) for candidate in candidates]
    scores = [score for score, _ in scored]
    chosen, _ = choose_candidate(scan, candidates, entity, scored)
    return [
        [
            ENTITIES.index(entity),
            score,
            score - max(scores[:i] + scores[i + 1 :], default=-9.0),
            chosen >= 0 and is_same(candidates[i].reading.base, candidates[chosen].reading.base),
            chosen >= 0,
        ]
        for i, score in enumerate(scores)
    ]


def describe_lengths(scan: Scan, candidates: Sequence[Candidate], entity: str) -> list[list[float]]:
    """Give how the lengths of the page are shared out, and how round the thing looks."""
    assigned = assign_lengths(candidates, scan)
    width, depth = assigned["width"], assigned["depth"]
    is_depth = entity == "depth" and not math.isnan(scan.roundness)
    roundness = scan.roundness if is_depth else 0.0
    size = math.log(max(candidates[width].reading.base, 1e-9)) if width >= 0 and is_depth else 0.0
    rows = []
    for candidate in candidates:
        own = {
            other: index >= 0 and is_reprint(candidate.reading, candidates[index].reading)
            for other, index in assigned.items()
        }
        elsewhere = any(own[other] for other in DIRECTION if other != entity)
        round_width = roundness * own["width"]
        rows.append(
            [own[entity], elsewhere, own["width"], depth >= 0, roundness, round_width, size]
        )
    return rows
