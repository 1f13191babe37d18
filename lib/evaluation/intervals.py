"""How sure a score is: bounds from drawing the pictures again, for a method and between two."""

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
    """A value and the bounds it lies between.

    Attributes:
        value: As measured.
        low: Lower bound.
        high: Upper bound.
        level: How often such bounds hold the true value, 0-1.
    """

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        """Print the value and its bounds.

        >>> str(Interval(0.8712, 0.85, 0.9))
        '0.871 (0.850 to 0.900)'
        """
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same samples.

    Attributes:
        difference: Second score minus first, with its interval.
        gained: Samples that only the second method gets right.
        lost: Samples that only the first method gets right.
    """

    difference: Interval
    gained: int
    lost: int


def score_by(
    frame: pd.DataFrame, column: str, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Score the groups of a table, each with the 95 % interval of its F1.

    Args:
        frame: Columns `outcome`, `image` (any key of the picture) and the one named.
        column: The groups.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

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
    """Score named outcomes: all that `score_by` says of one group."""
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
    """Bound a score by drawing the pictures again, with replacement.

    Pictures are drawn, not samples, because the samples of a picture succeed and fail together.

    Args:
        names: Named outcomes.
        images: The picture of each.
        metric: `exact_match_f1`, `precision` or `recall`.
        resamples: How often all pictures are drawn.
        seed: Of the drawing.
        level: How often the bounds shall hold the true value, 0-1.
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
    """Compare two methods on the same samples, both judged on the same drawn pictures.

    Args:
        first: Named outcomes of the one method.
        second: Named outcomes of the other, same index.
        images: The picture of each sample, same index.
        metric: `exact_match_f1`, `precision` or `recall`.
        resamples: How often all pictures are drawn.
        seed: Of the drawing.
        level: How often the bounds shall hold the true difference, 0-1.
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
    """Compare one method with each other on the same samples.

    Args:
        outcomes: Samples in rows, methods in columns.
        method: The one that is compared with the others.
        images: The picture of each sample, same index.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        One row an other method: `method`, `difference` (F1 of `method` minus F1 of the other),
        its `low` and `high`, `gained` and `lost` (samples only one of them gets right).
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
    """Count tp, fp, fn, tn of each picture, (pictures, 4), pictures sorted by key."""
    kinds = [names == RIGHT, names.isin(WRONG), names == MISSED, names == EMPTY]
    columns = [kind.to_numpy() for kind in kinds]
    keys = images.loc[names.index].to_numpy()
    return pd.DataFrame(dict(enumerate(columns))).groupby(keys).sum().to_numpy()


def _draw_again(per_image: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Sum the counts of as many pictures as there are, drawn with replacement.

    Pictures with the same counts are one kind, drawn as often as it has members: the same
    distribution, without a table of every draw.

    Args:
        per_image: (pictures, K).
        resamples: How often.
        seed: Of the drawing.

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
    """Put the scores of named outcomes and their 95 % intervals into plain values for a file.

    Returns:
        `f1`, `precision`, `recall` (`None` where there is no sample), `intervals` (low and high of
        each), `samples`, `images` and the counts of each outcome.
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
