"""Cross-validate the model on labelled rows: its scores, learning curve and ablation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.extraction.learned.features import FAMILIES, FEATURES
from lib.extraction.learned.model import UNSEEN, Model
from lib.extraction.learned.questions import LabelledRows
from lib.extraction.learned.scores import AREA, score_table, tabulate_outcomes
from lib.extraction.learned.training import Answers, answer_rows, deal_folds, fit_model

FOLDS: int = 10
SIZES: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
OUTER: int = 1000  # added to the seed of the outer folds, so that they differ from the inner ones

LEARNING: list[str] = ["rows", "judged", "f1", "low", "high"]
ABLATION: list[str] = ["method", "samples", "f1", "low", "high", "precision", "recall", *AREA]


def answer_unseen(rows: LabelledRows, model: Model) -> dict[str, Answers]:
    """Answer labelled rows that a model has not seen, by all of its trees."""
    return answer_rows(rows, model.forest, model.calibration, np.full(len(rows), UNSEEN, np.int8))


def cross_answer(rows: LabelledRows, seed: int = 0) -> dict[str, Answers]:
    """Answer each labelled row by a model fitted on none of its image's or group's rows.

    Trees and calibration are all fitted on the other folds.

    Returns:
        Method, `rules` or `learned`, -> its answers.

    Raises:
        ValueError: The labels are too few or all alike.
    """
    folds = deal_folds(rows.clusters, FOLDS, seed + OUTER)
    owns = [np.flatnonzero(folds == fold) for fold in range(FOLDS)]
    parts = [
        answer_unseen(rows.select(own), fit_model(rows.select(np.flatnonzero(folds != fold)), seed))
        for fold, own in enumerate(owns)
    ]
    back = np.argsort(np.concatenate(owns))
    return {method: join_answers([part[method] for part in parts], back) for method in parts[0]}


def join_answers(parts: Sequence[Answers], order: npt.NDArray[np.intp]) -> Answers:
    """Join the answers to parts of the rows and arrange them."""
    names = [one.name for one in fields(Answers)]
    arrays = (np.concatenate([getattr(part, name) for part in parts])[order] for name in names)
    return Answers(*arrays)


def study_model(rows: LabelledRows, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit models on growing shares of the labelled rows, then without one family of features each.

    All are scored on the same hold-out fold; no image or group is on both sides.

    Returns:
        The learning curve (`LEARNING`) and the ablation (`ABLATION`), with 95 % intervals.

    Raises:
        ValueError: The labels are too few or all alike.
    """
    clusters = rows.clusters
    folds = deal_folds(clusters, 3, seed + OUTER)
    others, judged = rows.select(np.flatnonzero(folds > 0)), rows.select(np.flatnonzero(folds == 0))

    def ask(train: LabelledRows, asked: LabelledRows) -> dict[str, pd.DataFrame]:
        answers = answer_unseen(asked, fit_model(train, seed))
        return {name: tabulate_outcomes(asked, own) for name, own in answers.items()}

    shares = [others.select(own) for own in share_clusters(others, seed)]
    points = [ask(share, judged) for share in shares]
    hidden = {
        f"without {name}": ask(hide_family(others, name), hide_family(judged, name))["learned"]
        for name in FAMILIES
    }
    tables = {"learned": points[-1]["learned"], **hidden, "rules": points[-1]["rules"]}
    ablation = [{"method": name, **score_table(own, seed)} for name, own in tables.items()]
    learning = [
        {"rows": len(share), "judged": len(judged), **score_table(point["learned"], seed)}
        for share, point in zip(shares, points, strict=True)
    ]
    return pd.DataFrame(learning)[LEARNING], pd.DataFrame(ablation)[ABLATION]


def share_clusters(rows: LabelledRows, seed: int) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the rows of growing shares of the clusters, in random order."""
    clusters = rows.clusters
    order = np.random.default_rng(seed).permutation(np.unique(clusters))
    for size in SIZES:
        yield np.flatnonzero(np.isin(clusters, order[: round(size * len(order))]))


def hide_family(rows: LabelledRows, family: str) -> LabelledRows:
    """Set a family of features to 0 in all rows."""
    features = rows.features.copy()
    features[:, np.isin(FEATURES, FAMILIES[family])] = 0.0
    return replace(rows, features=features)
