"""Tests of finding strokes in pictures."""

import numpy as np
from joblib import Memory
from PIL import Image, ImageDraw

from lib.strokes import find_strokes, read_all_strokes


def draw(*lines: tuple[int, int, int, int]) -> np.ndarray:
    """Draw black lines on white."""
    picture = Image.new("RGB", (400, 300), "white")
    for line in lines:
        ImageDraw.Draw(picture).line(line, fill="black", width=3)
    return np.asarray(picture)


def test_drawn_lines_are_found_in_pixels_of_the_picture():
    """A level line comes back where it was drawn, the longest first."""
    strokes = find_strokes(draw((50, 100, 350, 100), (80, 150, 80, 250)))
    assert abs(strokes[0, [0, 2]].min() - 50) < 6 and abs(strokes[0, [0, 2]].max() - 350) < 6
    assert abs(strokes[0, 1] - 100) < 4


def test_short_strokes_and_blank_pictures_give_none():
    """Specks are left out; a blank picture has an empty array of the right shape."""
    assert find_strokes(draw((50, 50, 58, 50))).shape == (0, 4)
    assert find_strokes(draw()).shape == (0, 4)


def test_one_pixel_picture():
    """The smallest picture has no strokes and raises nothing."""
    assert find_strokes(np.zeros((1, 1, 3), np.uint8)).shape == (0, 4)


def test_a_bad_picture_costs_only_itself(tmp_path):
    """Strokes of the good picture are found beside a broken one."""
    Image.fromarray(draw((50, 100, 350, 100))).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("no picture")
    files = {"a" * 64: tmp_path / "good.png", "b" * 64: tmp_path / "bad.png"}
    assert list(read_all_strokes(files, Memory(None), workers=1)) == ["a" * 64]
