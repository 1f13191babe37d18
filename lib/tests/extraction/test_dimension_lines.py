"""Tests of line segments beside texts."""

import numpy as np
import pytest

from lib.extraction.dimension_lines import Drawing, classify_segments, measure_segments
from lib.tests.drawing import turned_word, word

LEVEL = [50, 130, 250, 130]
UPRIGHT = [60, 20, 60, 220]
SLANTED = [100, 100, 200, 160]

DIRECTIONS = [
    ([0, 0, 100, 5], 0, "a level line, not quite straight"),
    ([0, 0, -100, 0], 0, "drawn from right to left"),
    ([0, 0, 5, 100], 1, "an upright line"),
    ([0, 100, 0, 0], 1, "drawn upwards"),
    ([0, 0, 100, 40], 2, "receding"),
    ([0, 100, 100, 0], 2, "receding to the other side"),
]


@pytest.mark.parametrize(("segment", "expected", "reason"), DIRECTIONS)
def test_direction_of_segments(segment, expected, reason):
    """A line segment within 10 degrees of level or upright counts as that."""
    assert classify_segments(np.array([segment], float))[0] == expected, reason


@pytest.mark.parametrize(("segment", "kind"), [(LEVEL, 0), (UPRIGHT, 1), (SLANTED, 2)])
def test_segment_beside_text_is_strongest_in_its_direction(segment, kind):
    """The text belongs to the dimension line it stands at the middle of."""
    middle = ((segment[0] + segment[2]) / 2 + 5, (segment[1] + segment[3]) / 2 + 5)
    text = word("15 cm", *middle)
    drawing = Drawing(np.array([segment], np.float32), [text], 500, 400)
    assert measure_segments(drawing, [text.quad]).strengths[0, :, 0].argmax() == kind


def test_far_segments_do_not_reach():
    """A line three letter heights away is not the text's own."""
    text = word("15 cm", 50, 300)
    drawing = Drawing(np.array([LEVEL], np.float32), [text], 500, 400)
    assert measure_segments(drawing, [text.quad]).strengths[0, :, 2].max() == 0


def test_letters_are_no_segments():
    """The stem of a letter is left out of the drawing."""
    text = word("H 15 cm", 100, 100, 40)
    segments = np.array([[105, 102, 105, 138], LEVEL], np.float32)
    assert Drawing(segments, [text], 500, 400).segments.tolist() == [LEVEL]


def test_image_without_segments_has_its_frame_as_outline():
    """Nothing drawn measures as nothing, within the whole image."""
    drawing = Drawing(np.empty((0, 4), np.float32), [], 500, 400)
    assert drawing.outline == (0, 0, 500, 400)
    assert measure_segments(drawing, [word("1 cm", 0, 0).quad]).strengths.sum() == 0


OWN = [
    (LEVEL, word("15 cm", 140, 135), True, "beside the middle of its line"),
    ([50, 130, 120, 130], word("15 cm", 125, 125), True, "the line ends at its gap"),
    ([50, 130, 120, 130], word("15 cm", 125, 142), False, "the line ends above the text"),
    ([50, 130, 120, 130], word("15 cm", 175, 125), False, "the line ends far from the text"),
    (LEVEL, turned_word("15 cm", 145, 142), False, "the line runs across the turned text"),
    (UPRIGHT, turned_word("15 cm", 65, 130), True, "a turned text beside its line"),
]


@pytest.mark.parametrize(("segment", "text", "expected", "reason"), OWN)
def test_own_segment_of_a_text(segment, text, expected, reason):
    """A text belongs to the line that it stands beside or in a gap of."""
    drawing = Drawing(np.array([segment], np.float32), [text], 500, 400)
    own = measure_segments(drawing, [text.quad]).own[0]
    assert (own.tolist() == segment) == expected, reason
