"""Answers to look at: which ones, and each as a small picture with what was chosen and why."""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lib.evaluation import RIGHT, WRONG
from lib.io import find_errors
from lib.parallel import InternalError, report_internal_errors, try_item
from lib.reports.plots import COLOURS_BY_OUTCOME, GREY, INK, open_small, read_quad

SIDE: int = 480
"""Longest side of a thumbnail, in pixels."""
QUALITY: int = 70
"""Of a thumbnail's JPEG, 0-100: some 30 kB a picture, 4 MB a page however long the run."""

MOST_ERRORS, MOST_OTHERS = 8, 3
"""Cards an entity, so that every one can be looked at in the longest run."""
OTHERS_DRAWN: int = 12
"""Boxes of other candidates on a thumbnail."""


BLANK: str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
"""A thumbnail of nothing: one transparent pixel."""


@dataclass(frozen=True)
class Card:
    """One answer to look at.

    Attributes:
        index: Of the row in its table.
        entity: What was asked.
        outcome: What became of it.
        prediction: The answer, `""` for none.
        probability: That it is right, 0-1, NaN where nobody said.
        surface: The text it was read from.
        runner_up: The next best answer, `""` for none.
        truth: What is right: `""` for nothing, `None` where it is not known.
        reason: Why it was chosen.
        image: The thumbnail as an address of its own, boxes drawn.
    """

    index: str
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
    def sure(self) -> float:
        """The probability, -1 where nobody said: what a page can sort by."""
        return -1.0 if math.isnan(self.probability) else self.probability

    @property
    def said(self) -> str:
        """What the picture shows, for those who cannot see it."""
        boxed = f"the text {self.surface!r} boxed" if self.surface else "no text chosen"
        return f"Product photo, {boxed}; asked for {self.entity.replace('_', ' ')}"


def choose_rows(verdicts: pd.DataFrame, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Choose the answers to look at, a few of each entity.

    Args:
        verdicts: From `read_scored_predictions`, of the method that answers; where the truth of
            some is known, only those.
        seed: Of the drawing.

    Returns:
        Title -> rows, the surest errors first; empty groups left out.
    """
    answered = verdicts["prediction"] != ""
    silent = draw(verdicts[~answered], seed)
    if verdicts["has_truth"].any():
        groups = {
            "The most confident errors": surest(verdicts[verdicts["outcome"].isin(WRONG)]),
            "Right answers, drawn by chance": draw(verdicts[verdicts["outcome"] == RIGHT], seed),
            "No answer, drawn by chance": silent,
        }
    else:
        groups = {
            "The least sure answers": surest(verdicts[answered], ascending=True),
            "Answers, drawn by chance": draw(verdicts[answered], seed),
            "No answer, drawn by chance": silent,
        }
    return {title: rows for title, rows in groups.items() if len(rows)}


def surest(rows: pd.DataFrame, ascending: bool = False) -> pd.DataFrame:
    """Take the surest of each entity, the surest of all first; the least sure if `ascending`."""
    order = rows.sort_values("probability", ascending=ascending, kind="stable")
    return order.groupby("entity_name", sort=False).head(MOST_ERRORS)


def draw(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw some of each entity by chance, in a chance order."""
    mixed = rows.sample(frac=1, random_state=seed)
    return mixed.groupby("entity_name", sort=False).head(MOST_OTHERS)


def make_cards(rows: pd.DataFrame, candidates: pd.DataFrame, data_dir: Path) -> list[Card]:
    """Make a card of each row.

    Args:
        rows: Verdicts.
        candidates: All candidates of the run, with their corners; `sample_id` tells whose.
        data_dir: Where relative paths begin.
    """
    own = candidates[candidates["sample_id"].isin(rows["sample_id"])]
    others = dict(list(own.groupby("sample_id")))
    found = [
        try_item(make_card, row, others.get(row["sample_id"]), data_dir)
        for row in rows.to_dict("records")
    ]
    report_internal_errors("drawing", find_errors(rows, found), len(rows))
    pairs = zip(rows.to_dict("records"), found, strict=True)
    return [
        make_blank_card(row, card.reason) if isinstance(card, InternalError) else card
        for row, card in pairs
    ]


def make_blank_card(row: Mapping, reason: str) -> Card:
    """Make the card of a verdict that cannot be shown; it says why."""
    answer = (row["entity_name"], row["outcome"], row["prediction"])
    return Card(str(row["index"]), *answer, math.nan, "", "", None, reason, BLANK)


def make_card(row: Mapping, others: pd.DataFrame | None, data_dir: Path) -> Card:
    """Make the card of one verdict; `others` are the candidates for it, if there are any."""
    return Card(
        index=str(row["index"]),
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


def draw_thumbnail(row: Mapping, others: pd.DataFrame | None, data_dir: Path) -> str:
    """Draw a small picture with the chosen text framed, other candidates' thinly in grey.

    Returns:
        A `data:` address that needs no file and no network.
    """
    pixels, scale = open_small(data_dir / row["path"] if row["path"] else None, SIDE)
    pixels = np.ascontiguousarray(pixels)
    for other in [] if others is None else others.head(OTHERS_DRAWN).to_dict("records"):
        frame(pixels, read_quad(other, scale), GREY, 1)
    frame(pixels, read_quad(dict(row), scale), COLOURS_BY_OUTCOME.get(row["outcome"], INK), 2)
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, file = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    return "data:image/jpeg;base64," + base64.b64encode(file).decode()


def try_thumbnail(path: str, data_dir: Path) -> str:
    """Draw a small picture of a file; a blank one where an unforeseen error is met."""
    found = try_item(draw_thumbnail, {"path": path, "outcome": ""}, None, data_dir)
    if not isinstance(found, InternalError):
        return found
    report_internal_errors("drawing", {path: found}, 1)
    return BLANK


def frame(pixels: np.ndarray, quad: tuple | None, colour: str, width: int) -> None:
    """Draw a frame around a quadrilateral, a little outside it, on a white one; in place."""
    if quad is None:
        return
    corners = np.array(quad)
    away = np.sign(corners - corners.mean(axis=0)) * (1 + width)
    points = [np.round(corners + away).astype(np.int32)]
    red_green_blue = tuple(bytes.fromhex(colour[1:]))
    cv2.polylines(pixels, points, True, (255, 255, 255), width + 2, cv2.LINE_AA)
    cv2.polylines(pixels, points, True, red_green_blue, width, cv2.LINE_AA)


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)
