"""Bootstrap confidence intervals (resampling images) for a score and for a difference."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
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
from lib.io import can_be_met

RESAMPLES: int = 1000
LEVEL: float = 0.95
"""Confidence level of intervals, unless another is asked for."""

FEWEST_POINTS: int = 3
"""Fewest points of a learning curve that are continued."""

METRICS: dict[str, Callable[[Outcomes], Score]] = {
    "F1": exact_match_f1,
    "precision": precision,
    "recall": recall,
}


@dataclass(frozen=True)
class Interval:
    """A value with the bounds of its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Format the value and its interval.

        >>> str(Interval(0.8712, 0.85, 0.9))
        '0.871 (0.850 to 0.900)'
        """
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def score_by(frame: pd.DataFrame, column: str, seed: int = 0) -> pd.DataFrame:
    """Score each group of a table, with the 95 % interval of its F1.

    Args:
        frame: Columns `outcome`, `image` (any key of the image) and the grouping column.
        column: Name of the grouping column.
        seed: Seed of the bootstrap.

    Returns:
        One row a group, in order of first appearance: the group's name, `samples`, `f1`, `low`,
        `high`, `precision`, `recall`, `tp`, `fp`, `fn`, `tn`.
    """
    groups = frame.groupby(column, sort=False, observed=True)
    rows = [
        {column: name, **score_samples(group["outcome"], group["image"], seed)}
        for name, group in groups
    ]
    columns = [column, "samples", "f1", "low", "high", "precision", "recall"]
    return pd.DataFrame(rows, columns=[*columns, "tp", "fp", "fn", "tn"])


def score_samples(names: pd.Series, images: pd.Series, seed: int = 0) -> dict[str, float | int]:
    """Score named outcomes with the values that `score_by` gives for one group."""
    counts = count_outcomes(names)
    f1 = bootstrap_interval(names, images, seed=seed)
    return {
        "samples": len(names),
        "f1": f1.value,
        "low": f1.low,
        "high": f1.high,
        "precision": precision(counts),
        "recall": recall(counts),
        **vars(counts),
    }


def score_answerable(frame: pd.DataFrame, seed: int = 0) -> dict[str, float | int | None]:
    """Score the samples whose truth an answer can meet; ranges and lists can be met by none.

    Args:
        frame: Columns `entity_name`, `entity_value`, `outcome` and `image`.
        seed: Seed of the bootstrap.

    Returns:
        `unmet`, the number of samples left out, and what `score_by` gives for the others (None
        where there are none).
    """
    pairs = zip(frame["entity_value"], frame["entity_name"], strict=True)
    is_met = [can_be_met(truth, entity) for truth, entity in pairs]
    left = frame[pd.Series(is_met, frame.index, dtype=bool)]
    scores = score_samples(left["outcome"], left["image"], seed)
    known = scores if len(left) else dict.fromkeys(scores)
    return {"unmet": len(frame) - len(left), **known}


def bootstrap_interval(
    names: pd.Series,
    images: pd.Series,
    metric: Callable[[Outcomes], Score] = exact_match_f1,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Estimate the confidence interval of a score by a bootstrap over images.

    Images are resampled, not samples, because the samples of one image are not independent.

    Args:
        names: Named outcomes.
        images: Key of each sample's image.
        metric: `exact_match_f1`, `precision` or `recall`.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    resampled = _resample(_count_by_image(names, images), resamples, seed)  # (resamples, 4)
    return take_bounds(metric(count_outcomes(names)), metric(Outcomes(*resampled.T)))


def bootstrap_difference(
    first: pd.Series,
    second: pd.Series,
    images: pd.Series,
    metric: Callable[[Outcomes], Score] = exact_match_f1,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval:
    """Estimate the difference of two methods' scores by a paired bootstrap over images.

    Args:
        first: Named outcomes of the first method.
        second: Named outcomes of the second method, same index; its score counts positive.
        images: Key of each sample's image, same index.
        metric: `exact_match_f1`, `precision` or `recall`.
        seed: Seed of the bootstrap.
        level: Confidence level.
    """
    both = (first, second.loc[first.index])
    counts = np.hstack([_count_by_image(names, images) for names in both])
    resampled = _resample(counts, RESAMPLES, seed)  # (RESAMPLES, 8)
    before, after = (metric(Outcomes(*part.T)) for part in np.hsplit(resampled, 2))
    value = metric(count_outcomes(second)) - metric(count_outcomes(first))
    return take_bounds(value, after - before, level)


def compare_all(
    outcomes: pd.DataFrame,
    method: str,
    images: pd.Series,
    seed: int = 0,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Compare one method with each of the others on the same samples.

    Args:
        outcomes: Samples in rows, methods in columns.
        method: The method that is compared with the others.
        images: Key of each sample's image, same index.
        seed: Seed of the bootstrap.
        level: Confidence level.

    Returns:
        One row for each other method: `method`, `difference` (F1 of the compared method minus that
        of this one), its `low` and `high`, `gained` and `lost` (samples that only the compared
        method, or only this one, gets right).
    """
    rows = []
    for other in outcomes.columns.drop(method, errors="ignore"):
        both = outcomes[other], outcomes[method]
        gap = bootstrap_difference(*both, images, seed=seed, level=level)
        right, other_right = outcomes[method] == RIGHT, outcomes[other] == RIGHT
        gained, lost = (right & ~other_right).sum(), (other_right & ~right).sum()
        rows.append((other, gap.value, gap.low, gap.high, gained, lost))
    return pd.DataFrame(rows, columns=["method", "difference", "low", "high", "gained", "lost"])


def compare_groups(
    outcomes: pd.DataFrame, images: pd.Series, groups: pd.Series, seed: int = 0
) -> pd.DataFrame:
    """Compare two methods on the same samples, in each group and in all.

    Args:
        outcomes: Samples in rows, the two methods in columns.
        images: Key of each sample's image, same index.
        groups: Group of each sample, same index.
        seed: Seed of the bootstrap.

    Returns:
        One row a group in order of appearance, and `all`: the group's name, `samples`, a column
        for each method with its F1, `difference` (second minus first), its `low` and `high`; no
        row without samples.
    """
    rows = []
    for name, part in [*outcomes.groupby(groups, sort=False), ("all", outcomes)]:
        first, second = (part[method] for method in outcomes)
        scores = (exact_match_f1(count_outcomes(names)) for names in (first, second))
        gap = bootstrap_difference(first, second, images, seed=seed)
        rows.append((name, len(part), *scores, gap.value, gap.low, gap.high))
    names = [groups.name, "samples", *outcomes.columns, "difference", "low", "high"]
    return pd.DataFrame(rows if len(outcomes) else [], columns=names)


def forecast_gain(curve: pd.DataFrame, more: int, seed: int = 0) -> Interval:
    """Forecast how much F1 more training rows would add to the last point of a learning curve.

    A line is fitted by least squares to F1 over the logarithm of the rows, and continued. The 95 %
    interval is that of curves whose points are drawn from normal distributions as wide as their
    intervals, independently. As all points are scored on the same rows, some of that noise is
    common to them, so the interval is rather too wide.

    Args:
        curve: Columns `rows`, `f1`, `low`, `high`.
        more: Rows added to those of the last point.
        seed: Seed of the draws.

    Returns:
        The gain, NaN with fewer than three different numbers of rows.
    """
    if curve["rows"].nunique() < FEWEST_POINTS:
        return Interval(np.nan, np.nan, np.nan)
    rows = curve["rows"].to_numpy(float)
    places = np.log(rows) - np.log(rows).mean()
    weights = np.log1p(more / rows[-1]) * places / (places**2).sum()
    f1, width = curve["f1"].to_numpy(), (curve["high"] - curve["low"]).to_numpy()
    spread = width / (2 * NormalDist().inv_cdf((1 + LEVEL) / 2))
    drawn = np.random.default_rng(seed).normal(f1, spread, (RESAMPLES, len(f1)))
    return take_bounds(f1 @ weights, drawn @ weights)


def _count_by_image(names: pd.Series, images: pd.Series) -> npt.NDArray[np.int_]:
    """Count tp, fp, fn, tn of each image, (images, 4), images sorted by key."""
    kinds = (names == RIGHT, names.isin(WRONG), names == MISSED, names == EMPTY)
    table = pd.concat(kinds, axis=1, keys=range(4))
    return table.groupby(images.loc[names.index].to_numpy()).sum().to_numpy(int)


def _resample(per_image: npt.NDArray[np.int_], resamples: int, seed: int) -> npt.NDArray[np.int_]:
    """Resample images (N, K) with replacement and sum the counts of each resample, (resamples, K).

    Images with the same counts are grouped and drawn by a multinomial over the groups: the same
    distribution, without an index for every draw.
    """
    if not len(per_image):
        return np.zeros((resamples, per_image.shape[1]), int)
    kinds, members = np.unique(per_image, axis=0, return_counts=True)
    total = members.sum()
    times = np.random.default_rng(seed).multinomial(total, members / total, size=resamples)
    sums: npt.NDArray[np.int_] = times @ kinds
    return sums


def take_bounds(value: Score, resampled: Score, level: float = LEVEL) -> Interval:
    """Return a value with the bounds that hold 95 % of its resamples, or another share."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def summarise(names: pd.Series, images: pd.Series, seed: int = 0) -> dict[str, object]:
    """Summarise named outcomes as scores with 95 % intervals, in plain values for a file.

    Returns:
        `f1`, `precision`, `recall` (`None` where there is no sample), `intervals` (low and high of
        each), `samples`, `images` and `outcomes` (the count of each).
    """
    bounds = {
        name.lower(): bootstrap_interval(names, images, metric, seed=seed)
        for name, metric in METRICS.items()
    }
    return {
        **{name: bound.value if len(names) else None for name, bound in bounds.items()},
        "intervals": {name: [bound.low, bound.high] for name, bound in bounds.items()},
        "samples": len(names),
        "images": int(images.nunique()),
        "outcomes": {name: int((names == name).sum()) for name in OUTCOMES},
    }
