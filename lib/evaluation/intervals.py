"""Bootstrap confidence intervals (resampling images) for a score and for a difference."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.evaluation.outcomes import (
    EMPTY,
    MISSED,
    OUTCOMES,
    RIGHT,
    WRONG,
    Outcomes,
    Score,
    count_outcomes,
    exact_match_f1,
    precision,
    recall,
)


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval.

    Attributes:
        value: The measured value.
        low: Lower bound.
        high: Upper bound.
        level: Confidence level, 0-1.
    """

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        """Format the value and its interval.

        >>> str(Interval(0.8712, 0.85, 0.9))
        '0.871 (0.850 to 0.900)'
        """
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Comparison:
    """The paired comparison of two methods on the same samples.

    Attributes:
        difference: Second score minus first, with its interval.
        gained: Number of samples that only the second method gets right.
        lost: Number of samples that only the first method gets right.
    """

    difference: Interval
    gained: int
    lost: int


def score_by(
    frame: pd.DataFrame, column: str, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Score each group of a table, with the 95 % interval of its F1.

    Args:
        frame: Columns `outcome`, `image` (any key of the image) and the grouping column.
        column: Name of the grouping column.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        One row a group, in order of first appearance: the group's name, `samples`, `f1`, `low`,
        `high`, `precision`, `recall`, `tp`, `fp`, `fn`, `tn`.
    """
    groups = frame.groupby(column, sort=False, observed=True)
    rows = [
        {column: name, **score_samples(group["outcome"], group["image"], resamples, seed)}
        for name, group in groups
    ]
    columns = [column, "samples", "f1", "low", "high", "precision", "recall"]
    return pd.DataFrame(rows, columns=[*columns, "tp", "fp", "fn", "tn"])


def score_samples(
    names: pd.Series, images: pd.Series, resamples: int = 1000, seed: int = 0
) -> dict[str, float | int]:
    """Score named outcomes with the values that `score_by` gives for one group."""
    counts = count_outcomes(names)
    f1 = bootstrap_interval(names, images, exact_match_f1, resamples, seed)
    return {
        "samples": len(names),
        "f1": f1.value,
        "low": f1.low,
        "high": f1.high,
        "precision": precision(counts),
        "recall": recall(counts),
        **vars(counts),
    }


def bootstrap_interval(
    names: pd.Series,
    images: pd.Series,
    metric: Callable[[Outcomes], Score] = exact_match_f1,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Estimate the confidence interval of a score by a bootstrap over images.

    Images are resampled, not samples, because the samples of one image are not independent.

    Args:
        names: Named outcomes.
        images: Key of each sample's image.
        metric: `exact_match_f1`, `precision` or `recall`.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        level: Confidence level, 0-1.
    """
    per_image = _count_by_image(names, images)  # (images, 4)
    drawn = _draw_again(per_image, resamples, seed)  # (resamples, 4)
    value = metric(count_outcomes(names))
    return _bound(float(value), metric(Outcomes(*drawn.T)), level)


def compare_methods(
    first: pd.Series,
    second: pd.Series,
    images: pd.Series,
    metric: Callable[[Outcomes], Score] = exact_match_f1,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Comparison:
    """Compare two methods on the same samples by a paired bootstrap over images.

    Args:
        first: Named outcomes of the first method.
        second: Named outcomes of the second method, same index.
        images: Key of each sample's image, same index.
        metric: `exact_match_f1`, `precision` or `recall`.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        level: Confidence level, 0-1.
    """
    second = second.loc[first.index]
    counts = [_count_by_image(names, images) for names in (first, second)]
    drawn = _draw_again(np.hstack(counts), resamples, seed)  # (resamples, 8)
    scored = [metric(Outcomes(*part.T)) for part in (drawn[:, :4], drawn[:, 4:])]
    measured = [metric(count_outcomes(names)) for names in (first, second)]
    good, better = first == RIGHT, second == RIGHT
    return Comparison(
        difference=_bound(measured[1] - measured[0], scored[1] - scored[0], level),
        gained=int((better & ~good).sum()),
        lost=int((good & ~better).sum()),
    )


def compare_all(
    outcomes: pd.DataFrame, method: str, images: pd.Series, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Compare one method with each of the others on the same samples.

    Args:
        outcomes: Samples in rows, methods in columns.
        method: The method that is compared with the others.
        images: Key of each sample's image, same index.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        One row for each other method: `method`, `difference` (F1 of the compared method minus that
        of this one), its `low` and `high`, `gained` and `lost` (samples that only one of them gets
        right).
    """
    rows = []
    for other in outcomes.columns.drop(method, errors="ignore"):
        found = compare_methods(
            outcomes[other], outcomes[method], images, resamples=resamples, seed=seed
        )
        gap = found.difference
        rows.append((other, gap.value, gap.low, gap.high, found.gained, found.lost))
    return pd.DataFrame(rows, columns=["method", "difference", "low", "high", "gained", "lost"])


def _count_by_image(names: pd.Series, images: pd.Series) -> np.ndarray:
    """Count tp, fp, fn, tn of each image, (images, 4), images sorted by key."""
    kinds = [names == RIGHT, names.isin(WRONG), names == MISSED, names == EMPTY]
    columns = [kind.to_numpy() for kind in kinds]
    keys = images.loc[names.index].to_numpy()
    return pd.DataFrame(dict(enumerate(columns))).groupby(keys).sum().to_numpy()


def _draw_again(per_image: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Resample images with replacement and sum the counts of each resample.

    Images with the same counts are grouped and drawn by a multinomial over the groups: the same
    distribution, without an index for every draw.

    Args:
        per_image: (images, K).
        resamples: Number of resamples.
        seed: Seed of the bootstrap.

    Returns:
        (resamples, K).
    """
    if not len(per_image):
        return np.zeros((resamples, per_image.shape[1]), int)
    kinds, members = np.unique(per_image, axis=0, return_counts=True)
    total = members.sum()
    times = np.random.default_rng(seed).multinomial(total, members / total, size=resamples)
    return times @ kinds


def _bound(value: float, drawn: np.ndarray, level: float) -> Interval:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)


def summarise(names: pd.Series, images: pd.Series, resamples: int = 1000, seed: int = 0) -> dict:
    """Summarise named outcomes as scores with 95 % intervals, in plain values for a file.

    Returns:
        `f1`, `precision`, `recall` (`None` where there is no sample), `intervals` (low and high of
        each), `samples`, `images` and `outcomes` (the count of each).
    """
    metrics = {"f1": exact_match_f1, "precision": precision, "recall": recall}
    bounds = {
        name: bootstrap_interval(names, images, metric, resamples, seed)
        for name, metric in metrics.items()
    }
    return {
        **{name: bound.value if len(names) else None for name, bound in bounds.items()},
        "intervals": {name: [bound.low, bound.high] for name, bound in bounds.items()},
        "samples": len(names),
        "images": int(images.nunique()),
        "outcomes": {name: int((names == name).sum()) for name in OUTCOMES},
    }
