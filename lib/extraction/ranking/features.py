"""Compute the ranker's features of a candidate from the rules and the roundness."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lib.extraction.candidates import ENTITY_KIND, is_same
from lib.extraction.measures import is_reprint
from lib.extraction.rules import assign_lengths, choose_candidate
from lib.extraction.scan import Scan
from lib.extraction.scoring import DIRECTION, score_candidates
from lib.quantities import ENTITIES

# Feature -> monotonic constraint: whether a greater value makes a right answer likelier (1), less
# likely (-1) or either (0). The constraints limit overfitting on a few hundred questions.
FEATURES: dict[str, int] = {
    "entity": 0,
    "score of the rules": 1,
    "lead over the next": 1,
    "chosen by the rules": 1,
    "rules answer at all": 0,
}
LENGTH_FEATURES: dict[str, int] = FEATURES | {
    "assigned": 1,
    "assigned to another": -1,
    "assigned to width": 0,
    "has a depth": 0,
    "roundness": 0,
    "roundness as width": 1,
    "size of the width": 0,
}


def list_features(entity: str) -> dict[str, int]:
    """Return the features of candidates for an entity, in order."""
    return LENGTH_FEATURES if ENTITY_KIND[entity] == "length" else FEATURES


def describe_candidates(scan: Scan, entity: str) -> npt.NDArray[np.float64]:
    """Compute the features of the candidates of one question.

    Args:
        scan: The page.
        entity: What is asked for, with at least one candidate on the page.

    Returns:
        (N, F) float64, one column for each of `list_features(entity)`.
    """
    rows = describe_choice(scan, entity)
    if ENTITY_KIND[entity] == "length":
        lengths = describe_lengths(scan, entity)
        rows = [[*row, *length] for row, length in zip(rows, lengths, strict=True)]
    return np.array(rows, float)


def describe_choice(scan: Scan, entity: str) -> list[list[float]]:
    """Compute the features `FEATURES` of each candidate from the rules."""
    scored = score_candidates(scan, entity)
    candidates, scores = scored.candidates, scored.scores
    chosen, _ = choose_candidate(scan, entity)
    return [
        [
            ENTITIES.index(entity),
            score,
            score - max(scores[:i] + scores[i + 1 :], default=-9.0),
            chosen >= 0 and is_same(candidates[i].placed.base, candidates[chosen].placed.base),
            chosen >= 0,
        ]
        for i, score in enumerate(scores)
    ]


def describe_lengths(scan: Scan, entity: str) -> list[list[float]]:
    """Compute the further features of lengths: their assignment and the roundness."""
    candidates, assigned = score_candidates(scan, entity).candidates, assign_lengths(scan)
    width, depth = assigned["width"], assigned["depth"]
    is_depth = entity == "depth" and not math.isnan(scan.roundness)
    roundness = scan.roundness if is_depth else 0.0
    size = math.log(max(candidates[width].placed.base, 1e-9)) if width >= 0 and is_depth else 0.0
    rows = []
    for candidate in candidates:
        own = {
            other: index >= 0 and is_reprint(candidate.placed, candidates[index].placed)
            for other, index in assigned.items()
        }
        elsewhere = any(own[other] for other in DIRECTION if other != entity)
        round_width = roundness * own["width"]
        rows.append(
            [own[entity], elsewhere, own["width"], depth >= 0, roundness, round_width, size]
        )
    return rows
