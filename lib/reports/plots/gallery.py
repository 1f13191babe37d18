"""Open images of a run for a figure, scaled down and titled, with the chosen word marked."""

import textwrap
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from lib.evaluation import CORRECT, OUTCOMES
from lib.io import name_samples
from lib.ocr import CORNERS, Quad
from lib.parallel import InternalError, try_each
from lib.reports.plots.images import BLANK, SIDE, GalleryImage, open_small
from lib.reports.plots.style import BLUE, INK, RED

# A frame is blue for a right outcome, red for a wrong one, dark where the truth is not known.
COLOURS_BY_OUTCOME: dict[str, str] = {
    outcome: BLUE if outcome in CORRECT else RED for outcome in OUTCOMES
}

Row = Mapping[Hashable, Any]
"""A row of a table, by column."""

_LINE = 34  # letters that fit above a third of a figure


def show_files(
    paths: Iterable[Path], titles: Iterable[str], side: int = SIDE, colour: str = INK
) -> list[GalleryImage]:
    """Open image files and title each.

    Args:
        paths: Paths of the files.
        titles: One title for each file.
        side: Longest side of the result, in pixels.
        colour: Colour of the frames.
    """
    calls = (
        (path.name, partial(_show_file, path, title, side, colour))
        for path, title in zip(paths, titles, strict=True)
    )
    return try_each("drawing", calls, _show_error)


def show_predictions(rows: pd.DataFrame, data_dir: Path, side: int = SIDE) -> list[GalleryImage]:
    """Open the images of predictions, titled with prediction, truth and reason.

    Args:
        rows: From `lib.evaluation.read_scored_predictions`.
        data_dir: Folder that relative paths start from.
        side: Longest side of the result, in pixels.
    """
    calls = [partial(_show_prediction, row, data_dir, side) for row in rows.to_dict("records")]
    return try_each("drawing", zip(name_samples(rows), calls, strict=True), _show_error)


def _show_error(error: InternalError) -> GalleryImage:
    return replace(BLANK, title=textwrap.fill(error.reason, _LINE), colour=RED)


def _show_file(path: Path, title: str, side: int, colour: str) -> GalleryImage:
    return GalleryImage(open_small(path, side)[0], title, None, colour)


def _show_prediction(row: Row, data_dir: Path, side: int) -> GalleryImage:
    pixels, scale = open_small(data_dir / row["path"] if row["path"] else None, side)
    colour = COLOURS_BY_OUTCOME.get(row.get("outcome", ""), INK)
    return GalleryImage(pixels, describe_prediction(row), read_quad(row, scale), colour)


def describe_prediction(row: Row) -> str:
    """Describe question, prediction, truth and reason in a few short lines.

    Values that the row lacks are left out.

    >>> asked = {"entity_name": "width", "prediction": "2.0 inch", "probability": 0.5}
    >>> print(describe_prediction(asked))
    width
    predicted 2.0 inch (0.50)
    >>> judged = {"outcome": "answered where empty", "entity_value": "", "has_truth": True}
    >>> print(describe_prediction({**asked, **judged, "reason": "only length"}))
    width: answered where empty
    predicted 2.0 inch (0.50)
    truth: nothing
    only length
    """
    outcome = f": {row['outcome']}" if row.get("outcome") else ""
    lines = [
        f"{row['entity_name'].replace('_', ' ')}{outcome}",
        f"predicted {row['prediction'] or 'nothing'}{_bracket(row['probability'])}",
        f"truth: {row['entity_value'] or 'nothing'}" if row.get("has_truth") else "",
        textwrap.shorten(str(row.get("reason") or ""), 2 * _LINE, placeholder=" ..."),
    ]
    return "\n".join(line for text in lines for line in textwrap.wrap(text, _LINE))


def _bracket(probability: float) -> str:
    return "" if pd.isna(probability) else f" ({probability:.2f})"


def read_quad(row: Row, scale: float = 1.0) -> Quad | None:
    """Read the scaled corners of the chosen word from a row; `None` where there is none."""
    values = [float(row.get(name, np.nan)) * scale for name in CORNERS]
    if np.isnan(values).any():
        return None
    return cast(Quad, tuple(zip(values[::2], values[1::2], strict=True)))
