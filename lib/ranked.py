"""Answers by a fitted ranker: the run's own where it has rows enough, else the shipped one."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.candidates import Scan
from lib.extraction import describe_choice, rank_questions
from lib.fitting import deal, fit_ranker
from lib.ranking import Question, Ranker, ask, read_ranker
from lib.samples import connect_samples

LOG = logging.getLogger(__name__)

LEAST_ROWS: int = 500
"""Train rows with a picture from which a run fits its own ranker; the shipped one had as many."""
MOST_ROWS: int = 4000
"""Train rows a ranker is fitted on, drawn by chance from more: its dozen traits need no more."""
FOLDS: int = 5


def answer_by_ranker(
    samples: pd.DataFrame, scans: Mapping[str, Scan], seed: int = 0
) -> pd.DataFrame:
    """Answer every sample by the probabilities of its candidates.

    Args:
        samples: `sample_id`, `sha256`, `group_id`, `entity_name`, `entity_value`, `has_truth` and
            `split`.
        scans: sha256 -> scan.
        seed: Of the forests and the folds.

    Returns:
        One row a sample, as `extraction.answer_samples` gives it, with `fold`: train rows are
        answered by a ranker that has seen neither their picture nor their group, -1 for the rest.
    """
    questions = [
        ask(scans.get(row.sha256), row.entity_name, [row.entity_value] if row.has_truth else ())
        for row in samples.itertuples()
    ]
    rows = find_train_rows(samples, scans)
    if len(rows) >= LEAST_ROWS:
        try:
            return answer_by_own_ranker(samples, questions, rows, seed)
        except ValueError as error:
            LOG.warning("%s The ranker that comes with the project answers.", error)
    return tabulate_choices(samples, questions, read_ranker(), np.full(len(samples), -1))


def answer_by_own_ranker(
    samples: pd.DataFrame, questions: list[Question], rows: np.ndarray, seed: int
) -> pd.DataFrame:
    """Fit a ranker on train rows, given by number, and answer all, the train rows out of fold.

    Raises:
        ValueError: The train rows are too much alike to fit a ranker.
    """
    clusters = connect_samples(samples, ("sha256", "group_id"))
    ranker = fit_on(questions, clusters, rows, seed)
    answers = tabulate_choices(samples, questions, ranker, np.full(len(samples), -1))
    return answer_out_of_fold(answers, samples, questions, clusters, rows, seed)


def find_train_rows(samples: pd.DataFrame, scans: Mapping[str, Scan]) -> np.ndarray:
    """Find the numbers of the rows that a ranker may be fitted on."""
    train = (samples["split"] == "train") & samples["has_truth"] & samples["sha256"].isin(scans)
    return np.flatnonzero(train)


def answer_out_of_fold(
    answers: pd.DataFrame,
    samples: pd.DataFrame,
    questions: list[Question],
    clusters: np.ndarray,
    train: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    """Answer train rows (given by number) anew, by rankers that have not seen them."""
    parts = [answers.drop(index=train)]
    for fold, (own, others) in enumerate(deal(clusters[train], FOLDS, seed)):
        asked = train[own]
        ranker = fit_on(questions, clusters, train[others], seed)
        part = tabulate_choices(
            samples.iloc[asked], [questions[i] for i in asked], ranker, np.full(len(asked), fold)
        )
        parts.append(part.set_index(asked))
    return pd.concat(parts).sort_index()


def fit_on(questions: list[Question], clusters: np.ndarray, rows: np.ndarray, seed: int) -> Ranker:
    """Fit a ranker on the questions given by number, or on `MOST_ROWS` of them."""
    if len(rows) > MOST_ROWS:
        rows = np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False)
    return fit_ranker([questions[i] for i in rows], clusters[rows], seed)


def tabulate_choices(
    samples: pd.DataFrame, questions: list[Question], ranker: Ranker, folds: np.ndarray
) -> pd.DataFrame:
    """Answer questions and lay the choices out, one row a sample."""
    choices = pd.DataFrame(map(describe_choice, rank_questions(questions, ranker)))
    known = samples[["sample_id", "sha256"]].reset_index(drop=True)
    return pd.concat([known, choices], axis=1).assign(fold=folds)
