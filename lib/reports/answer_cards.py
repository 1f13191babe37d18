"""Choose answers to show and make a card of each: a thumbnail with the answer and its reason."""

import base64
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lib.evaluation import RIGHT, WRONG
from lib.io import find_errors
from lib.ocr import Quad
from lib.parallel import InternalError, report_internal_errors, try_each, try_item
from lib.reports.plots import COLOURS_BY_OUTCOME, GREY, INK, Pixels, Row, open_small, read_quad

SIDE: int = 480
"""Longest side of a thumbnail, in pixels."""
QUALITY: int = 70
"""JPEG quality of a thumbnail, 0-100: about 30 kB an image, at most 4 MB a page."""

MOST_ERRORS, MOST_OTHERS = 10, 3
"""Cards for each entity, few enough that a reader can look at all of them."""
OTHERS_DRAWN: int = 12
"""Most boxes of other candidates on a thumbnail."""
BLANK: str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
"""An empty thumbnail: one transparent pixel."""


@dataclass(frozen=True)
class Card:
    """One answer with its thumbnail.

    Attributes:
        index: Index of the row in its table.
        group: Its product group.
        entity: The entity asked for.
        outcome: One of `lib.evaluation.OUTCOMES`, or "truth not known".
        prediction: The answer, `""` for none.
        probability: Probability that the answer is right, 0-1, NaN where it is not known.
        surface: The text that the answer was read from.
        runner_up: The next best answer, `""` for none.
        truth: The true answer: `""` for none, `None` where it is not known.
        reason: Why the answer was chosen.
        image: The thumbnail with its boxes, as a `data:` URL.
    """

    index: str
    group: str
    entity: str
    outcome: str
    prediction: str
    probability: float
    surface: str
    runner_up: str
    truth: str | None
    reason: str
    image: str

    @property
    def confidence(self) -> float:
        """Return the probability as a sort key, -1 where it is not known."""
        return -1.0 if math.isnan(self.probability) else self.probability

    @property
    def alt(self) -> str:
        """Describe the thumbnail as alt text."""
        boxed = f"the text {self.surface!r} boxed" if self.surface else "no text chosen"
        return f"Product image, {boxed}; asked for {self.entity.replace('_', ' ')}"


def choose_rows(predictions: pd.DataFrame, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Choose the answers to show, a few of each entity.

    Args:
        predictions: From `read_scored_predictions`, of the method that answers; where the truth of
            some is known, only those.
        seed: Seed of the random choice.

    Returns:
        Title -> rows, the most confident errors first; no empty groups.
    """
    answered = predictions["prediction"] != ""
    outcomes = predictions["outcome"]
    if predictions["has_truth"].any():
        groups = {
            "The most confident errors": take_most_confident(predictions[outcomes.isin(WRONG)]),
            "Random right answers": take_random(predictions[outcomes == RIGHT], seed),
        }
    else:
        groups = {
            "The least confident answers": take_most_confident(
                predictions[answered], ascending=True
            ),
            "Random answers": take_random(predictions[answered], seed),
        }
    groups["Random samples without an answer"] = take_random(predictions[~answered], seed)
    return {title: rows for title, rows in groups.items() if len(rows)}


def take_most_confident(rows: pd.DataFrame, ascending: bool = False) -> pd.DataFrame:
    """Select the most confident answers of each entity, the least confident if `ascending`."""
    order = rows.sort_values("probability", ascending=ascending, kind="stable")
    return order.groupby("entity_name", sort=False).head(MOST_ERRORS)


def take_random(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Choose random rows of each entity, in random order."""
    mixed = rows.sample(frac=1, random_state=seed)
    return mixed.groupby("entity_name", sort=False).head(MOST_OTHERS)


def make_cards(rows: pd.DataFrame, candidates: pd.DataFrame, data_dir: Path) -> list[Card]:
    """Make a card of each row.

    Args:
        rows: Scored predictions.
        candidates: All candidates of the run, with `sample_id` and their corners.
        data_dir: Folder that relative paths start from.
    """
    own = candidates[candidates["sample_id"].isin(rows["sample_id"])]
    others = dict(list(own.groupby("sample_id")))
    records = rows.to_dict("records")
    found = [try_item(make_card, row, others.get(row["sample_id"]), data_dir) for row in records]
    report_internal_errors("drawing", find_errors(rows, found), len(rows))
    return [
        make_blank_card(row, card.reason) if isinstance(card, InternalError) else card
        for row, card in zip(records, found, strict=True)
    ]


def make_blank_card(row: Row, reason: str) -> Card:
    """Make a card for an answer that cannot be drawn; it gives the reason."""
    answer = (row["entity_name"], row["outcome"], row["prediction"])
    return Card(
        str(row["index"]),
        _text(row.get("group_id")),
        *answer,
        math.nan,
        "",
        "",
        None,
        reason,
        BLANK,
    )


def make_card(row: Row, others: pd.DataFrame | None, data_dir: Path) -> Card:
    """Make the card of one answer; `others` are the candidates of its sample, if any."""
    return Card(
        index=str(row["index"]),
        group=_text(row.get("group_id")),
        entity=row["entity_name"],
        outcome=row["outcome"],
        prediction=row["prediction"],
        probability=float(row["probability"]),
        surface=_text(row.get("surface")),
        runner_up=_text(row.get("runner_up")),
        truth=row["entity_value"] if row["has_truth"] else None,
        reason=_text(row.get("reason")),
        image=draw_thumbnail(row, others, data_dir),
    )


def draw_thumbnail(row: Row, others: pd.DataFrame | None, data_dir: Path) -> str:
    """Draw a thumbnail with the chosen text framed and the other candidates in thin grey.

    Returns:
        A `data:` URL, which needs no file and no network.
    """
    pixels, scale = open_small(data_dir / row["path"] if row["path"] else None, SIDE)
    pixels = np.ascontiguousarray(pixels)
    for other in [] if others is None else others.head(OTHERS_DRAWN).to_dict("records"):
        frame(pixels, read_quad(other, scale), GREY, 1)
    frame(pixels, read_quad(row, scale), COLOURS_BY_OUTCOME.get(row["outcome"], INK), 2)
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, file = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    return "data:image/jpeg;base64," + base64.b64encode(file.tobytes()).decode()


def try_thumbnail(path: str, data_dir: Path) -> str:
    """Draw a thumbnail of a file, a blank one after an unexpected error."""
    draw = partial(draw_thumbnail, {"path": path, "outcome": ""}, None, data_dir)
    return try_each("drawing", [(path, draw)], lambda error: BLANK)[0]


def frame(pixels: Pixels, quad: Quad | None, colour: str, width: int) -> None:
    """Draw a frame with a white edge just outside a quadrilateral, in place."""
    if quad is None:
        return
    corners = np.array(quad)
    away = np.sign(corners - corners.mean(axis=0)) * (1 + width)
    points = [np.round(corners + away).astype(np.int32)]
    red_green_blue = tuple(bytes.fromhex(colour[1:]))
    cv2.polylines(pixels, points, True, (255, 255, 255), width + 2, cv2.LINE_AA)
    cv2.polylines(pixels, points, True, red_green_blue, width, cv2.LINE_AA)


def _text(value: str | float | None) -> str:
    return "" if pd.isna(value) else str(value)
