"""Open images beside those that look like them, and as thumbnails for a map."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.reports.plots.gallery import show_files
from lib.reports.plots.images import BLANK, GalleryImage
from lib.reports.plots.style import RED

SIDE: int = 240  # pixels: they are looked at side by side
THUMBNAIL: int = 64  # pixels


def show_neighbours(
    neighbours: pd.DataFrame, paths: Sequence[Path], columns: int = 4
) -> list[GalleryImage]:
    """Open each image, framed in red, and then its nearest neighbours, one image a row.

    Args:
        neighbours: From `lib.features.nearest_neighbours`.
        paths: File of each image, in the order that the neighbours were sought in.
        columns: Images in a row; rows with fewer neighbours are filled with blanks.
    """
    shown = []
    for query in neighbours["row"].unique():
        found = neighbours[neighbours["row"] == query]
        titles = [f"similarity {value:.2f}" for value in found["likeness"]]
        others = [paths[row] for row in found["neighbour"]]
        shown += show_files([paths[query]], ["image"], SIDE, RED)
        shown += show_files(others, titles, SIDE)
        shown += [BLANK] * (columns - 1 - len(others))
    return shown


def show_pairs(pairs: pd.DataFrame, data_dir: Path) -> list[GalleryImage]:
    """Open pairs of near duplicates, each train image before its test image.

    Args:
        pairs: From `lib.features.compare_splits`.
        data_dir: Folder that relative paths start from.
    """
    files = [data_dir / path for path in pairs[["path_train", "path_test"]].to_numpy().ravel()]
    titles = [f"{side}: {like:.3f}" for like in pairs["likeness"] for side in ("train", "test")]
    return show_files(files, titles, SIDE)


def open_thumbnails(
    paths: pd.Series, data_dir: Path, count: int, seed: int = 0
) -> dict[int, np.ndarray]:
    """Open some random images as thumbnails for `plot_map`.

    Args:
        paths: Relative path of each image.
        data_dir: Folder that relative paths start from.
        count: Most thumbnails.
        seed: Seed of the choice.

    Returns:
        Row of `paths` -> pixels (H, W, 3).
    """
    chosen = paths.sample(min(count, len(paths)), random_state=seed)
    shown = show_files(data_dir / chosen.map(str), chosen, THUMBNAIL)
    return {row: image.pixels for row, image in zip(chosen.index, shown, strict=True)}
