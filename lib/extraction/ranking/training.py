"""Fit a ranker on labelled questions: forests, their calibration, answer thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from lib.evaluation import Outcomes, exact_match_f1
from lib.extraction.ranking.features import list_features
from lib.extraction.ranking.ranker import Question, Ranker
from lib.quantities import ENTITIES

FOLDS: int = 3  # of the training questions, for calibration and thresholds
TREES: int = 150
THRESHOLDS: npt.NDArray[np.float64] = np.arange(0.45, 0.61, 0.05)
"""An answer raises an F1 when it is right more often than half that F1 (Lipton et al., "Optimal
thresholding of classifiers to maximize F1 measure", 2014): 0.45 at 0.9. Lower thresholds gain on
the training questions only."""
SHRINKAGE: float = 1.0
"""Weight of all entities' questions when one entity's threshold is chosen; some have few of their
own."""


def fit_ranker(
    questions: Sequence[Question], clusters: npt.NDArray[np.int32], seed: int = 0
) -> Ranker:
    """Fit forests, calibrate them and choose thresholds, all on the same questions.

    Args:
        questions: Labelled questions.
        clusters: (N,); questions of one cluster are never split between folds.
        seed: Seed for the forests and the folds.

    Raises:
        ValueError: There are too few clusters, or no right candidate.
    """
    models = fit_models(questions, clusters, seed)
    estimates = cross_estimate(questions, clusters, seed)
    return Ranker(models, choose_thresholds(questions, estimates))


def fit_models(
    questions: Sequence[Question], clusters: npt.NDArray[np.int32], seed: int
) -> dict[str, CalibratedClassifierCV]:
    """Fit a calibrated forest for each kind of question that has candidates."""
    models = {}
    for kind in sorted({question.kind for question in questions if question.candidates}):
        rows = [i for i, q in enumerate(questions) if q.kind == kind and q.candidates]
        features = np.concatenate([questions[i].features for i in rows])
        right = np.concatenate([questions[i].right for i in rows])
        groups = np.repeat(clusters[rows], [len(questions[i].candidates) for i in rows])
        models[kind] = fit_forest(features, right, groups, questions[rows[0]].entity, seed)
    return models


def fit_forest(
    features: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool],
    groups: npt.NDArray[np.int32],
    entity: str,
    seed: int,
) -> CalibratedClassifierCV:
    """Fit one forest and calibrate it with a sigmoid on out-of-fold groups.

    Raises:
        ValueError: All candidates are right or all are wrong, or there are too few groups.
    """
    if len(np.unique(right)) < 2 or len(np.unique(groups)) < FOLDS:
        raise ValueError(
            f"{right.sum()} right ones among {len(right)} candidates of {len(np.unique(groups))} "
            "clusters: too little to fit a ranker. Give a longer train table."
        )
    forest = ExtraTreesClassifier(
        n_estimators=TREES,
        min_samples_leaf=4,
        max_features=0.6,
        monotonic_cst=list(list_features(entity).values()),
        random_state=seed,
    )
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    splits = list(folds.split(features, right, groups))
    return CalibratedClassifierCV(forest, cv=splits, ensemble=False).fit(features, right)


def cross_estimate(
    questions: Sequence[Question], clusters: npt.NDArray[np.int32], seed: int
) -> list[npt.NDArray[np.float64]]:
    """Estimate each question's probabilities by models fitted on other clusters."""
    found: list[npt.NDArray[np.float64]] = [np.empty(0)] * len(questions)
    for rows, others in split_folds(clusters, FOLDS, seed):
        models = fit_models([questions[i] for i in others], clusters[others], seed)
        parts = Ranker(models, {}).estimate([questions[i] for i in rows])
        for i, part in zip(rows, parts, strict=True):
            found[i] = part
    return found


def split_folds(
    clusters: npt.NDArray[np.int32], folds: int, seed: int
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Split clusters into folds of about equal size; return the rows in and outside each.

    Raises:
        ValueError: There are fewer clusters than folds.
    """
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    return [(rows, others) for others, rows in splitter.split(clusters, groups=clusters)]


def choose_thresholds(
    questions: Sequence[Question], estimates: Sequence[npt.NDArray[np.float64]]
) -> dict[str, float]:
    """Choose for each entity the probability threshold that maximises F1."""
    table = pd.DataFrame(
        {
            "entity": [question.entity for question in questions],
            "best": [part.max(initial=0.0) for part in estimates],
            "right": [
                bool(len(part)) and question.right[part.argmax()]
                for question, part in zip(questions, estimates, strict=True)
            ],
            "has_answer": [bool(question.truths) for question in questions],
        }
    )
    overall = np.array([count_answers(table, threshold) for threshold in THRESHOLDS])  # (T, 3)
    chosen = {}
    for entity in ENTITIES:
        rows = table[table["entity"] == entity]
        own = np.array([count_answers(rows, threshold) for threshold in THRESHOLDS])
        tp, fp, fn = (own + SHRINKAGE * overall).T
        scores = np.asarray(exact_match_f1(Outcomes(tp=tp, fp=fp, fn=fn)))
        best = np.flatnonzero(scores >= scores.max() - 1e-9)
        chosen[entity] = round(float(THRESHOLDS[best[len(best) // 2]]), 2)
    return chosen


def count_answers(table: pd.DataFrame, threshold: float) -> tuple[int, int, int]:
    """Count right, wrong and missed answers at a threshold."""
    answered = table["best"] >= threshold
    right = int((answered & table["right"]).sum())
    return right, int(answered.sum()) - right, int((~answered & table["has_answer"]).sum())
