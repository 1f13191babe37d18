"""Answer samples with a model: the run's own if it has enough train rows, else a stored one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.evaluation import Promise, find_threshold
from lib.extraction.answers import (
    NO_CANDIDATE,
    NO_IMAGE,
    Choice,
    answer_error,
    first_printed,
    print_answer,
    print_choice,
    tabulate_choices,
    try_choice,
)
from lib.extraction.learned.model import (
    DECIMALS,
    SHIPPED,
    THRESHOLD,
    UNSEEN,
    Estimate,
    Model,
    choose_print,
    read_model,
)
from lib.extraction.learned.questions import (
    NO_FEATURES,
    SOURCES,
    TRUSTED,
    LabelledRows,
    Question,
    join_rows,
    make_question,
    make_rows,
    read_rows,
)
from lib.extraction.page_scans import iterate_samples
from lib.extraction.scan import Scan
from lib.io import OWN_MODEL, PROJECT, find_errors, from_project
from lib.parallel import InternalError, report_internal_errors, try_item
from lib.quantities import ENTITIES

LOG = logging.getLogger(__name__)

SHIPPED_ROWS: Path = PROJECT / "lib/models/labelled_rows.npz"
STUDY: tuple[str, str] = ("learning_curve", "ablation")
"""Tables of `study_own_model` in a run, and of the shipped model in its folder."""
MIN_TRAIN_ROWS: int = 500
"""Train rows with an image that a run needs to fit its own model, on them and the shipped rows."""
MAX_TRAIN_ROWS: int = 4000
"""Train rows that a run fits its own model on at most; of more, it takes a random subset."""
DRIFT_ROWS: int = 1000  # samples that drift is measured on at most, chosen at random
USER: str = "user"  # name in `SOURCES` of the labels of a run's own rows


def open_model(name: str, data_dir: Path, rows: LabelledRows | None, seed: int = 0) -> Model:
    """Open the model that a run answers with.

    Args:
        name: Path of a model; if `""`, one is fitted on the labelled rows if there are any, else
            the user's own in `data_dir` is read, or, if there is none, the one that comes with the
            project.
        data_dir: Folder of images and cache.
        rows: As from `label_train_rows`.
        seed: Seed of the folds and the trees.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, no model, or of another version.
    """
    if name:
        return read_model(from_project(name))
    if rows is not None:
        from lib.extraction.learned.training import fit_model  # Imports scikit-learn: slow.

        try:
            return fit_model(rows, seed)
        except ValueError as error:
            LOG.warning("%s A stored model answers.", error)
    own = data_dir / OWN_MODEL
    return read_model(own if own.is_file() else SHIPPED)


def study_own_model(rows: LabelledRows | None, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the learning curve and the ablation of `study.study_model` for a run's own model.

    Args:
        rows: As from `label_train_rows`.
        seed: Seed of the folds and the trees.

    Returns:
        Both tables; empty if no model can be fitted.
    """
    from lib.extraction.learned.study import ABLATION, LEARNING, study_model  # Slow, as above.

    try:
        if rows is not None:
            return study_model(rows, seed)
    except ValueError as error:
        LOG.warning("%s There is no learning curve.", error)
    return pd.DataFrame(columns=LEARNING), pd.DataFrame(columns=ABLATION)


def read_study(run_dir: Path) -> tuple[str, pd.DataFrame, pd.DataFrame]:
    """Read the learning curve and the ablation of a run's own model, else of the shipped one.

    Returns:
        Which model it is, in words, and both tables.
    """
    own = [run_dir / f"tables/{name}.parquet" for name in STUDY]
    tables = [pd.read_parquet(path) for path in own if path.is_file()]
    if len(tables) == len(STUDY) and all(map(len, tables)):
        return "the model fitted in this run", tables[0], tables[1]
    learning, ablation = (pd.read_csv(PROJECT / f"lib/models/{name}.csv") for name in STUDY)
    return "the model that comes with the project", learning, ablation


def label_train_rows(
    samples: pd.DataFrame, scans: Mapping[str, Scan], seed: int = 0
) -> LabelledRows | None:
    """Join a run's train rows and the shipped ones.

    Args:
        samples: As in `answer_by_model`, with `entity_value`, `has_truth` and `split`.
        scans: sha256 -> scan.
        seed: Seed for the choice of rows.

    Returns:
        The rows that the run's own model is fitted on; None with fewer than `MIN_TRAIN_ROWS` train
        rows.

    Raises:
        ValueError: The shipped rows are damaged or of another version.
    """
    rows = find_train_rows(samples, scans)
    if len(rows) < MIN_TRAIN_ROWS:
        return None
    own = label_rows(samples.iloc[select_rows(rows, seed)], scans)
    return join_rows(own, read_rows(SHIPPED_ROWS))


def promise_precision(model: Model, target: float) -> Promise:
    """Find the threshold above which a target share of a model's answers is right.

    It rests on the labelled answers that the model gave out of fold, without those of disputable
    labels.

    Raises:
        ValueError: The target is not between 0 and 1.
    """
    trusted = np.isin(np.array(list(SOURCES))[model.source], TRUSTED)
    return find_threshold(
        pd.Series(model.confidence[trusted].astype(float).round(DECIMALS)),
        pd.Series(model.right[trusted]),
        pd.Series(model.cluster[trusted]),
        target,
    )


def measure_drift(
    samples: pd.DataFrame, scans: Mapping[str, Scan], model: Model, seed: int = 0
) -> float | None:
    """Measure how much a run's candidates differ from those that a model was fitted on.

    Args:
        samples: As in `answer_by_model`; at most `DRIFT_ROWS` random ones are used.
        scans: sha256 -> scan.
        model: A fitted model.
        seed: Seed for the choice of rows.

    Returns:
        As `Model.measure_drift`; above `model.MAX_DRIFT` no confidence can be relied on.
    """
    some = samples.sample(min(DRIFT_ROWS, len(samples)), random_state=seed)
    questions = make_questions(some, scans)
    return model.measure_drift(np.concatenate([NO_FEATURES, *(one.features for one in questions)]))


def find_train_rows(samples: pd.DataFrame, scans: Mapping[str, Scan]) -> npt.NDArray[np.intp]:
    """Find the positions of the rows that a model may be fitted on."""
    read = samples["sha256"].isin(list(scans))
    return np.flatnonzero((samples["split"] == "train") & samples["has_truth"] & read)


def select_rows(rows: npt.NDArray[np.intp], seed: int) -> npt.NDArray[np.intp]:
    """Select at most `MAX_TRAIN_ROWS` rows at random, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_TRAIN_ROWS])


def label_rows(
    samples: pd.DataFrame, scans: Mapping[str, Scan], source: str = USER
) -> LabelledRows:
    """Turn samples with a truth into labelled rows; those with an internal error are left out."""
    questions, truths = [], []
    for batch in iterate_samples(samples.reset_index(drop=True), scans):
        questions += make_questions(batch, scans)
        truths += [[truth] if truth else [] for truth in batch["entity_value"]]
    kept = [i for i, question in enumerate(questions) if not question.error]
    return make_rows([questions[i] for i in kept], [truths[i] for i in kept], [source] * len(kept))


def answer_by_model(
    samples: pd.DataFrame, scans: Mapping[str, Scan], model: Model
) -> dict[str, pd.DataFrame]:
    """Answer every sample by the rules and by a model, with the model's confidence in both.

    Trees that have seen a sample's image or group do not vote on it.

    Args:
        samples: `sample_id`, `sha256`, `group_id` and `entity_name`.
        scans: sha256 -> scan.
        model: A fitted model.

    Returns:
        Method, `rules` or `learned`, -> one row per sample, as from `answers.answer_samples`, with
        `fold`: the fold whose trees were asked, -1 if all were.

    Raises:
        StageFault: All samples failed with the same unexpected error.
    """
    known = samples.reset_index(drop=True)
    parts: dict[str, list[pd.DataFrame]] = {method: [] for method in CHOOSE}
    errors: dict[str, InternalError] = {}
    for batch in iterate_samples(known, scans):
        questions = make_questions(batch, scans)
        estimates = estimate_questions(questions, model)
        folds = np.array([getattr(estimate, "fold", UNSEEN) for estimate in estimates], int)
        for method, choose in CHOOSE.items():
            pairs = zip(questions, estimates, strict=True)
            choices = [try_choice(answer_question, *pair, choose) for pair in pairs]
            errors |= find_errors(batch, [choice.error for choice in choices])
            parts[method].append(tabulate_choices(batch, choices).assign(fold=folds))
    report_internal_errors("answering", errors, len(samples))
    return {method: pd.concat(own).sort_index() for method, own in parts.items()}


def make_questions(samples: pd.DataFrame, scans: Mapping[str, Scan]) -> list[Question]:
    """Gather the candidates of each sample, in order; none if an unexpected error occurs."""
    questions = []
    columns = ("sha256", "entity_name", "group_id")
    for sample in zip(*(samples[name] for name in columns), strict=True):
        found = try_item(make_sample_question, scans, *sample)
        if isinstance(found, InternalError):
            found = replace(make_question(None, sample[1]), error=found)
        questions.append(found)
    return questions


def make_sample_question(
    scans: Mapping[str, Scan], sha256: str, entity: str, group: str
) -> Question:
    """Gather the candidates of one sample; none without an image or a question that we know."""
    if sha256 not in scans or entity not in ENTITIES:  # get() would hide a scan error
        return make_question(None, entity)
    return make_question(scans[sha256], entity, sha256, group)


def estimate_questions(
    questions: Sequence[Question], model: Model
) -> list[Estimate | InternalError | None]:
    """Estimate the questions that have a page in one batch, or one by one if the batch fails."""
    asked = [question for question in questions if question.scan]
    found = try_item(model.estimate, asked)
    if isinstance(found, InternalError):
        each = [try_item(model.estimate, [question]) for question in asked]
        estimates = iter([one if isinstance(one, InternalError) else one[0] for one in each])
    else:
        estimates = iter(found)
    return [next(estimates) if question.scan else None for question in questions]


def answer_question(
    question: Question,
    estimate: Estimate | InternalError | None,
    choose: Callable[[Question, Estimate], Choice],
) -> Choice:
    """Answer one question; give no answer if its page could not be read or estimated."""
    if question.error:
        return answer_error(question.error)
    if isinstance(estimate, InternalError):
        return answer_error(estimate)
    if estimate is None:
        return NO_IMAGE
    return replace(choose(question, estimate), stated=estimate.stated)


def choose_by_rules(question: Question, estimate: Estimate) -> Choice:
    """Answer one question by the rules; the model tells how likely that is right."""
    if not question.candidates:
        return Choice("", None, 0.0, NO_CANDIDATE)
    best, reason = question.chosen
    choice = print_choice(question.scored, best, reason, question.entity)
    probability = float(estimate.right[best] if best >= 0 else estimate.right.max())
    return replace(choice, probability=probability)


def choose_by_model(question: Question, estimate: Estimate) -> Choice:
    """Answer one question with the candidate that is most likely right."""
    candidates, right = question.candidates, estimate.right
    if not candidates:
        return Choice("", None, 0.0, NO_CANDIDATE)
    best = choose_print(right, question.measures, question.scores, question.chosen[0])
    chosen, probability = first_printed(candidates, candidates[best]), float(right[best])
    prediction = print_answer(chosen, question.entity)
    if probability < THRESHOLD:
        reason = f"{prediction} is right with a probability of {probability:.0%} only"
        return Choice("", None, probability, reason, prediction)
    others = np.flatnonzero(question.measures != question.measures[best])
    second = others[right[others].argmax()] if len(others) else None
    return Choice(
        prediction,
        chosen,
        probability,
        question.scored.tell_reason(best),
        "" if second is None else str(candidates[second].quantity),
        runner_up_probability=0.0 if second is None else float(right[second]),
    )


CHOOSE: dict[str, Callable[[Question, Estimate], Choice]] = {
    "rules": choose_by_rules,
    "learned": choose_by_model,
}
"""Method -> how it chooses."""
