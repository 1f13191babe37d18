"""Features of candidates, and the fitted model that gives each its probability of being right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib.candidates import ENTITY_KIND, Candidate, Scan, is_same
from lib.geometry import DIRECTIONS
from lib.rules import DIRECTION, OWN, RIVAL, assign_lengths, is_reprint, weigh
from lib.units import ENTITIES, UNIT_KIND

PLACES: tuple[str, ...] = ("line", "after", "beside", "above", "below")
ASIDE: tuple[str, ...] = (
    "serving", "gross weight", "output", "equivalent", "package", "inner", "size", "length",
    "diameter", "thickness", "maximum load", "weight", "net weight",
)  # fmt: skip
UNITS: tuple[str, ...] = tuple(UNIT_KIND)


def describe_cues(candidate: Candidate, entity: str, scan: Scan) -> dict[str, float]:
    """Describe the keywords around a candidate."""
    cues = candidate.reading.cues
    own = OWN[entity]
    row: dict[str, float] = {}
    for place in PLACES:
        meanings = [meaning for where, meaning in cues if where == place]
        row[f"own {place}"] = float(any(m in own for m in meanings))
        row[f"other {place}"] = float(any(m in RIVAL[entity] for m in meanings))
    nearest = [m for where, m in cues if where == "line"][:1]
    row["own nearest"] = float(bool(nearest) and nearest[0] in own)
    near = {meaning for _, meaning in cues}
    row.update({f"near {meaning}": float(meaning in near) for meaning in ASIDE})
    row["own on page"] = float(any(m in scan.meanings for m in own))
    row["serving on page"] = float("serving" in scan.meanings)
    return row


def describe_text(candidate: Candidate) -> dict[str, float]:
    """Describe how a candidate is printed."""
    reading, mention = candidate.reading, candidate.reading.mention
    place, count = mention.series
    return {
        "confidence": reading.line.confidence,
        "unit": UNITS.index(mention.quantity.unit),
        "value": float(np.log10(max(reading.base, 1e-9))),
        "whole": float(mention.quantity.value == int(mention.quantity.value)),
        "low bound": float(mention.bound == "low"),
        "high bound": float(mention.bound == "high"),
        "conversion": float(mention.conversion),
        "repaired": float(mention.repaired),
        "series place": place if count > 1 else -1,
        "series count": count,
        "pack": float(mention.count > 1),
        "maximum": float(mention.qualifier == "max"),
        "unit elsewhere": float(reading.unit_from != "text"),
        "share of line": len(mention.surface) / max(len(reading.line.text), 1),
    }


def describe_place(candidate: Candidate, scan: Scan) -> dict[str, float]:
    """Describe where a candidate stands and how large it is printed."""
    left, top, right, bottom = scan.scene.outline
    (x1, y1), _, (x2, y2), _ = candidate.reading.quad
    turn = abs(candidate.reading.line.angle)
    return {
        "x": ((x1 + x2) / 2 - left) / max(right - left, 1.0),
        "y": ((y1 + y2) / 2 - top) / max(bottom - top, 1.0),
        "turn": min(turn, 180 - turn),
        "letter height": candidate.reading.line.size / scan.page.height,
        "lines": len(scan.lines),
        "page shape": scan.page.width / scan.page.height,
        "outline shape": (right - left) / max(bottom - top, 1.0),
    }


def describe_rivals(candidate: Candidate, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Compare a candidate with the others for the same question."""
    base, size = candidate.reading.base, candidate.reading.line.size
    bases = [other.reading.base for other in candidates]
    sizes = [other.reading.line.size for other in candidates]
    same = [other for other in candidates if is_same(other.reading.base, base)]
    return {
        "rivals": candidate.rivals,
        "repeats": len(same),
        "dual": float(any(o.quantity.unit != candidate.quantity.unit for o in same)),
        "larger values": sum(b > base * 1.03 for b in bases),
        "smaller values": sum(b < base / 1.03 for b in bases),
        "share of largest": base / max(max(bases), 1e-12),
        "larger print": sum(s > size * 1.1 for s in sizes),
        "share of print": size / max(max(sizes), 1e-12),
        "place in order": next(i for i, c in enumerate(candidates) if c is candidate),
    }


def describe_axis(
    candidate: Candidate, candidates: Sequence[Candidate], entity: str
) -> dict[str, float]:
    """Describe in which direction a length is drawn, and how the others are."""
    axes = [other.reading.mention.axis for other in candidates]
    axis = candidate.reading.mention.axis
    row: dict[str, float] = {
        "axis own": float(axis == entity),
        "axis other": float(axis in DIRECTION and axis != entity),
        "axis length": float(axis == "length"),
        "axis round": float(axis == "diameter"),
        "axis of another": float(entity in axes and axis != entity),
        "axes named": sum(a is not None for a in axes),
    }
    strokes = candidate.reading.strokes  # (3, 3)
    names = ("strength", "centred", "reached")
    for k, direction in enumerate(DIRECTIONS):
        row.update({f"{direction} {name}": float(strokes[k, i]) for i, name in enumerate(names)})
    own = DIRECTION[entity]
    row["own strength"] = float(strokes[own, 0] - np.delete(strokes[:, 0], own).max())
    row["own centred"] = float(strokes[own, 1] - np.delete(strokes[:, 1], own).max())
    all_strokes = np.array([other.reading.strokes[own, 1] for other in candidates])
    row["own rank"] = float((all_strokes > strokes[own, 1] + 1e-9).sum())
    return row


def describe_candidates(scan: Scan, candidates: Sequence[Candidate], entity: str) -> np.ndarray:
    """Turn the candidates of one question into features.

    Returns:
        (N, F) float32, F as many as `list_features(entity)`.
    """
    rows = [describe(scan, candidate, candidates, entity) for candidate in candidates]
    for row, extra in zip(rows, describe_rules(scan, candidates, entity), strict=True):
        row |= extra
    return np.array([list(row.values()) for row in rows], np.float32)


def describe(
    scan: Scan, candidate: Candidate, candidates: Sequence[Candidate], entity: str
) -> dict[str, float]:
    """Give one candidate's features by name."""
    row = {"entity": float(ENTITIES.index(entity))}
    row |= describe_cues(candidate, entity, scan) | describe_text(candidate)
    row |= describe_place(candidate, scan) | describe_rivals(candidate, candidates)
    if ENTITY_KIND[entity] == "length":
        row |= describe_axis(candidate, candidates, entity)
    return row


def describe_rules(
    scan: Scan, candidates: Sequence[Candidate], entity: str
) -> list[dict[str, float]]:
    """Give what the fixed rules make of each candidate: their score and their choice."""
    scores = [weigh(candidate, candidates, scan, entity)[0] for candidate in candidates]
    rows = [
        {"rule score": score, "rule lead": score - max(scores[:i] + scores[i + 1 :], default=-9.0)}
        for i, score in enumerate(scores)
    ]
    if ENTITY_KIND[entity] == "length":
        chosen = assign_lengths(candidates, scan)
        for i, row in enumerate(rows):
            same = [
                e
                for e, k in chosen.items()
                if k >= 0 and is_reprint(candidates[i].reading, candidates[k].reading)
            ]
            row["assigned"] = float(entity in same)
            row["assigned elsewhere"] = float(any(e != entity for e in same))
            row |= {f"assigned {e}": float(e in same) for e in DIRECTION}
    return rows
