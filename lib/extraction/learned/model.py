"""Estimate by a fitted model how likely candidates are right, and whether one is stated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lib.extraction.learned.features import FEATURES
from lib.extraction.learned.forest import Forest
from lib.extraction.learned.questions import NO_FEATURES, Question, digest, open_arrays
from lib.io import PROJECT, replace_file
from lib.quantities import ENTITIES

Floats = npt.NDArray[np.float64]

SHIPPED: Path = PROJECT / "lib/models/learned.npz"
FORMAT: int = 2
ARRAYS: tuple[str, ...] = (
    *("names", "folds", "confidence", "right", "cluster", "source", "sample"),
)
"""Arrays of a model beside those of its forest."""
UNSEEN: int = -1  # the fold of questions that no tree has seen
DECIMALS: int = 6  # of a probability, so that all processors agree
THRESHOLD: float = 0.5
"""Probability of being right from which an answer is given.

A wrong answer to a stated question is a false positive in place of a false negative, so answering
raises the expected F1 where right > F1 (1 - stated) / (2 - F1), and the known optimum F1 / 2
(Lipton et al., 2014) does not hold. Over five splits into folds, that rule gives an F1 of 0.938 on
`dev.csv` and 0.911 on `statements.csv`, this simpler threshold 0.939 and 0.911."""
MAX_DRIFT: float = 0.2
"""Drift beyond which a run's images are said to differ from those that a model was fitted on.

Drift of each labelled set from the others: `statements.csv` 0.07, `dev.csv` 0.10, drawings and
labels from elsewhere 0.15; of 60 random groups of products 0.05."""
CLIP: float = 0.005
"""Least distance of a probability from 0 and 1 before its log odds are taken: a forest's vote may
be 0 or 1, a certainty that a few hundred labelled questions cannot support."""


@dataclass(frozen=True)
class Estimate:
    """A model's estimate of one question.

    Attributes:
        right: Probability of each candidate to be an accepted answer, (N,) in 0-1.
        stated: Probability that the image states an answer, 0-1.
        fold: Fold whose trees alone were asked, `UNSEEN` if all were.
    """

    right: Floats
    stated: float
    fold: int


@dataclass(frozen=True)
class Calibration:
    """Coefficients of two logistic regressions.

    Attributes:
        answer: Slope and intercept on the log odds of the best candidate (Platt scaling).
        stated: Coefficients of `describe_votes` and, last, the intercept.
    """

    answer: tuple[float, ...]
    stated: tuple[float, ...]

    def estimate_right(self, votes: Floats) -> Floats:
        """Turn the forest's votes into probabilities of being right."""
        slope, intercept = self.answer
        return logistic(slope * log_odds(votes) + intercept)

    def estimate_stated(self, votes: Floats) -> Floats:
        """Turn `describe_votes`, (Q, V), into probabilities that an answer is stated, (Q,)."""
        return logistic(votes @ np.array(self.stated[:-1]) + self.stated[-1])


@dataclass(frozen=True)
class Model:
    """A fitted model.

    Attributes:
        forest: Estimates each candidate.
        calibration: Turns its votes into probabilities.
        names: Digests of the images and groups that it was fitted on, ascending.
        folds: Fold of each of them.
        confidence: Confidence of each answer that was given out of fold, for promises.
        right: Whether each of them was right.
        cluster: Cluster of each of them.
        source: Set of labels of each of them, an index into `questions.SOURCES`.
        sample: Features of random candidates that it was fitted on, (S, F), to compare others with.
        card: What it was fitted on, and how it scored.
    """

    forest: Forest = field(repr=False)
    calibration: Calibration
    names: npt.NDArray[np.uint64] = field(repr=False)
    folds: npt.NDArray[np.int8] = field(repr=False)
    confidence: npt.NDArray[np.float32] = field(repr=False)
    right: npt.NDArray[np.bool] = field(repr=False)
    cluster: npt.NDArray[np.int32] = field(repr=False)
    source: npt.NDArray[np.int8] = field(repr=False)
    sample: npt.NDArray[np.float32] = field(repr=False)
    card: dict[str, object] = field(default_factory=dict, repr=False)

    def find_fold(self, image: str, group: str) -> int:
        """Return the fold of a question's image, else of its group, `UNSEEN` if neither is known.

        If they are of different folds, every tree has seen one or both; the image decides.
        """
        for name in (digest(image), digest(group)):
            place = int(np.searchsorted(self.names, np.uint64(name)))
            if name and place < len(self.names) and self.names[place] == name:
                return int(self.folds[place])
        return UNSEEN

    def estimate(self, questions: Sequence[Question]) -> list[Estimate]:
        """Estimate the candidates of each question, in one batch.

        Trees that were fitted on a question's image or group have no vote on it.
        """
        folds = [self.find_fold(question.image, question.group) for question in questions]
        counts = [len(question.candidates) for question in questions]
        features = np.concatenate([NO_FEATURES, *(question.features for question in questions)])
        votes = self.forest.estimate(features, np.repeat(folds, counts).astype(np.int8))
        parts = [
            pool_votes(part, question.measures)
            for part, question in zip(
                np.split(votes, np.cumsum(counts)[:-1]), questions, strict=True
            )
        ]
        described = [
            describe_votes(part, question.measures, ENTITIES.index(question.entity))
            for part, question in zip(parts, questions, strict=True)
        ]
        stated = self.calibration.estimate_stated(np.array(described)).tolist()
        return [
            Estimate(self.calibration.estimate_right(part), *rest)
            for part, *rest in zip(parts, stated, folds, strict=True)
        ]

    def measure_drift(self, features: npt.NDArray[np.float32]) -> float | None:
        """Measure how much candidates differ from those that the model was fitted on.

        Args:
            features: (N, F), from `features.describe_candidates`.

        Returns:
            Mean over the features of the Kolmogorov-Smirnov distance, 0-1; None without candidates.
        """
        if not len(features):
            return None
        pairs = zip(self.sample.T, features.T, strict=True)
        return float(np.mean([find_distance(*pair) for pair in pairs]))

    def digest(self) -> str:
        """Return the digest that names the model in `run.json`."""
        whole = hashlib.sha256(_describe(self).encode())
        for array in _list_arrays(self).values():
            whole.update(array.tobytes())
        return whole.hexdigest()[:16]


def find_distance(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, the largest gap of their CDFs.

    >>> find_distance(np.float32([1, 2]), np.float32([2, 3]))
    0.5
    """
    values = np.concatenate([first, second])
    shares = [
        np.searchsorted(np.sort(part), values, side="right") / len(part) for part in (first, second)
    ]
    return float(np.abs(shares[0] - shares[1]).max())


def pool_votes(votes: Floats, measures: npt.NDArray[np.integer]) -> Floats:
    """Give each candidate the greatest vote among those with the same measure."""
    pooled = np.zeros(len(votes))
    np.maximum.at(pooled, measures, votes)
    own: Floats = pooled[measures]
    return own


def describe_votes(votes: Floats, measures: npt.NDArray[np.int16], entity: int) -> list[float]:
    """Describe the votes on a question: the best, the next of another value, the entity."""
    is_asked = [float(entity == other) for other in range(len(ENTITIES))]
    if not len(votes):
        return [0.0] * 5 + is_asked
    best = float(votes.max())
    others = votes[measures != measures[votes.argmax()]]
    second = float(others.max(initial=0.0))
    both = np.array([best, min(best + second, 1.0)])
    return [1.0, best, second, *log_odds(both).tolist(), *is_asked]


def choose_print(
    votes: Floats,
    measures: npt.NDArray[np.int16],
    scores: npt.NDArray[np.float32] | tuple[float, ...],
    preferred: int,
) -> int:
    """Choose the value with the most votes, and of its prints the preferred one or the best.

    Args:
        votes: (N,) votes for each candidate.
        measures: (N,) number of the first candidate with the same value.
        scores: (N,) scores by the rules.
        preferred: The candidate that the rules choose; any other number for none.
    """
    prints = np.flatnonzero(measures == measures[votes.argmax()])
    if preferred in prints:
        return preferred
    return int(prints[np.asarray(scores)[prints].argmax()])


def log_odds(probabilities: Floats) -> Floats:
    """Return the logarithm of the odds of probabilities, those near 0 and 1 clipped."""
    clipped = np.clip(probabilities, CLIP, 1 - CLIP)
    return np.log(clipped / (1 - clipped))


def logistic(values: Floats) -> Floats:
    """Return the probabilities of log odds, rounded so that all processors agree."""
    return np.round(1 / (1 + np.exp(-values)), DECIMALS)


def write_model(model: Model, path: Path) -> None:
    """Write a model as plain arrays, which, unlike a pickle, run no code when read."""
    described = {"described": np.array(_describe(model))}
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **described | _list_arrays(model))


def _describe(model: Model) -> str:
    """Describe in JSON what a model holds beside its arrays."""
    described = {
        "format": FORMAT,
        "features": FEATURES,
        "card": model.card,
        "calibration": vars(model.calibration),
    }
    return json.dumps(described, sort_keys=True)


def _list_arrays(model: Model) -> dict[str, npt.NDArray[np.generic]]:
    """List the arrays of a model by name."""
    trees = {f"forest.{name}": array for name, array in vars(model.forest).items()}
    return trees | {name: getattr(model, name) for name in ARRAYS}


def read_model(path: Path = SHIPPED) -> Model:
    """Read a model that `write_model` wrote; by default the one that comes with the project.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, no model, or of another version; the message says which.
    """
    with open_arrays(path) as arrays:
        described = json.loads(str(arrays["described"]))
        if described["format"] == FORMAT and tuple(described["features"]) == FEATURES:
            trees = {one.name: arrays[f"forest.{one.name}"] for one in fields(Forest)}
            own = {name: arrays[name] for name in ARRAYS}
            fitted = described["calibration"]
            answer, stated = (tuple(fitted[name]) for name in ("answer", "stated"))
            return Model(
                Forest(**trees), Calibration(answer, stated), card=described["card"], **own
            )
    raise ValueError(f"{path} is a model of another version; fit it again")
