"""Arrange answers for a reviewer: what was asked, what was read, what else is on the image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import pandas as pd

from lib.io import name_samples
from lib.parallel import try_each
from lib.reports.plots import Row, read_quad
from lib.reports.review_images import Views, draw_views

NOT_STATED: str = "not stated"
"""What a reviewer chooses where the image does not say it."""
MOST_CHOICES: int = 12
"""Most quantities to choose from."""


class Heading(StrEnum):
    """The headings of a review; `IMAGE` is the image's sha256."""

    QUESTION = "question"
    CROP = "what was read"
    WHOLE = "whole image"
    ANSWER = "answer"
    CORRECT = "correct"
    CHECK = "check"
    CONFIDENCE = "confidence"
    TEXT = "text"
    RUNNER_UP = "runner-up"
    CONFLICT = "conflict"
    DECISION = "decision"
    REASON = "reason"
    INDEX = "index"
    LINK = "link"
    IMAGE = "image"


@dataclass(frozen=True)
class ReviewRow:
    """One answer to review.

    Attributes:
        index: Index of the row in the user's table.
        entity: The entity asked for.
        sha256: That of the image.
        link: The image's link.
        answer: The answer, `""` for none.
        confidence: That the answer is right, or that the image states none, 0-1; None: not known.
        decision: What the run did with it.
        text: The text that was read.
        runner_up: The next best answer, `""` for none.
        conflict: Answers of the same product that contradict it, `""` for none.
        reason: Why it was chosen.
        choices: The answer, the runner-up, what else is seen on the image; then `NOT_STATED`.
        views: The image.
    """

    index: str
    entity: str
    sha256: str
    link: str
    answer: str
    confidence: float | None
    decision: str
    text: str
    runner_up: str
    conflict: str
    reason: str
    choices: tuple[str, ...]
    views: Views

    @property
    def question(self) -> str:
        """Return the entity in words."""
        return self.entity.replace("_", " ")


def make_review_rows(
    rows: pd.DataFrame, candidates: pd.DataFrame, data_dir: Path
) -> list[ReviewRow]:
    """Make the rows to review, with their images.

    Args:
        rows: Scored predictions with `confidence` and `conflict`.
        candidates: All candidates of the run.
        data_dir: Folder that relative paths start from.
    """
    own = candidates[candidates["sample_id"].isin(rows["sample_id"])]
    seen = own.groupby("sample_id")["quantity"].agg(list).to_dict()
    records = rows.to_dict("records")
    calls = [partial(draw_views, data_dir / row["path"], read_quad(row)) for row in records]
    named = zip(name_samples(rows), calls, strict=True)
    views = try_each("drawing", named, lambda error: Views())
    return [
        _make_row(row, seen.get(row["sample_id"], []), view)
        for row, view in zip(records, views, strict=True)
    ]


def _make_row(row: Row, seen: Sequence[str], views: Views) -> ReviewRow:
    """Make one row; `seen` are the quantities of its image."""
    confidence = row["confidence"]
    texts = {name: _read(row, name) for name in ("prediction", "runner_up")}
    quantities = [text for text in dict.fromkeys([*texts.values(), *seen]) if text]
    return ReviewRow(
        index=_read(row, "index"),
        entity=_read(row, "entity_name"),
        sha256=_read(row, "sha256"),
        link=_read(row, "image_link"),
        answer=texts["prediction"],
        confidence=None if pd.isna(confidence) else float(confidence),
        decision=_read(row, "decision"),
        text=_read(row, "surface"),
        runner_up=texts["runner_up"],
        conflict=_read(row, "conflict"),
        reason=_read(row, "reason"),
        choices=(*quantities[:MOST_CHOICES], NOT_STATED),
        views=views,
    )


def _read(row: Mapping[Hashable, object], name: str) -> str:
    """Read a text, `""` where there is none."""
    value = row.get(name)
    return value if isinstance(value, str) else ""
