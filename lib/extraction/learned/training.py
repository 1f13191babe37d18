"""Fit a model on labelled rows: each tree leaves out one fold, which it is then calibrated on."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from lib.extraction.learned.forest import Forest, join_trees
from lib.extraction.learned.model import (
    THRESHOLD,
    Calibration,
    Model,
    choose_print,
    describe_votes,
    log_odds,
    pool_votes,
)
from lib.extraction.learned.questions import NOTHING, LabelledRows

Floats = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int8]

FOLDS: int = 10
TREES: int = 30
"""Trees a fold: so many vote on an image that the model was fitted on, all 300 on any other."""
MIN_LEAF: int = 8  # candidates in a leaf
SHARE: float = 0.15  # of the features that a split chooses from
Forests = tuple[RandomForestClassifier, ExtraTreesClassifier]
SAMPLE: int = 500  # candidates kept, to measure the drift of a run's from
DIGITS: int = 3  # decimals of fitted coefficients, so that all processors agree
MIN_SLOPE: float = 0.001
"""Least slope of the calibration: where votes tell nothing, it must not turn their order round."""


@dataclass(frozen=True)
class Answers:
    """Answers to labelled rows.

    Attributes:
        chosen: Number of the best candidate among those of its question, (Q,); `NOTHING` if none.
        right: Probability that it is right, (Q,).
        stated: Probability that the image states an answer, (Q,).
        answered: Whether the answer is given, (Q,).
    """

    chosen: npt.NDArray[np.int64]
    right: Floats
    stated: Floats
    answered: npt.NDArray[np.bool]

    def mark_right(self, rows: LabelledRows) -> npt.NDArray[np.bool]:
        """Mark the questions whose best candidate is an accepted answer, (Q,)."""
        return mark_chosen(rows, self.chosen)


def fit_model(rows: LabelledRows, seed: int = 0, card: Mapping[str, object] | None = None) -> Model:
    """Fit a model in which trees that have not seen a labelled question can answer it.

    Args:
        rows: Labelled rows.
        seed: Seed of the folds and the trees.
        card: What the model's card says about the rows.

    Raises:
        ValueError: The labels are too few or all alike; the message says what is missing.
    """
    clusters = rows.clusters
    folds = deal_folds(clusters, FOLDS, seed)
    forest = fit_forest(rows, folds, seed)
    votes = vote(rows, forest, folds)
    calibration = calibrate(rows, votes)
    answers = decide(rows, votes, calibration)["learned"]
    given = answers.answered
    names, places = np.unique(np.concatenate([rows.image, rows.group]), return_index=True)
    return Model(
        forest,
        calibration,
        names=names[names > 0],
        folds=np.concatenate([folds, folds])[places][names > 0],
        confidence=answers.right[given].astype(np.float32),
        right=answers.mark_right(rows)[given],
        cluster=clusters[given],
        source=rows.source[given],
        sample=sample_features(rows, seed),
        card=dict(card or {}),
    )


def sample_features(rows: LabelledRows, seed: int) -> npt.NDArray[np.float32]:
    """Return the features of at most `SAMPLE` random candidates."""
    order = np.random.default_rng(seed).permutation(len(rows.features))
    return rows.features[np.sort(order[:SAMPLE])]


def deal_folds(clusters: npt.NDArray[np.int32], folds: int, seed: int) -> Folds:
    """Deal clusters to folds of about equal size; return the fold of each question.

    Raises:
        ValueError: There are fewer clusters than folds.
    """
    count = len(np.unique(clusters))
    if count < folds:
        raise ValueError(
            f"The labelled rows share images or groups, so that only {count} of them are "
            f"independent; a fit takes {folds} at least. Label images of more product groups."
        )
    dealt = np.empty(len(clusters), np.int8)
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    for fold, (_, rows) in enumerate(splitter.split(clusters, groups=clusters)):
        dealt[rows] = fold
    return dealt


def fit_forest(rows: LabelledRows, folds: Folds, seed: int) -> Forest:
    """Fit `TREES` trees for each fold on the candidates of the other folds.

    Raises:
        ValueError: Outside a fold, all candidates are right or all are wrong.
    """
    weights = rows.weights[rows.question]
    trees, unseen = [], []
    for fold in range(FOLDS):
        seen = folds[rows.question] != fold
        right = rows.right[seen]
        if len(np.unique(right)) < 2:
            raise ValueError(
                f"{right.sum()} of {len(right)} candidates of the labelled rows are right answers; "
                "a fit takes right and wrong ones. Label more images."
            )
        for forest in make_forests(seed + fold):
            forest.fit(rows.features[seen], right, sample_weight=weights[seen])
            trees += forest.estimators_
        unseen += [fold] * TREES
    return join_trees(trees, unseen)


def make_forests(seed: int) -> Forests:
    """Make the two forests of a fold, unfitted, each with half of its trees.

    Extremely randomised trees split at random thresholds, which smooths their votes, so they take
    smaller leaves and choose from more features. Over five splits, the ROC area of the confidence
    in answers to `statements.csv` and `dev.csv` is 0.790 and 0.870 by random forests alone, 0.809
    and 0.792 by the others alone, 0.810 and 0.852 by both.
    """
    half = TREES // 2
    return (
        RandomForestClassifier(
            TREES - half, min_samples_leaf=MIN_LEAF, max_features=SHARE, random_state=seed
        ),
        ExtraTreesClassifier(
            half, min_samples_leaf=-(-MIN_LEAF // 2), max_features=2 * SHARE, random_state=seed
        ),
    )


def vote(rows: LabelledRows, forest: Forest, folds: Folds) -> Floats:
    """Return the votes of the trees that have not seen a candidate, reprints pooled; (N,)."""
    votes = forest.estimate(rows.features, folds[rows.question])
    firsts = rows.starts[rows.question] + rows.measure
    return pool_votes(votes, firsts)


def calibrate(rows: LabelledRows, votes: Floats) -> Calibration:
    """Fit the two logistic regressions of a model to votes out of fold.

    Raises:
        ValueError: Every or no best candidate is right, or every or no answer is stated.
    """
    chosen, described = choose_rows(rows, votes), describe_rows(rows, votes)
    asked, weights = chosen != NOTHING, rows.weights
    best = log_odds(votes[rows.starts[:-1][asked] + chosen[asked]])[:, None]
    slope, intercept = fit_logistic(best, mark_chosen(rows, chosen)[asked], weights[asked])
    stated = fit_logistic(described, rows.stated, weights)
    return Calibration((max(slope, MIN_SLOPE), intercept), stated)


def fit_logistic(
    features: Floats, truths: npt.NDArray[np.bool], weights: Floats
) -> tuple[float, ...]:
    """Fit a logistic regression; return its coefficients and, last, its intercept.

    Raises:
        ValueError: All truths are alike.
    """
    if len(np.unique(truths)) < 2:
        raise ValueError(
            f"All {len(truths)} labelled rows have the same outcome, so no probability can be "
            "learned from them. Label rows with and without an answer."
        )
    fitted = LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(features, truths, weights)
    return tuple(np.round([*fitted.coef_[0], fitted.intercept_[0]], DIGITS).tolist())


def answer_rows(
    rows: LabelledRows, forest: Forest, calibration: Calibration, folds: Folds
) -> dict[str, Answers]:
    """Answer labelled rows by the rules and by the trees that have not seen them.

    Returns:
        Method, `rules` or `learned`, -> its answers, with the model's probabilities.
    """
    return decide(rows, vote(rows, forest, folds), calibration)


def decide(rows: LabelledRows, votes: Floats, calibration: Calibration) -> dict[str, Answers]:
    """Answer labelled rows by the rules and by votes; returns as `answer_rows`."""
    stated = calibration.estimate_stated(describe_rows(rows, votes))
    answers = {}
    for method, chosen in (("rules", rows.rules), ("learned", choose_rows(rows, votes))):
        asked, right = chosen != NOTHING, np.zeros(len(rows))
        right[asked] = calibration.estimate_right(votes[rows.starts[:-1][asked] + chosen[asked]])
        given = asked if method == "rules" else asked & (right >= THRESHOLD)
        answers[method] = Answers(chosen.astype(np.int64), right, stated, given)
    return answers


def choose_rows(rows: LabelledRows, votes: Floats) -> npt.NDArray[np.int64]:
    """Choose the best candidate of each question, (Q,); `NOTHING` if it has none."""
    chosen = np.full(len(rows), NOTHING, np.int64)
    for row, (a, b) in enumerate(itertools.pairwise(rows.starts.tolist())):
        if b > a:
            own = int(rows.rules[row])
            chosen[row] = choose_print(votes[a:b], rows.measure[a:b], rows.score[a:b], own)
    return chosen


def describe_rows(rows: LabelledRows, votes: Floats) -> Floats:
    """Describe the votes on each question, see `model.describe_votes`; (Q, V)."""
    starts = rows.starts.tolist()
    return np.array(
        [
            describe_votes(votes[a:b], rows.measure[a:b], entity)
            for (a, b), entity in zip(itertools.pairwise(starts), rows.entity.tolist(), strict=True)
        ]
    )


def mark_chosen(rows: LabelledRows, chosen: npt.NDArray[np.signedinteger]) -> npt.NDArray[np.bool]:
    """Mark the questions whose chosen candidate is an accepted answer, (Q,)."""
    asked = chosen != NOTHING
    marked = np.zeros(len(rows), bool)
    marked[asked] = rows.right[rows.starts[:-1][asked] + chosen[asked]]
    return marked
