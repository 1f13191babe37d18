"""Predict with a ranker: cross-fitted on the train rows if they suffice, else the shipped one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.extraction.answers import (
    NO_IMAGE,
    Choice,
    answer_error,
    first_printed,
    print_answer,
    tabulate_choices,
    try_choice,
)
from lib.extraction.candidates import is_same
from lib.extraction.page_scans import iterate_samples
from lib.extraction.ranking.ranker import Question, Ranker, make_question, read_ranker
from lib.extraction.ranking.training import fit_ranker, split_folds
from lib.extraction.scan import Scan
from lib.extraction.scoring import score_candidates
from lib.io import connect_samples, find_errors
from lib.parallel import InternalError, report_internal_errors, try_item

LOG = logging.getLogger(__name__)

MIN_TRAIN_ROWS: int = 500
"""Train rows with an image that a run needs to fit its own ranker; the shipped one had as many."""
MAX_TRAIN_ROWS: int = 4000
"""Most train rows that a ranker is fitted on, a random subset of more: its dozen features need no
more."""
FOLDS: int = 5
UNSEEN: int = -1  # the fold of rows outside the train rows


def answer_by_ranker(
    samples: pd.DataFrame, scans: Mapping[str, Scan], seed: int = 0
) -> pd.DataFrame:
    """Answer every sample with the ranker, train rows out of fold.

    Args:
        samples: `sample_id`, `sha256`, `group_id`, `entity_name`, `entity_value`, `has_truth` and
            `split`.
        scans: sha256 -> scan.
        seed: Seed for the forests and the folds.

    Returns:
        One row per sample, as from `answers.answer_samples`, with `fold`: train rows are answered
        by a ranker fitted on neither their image nor their group; -1 for the other rows.
    """
    rows = find_train_rows(samples, scans)
    if len(rows) >= MIN_TRAIN_ROWS:
        try:
            return answer_by_own_ranker(samples, scans, rows, seed)
        except ValueError as error:
            LOG.warning("%s The ranker that comes with the project answers.", error)
    return answer_by_folds(samples, scans, {UNSEEN: read_ranker()}, np.full(len(samples), UNSEEN))


def find_train_rows(samples: pd.DataFrame, scans: Mapping[str, Scan]) -> npt.NDArray[np.intp]:
    """Find the positions of the rows that a ranker may be fitted on."""
    read = samples["sha256"].isin(list(scans))
    return np.flatnonzero((samples["split"] == "train") & samples["has_truth"] & read)


def select_rows(rows: npt.NDArray[np.intp], seed: int) -> npt.NDArray[np.intp]:
    """Select at most `MAX_TRAIN_ROWS` rows at random, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_TRAIN_ROWS])


def answer_by_own_ranker(
    samples: pd.DataFrame, scans: Mapping[str, Scan], rows: npt.NDArray[np.intp], seed: int
) -> pd.DataFrame:
    """Fit a ranker on the given train rows and answer all samples, train rows out of fold.

    Raises:
        ValueError: The train rows are too similar to fit a ranker.
    """
    clusters = connect_samples(samples, ("sha256", "group_id"))
    selected = select_rows(rows, seed)
    asked = {
        index: question
        for batch in iterate_samples(samples.iloc[selected], scans)
        for index, question in zip(batch.index, make_questions(batch, scans), strict=True)
    }
    questions = [asked[index] for index in samples.index[selected]]
    rankers = {UNSEEN: fit_ranker(questions, clusters[selected], seed)}
    folds = np.full(len(samples), UNSEEN)
    for fold, (own, _) in enumerate(split_folds(clusters[rows], FOLDS, seed)):
        folds[rows[own]] = fold
        seen = np.flatnonzero(folds[selected] != fold)
        rankers[fold] = fit_ranker([questions[i] for i in seen], clusters[selected[seen]], seed)
    return answer_by_folds(samples, scans, rankers, folds)


def make_questions(samples: pd.DataFrame, scans: Mapping[str, Scan]) -> list[Question]:
    """Gather the candidates of each sample, in order; none if an unexpected error occurs."""
    columns = ("sha256", "entity_name", "entity_value", "has_truth")
    questions = []
    for sample in zip(*(samples[name] for name in columns), strict=True):
        found = try_item(make_sample_question, scans, *sample)
        if isinstance(found, InternalError):
            found = replace(make_question(None, sample[1]), error=found)
        questions.append(found)
    return questions


def make_sample_question(
    scans: Mapping[str, Scan], sha256: str, entity: str, truth: str, has_truth: bool
) -> Question:
    """Gather the candidates of one sample."""
    truths = [truth] if has_truth else []
    if sha256 not in scans:  # get() would hide a scan error
        return make_question(None, entity, truths)
    return make_question(scans[sha256], entity, truths)


def answer_by_folds(
    samples: pd.DataFrame,
    scans: Mapping[str, Scan],
    rankers: Mapping[int, Ranker],
    folds: npt.NDArray[np.intp],
) -> pd.DataFrame:
    """Answer each sample with the ranker of its fold.

    Raises:
        StageFault: All samples failed with the same unexpected error.
    """
    known = samples.assign(fold=folds).reset_index(drop=True)
    parts = [tabulate_choices(known[:0], []).assign(fold=UNSEEN)]
    errors: dict[str, InternalError] = {}
    for batch in iterate_samples(known, scans):
        for fold in sorted(batch["fold"].unique()):
            rows = batch[batch["fold"] == fold]
            choices = rank_questions(make_questions(rows, scans), rankers[fold])
            errors |= find_errors(rows, [choice.error for choice in choices])
            parts.append(tabulate_choices(rows, choices).assign(fold=fold))
    report_internal_errors("answering by the ranker", errors, len(samples))
    return pd.concat(parts).sort_index()


def rank_questions(questions: Sequence[Question], ranker: Ranker) -> list[Choice]:
    """Answer questions with a fitted ranker in one batch, or one by one if the batch fails."""
    estimates = try_item(ranker.estimate, questions)
    if isinstance(estimates, InternalError):
        return [try_choice(rank_question, question, ranker) for question in questions]
    return [
        try_choice(choose_by_ranker, question, estimate, ranker.thresholds[question.entity])
        for question, estimate in zip(questions, estimates, strict=True)
    ]


def rank_question(question: Question, ranker: Ranker) -> Choice:
    """Answer one question with a fitted ranker."""
    threshold = ranker.thresholds[question.entity]
    return choose_by_ranker(question, ranker.estimate([question])[0], threshold)


def choose_by_ranker(
    question: Question, estimate: npt.NDArray[np.float64], threshold: float
) -> Choice:
    """Answer one question from the probabilities of its candidates.

    Args:
        question: The question with its candidates.
        estimate: (N,) probability of each candidate, 0-1.
        threshold: Lowest probability of an answer.
    """
    if question.error:
        return answer_error(question.error)
    if question.scan is None:
        return NO_IMAGE
    candidates = question.candidates
    if not candidates:
        return Choice("", None, 0.0, "no quantity in a fitting unit")
    order = np.argsort(-estimate, kind="stable")
    best, probability = candidates[order[0]], float(estimate[order[0]])
    chosen = first_printed(candidates, best)
    prediction = print_answer(chosen, question.entity)
    if probability < threshold:
        reason = f"{prediction} is right with {probability:.0%} only, {threshold:.0%} are needed"
        return Choice("", None, probability, reason, prediction)
    others = (
        candidates[i] for i in order if not is_same(candidates[i].placed.base, best.placed.base)
    )
    runner_up = next((str(other.quantity) for other in others), "")
    reason = score_candidates(question.scan, question.entity).tell_reason(order[0])
    return Choice(prediction, chosen, probability, reason, runner_up)
