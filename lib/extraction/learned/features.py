"""Compute the features of a question's candidates, from the rules, the print and the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from statistics import fmean

import numpy as np
import numpy.typing as npt

from lib.extraction import weights
from lib.extraction.candidates import ENTITY_KIND, Candidate, is_same
from lib.extraction.edges import find_edges
from lib.extraction.keywords import MEANINGS
from lib.extraction.measures import is_reprint
from lib.extraction.rules import assign_lengths, choose_candidate
from lib.extraction.scan import TAKEN, PlacedQuantity, Scan
from lib.extraction.scoring import (
    DIRECTION,
    OWN,
    RIVAL,
    ScoredCandidates,
    is_named,
    score_candidates,
)
from lib.quantities import ENTITIES, IMPERIAL

Floats = npt.NDArray[np.float32]

KINDS: tuple[str, ...] = ("length", "weight", "volume", "voltage", "wattage")
# Another entity that the same quantities may answer.
SIBLING: dict[str, str] = {
    "width": "height",
    "height": "width",
    "depth": "width",
    "item_weight": "maximum_weight_recommendation",
    "maximum_weight_recommendation": "item_weight",
}
# Position of a keyword -> how closely it belongs to the quantity.
NEARNESS: dict[str, float] = {
    "line": 3.0,
    "after": 2.0,
    "beside": 2.0,
    "above": 2.0,
    "earlier": 1.0,
    "below": 1.0,
}
# Reasons of the rules whose points are features; the others are summed in the score.
REASONS: tuple[str, ...] = (
    *("large print", "implausible value", "line segment beside", "large value"),
    *("largest drawn this way", "rotated text", "slanted edge", "third measure"),
    *("not the largest", "not drawn aslant", "position in the series", "only length"),
)
DECIMALS: int = 4
"""Decimals of a feature, so that the last bits, which differ between processors, do not count."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "rules": (
        *("entity", "score", "lead", "rank", "chosen", "exactly chosen", "rules answer"),
        *("lead over the sibling", "doubts", "named", "own keyword", "rival keywords"),
        *(f"points: {reason}" for reason in REASONS),
    ),
    "print": (
        *("confidence", "letter height", "share of the largest letters"),
        *("characters of the line", "share of the line", "digits", "other characters"),
    ),
    "place": ("x", "y", "slope", "aspect", "order"),
    "value": ("log value", "share of the largest", "imperial length", "decimals"),
    "mention": (
        *("series length", "series position", "conversion", "repaired", "range", "maximum"),
        *("pieces", "own axis", "other axis", "reprints", "units"),
    ),
    "lines": (
        *(f"{name} {entity}" for entity in DIRECTION for name in ("strength", "beside", "reach")),
        *("own strength", "lead in strength", "own edge", "other edge", "share of the edge"),
    ),
    "assignment": (
        *(f"assigned to {entity}" for entity in DIRECTION),
        *("assigned", "assigned to another", *(f"has a {entity}" for entity in DIRECTION)),
    ),
    "shape": ("roundness", "roundness as width", "log width"),
    "page": (
        *("words", "lines", "quantities", "candidates", "rivals", "page confidence"),
        *(f"quantities of {kind}" for kind in KINDS),
    ),
    "keywords": (
        *(f"near: {meaning}" for meaning in MEANINGS),
        *(f"page: {meaning}" for meaning in MEANINGS),
    ),
}
"""Family -> features; the ablation leaves out one family at a time."""

FEATURES: tuple[str, ...] = tuple(name for names in FAMILIES.values() for name in names)


def describe_candidates(scan: Scan, entity: str) -> Floats:
    """Compute the features of the candidates of one question.

    Args:
        scan: The page.
        entity: What is asked for, with at least one candidate on the page.

    Returns:
        (N, F) float32, rounded to `DECIMALS`, one column for each of `FEATURES`.
    """
    scored, page = score_candidates(scan, entity), describe_page(scan)
    chosen, _ = choose_candidate(scan, entity)
    sibling = score_candidates(scan, SIBLING[entity]).scores if entity in SIBLING else ()
    lengths = assign_lengths(scan) if ENTITY_KIND[entity] == "length" else {}
    shared = describe_question(scored, entity, chosen) | page
    rows = []
    for i, candidate in enumerate(scored.candidates):
        features = (
            shared
            | describe_scores(scored, entity, i, chosen, sibling)
            | describe_print(candidate, scan)
            | describe_mention(candidate, scored, entity)
            | describe_keywords(candidate.placed)
            | describe_lines(candidate, scored, scan, entity, lengths)
        )
        rows.append([features.get(name, 0.0) for name in FEATURES])
    return np.array(rows, np.float32).round(DECIMALS)


@lru_cache(maxsize=1)  # of the current page
def describe_page(scan: Scan) -> dict[str, float]:
    """Describe the page: its size, its words, and what it is about."""
    words = [word.confidence for word in scan.page.words]
    kinds = [quantity.kind for quantity in scan.quantities]
    return {
        "aspect": scan.page.width / max(scan.page.height, 1),
        "words": len(words),
        "lines": len(scan.lines),
        "quantities": len(kinds),
        "page confidence": fmean(words) if words else 0.0,
        **{f"quantities of {kind}": kinds.count(kind) for kind in KINDS},
        **{f"page: {meaning}": 1.0 for meaning in scan.meanings},
    }


def describe_question(scored: ScoredCandidates, entity: str, chosen: int) -> dict[str, float]:
    """Describe the question."""
    return {
        "entity": ENTITIES.index(entity),
        "rules answer": chosen >= 0,
        "candidates": len(scored.candidates),
        "rivals": scored.candidates[0].rivals,
    }


def describe_scores(
    scored: ScoredCandidates, entity: str, i: int, chosen: int, sibling: tuple[float, ...]
) -> dict[str, float]:
    """Describe what the rules think of one candidate."""
    candidates, scores, points = scored.candidates, scored.scores, scored.points[i]
    placed = candidates[i].placed
    others = [
        score
        for score, other in zip(scores, candidates, strict=True)
        if not is_same(other.placed.base, placed.base)
    ]
    near = {meaning for _, meaning in placed.keywords}
    return {
        "score": scores[i],
        "lead": scores[i] - max(others, default=-15.0),
        "rank": sum(score > scores[i] for score in scores) / len(scores),
        "chosen": chosen >= 0 and is_same(placed.base, candidates[chosen].placed.base),
        "exactly chosen": chosen == i,
        "lead over the sibling": scores[i] - sibling[i] if len(sibling) == len(scores) else 0.0,
        "doubts": sum(value == weights.DOUBT for value in points.values()),
        "named": is_named(placed, entity),
        "own keyword": max(list_keyword_points(points, OWN[entity]), default=0.0),
        "rival keywords": len(near & RIVAL[entity]),
        **{f"points: {reason}": points.get(reason, 0.0) for reason in REASONS},
    }


def list_keyword_points(points: Mapping[str, float], meanings: tuple[str, ...]) -> Iterator[float]:
    """Yield the points for keywords of the given meanings: reasons such as `weight above`."""
    for reason, value in points.items():
        if reason.removesuffix(TAKEN).rpartition(" ")[0] in meanings:
            yield value


def describe_print(candidate: Candidate, scan: Scan) -> dict[str, float]:
    """Describe how and where a candidate is printed."""
    placed = candidate.placed
    line, span, surface = placed.line, placed.mention.span, placed.mention.surface
    digits = sum(character.isdigit() for character in surface)
    return {
        "confidence": line.confidence,
        "letter height": line.size / max(scan.page.height, 1),
        "share of the largest letters": line.size / max(measure_largest_letters(scan), 1.0),
        "characters of the line": len(line.text),
        "share of the line": (span[1] - span[0]) / max(len(line.text), 1),
        "digits": digits,
        "other characters": len(surface) - digits,
        "x": placed.center[0] / max(scan.page.width, 1),
        "y": placed.center[1] / max(scan.page.height, 1),
        "slope": abs(placed.slope),
        "order": placed.order / max(len(scan.quantities), 1),
    }


@lru_cache(maxsize=1)  # of the current page
def measure_largest_letters(scan: Scan) -> float:
    """Return the letter height of the largest line in pixels."""
    return max((line.size for line in scan.lines), default=1.0)


def describe_mention(
    candidate: Candidate, scored: ScoredCandidates, entity: str
) -> dict[str, float]:
    """Describe the value and how it is written."""
    placed, mention = candidate.placed, candidate.placed.mention
    values = [other.placed.base for other in scored.candidates]
    same = [other for other in scored.candidates if is_same(other.placed.base, placed.base)]
    return {
        "log value": math.log10(max(placed.base, 1e-9)),
        "share of the largest": placed.base / max(*values, 1e-9),
        "imperial length": mention.quantity.unit in IMPERIAL,
        "decimals": not float(mention.quantity.value).is_integer(),
        "series length": mention.series[1],
        "series position": mention.series[0],
        "conversion": mention.conversion,
        "repaired": mention.repaired,
        "range": mention.bound is not None,
        "maximum": mention.qualifier == "max",
        "pieces": mention.pieces > 1,
        "own axis": mention.axis == entity,
        "other axis": mention.axis not in (None, entity),
        "reprints": len(same),
        "units": len({other.placed.mention.quantity.unit for other in same}),
    }


def describe_keywords(placed: PlacedQuantity) -> dict[str, float]:
    """Describe the keywords around a quantity: how close the closest of each meaning is."""
    near: dict[str, float] = {}
    for position, meaning in placed.keywords:
        value = NEARNESS[position.removesuffix(TAKEN)] - 0.5 * position.endswith(TAKEN)
        near[f"near: {meaning}"] = max(value, near.get(f"near: {meaning}", 0.0))
    return near


def describe_lines(
    candidate: Candidate,
    scored: ScoredCandidates,
    scan: Scan,
    entity: str,
    assigned: Mapping[str, int],
) -> dict[str, float]:
    """Describe the line segments beside a length, its assignment, and the product's shape."""
    if not assigned:
        return {}
    placed, own = candidate.placed, DIRECTION[entity]
    strengths, edge = placed.strengths, find_edges(scan)[placed.order]
    features: dict[str, float] = {
        "own strength": strengths[own],
        "lead in strength": strengths[own] - max(strengths[:own] + strengths[own + 1 :]),
        "own edge": edge.is_told and edge.name == entity,
        "other edge": edge.is_told and edge.name != entity,
        "share of the edge": edge.share,
    }
    for name, index in DIRECTION.items():
        beside, _, reach = placed.segments[index].tolist()
        features |= {
            f"strength {name}": strengths[index],
            f"beside {name}": beside,
            f"reach {name}": reach,
        }
    return features | describe_assignment(placed, scored.candidates, scan, entity, assigned)


def describe_assignment(
    placed: PlacedQuantity,
    candidates: Sequence[Candidate],
    scan: Scan,
    entity: str,
    assigned: Mapping[str, int],
) -> dict[str, float]:
    """Describe which dimensions the rules assign, a length among them, and the product's shape."""
    taken = {
        name: i >= 0 and is_reprint(placed, candidates[i].placed) for name, i in assigned.items()
    }
    width = assigned["width"]
    roundness = -1.0 if math.isnan(scan.roundness) else scan.roundness
    return {
        **{f"assigned to {name}": value for name, value in taken.items()},
        **{f"has a {name}": i >= 0 for name, i in assigned.items()},
        "assigned": taken[entity],
        "assigned to another": any(taken[name] for name in DIRECTION if name != entity),
        "roundness": roundness,
        "roundness as width": max(roundness, 0.0) * taken["width"],
        "log width": math.log10(max(candidates[width].placed.base, 1e-9)) if width >= 0 else 0.0,
    }
