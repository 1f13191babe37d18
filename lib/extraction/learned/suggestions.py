"""Suggest the rows of a run whose labels would teach a model most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.evaluation import UNLABELLED, are_labelled, find_scored_predictions
from lib.io import read_table

COLUMNS: list[str] = [
    *("index", "image_link", "group_id", "entity_name"),
    *("prediction", "probability", "entity_value"),
]


def suggest_rows(run_dir: Path, labels: pd.DataFrame | None, count: int = 50) -> pd.DataFrame:
    """List the rows of a run whose labels would teach most: unsure answers of many product groups.

    A row's worth is p (1 - p), with p the probability that its best candidate is right; so rows
    without a candidate are worth nothing. A group's second row comes after the first of each.

    Args:
        run_dir: Folder of a finished run.
        labels: As from `evaluation.read_labels`, whose rows are left out; None if there are none.
        count: Most rows to list.

    Returns:
        `COLUMNS`, the most valuable first, a table that `evaluation.read_corrections` reads once
        `entity_value` is filled in.

    Raises:
        FileNotFoundError: The run is not finished.
    """
    rows = read_unlabelled(run_dir, labels)
    worth = rows["probability"] * (1 - rows["probability"])
    groups = rows["group_id"].where(rows["group_id"] != "", rows["sha256"])
    chosen = rows.iloc[choose_spread(worth.to_numpy(), groups, count)]
    return chosen.assign(entity_value=UNLABELLED)[COLUMNS].reset_index(drop=True)


def read_unlabelled(run_dir: Path, labels: pd.DataFrame | None) -> pd.DataFrame:
    """Read the rows without a truth, with the learned method's probability if the run has it.

    Raises:
        FileNotFoundError: The run is not finished.
    """
    path = find_scored_predictions(run_dir)
    shown = read_table(path, "05_evaluation.ipynb")
    answers = read_table(run_dir / "tables/predictions.parquet", "04_extraction.ipynb")
    learned = answers[answers["method"].str.startswith("learned")].set_index("sample_id")
    if len(learned):
        probability = shown["sample_id"].map(learned["probability"])
        shown = shown.assign(probability=probability)
    rows = shown[~shown["has_truth"] & shown["read"]]
    return rows if labels is None else rows[~are_labelled(rows, labels)]


def choose_spread(
    worth: npt.NDArray[np.floating], groups: pd.Series, count: int
) -> npt.NDArray[np.intp]:
    """Choose the rows of the greatest worth: the best of each group, then the second of each.

    >>> choose_spread(np.array([0.2, 0.1, 0.25, 0.0]), pd.Series(["a", "b", "a", "c"]), 3)
    array([2, 1, 0])
    """
    order = np.argsort(-worth, kind="stable")
    order = order[worth[order] > 0]
    rounds = groups.iloc[order].groupby(groups.to_numpy()[order]).cumcount().to_numpy()
    return order[np.argsort(rounds, kind="stable")][:count]
