"""Pictures of a run, opened small, titled and marked for a figure."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from lib.evaluation import EMPTY, OUTCOMES, RIGHT
from lib.io import name_samples
from lib.ocr import CORNERS, Quad
from lib.parallel import InternalError, report_internal_errors, try_item
from lib.reports.plots.images import BLANK, SIDE, Picture, open_small
from lib.reports.plots.style import BLUE, INK, RED

# A frame is blue where all is well, red where it is not, dark where nobody knows.
COLOURS_BY_OUTCOME: dict[str, str] = {
    outcome: BLUE if outcome in {RIGHT, EMPTY} else RED for outcome in OUTCOMES
}

_LINE = 34  # letters that fit above a third of a figure


def show_files(
    paths: Iterable[Path], titles: Iterable[str], side: int = SIDE, colour: str = INK
) -> list[Picture]:
    """Open files as pictures with titles.

    Args:
        paths: Of the files.
        titles: One each.
        side: Longest side of the result, in pixels.
        colour: Of the frames.
    """
    items = [
        (path.name, (path, title, side, colour)) for path, title in zip(paths, titles, strict=True)
    ]
    return draw_each(_show_file, items)


def show_predictions(rows: pd.DataFrame, data_dir: Path, side: int = SIDE) -> list[Picture]:
    """Open the pictures of predictions, with prediction, truth, reason and the chosen word.

    Args:
        rows: From `lib.evaluation.scored_predictions.read_scored_predictions`.
        data_dir: Where relative paths begin.
        side: Longest side of the result, in pixels.
    """
    calls = [(row, data_dir, side) for row in rows.to_dict("records")]
    return draw_each(_show_prediction, list(zip(name_samples(rows), calls, strict=True)))


def draw_each(draw: Callable[..., Picture], items: Sequence[tuple[str, tuple]]) -> list[Picture]:
    """Make a picture of each item; a blank one says why where an unforeseen error is met.

    Args:
        draw: Makes one picture.
        items: Names and arguments.

    Raises:
        StageFault: All items met the same unforeseen error.
    """
    found = [(name, try_item(draw, *arguments)) for name, arguments in items]
    errors = {name: picture for name, picture in found if isinstance(picture, InternalError)}
    report_internal_errors("drawing", errors, len(found))
    return [
        replace(BLANK, title=textwrap.fill(picture.reason, _LINE), colour=RED)
        if isinstance(picture, InternalError)
        else picture
        for _, picture in found
    ]


def _show_file(path: Path, title: str, side: int, colour: str) -> Picture:
    return Picture(open_small(path, side)[0], title, None, colour)


def _show_prediction(row: dict, data_dir: Path, side: int) -> Picture:
    pixels, scale = open_small(data_dir / row["path"] if row["path"] else None, side)
    colour = COLOURS_BY_OUTCOME.get(row.get("outcome", ""), INK)
    return Picture(pixels, describe_prediction(row), read_quad(row, scale), colour)


def describe_prediction(row: dict) -> str:
    """Say what was asked, what was predicted, what is true and why, in a few short lines.

    What the row does not hold is left out.

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


def read_quad(row: dict, scale: float = 1.0) -> Quad | None:
    """Read the chosen word's corners from a row, scaled; `None` where no word was chosen."""
    values = [float(row.get(name, np.nan)) * scale for name in CORNERS]
    if np.isnan(values).any():
        return None
    return tuple(zip(values[::2], values[1::2], strict=True))
