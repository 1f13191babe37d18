"""Compute the ranker's learning curve and its ablations."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.evaluation import name_outcomes, score_samples
from lib.extraction.ranking.cross_fitting import (
    MIN_TRAIN_ROWS,
    find_train_rows,
    make_questions,
    rank_questions,
    select_rows,
)
from lib.extraction.ranking.ranker import Question, Ranker
from lib.extraction.ranking.training import fit_models, split_folds
from lib.extraction.scan import NO_LINE_SEGMENTS, Scan, scan_page
from lib.io import connect_samples, find_errors
from lib.parallel import report_internal_errors, try_item
from lib.quantities import ENTITIES

LOG = logging.getLogger(__name__)

Source = TypeVar("Source")

SIZES: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
FOLDS: int = 3  # one is the hold-out
THRESHOLD: float = 0.45
"""The same for all rankers, so that only the fitted models differ; answers that are right more
often than half the F1 raise it (Lipton et al., 2014)."""

LEARNING: list[str] = ["rows", "judged", "f1", "low", "high"]
ABLATION: list[str] = ["method", "samples", "f1", "low", "high", "precision", "recall"]


def study_ranker(
    samples: pd.DataFrame, scans: Mapping[str, Scan], seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit rankers on shares of the train rows and without some of their features.

    All are scored on the same hold-out third of the rows; no image or group is in both parts.

    Args:
        samples: As in `cross_fitting.answer_by_ranker`.
        scans: sha256 -> scan.
        seed: Seed for the choice of rows, the forests and the folds.

    Returns:
        The learning curve (`LEARNING`) and the ablation (`ABLATION`), with 95 % intervals; both
        empty if the train rows are too few or too similar to fit a ranker.
    """
    rows = select_rows(find_train_rows(samples, scans), seed)
    try:
        if len(rows) >= MIN_TRAIN_ROWS:
            return score_rankers(samples.iloc[rows].reset_index(drop=True), scans, seed)
    except ValueError as error:
        LOG.warning("%s There is no learning curve.", error)
    return pd.DataFrame(columns=LEARNING), pd.DataFrame(columns=ABLATION)


def score_rankers(
    train: pd.DataFrame, scans: Mapping[str, Scan], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score each ranker on the same hold-out rows.

    Raises:
        ValueError: The rows are too similar to fit a ranker.
    """
    hold_out = HoldOut(train, connect_samples(train, ("sha256", "group_id")), seed)
    asked = set(train["sha256"])
    wanted = {sha256: sha256 for sha256 in scans if sha256 in asked}
    own = try_each_scan(scans.__getitem__, wanted, train)
    whole = make_questions(train, own)
    curve = [hold_out.score(whole, size) for size in SIZES]
    views = {
        "ranker": whole,
        "without shape": make_questions(train, try_each_scan(drop_shape, own, train)),
        "without line segments": make_questions(
            train, try_each_scan(drop_line_segments, own, train)
        ),
        "without the entity": [hide_entity(question) for question in whole],
    }
    ablation = [{"method": name, **hold_out.score(view)} for name, view in views.items()]
    return pd.DataFrame(curve)[LEARNING], pd.DataFrame(ablation)[ABLATION]


class HoldOut:
    """Train rows split by cluster: a hold-out third and the rows that rankers are fitted on."""

    def __init__(self, train: pd.DataFrame, clusters: npt.NDArray[np.int32], seed: int) -> None:
        self.train, self.clusters, self.seed = train, clusters, seed
        self.judged, self.others = split_folds(clusters, FOLDS, seed)[0]
        names = np.unique(clusters[self.others])
        self.order = np.random.default_rng(seed).permutation(names)

    def score(self, questions: Sequence[Question], size: float = 1.0) -> dict[str, float]:
        """Fit a ranker on a share of the other clusters and score it on the hold-out."""
        names = self.order[: math.ceil(size * len(self.order))]
        seen = self.others[np.isin(self.clusters[self.others], names)]
        models = fit_models([questions[i] for i in seen], self.clusters[seen], self.seed)
        ranker = Ranker(models, dict.fromkeys(ENTITIES, THRESHOLD))
        choices = rank_questions([questions[i] for i in self.judged], ranker)
        rows = self.train.iloc[self.judged]
        predictions = pd.Series([choice.prediction for choice in choices], index=rows.index)
        outcomes = name_outcomes(rows["entity_value"], predictions)
        scores = score_samples(outcomes, rows["sha256"], seed=self.seed)
        return {"rows": len(seen), "judged": len(rows), **scores}


def try_each_scan(
    change: Callable[[Source], Scan], sources: Mapping[str, Source], train: pd.DataFrame
) -> dict[str, Scan]:
    """Apply `change` to each source; drop and report those that raise an unexpected error."""
    found = {sha256: try_item(change, source) for sha256, source in sources.items()}
    firsts = train.drop_duplicates("sha256")
    errors = find_errors(firsts, [found.get(sha256) for sha256 in firsts["sha256"]])
    report_internal_errors("studying the ranker", errors, len(found))
    return {sha256: scan for sha256, scan in found.items() if isinstance(scan, Scan)}


def drop_shape(scan: Scan) -> Scan:
    """Remove the roundness from a scan."""
    return replace(scan, roundness=math.nan)


def drop_line_segments(scan: Scan) -> Scan:
    """Scan a page again without its line segments."""
    return scan_page(scan.page, NO_LINE_SEGMENTS, scan.roundness)


def hide_entity(question: Question) -> Question:
    """Zero the entity feature, so that no per-entity effect is learned."""
    features = question.features.copy()
    features[:, 0] = 0.0  # the first of features.FEATURES
    return replace(question, features=features)
