"""Promised precision: kept on synthetic scores of known truth, and refused where rows are few."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from lib.evaluation import promise
from lib.evaluation.promise import Promise, find_threshold

DRAWS = 200
HELD = 190
IMAGES = np.repeat([1, 2, 3, 4, 5], [215, 53, 19, 27, 11])
"""Answers an image, in the shares in which images state them."""


@dataclass(frozen=True)
class Scores:
    """A population of answers whose probability of being right is known.

    Attributes:
        probability: Probability that each answer is right, which may be drawn.
        sizes: Answers a cluster, which may be drawn.
        correlation: Of the errors of one cluster, 0-1 (Gaussian copula).
        temperature: Confidences are the probabilities' log-odds times this: 1 is calibrated.
    """

    probability: np.ndarray
    sizes: np.ndarray
    correlation: float = 0.0
    temperature: float = 1.0

    def draw(self, rows, random):
        """Draw the confidence, right or wrong, and cluster of some answers."""
        cluster = np.repeat(np.arange(rows), random.choice(self.sizes, rows))[:rows]
        probability = random.choice(self.probability, rows)
        shared = self.correlation**0.5 * random.standard_normal(rows)[cluster]
        noise = shared + (1 - self.correlation) ** 0.5 * random.standard_normal(rows)
        right = norm.cdf(noise) < probability
        return pd.Series(self.weigh(probability)), pd.Series(right), pd.Series(cluster)

    def weigh(self, probability):
        """Return the confidence of answers of this probability."""
        return expit(self.temperature * np.log(probability / (1 - probability)))

    def precision(self, threshold):
        """Return the true share of right answers with a confidence of at least a threshold."""
        return self.probability[self.weigh(self.probability) >= threshold - 1e-12].mean()


def _spread(centre, width, count=20_000):
    """Return probabilities whose log-odds are normal."""
    quantiles = (np.arange(count) + 0.5) / count
    return np.clip(expit(centre + width * norm.ppf(quantiles)), 1e-6, 1 - 1e-6)


ALONE = np.array([1])
OURS = _spread(3.3, 1.7)  # 0.90 of them right, ROC area 0.85
POPULATIONS = {
    # scores, rows, target, share of the answers that must stay
    "well separated": (Scores(_spread(6, 4), ALONE), 520, 0.95, 0.8),
    "like ours": (Scores(OURS, ALONE), 520, 0.95, 0.6),
    "like ours, by image": (Scores(OURS, IMAGES, 0.3), 520, 0.95, 0.6),
    "twice as many": (Scores(OURS, IMAGES, 0.3), 1000, 0.95, 0.7),
    "overconfident": (Scores(OURS, IMAGES, 0.3, 1.5), 520, 0.95, 0.4),  # costs answers only
    "underconfident": (Scores(OURS, IMAGES, 0.3, 0.6), 520, 0.95, 0.4),
    "weak scores": (Scores(_spread(2.8, 0.4), ALONE), 520, 0.95, 0),  # ROC area 0.6
    "no information": (Scores(_spread(2.8, 1e-6), ALONE), 520, 0.95, 0),  # 0.94: never to promise
    "large clusters": (Scores(OURS, np.array([5, 10, 15]), 0.5), 520, 0.95, 0),
    "rare errors in clusters": (Scores(_spread(4.6, 1), np.array([5, 10, 15]), 0.9), 600, 0.99, 0),
}


@pytest.mark.parametrize("name", POPULATIONS)
def test_promise_is_kept(name, monkeypatch):
    """In at least 190 of 200 sets of labels the true precision reaches the target."""
    monkeypatch.setattr(promise, "_count_needed", lambda *_: None)  # half the time, not looked at
    scores, rows, target, stay = POPULATIONS[name]
    random = np.random.default_rng(0)
    found = [find_threshold(*scores.draw(rows, random), target) for _ in range(DRAWS)]
    kept = [one.threshold for one in found if one.threshold is not None]
    broken = sum(scores.precision(threshold) < target for threshold in kept)
    assert DRAWS - broken >= HELD
    assert np.mean([one.kept for one in found]) >= stay


def _promise(right, target, confidence=None, clusters=None):
    rows = len(right)
    scores = np.linspace(1, 0.5, rows) if confidence is None else np.full(rows, confidence)
    keys = pd.Series(range(rows)) if clusters is None else pd.Series(clusters)
    return find_threshold(pd.Series(scores), pd.Series(right, dtype=bool), keys, target)


@pytest.mark.parametrize(
    ("right", "target", "kept", "needed"),
    [
        ([1] * 59, 0.95, 1, 59),  # the fewest that can show 0.95
        ([1] * 58, 0.95, 0, 59),
        ([1] * 299, 0.99, 1, 299),  # and 0.99
        ([1] * 200, 0.99, 0, 299),
        ([1] * 92 + [0], 0.95, 1, 93),  # one error more needs 93
        ([1] * 91 + [0], 0.95, 59 / 92, 92),  # or the surest 59 alone
        ([1] * 150 + [0] * 50, 0.95, 0.765, 200),  # 3 errors in 153, the least sure
        ([0] * 200, 0.95, 0, None),
        ([0, 1] * 100, 0.95, 0, None),  # no order in them
        ([], 0.95, 0, 59),
    ],
)
def test_promise_of_little(right, target, kept, needed):
    """A promise needs rows enough; where there are too few, it says how many would do."""
    found = _promise(right, target)
    assert (found.rows, found.target) == (len(right), target)
    assert found.kept == pytest.approx(kept, abs=0.01)
    assert (found.threshold is None) == (kept == 0)
    assert found.needed == (needed if needed is None else pytest.approx(needed, rel=0.05))
    assert (found.bound >= target) == (kept > 0)


@pytest.mark.parametrize(
    ("wrong", "threshold"),
    [
        (0, 0.8),
        (4, 0.8),  # 4 of 200 show 0.95
        (5, None),  # 5 do not
    ],
)
def test_constant_confidence(wrong, threshold):
    """Answers of one confidence stay or go together."""
    found = _promise([0] * wrong + [1] * (200 - wrong), 0.95, confidence=0.8)
    assert found.threshold == threshold
    assert found.kept == (0 if threshold is None else 1)


@pytest.mark.parametrize(
    ("clusters", "effective"),
    [
        (range(200), 200),  # one answer an image
        (np.arange(200) // 10, 20),  # nothing tells whether ten right answers are more than one
        ([0] * 200, 1),
    ],
)
def test_clusters_count_once(clusters, effective):
    """Right answers of one image count as one as long as no error shows that they differ."""
    found = _promise([1] * 200, 0.95, clusters=clusters)
    assert found.effective == pytest.approx(effective, rel=0.01)
    assert (found.threshold is None) == (effective < 59)


def test_independent_errors_in_clusters():
    """Where errors strike each image alike, answers count nearly in full."""
    random = np.random.default_rng(0)
    right = random.random(2000) < 0.8
    assert _promise(right, 0.5, clusters=np.arange(2000) // 4).effective > 1700


def test_threshold_does_not_depend_on_order():
    """Shuffled rows give the same promise."""
    scores, rows, target, _ = POPULATIONS["like ours, by image"]
    frame = pd.concat(scores.draw(rows, np.random.default_rng(1)), axis=1, keys=["c", "r", "i"])
    mixed = frame.sample(frac=1, random_state=0)
    found = vars(find_threshold(mixed["c"], mixed["r"], mixed["i"], target))
    assert found == pytest.approx(vars(find_threshold(frame["c"], frame["r"], frame["i"], target)))


@pytest.mark.parametrize("target", [0, 1, 1.2, float("nan")])
def test_wrong_target(target):
    """Nothing can be promised for sure, and a share is below 1."""
    with pytest.raises(ValueError, match="give a share above 0 and below 1"):
        _promise([1], target)


def test_missing_confidence():
    """An answer without a confidence has no place in the order."""
    with pytest.raises(ValueError, match="1 answers lack a confidence"):
        _promise([1], 0.95, confidence=np.nan)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (_promise([1] * 200, 0.99), "200 labelled answers are too few.*about 299 would do"),
        (_promise([0] * 200, 0.99), "more labels would not help"),
        (_promise([1] * 200, 0.95), "at least 0.500, at least 95.0% are right .100% stay"),
    ],
)
def test_promise_in_words(found: Promise, said):
    """A promise says in a sentence what holds, or what is missing."""
    assert re.search(said, str(found))
