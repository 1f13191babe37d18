"""Images beside those that look like them, and thumbnails."""

import pandas as pd
import pytest
from PIL import Image

from lib.reports.plots.images import BLANK
from lib.reports.plots.similar import open_thumbnails, show_neighbours, show_pairs
from lib.reports.plots.style import INK, RED

LEVELS = (10, 60, 110, 160)


@pytest.fixture
def paths(tmp_path):
    """Four grey images, each of its own brightness."""
    found = [tmp_path / f"{level}.png" for level in LEVELS]
    for path, level in zip(found, LEVELS, strict=True):
        Image.new("RGB", (100, 80), (level,) * 3).save(path)
    return found


def read_levels(shown):
    """Read the brightness of each image."""
    return [int(one.pixels[0, 0, 0]) for one in shown]


def test_neighbours_follow_their_image(paths):
    """A row is the image in a red frame, its neighbours with their similarity, and blanks."""
    rows = [(2, 0, 0.9), (2, 3, 0.5), (1, 0, 0.25)]
    neighbours = pd.DataFrame(rows, columns=["row", "neighbour", "likeness"])
    shown = show_neighbours(neighbours, paths, columns=3)
    white = int(BLANK.pixels[0, 0, 0])
    assert read_levels(shown) == [110, 10, 160, 60, 10, white]
    assert [one.colour for one in shown[:3]] == [RED, INK, INK]
    assert [one.title for one in shown[:3]] == ["image", "similarity 0.90", "similarity 0.50"]


def test_pairs_show_train_before_test(paths, tmp_path):
    """Both images of a pair are titled with their split and the similarity."""
    names = [path.name for path in paths]
    pairs = pd.DataFrame(
        {"path_train": names[:2], "path_test": names[2:], "likeness": [0.99, 0.95]}
    )
    shown = show_pairs(pairs, tmp_path)
    assert read_levels(shown) == [10, 110, 60, 160]
    assert [one.title for one in shown[:2]] == ["train: 0.990", "test: 0.990"]


@pytest.mark.parametrize(("count", "found"), [(0, 0), (3, 3), (9, 4)])
def test_thumbnails_are_named_by_their_row(paths, tmp_path, count, found):
    """At most so many images are opened, small, each under the row of its path."""
    thumbnails = open_thumbnails(pd.Series([path.name for path in paths]), tmp_path, count)
    assert len(thumbnails) == found
    assert {row: int(pixels[0, 0, 0]) for row, pixels in thumbnails.items()} == {
        row: LEVELS[row] for row in thumbnails
    }
    assert all(max(pixels.shape[:2]) == 64 for pixels in thumbnails.values())
