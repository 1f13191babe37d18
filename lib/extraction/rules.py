"""Choose the best candidate by fixed rules, sharing lengths between width, height and depth."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
from scipy.optimize import linear_sum_assignment

from lib.extraction import weights
from lib.extraction.candidates import ENTITY_KIND, Candidate
from lib.extraction.measures import first_of_measure
from lib.extraction.scan import Scan
from lib.extraction.scoring import DIRECTION, ScoredCandidates, score_candidates

# The two entities that a round product has in common.
ACROSS: dict[str, str] = {"depth": "width", "width": "depth"}


def choose_candidate(scan: Scan, entity: str) -> tuple[int, str]:
    """Choose the candidate that answers a question.

    Args:
        scan: The page.
        entity: What is asked for, with at least one candidate on the page.

    Returns:
        Its index (-1 for no answer) and the reason in a few words.
    """
    scored = score_candidates(scan, entity)
    if ENTITY_KIND[entity] != "length":
        best = max(range(len(scored.scores)), key=add_repeats(scored).__getitem__)
    else:
        assigned = assign_lengths(scan)
        best = assigned[entity]
        across = assigned[ACROSS.get(entity, entity)]
        if best < 0 <= across and is_round(scan, scored.candidates[across]):
            return across, "round: as deep as wide"
    if best < 0 or scored.scores[best] < weights.MIN_SCORE[entity]:
        return -1, "nothing fits well enough"
    return best, scored.tell_reason(best)


def is_round(scan: Scan, across: Candidate) -> bool:
    """Return whether the image shows a round product or the length is marked as a diameter."""
    return scan.roundness >= weights.ROUND or across.placed.mention.axis == "diameter"


def add_repeats(scored: ScoredCandidates) -> list[float]:
    """Raise the scores of quantities that several lines print: of two equals, these are sure."""
    prints = {(one.placed.index, one.quantity) for one in scored.candidates}
    times = Counter(quantity for _, quantity in prints)
    return [
        score + weights.REPEATED * (times[one.quantity] > 1)
        for one, score in zip(scored.candidates, scored.scores, strict=True)
    ]


@lru_cache(maxsize=1)  # of the current page: up to three questions ask for it
def assign_lengths(scan: Scan) -> dict[str, int]:
    """Assign the lengths of a page to width, height and depth, each measure to at most one.

    The assignment maximises the sum of the scores (Hungarian algorithm from SciPy).

    Returns:
        The index of each entity's candidate, -1 if no answer scores higher.
    """
    candidates = score_candidates(scan, "width").candidates
    scores = {entity: score_candidates(scan, entity).scores for entity in DIRECTION}
    measures = [first_of_measure(candidates, i) for i in range(len(candidates))]
    groups = {first: [i for i, one in enumerate(measures) if one == first] for first in measures}
    best = {  # A measure is as good as its best print.
        entity: [max(group, key=own.__getitem__) for group in groups.values()]
        for entity, own in scores.items()
    }
    gains = np.full((len(DIRECTION), len(groups) + len(DIRECTION)), weights.NEVER)
    for row, entity in enumerate(DIRECTION):
        gains[row, : len(groups)] = [scores[entity][i] for i in best[entity]]
        gains[row, len(groups) + row] = weights.MIN_SCORE[entity]  # no answer
    _, columns = linear_sum_assignment(gains, maximize=True)
    return {
        entity: best[entity][column] if column < len(groups) else -1
        for entity, column in zip(DIRECTION, columns.tolist(), strict=True)
    }
