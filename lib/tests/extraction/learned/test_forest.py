"""Tests of the forest: it votes as scikit-learn does, and only those vote that may."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from lib.extraction.learned.forest import LEAF, Forest, join_trees, round_down

RANDOM = np.random.default_rng(0)


def fit(features, truths, trees=10, **options):
    """Fit a forest with scikit-learn."""
    return RandomForestClassifier(trees, random_state=0, **options).fit(features, truths)


def neighbours(start, count=40):
    """List float32 values with none between them: half-way thresholds are no float32."""
    values = [np.float32(start)]
    for _ in range(count - 1):
        values.append(np.nextafter(values[-1], np.float32(np.inf)))
    return np.array(values)[:, None]


TABLES = [
    (RANDOM.normal(size=(200, 7)), {}, "grown to the end"),
    (RANDOM.normal(size=(200, 7)), {"max_depth": 1}, "one split each"),
    (RANDOM.normal(size=(200, 7)), {"min_samples_leaf": 200}, "no split at all"),
    (RANDOM.integers(0, 3, (200, 4)), {}, "many equal values"),
    (np.ones((200, 4)), {}, "nothing but equal values"),
    (neighbours(1000), {}, "values with no float32 between them"),
    (neighbours(-1000), {}, "the same below 0"),
    (RANDOM.normal(size=(200, 2)) * 1e30, {}, "great values"),
]


@pytest.mark.parametrize(("features", "options", "reason"), TABLES)
def test_votes_are_those_of_scikit_learn(features, options, reason):
    """The probabilities of the same trees are the same, on seen and on unseen values."""
    features = features.astype(np.float32)
    truths = RANDOM.random(len(features)) < 0.4
    fitted = fit(features, truths, **options)
    forest = join_trees(fitted.estimators_, [0] * 10)
    for asked in (features, features[::-1] * np.float32(1.01)):
        votes = forest.estimate(asked, np.full(len(asked), -1, np.int8))
        assert votes == pytest.approx(fitted.predict_proba(asked)[:, 1], abs=1e-6), reason


def test_weights_of_rows_are_kept():
    """A leaf's share is that of the weights, as scikit-learn has it."""
    features = RANDOM.normal(size=(100, 3)).astype(np.float32)
    truths, weights = features[:, 0] > 0.5, RANDOM.random(100)
    fitted = RandomForestClassifier(5, min_samples_leaf=20, random_state=0)
    fitted.fit(features, truths, sample_weight=weights)
    votes = join_trees(fitted.estimators_, [0] * 5).estimate(features, np.full(100, -1, np.int8))
    assert votes == pytest.approx(fitted.predict_proba(features)[:, 1], abs=1e-6)


def plant(values, folds):
    """Make trees of a single leaf, each of which always says the same."""
    count = len(values)
    nothing = np.zeros(count, np.int32)
    return Forest(
        np.arange(count, dtype=np.int32),
        np.array(folds, np.int8),
        np.full(count, LEAF, np.int16),
        nothing.astype(np.float32),
        nothing,
        nothing,
        np.array(values, np.float32),
    )


def test_trees_that_have_seen_an_image_have_no_vote():
    """Of a fold's candidates only those trees decide that were fitted without it."""
    forest = plant([0.0, 0.2, 0.8, 1.0], folds=[0, 0, 1, 2])
    asked = np.zeros((4, 1), np.float32)
    votes = forest.estimate(asked, np.array([2, 0, -1, 1], np.int8))
    assert votes == pytest.approx([1.0, 0.1, 0.5, 0.8])


def test_nobody_asked_nobody_answers():
    """Without candidates there are no votes."""
    votes = plant([0.5], [0]).estimate(np.empty((0, 3), np.float32), np.empty(0, np.int8))
    assert votes.shape == (0,)


def test_rounding_down_never_rounds_up():
    """The result is the greatest float32 that is not above the value."""
    values = RANDOM.normal(size=1000) * 10.0 ** RANDOM.integers(-30, 30, 1000)
    rounded = round_down(values)
    assert rounded.dtype == np.float32
    assert (rounded <= values).all()
    assert (np.nextafter(rounded, np.float32(np.inf)) > values).all()
