"""Fit the user's own model on corrected truths and shipped rows; keep it if it is not worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from lib.evaluation import RIGHT, Interval, compare_all, score_by
from lib.extraction.learned.answering import SHIPPED_ROWS, label_rows
from lib.extraction.learned.model import DECIMALS, Model, write_model
from lib.extraction.learned.model_card import print_card
from lib.extraction.learned.questions import (
    NOTHING,
    LabelledRows,
    count_labels,
    join_rows,
    read_rows,
)
from lib.extraction.learned.scores import describe_scores, score_sets, tabulate_outcomes
from lib.extraction.learned.study import answer_unseen, join_answers
from lib.extraction.learned.training import Answers, answer_rows, deal_folds, fit_model
from lib.extraction.page_scans import open_scans
from lib.io import OWN_MODEL, read_parts, read_record, replace_file

MIN_ROWS: int = 20
"""Labelled rows below which no comparison can tell whether a model is better."""
FOLDS: int = 5
LEVEL: float = 0.9  # of the interval of the difference
TOLERANCE: float = 0.02
"""A model is stored if its F1 is not below that of the shipped rows alone, and the interval of the
difference does not reach down to minus this value."""


@dataclass(frozen=True)
class OwnFit:
    """The result of a fit on corrected truths.

    Attributes:
        rows: Number of labelled rows that were used.
        unread: Links of labelled images whose words no given run has read.
        table: One row per entity and one for all: `entity`, `rows`, `f1_before` (fitted on the
            shipped rows alone), `f1_after` (on both), `gained` and `lost`.
        gain: Difference of F1, with its 90 % interval.
        errors: Brier scores of the confidence, before and after.
        path: The written model, None if it is worse.
    """

    rows: int
    unread: list[str]
    table: pd.DataFrame
    gain: Interval
    errors: tuple[float, float]
    path: Path | None

    def __str__(self) -> str:
        """Say in one line how F1 changes over all labelled rows."""
        f1 = self.table[self.table["entity"] == "all"].iloc[0]
        gain, low, high = self.gain.value, self.gain.low, self.gain.high
        return (
            f"F1 on {self.rows:,} labelled rows, by models that have not seen them: "
            f"{f1['f1_before']:.3f} with the shipped rows alone, {f1['f1_after']:.3f} with both; "
            f"difference {gain:+.3f} ({LEVEL:.0%} interval {low:+.3f} to {high:+.3f}). "
            f"Brier score of the confidence, the lower the better: {self.errors[0]:.3f} before, "
            f"{self.errors[1]:.3f} after."
        )


def fit_own_model(
    labels: pd.DataFrame, runs: Sequence[Path], data_dir: Path, seed: int = 0
) -> OwnFit:
    """Fit a model on the user's labels and the shipped rows; store it if it is not worse.

    Args:
        labels: As from `evaluation.read_labels`.
        runs: Folders of runs that have read the images; the first that has read one counts.
        data_dir: Folder that the model and its card are written to.
        seed: Seed of the folds and the trees.

    Raises:
        FileNotFoundError: A run lacks a table.
        ValueError: The labels are too few or all alike; the message says what is missing.
    """
    own, unread = gather_rows(labels, runs)
    check_rows(own, unread)
    shipped = read_rows(SHIPPED_ROWS)
    before, after = cross_answer_both(own, shipped, seed)
    table, gain = compare_fits(own, before, after, seed)
    errors = (score_confidence(own, before), score_confidence(own, after))
    fit = OwnFit(len(own), unread, table, gain, errors, None)
    if gain.value < 0 or gain.low <= -TOLERANCE:
        return fit
    rows = join_rows(own, shipped)
    model = fit_model(rows, seed)
    card = describe_model(rows, model) | describe_labels(labels, fit)
    return replace(fit, path=store_model(replace(model, card=card), data_dir))


def gather_rows(labels: pd.DataFrame, runs: Sequence[Path]) -> tuple[LabelledRows, list[str]]:
    """Turn labels into numbers by the words that runs have read.

    Returns:
        The rows, and the links of the images that no run has read.

    Raises:
        FileNotFoundError: A run lacks a table.
        ValueError: A run's record is damaged.
    """
    parts, left = [], labels
    for run in runs:
        tables = run / "tables"
        images = read_parts(tables / "images", "01_download.ipynb")
        names = images[images["status"] == "ok"].drop_duplicates("link").set_index("link")["sha256"]
        known = left["image_link"].map(names).fillna("")
        left = left.assign(sha256=left["sha256"].where(left["sha256"] != "", known))
        shapes = read_parts(tables / "shapes", "02_features.ipynb")
        roundness = dict(zip(shapes["sha256"], shapes["roundness"], strict=True))
        scans = open_scans(tables, find_engine(run), roundness)
        read = left["sha256"].isin(list(scans))
        parts.append(label_rows(left[read], scans))
        left = left[~read]
    rows = parts[0]
    for part in parts[1:]:
        rows = join_rows(rows, part)
    return rows, left["image_link"].drop_duplicates().tolist()


def find_engine(run: Path) -> str:
    """Return the OCR engine that a run answered with.

    Raises:
        ValueError: Its record is damaged.
    """
    engines = read_record(run).get("parameters", {}).get("OCR_ENGINES")
    if not isinstance(engines, list) or not engines:
        raise ValueError(f"{run / 'run.json'} is damaged: it names no OCR_ENGINES.")
    return str(engines[0])


def check_rows(rows: LabelledRows, unread: Sequence[str]) -> None:
    """Check that there are enough labelled rows to compare models.

    Raises:
        ValueError: They are too few, or none states an answer.
    """
    if len(rows) < MIN_ROWS:
        missing = f"; the words of {len(unread):,} labelled images were not read" if unread else ""
        raise ValueError(
            f"{len(rows)} labelled rows are too few to tell whether a model is better: it takes "
            f"{MIN_ROWS}{missing}. `python -m lib suggest` lists rows to label."
        )
    if not rows.required.any():
        raise ValueError(
            f"None of the {len(rows)} labelled rows states an answer, so no F1 can be computed. "
            "Label rows with an answer, too."
        )


def cross_answer_both(
    own: LabelledRows, shipped: LabelledRows, seed: int = 0
) -> tuple[Answers, Answers]:
    """Answer the user's rows by models that have seen none of their images and groups.

    Returns:
        Answers of models of the shipped rows alone, and of models of both.

    Raises:
        ValueError: The user's rows share too many images or groups.
    """
    both = join_rows(own, shipped)
    clusters = both.clusters
    of_image = dict(zip(both.image.tolist(), clusters.tolist(), strict=True))
    of_shipped = np.array([of_image[image] for image in shipped.image.tolist()])
    folds = deal_folds(clusters[: len(own)], FOLDS, seed)
    whole = fit_model(shipped, seed)
    before, after, order = [], [], []
    for fold in range(FOLDS):
        asked = np.flatnonzero(folds == fold)
        held = clusters[asked]
        alone = shipped.select(np.flatnonzero(~np.isin(of_shipped, held)))
        model = whole if len(alone) == len(shipped) else fit_model(alone, seed)
        learned = fit_model(both.select(np.flatnonzero(~np.isin(clusters, held))), seed)
        before.append(answer_unseen(own.select(asked), model)["learned"])
        after.append(answer_unseen(own.select(asked), learned)["learned"])
        order.append(asked)
    back = np.argsort(np.concatenate(order))
    return join_answers(before, back), join_answers(after, back)


def compare_fits(
    own: LabelledRows, before: Answers, after: Answers, seed: int = 0
) -> tuple[pd.DataFrame, Interval]:
    """Compare two models' answers to the user's rows, by entity and over all.

    Returns:
        `OwnFit.table` and `OwnFit.gain`.
    """
    first, second = (tabulate_outcomes(own, answers) for answers in (before, after))
    outcomes = pd.DataFrame({"before": first["outcome"], "after": second["outcome"]})
    gap = compare_all(outcomes, "after", first["image"], seed, LEVEL).iloc[0]
    right = outcomes == RIGHT
    changes = pd.DataFrame(
        {
            "entity": first["entity"],
            "gained": right["after"] & ~right["before"],
            "lost": right["before"] & ~right["after"],
        }
    )
    parts = []
    for whole in (False, True):
        name = {"entity": "all"} if whole else {}
        old, new = (score_by(one.assign(**name), "entity", seed) for one in (first, second))
        sums = changes.assign(**name).groupby("entity", sort=False)[["gained", "lost"]].sum()
        scored = old[["entity", "samples", "f1"]].assign(f1_after=new["f1"])
        parts.append(scored.merge(sums.reset_index(), on="entity"))
    table = pd.concat(parts, ignore_index=True)
    table = table.rename(columns={"samples": "rows", "f1": "f1_before"})
    return table, Interval(gap["difference"], gap["low"], gap["high"])


def score_confidence(rows: LabelledRows, answers: Answers) -> float:
    """Return the Brier score of the probability that each best candidate is right."""
    asked = answers.chosen != NOTHING
    return float(((answers.right - answers.mark_right(rows))[asked] ** 2).mean())


def describe_model(rows: LabelledRows, model: Model) -> dict[str, object]:
    """Describe a fitted model for its card: date, rows, scores by trees that have not seen them."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    folds = model.folds[np.searchsorted(model.names, rows.image)]
    scores = score_sets(rows, answer_rows(rows, model.forest, model.calibration, folds))
    return {"made_at": made_at, **count_labels(rows), **describe_scores(scores)}


def describe_labels(labels: pd.DataFrame, fit: OwnFit) -> dict[str, object]:
    """Describe the user's labels and what they add for a model's card."""
    total = fit.table[fit.table["entity"] == "all"].iloc[0]
    gain = vars(fit.gain) | {"f1_before": total["f1_before"], "f1_after": total["f1_after"]}
    gain |= {"brier_before": fit.errors[0], "brier_after": fit.errors[1], "level": LEVEL}
    return {
        "labelled_by": sorted(set(labels["labelled_by"])),
        "labelled_at": [labels["labelled_at"].min(), labels["labelled_at"].max()],
        "gain": {name: round(float(value), DECIMALS) for name, value in gain.items()}
        | {"rows": fit.rows},
        "changes": fit.table.round(DECIMALS).to_dict(orient="records"),
    }


def store_model(model: Model, data_dir: Path) -> Path:
    """Write a model and its card into the user's data folder."""
    path = data_dir / OWN_MODEL
    write_model(model, path)
    with replace_file(path.with_suffix(".md")) as temporary:
        temporary.write_text(print_card(model), encoding="utf-8")
    return path
