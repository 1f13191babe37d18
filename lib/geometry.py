"""Where a text stands in the picture, and which straight strokes run beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.page import Word

DIRECTIONS: tuple[str, ...] = ("level", "upright", "slanted")
STRAIGHT: float = 10.0  # Degrees from level or upright; more than that recedes into the picture.
REACH: float = 3.0  # Letter heights beyond which a stroke does not belong to a text.


@dataclass(frozen=True)
class Scene:
    """The strokes of a picture that are no letters, and the box around them.

    Attributes:
        strokes: (N, 4) float32, x1, y1, x2, y2 in pixels.
        lengths: (N,) in pixels.
        kinds: (N,) index into `DIRECTIONS`.
        outline: left, top, right, bottom of what is drawn, in pixels.
    """

    strokes: np.ndarray
    lengths: np.ndarray
    kinds: np.ndarray
    outline: tuple[float, float, float, float]


def classify_strokes(strokes: np.ndarray) -> np.ndarray:
    """Tell level from upright from slanted strokes.

    Args:
        strokes: (N, 4) x1, y1, x2, y2.

    Returns:
        (N,) int, index into `DIRECTIONS`.

    >>> classify_strokes(np.array([[0, 0, 9, 0], [0, 0, 0, 9], [0, 0, 9, 9]])).tolist()
    [0, 1, 2]
    """
    dx, dy = strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1]
    angles = np.degrees(np.arctan2(np.abs(dy), np.abs(dx)))  # (N,) 0-90
    return np.where(angles < STRAIGHT, 0, np.where(angles > 90 - STRAIGHT, 1, 2))


def build_scene(strokes: np.ndarray, words: Sequence[Word], width: int, height: int) -> Scene:
    """Drop the strokes that are letters and measure what is left.

    Args:
        strokes: (N, 4) in pixels, as `find_strokes` gives them.
        words: Of the same picture.
        width: Of the picture, in pixels; the outline where nothing is drawn.
        height: Likewise.
    """
    kept = strokes[~find_letters(strokes, words)]  # (M, 4)
    outline = (0.0, 0.0, float(width), float(height))
    if len(kept):
        xs, ys = kept[:, [0, 2]], kept[:, [1, 3]]
        outline = (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
    lengths = np.hypot(kept[:, 2] - kept[:, 0], kept[:, 3] - kept[:, 1])
    return Scene(kept, lengths, classify_strokes(kept), outline)


def find_letters(strokes: np.ndarray, words: Sequence[Word]) -> np.ndarray:
    """Mark the strokes that lie inside a word; (N,) bool."""
    boxes = np.array([[w.box.left, w.box.top, w.box.right, w.box.bottom] for w in words])
    if not len(boxes) or not len(strokes):
        return np.zeros(len(strokes), bool)
    margin = np.array([[0.15 * w.size] for w in words])
    low, high = boxes[:, :2] - margin, boxes[:, 2:] + margin  # (W, 2)
    ends = strokes.reshape(-1, 2, 1, 2)  # (N, 2 ends, 1, 2)
    inside = ((ends > low) & (ends < high)).all(axis=(1, 3))  # (N, W)
    return inside.any(axis=1)


def measure_strokes(scene: Scene, word: Word) -> np.ndarray:
    """Measure how strongly strokes of each direction run beside a text.

    Args:
        scene: The picture's strokes.
        word: The text.

    Returns:
        (3, 3) float: for level, upright and slanted strokes their strength (length as a share of
        the outline's diagonal, fading with distance), the strength of those whose middle the text
        stands at, and the longest within reach as a share of the diagonal.
    """
    result = np.zeros((3, 3))
    left, top, right, bottom = scene.outline
    diagonal = max(np.hypot(right - left, bottom - top), 1.0)
    distance, offset = measure_distances(scene, word)  # (N,), (N,)
    size = max(word.size, 1.0)
    share = scene.lengths / diagonal
    strength = share * np.exp(-distance / size)
    centred = strength * np.exp(-8 * (offset - 0.5) ** 2)
    reached = np.where(distance < REACH * size, share, 0)
    for kind in range(3):
        chosen = scene.kinds == kind
        if chosen.any():
            result[kind] = [a[chosen].max() for a in (strength, centred, reached)]
    return result


def measure_distances(scene: Scene, word: Word) -> tuple[np.ndarray, np.ndarray]:
    """Measure how far strokes are from a text's box and where beside them it stands.

    Returns:
        (N,) distance in pixels, 0 where a stroke touches the box; (N,) place along the stroke of
        the text's middle, 0 at one end, 1 at the other, beyond where it stands past an end.
    """
    start, along = scene.strokes[:, :2], scene.strokes[:, 2:] - scene.strokes[:, :2]
    box = word.box
    center = np.array(box.center)
    offset = ((center - start) * along).sum(1) / np.maximum(scene.lengths**2, 1e-6)
    closest = start + np.clip(offset, 0, 1)[:, None] * along  # (N, 2)
    gap = np.abs(closest - center) - np.array([box.width / 2, box.height / 2])
    return np.maximum(gap, 0).max(axis=1), offset
