"""Measure how well confidences rank the answers and how well they are calibrated."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.evaluation.intervals import RESAMPLES, Interval, take_bounds
from lib.evaluation.outcomes import RIGHT

BINS: int = 10
STEPS: int = 100
"""Most points of a coverage curve."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Levels:
    """Counts of answers and right answers by distinct confidence, the highest first."""

    confidence: Floats
    answers: Floats
    right: Floats


def expected_calibration_error(
    confidence: pd.Series, right: pd.Series, images: pd.Series, seed: int = 0
) -> Interval:
    """Return the mean gap of confidence and share right, over ten bins of equal width.

    Args:
        confidence: Confidence of each answer, 0-1.
        right: Whether each answer is right, same index.
        images: Key of each answer's image, same index.
        seed: Seed of the bootstrap.

    Returns:
        The error with its 95 % interval by a bootstrap over images, NaN without answers. Resampling
        adds noise to each bin, so a small error lies at the low end of its interval.
    """
    return _estimate(_calibration_error, confidence, right, images, seed)


def roc_area(confidence: pd.Series, right: pd.Series, images: pd.Series, seed: int = 0) -> Interval:
    """Return the probability that a right answer has a higher confidence than a wrong one.

    Ties count half. NaN unless there are both right and wrong answers; arguments as for
    `expected_calibration_error`.
    """
    return _estimate(_roc_area, confidence, right, images, seed)


def precision_of_surest(
    share: float, confidence: pd.Series, right: pd.Series, images: pd.Series, seed: int = 0
) -> Interval:
    """Return the precision of a share (0-1) of the answers, the most confident first.

    If the share ends among answers of one confidence, these count in proportion.
    Other arguments as for `expected_calibration_error`.
    """
    shares = np.array([share])
    return _estimate(
        lambda levels: float(_precisions(levels, shares)[0]), confidence, right, images, seed
    )


def coverage_curve(
    confidence: pd.Series,
    right: pd.Series,
    images: pd.Series,
    questions: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compute precision against coverage, keeping the most confident answers first.

    Args:
        confidence: Confidence of each answer, 0-1.
        right: Whether each answer is right, same index.
        images: Key of each answer's image, same index.
        questions: Number of questions, answered or not; that of the answers if `None`.
        seed: Seed of the bootstrap.

    Returns:
        Columns `coverage` (share of the questions answered), `precision`, and `low` and `high` of
        its 95 % interval by a bootstrap over images; at most `STEPS` rows, the last one all
        answers.
    """
    steps = min(STEPS, len(confidence))
    shares = np.arange(1, steps + 1) / max(1, steps)
    found = _resample(confidence, right, images, seed)
    values = np.array([_precisions(levels, shares) for levels in found])  # (1 + RESAMPLES, steps)
    bounds = [take_bounds(one[0], one[1:]) for one in values.T]
    table = pd.DataFrame(bounds, columns=["value", "low", "high"]).astype(float)
    asked = len(confidence) if questions is None else questions
    coverage = shares * len(confidence) / max(1, asked)
    return table.rename(columns={"value": "precision"}).assign(coverage=coverage)


def coverage_by(
    answers: pd.DataFrame, column: str, questions: int | None = None, seed: int = 0
) -> pd.DataFrame:
    """Compute the coverage curve of each group of answers, such as those of each method.

    Args:
        answers: Columns `probability`, `outcome`, `image` and the grouping column.
        column: Name of the grouping column.
        questions: As for `coverage_curve`.
        seed: Seed of the bootstrap.

    Returns:
        The grouping column and those of `coverage_curve`, groups in order of appearance.
    """
    curves = [
        coverage_curve(
            own["probability"], own["outcome"] == RIGHT, own["image"], questions, seed
        ).assign(**{column: name})
        for name, own in answers.groupby(column, sort=False)
    ]
    names = [column, "coverage", "precision", "low", "high"]
    return pd.concat(curves)[names] if curves else pd.DataFrame(columns=names)


def reliability_table(confidence: pd.Series, right: pd.Series, bins: int = BINS) -> pd.DataFrame:
    """Compare the confidence of answers with the share that is right, in bins of equal width.

    Returns:
        Columns `bin` (its upper end, which belongs to it), `confidence` (mean), `right` (share),
        `low` and `high` (its 95 % interval by Wilson's score) and `answers`; no empty bins.
    """
    from scipy.stats import binomtest  # Imported here: it takes a second.

    place = _find_bins(confidence.to_numpy(float), bins)
    frame = pd.DataFrame({"confidence": confidence.to_numpy(), "right": right.to_numpy(bool)})
    table = frame.groupby(place).agg(
        confidence=("confidence", "mean"), right=("right", "sum"), answers=("right", "size")
    )
    counts = zip(table["right"], table["answers"], strict=True)
    bounds = [binomtest(good, n).proportion_ci(method="wilson") for good, n in counts]
    table.insert(0, "bin", (table.index + 1) / bins)
    table["right"] /= table["answers"]
    table["low"] = [float(bound.low) for bound in bounds]
    table["high"] = [float(bound.high) for bound in bounds]
    return table.reset_index(drop=True)


def _estimate(
    metric: Callable[[_Levels], float],
    confidence: pd.Series,
    right: pd.Series,
    images: pd.Series,
    seed: int,
) -> Interval:
    """Estimate a metric's interval; resamples in which it is not defined are left out."""
    if confidence.empty:
        return Interval(np.nan, np.nan, np.nan)
    found = _resample(confidence, right, images, seed)
    value, *resampled = (metric(levels) for levels in found)
    defined = [one for one in resampled if not np.isnan(one)]
    return take_bounds(value, np.array(defined)) if defined else Interval(value, np.nan, np.nan)


def _resample(
    confidence: pd.Series, right: pd.Series, images: pd.Series, seed: int
) -> Iterator[_Levels]:
    """Yield the answers' levels, then those of each resample of the images with replacement."""
    levels, place = np.unique(-confidence.to_numpy(float), return_inverse=True)
    image, names = pd.factorize(images)
    good = right.to_numpy(float)

    def count(weight: Floats) -> _Levels:
        sums = [np.bincount(place, part).astype(float) for part in (weight, weight * good)]
        return _Levels(-levels, *sums)

    yield count(np.ones(len(good)))
    random, images_in_all = np.random.default_rng(seed), max(1, len(names))
    for _ in range(RESAMPLES):
        drawn = random.integers(images_in_all, size=len(names))
        yield count(np.bincount(drawn, minlength=images_in_all)[image].astype(float))


def _find_bins(confidence: Floats, bins: int) -> npt.NDArray[np.int_]:
    """Place confidences in bins of equal width; a bin's upper end belongs to it.

    >>> _find_bins(np.array([0, 0.1, 0.11, 1]), 10).tolist()
    [0, 0, 1, 9]
    """
    return np.digitize(confidence, np.arange(1, bins) / bins, right=True)


def _calibration_error(levels: _Levels) -> float:
    """Return the mean gap of confidence and share right."""
    gaps = levels.confidence * levels.answers - levels.right
    by_bin = np.bincount(_find_bins(levels.confidence, BINS), gaps)
    return float(np.abs(by_bin).sum() / levels.answers.sum())


def _roc_area(levels: _Levels) -> float:
    """Return the area under the ROC curve, NaN unless there are right and wrong answers."""
    wrong = levels.answers - levels.right
    pairs = levels.right.sum() * wrong.sum()
    below = wrong.sum() - wrong.cumsum() + wrong / 2
    return float(levels.right @ below / pairs) if pairs else float("nan")


def _precisions(levels: _Levels, shares: Floats) -> Floats:
    """Return the precision of each share of the answers, the most confident first."""
    kept = shares * levels.answers.sum()
    answers, right = (np.append(0, part.cumsum()) for part in (levels.answers, levels.right))
    precisions: Floats = np.interp(kept, answers, right) / kept
    return precisions
