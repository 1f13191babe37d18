"""Tests of finding line segments in images."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joblib import Memory
from PIL import Image, ImageDraw

from lib.features.line_segments import are_line_segments, find_line_segments
from lib.features.stored_segments import LineSegments, read_all_line_segments


def draw(*lines: tuple[int, int, int, int]) -> np.ndarray:
    """Draw black lines on white."""
    image = Image.new("RGB", (400, 300), "white")
    for line in lines:
        ImageDraw.Draw(image).line(line, fill="black", width=3)
    return np.asarray(image)


def test_drawn_lines_are_found_in_pixels_of_the_image():
    """A level line comes back where it was drawn, the longest first."""
    segments = find_line_segments(draw((50, 100, 350, 100), (80, 150, 80, 250)))
    assert abs(segments[0, [0, 2]].min() - 50) < 6 and abs(segments[0, [0, 2]].max() - 350) < 6
    assert abs(segments[0, 1] - 100) < 4


def test_short_segments_and_blank_images_give_none():
    """Specks are left out; a blank image has an empty array of the right shape."""
    assert find_line_segments(draw((50, 50, 58, 50))).shape == (0, 4)
    assert find_line_segments(draw()).shape == (0, 4)


def test_one_pixel_image():
    """The smallest image has no line segments and raises nothing."""
    assert find_line_segments(np.zeros((1, 1, 3), np.uint8)).shape == (0, 4)


def test_a_bad_image_costs_only_itself(tmp_path):
    """Line segments of the good image are found beside a broken one."""
    Image.fromarray(draw((50, 100, 350, 100))).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("no image")
    files = {"a" * 64: tmp_path / "good.png", "b" * 64: tmp_path / "bad.png"}
    found = read_all_line_segments(files, Memory(None), workers=1)
    assert list(found) == ["a" * 64]


def test_all_segments_cached_need_no_process(tmp_path, monkeypatch):
    """What was found before comes from the cache alone; no image is opened."""
    known, memory = find_line_segments(draw((50, 100, 350, 100))), Memory(tmp_path, verbose=0)
    files = {character * 64: tmp_path / "none.png" for character in "abcdef"}
    for sha256 in files:
        assert LineSegments(memory).recall(sha256) is None
        LineSegments(memory).keep(sha256, known)
    monkeypatch.setattr("lib.parallel.workers.WorkerProcess", None)
    found = read_all_line_segments(files, memory, 1)
    assert list(found) == list(files) and (found["f" * 64] == known).all()


def test_grey_image_has_the_same_segments():
    """Line segments are found in grey; an image that is grey already needs no conversion."""
    image = draw((50, 100, 350, 100), (80, 150, 80, 250))
    assert (find_line_segments(image[..., 0]) == find_line_segments(image)).all()


SIDES = st.one_of(st.integers(1, 50), st.sampled_from([799, 800, 801, 2000, 5000, 65000]))


@settings(max_examples=40, deadline=None)
@example(2000, 1)
@example(2, 5000)
@example(1, 65_000)
@given(SIDES, SIDES)
def test_images_of_all_sizes(height, width):
    """However thin an image is, its line segments lie within it."""
    height = min(height, 2_000_000 // width)  # more only takes time
    noise = np.random.default_rng(0).integers(0, 2, (height, width, 1), np.uint8) * 255
    segments = find_line_segments(np.repeat(noise, 3, axis=2))
    assert are_line_segments(segments)
    assert (segments >= -2).all() and (segments <= np.float32([width, height] * 2) + 2).all()
