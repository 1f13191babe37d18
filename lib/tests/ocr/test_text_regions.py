"""Parts of an image are found, arranged on a canvas, and what is found there is moved back."""

import numpy as np
import pytest

from lib.ocr.text_regions import (
    CANVAS_GRID,
    GAP,
    Margins,
    draw_canvas,
    find_texture,
    measure_canvas,
    merge,
    place_parts,
    widen,
)
from lib.tests.stand_in import draw_text


def draw_parts(count, seed=0):
    """Draw an image of noise and choose disjoint parts of it."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 255, (900, 1200, 3), np.uint8)
    corners = random.integers(0, 1100, (count, 2)) * [1, 0.7]
    sizes = random.integers(5, 160, (count, 2))
    return image, merge(np.hstack([corners, corners + sizes]).astype(np.int32), 1200, 900)


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_boxes_on_the_canvas_are_moved_back_to_the_image(scale):
    """A box around each part on the canvas is that part of the image."""
    image, parts = draw_parts(25)
    canvas = draw_canvas(image, parts, scale)
    sizes = (parts[:, 2:] - parts[:, :2]) * scale
    low, high = canvas.places, canvas.places + sizes
    boxes = np.stack([low, np.c_[high[:, 0], low[:, 1]], high, np.c_[low[:, 0], high[:, 1]]], 1)
    moved = canvas.to_image(boxes[::-1].astype(np.float32))[::-1]
    assert np.hstack([moved.min(1), moved.max(1)]) == pytest.approx(parts, abs=1)


def test_parts_keep_their_pixels_and_their_distance():
    """At scale 1 a part on the canvas is the same as in the image, and none touches another."""
    image, parts = draw_parts(25)
    canvas = draw_canvas(image, parts, 1.0)
    taken = np.zeros(canvas.pixels.shape[:2], int)
    for (left, top, right, bottom), (x, y) in zip(parts, canvas.places, strict=True):
        width, height = right - left, bottom - top
        part = canvas.pixels[y : y + height, x : x + width]
        assert np.array_equal(part, image[top:bottom, left:right])
        taken[max(0, y - GAP + 1) : y + height, max(0, x - GAP + 1) : x + width] += 1
    assert taken.max() == 1
    assert all(side % CANVAS_GRID == 0 for side in taken.shape)
    assert taken.size < 2 * measure_canvas(parts, 1.0)


def test_a_box_between_parts_stays_in_the_nearer_one():
    """What the detector finds across a border is cut at it."""
    image = np.zeros((100, 100, 3), np.uint8)
    canvas = draw_canvas(image, np.int32([[0, 0, 50, 20], [0, 50, 50, 70]]), 1.0)
    (x, y) = canvas.places[1]
    box = np.float32([[x - 5, y + 5], [x + 30, y + 5], [x + 30, y + 40], [x - 5, y + 40]])
    assert canvas.to_image(box[None])[0].tolist() == [[0, 55], [30, 55], [30, 70], [0, 70]]
    assert canvas.to_image(np.empty((0, 4, 2), np.float32)).shape == (0, 4, 2)


@pytest.mark.parametrize(
    ("rectangles", "expected", "reason"),
    [
        ([], [], "none"),
        ([[0, 0, 9, 9], [20, 0, 29, 9]], [[0, 0, 9, 9], [20, 0, 29, 9]], "apart"),
        ([[0, 0, 9, 9], [5, 5, 20, 20]], [[0, 0, 20, 20]], "overlapping"),
        (
            [[0, 0, 9, 30], [5, 25, 30, 30], [15, 10, 20, 15]],
            [[0, 0, 30, 30]],
            "inside what two others become together",
        ),
        ([[-9, -9, 5, 5], [45, 45, 99, 99]], [[0, 0, 5, 5], [45, 45, 50, 50]], "over the borders"),
        ([[60, 60, 70, 70]], [], "outside"),
    ],
)
def test_rectangles_are_merged_until_none_overlap(rectangles, expected, reason):
    """They end inside the image."""
    found = merge(np.array(rectangles, np.int32).reshape(-1, 4), 50, 50)
    assert sorted(found.tolist()) == expected, reason


def test_margins_are_larger_at_the_ends_of_a_line():
    """By pixels of the network on all sides, and by heights of the print along the text."""
    texts = np.int32([[100, 100, 200, 110], [100, 100, 110, 200], [100, 100, 112, 110]])
    wide = widen(texts, Margins(pixels=14, along=2), 2.0)
    assert wide.tolist() == [[73, 93, 227, 117], [93, 73, 117, 227], [93, 93, 119, 117]]


def test_small_print_is_fine_texture_and_large_print_is_not():
    """Its place is found, at any scale of the image."""
    image = draw_text(("Net weight 250 g", 600, 900, 20), ("BIG", 200, 200, 300), size=(1600, 1200))
    found = find_texture(image, 0.6)
    assert len(found)
    left, top, right, bottom = (*found[:, :2].min(0), *found[:, 2:].max(0))
    assert 570 < left < right < 820 and 880 < top < bottom < 950
    assert len(find_texture(np.full((50, 50, 3), 255, np.uint8), 1.0)) == 0


def test_a_part_wider_than_the_canvas_widens_it():
    """Every part has its place."""
    places, (width, height) = place_parts([(300, 10), (20, 20)], 50)
    assert places == [(0, 20 + GAP), (0, 0)] and (width, height) == (320, 64)
