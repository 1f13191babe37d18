"""Find the lowest confidence above which a promised share of the answers is right."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import bdtrik, betainc, betaincinv

FAILING: float = 0.05
"""Probability that labelled answers give a promise that does not hold."""
MAX_TESTS: int = 20
"""Maximum number of thresholds to test; testing all would keep 1 % more answers, without slack."""
MAX_NEEDED: int = 1_000_000

Counts = npt.NDArray[np.int_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Promise:
    """A threshold above which a target share of the answers is right.

    Of 20 sets of labelled answers, at most one on average gives a promise that does not hold.

    Attributes:
        target: Share of right answers that was asked for.
        threshold: Lowest confidence that keeps the promise, `None` if the labels show none.
        kept: Share of the labelled answers at or above the threshold, 0 if there is none.
        precision: Share of right answers among those, else among the best ones seen.
        bound: Its lower bound, at least the target where there is a threshold.
        rows: Labelled answers used.
        effective: Number of independent answers that they are worth.
        needed: Labelled answers that it takes at the precision seen, at most `rows` if there is a
            threshold; `None` if even the surest answers do not reach the target.
    """

    target: float
    threshold: float | None
    kept: float
    precision: float
    bound: float
    rows: int
    effective: float
    needed: int | None

    @property
    def limit(self) -> float:
        """Return the confidence from which answers keep the promise, infinite if none do."""
        return math.inf if self.threshold is None else self.threshold

    def __str__(self) -> str:
        """Say in one sentence what is promised, or what is missing.

        >>> print(Promise(0.95, 0.7, 0.8, 0.98, 0.953, 520, 400.0, 520))
        Of the answers with a confidence of at least 0.700, at least 95.0% are right (80% stay).
        >>> print(Promise(0.99, None, 0.0, 1.0, 0.985, 200, 200.0, 299))
        200 labelled answers are too few to promise 99.0%: about 299 would do.
        >>> print(Promise(0.97, None, 0.0, 0.99, 0.978, 906, 668.0, 510))
        906 labelled answers are too few to promise 97.0%: they are nearly enough.
        >>> print(Promise(0.95, None, 0.0, 0.9, 0.85, 200, 200.0, None))
        Even the surest of 200 labelled answers are not 95.0% right: more labels would not help.
        """
        share = f"{self.target:.1%}"
        if self.threshold is not None:
            limit = f"a confidence of at least {self.threshold:.3f}"
            return (
                f"Of the answers with {limit}, at least {share} are right ({self.kept:.0%} stay)."
            )
        if self.needed is None:
            rows = f"{self.rows:,} labelled answers"
            return f"Even the surest of {rows} are not {share} right: more labels would not help."
        few = f"{self.rows:,} labelled answers are too few to promise {share}"
        if (
            self.needed <= self.rows
        ):  # a part of them would do, but not the one that is tested first
            return f"{few}: they are nearly enough."
        return f"{few}: about {self.needed:,} would do."


def find_threshold(
    confidence: pd.Series, right: pd.Series, clusters: pd.Series, target: float
) -> Promise:
    """Find the lowest confidence above which at least a target share of the answers is right.

    Learn then test (Angelopoulos et al. 2021, arXiv:2110.01052): thresholds are tested in an order
    fixed by the confidences alone, from the surest down, until one fails its exact binomial test
    at the level of 1 in 20. So the error of the whole sequence is that of one test. The first
    threshold is the one that most probably passes if the confidences are calibrated; the
    next ones are those at which the test allows one more wrong answer. If the confidences are not
    calibrated, fewer answers stay, but the promise holds.

    Answers of one cluster are not independent: their number is divided by the design effect (Rao
    and Scott 1992), with one intraclass correlation for all answers.

    Args:
        confidence: Confidence of each labelled answer, 0-1, of a model not fitted on the labels.
        right: Whether each answer is right, same index.
        clusters: Key of what may share an error, same index: the image, or the group of products
            if the promise is to hold for groups that have no labels.
        target: Share of right answers to promise, above 0 and below 1.

    Raises:
        ValueError: The target is not between 0 and 1, or a confidence is missing.
    """
    if not 0 < target < 1:
        raise ValueError(f"The target is {target}; give a share above 0 and below 1.")
    if confidence.isna().any():
        raise ValueError(f"{confidence.isna().sum()} answers lack a confidence; leave them out.")
    table = _count_wrong(confidence, right)
    effect = _estimate_design_effect(~right.to_numpy(bool), clusters)
    answers, wrong = (table[name].to_numpy(float) / effect for name in ("answers", "wrong"))
    bounds = _bound_precision(answers, wrong)
    passed = None
    for place in _order_tests(table, effect, target):
        if bounds[place] < target:
            break
        passed = place
    return _describe(table, bounds, effect, target, passed)


def _count_wrong(confidence: pd.Series, right: pd.Series) -> pd.DataFrame:
    """Count the answers and the wrong ones at or above each distinct confidence, highest first.

    Returns:
        Columns `confidence`, `answers`, `wrong`, and `expected`, the mean confidence of those
        answers.
    """
    values = confidence.to_numpy(float)
    order = np.argsort(-values, kind="stable")
    frame = pd.DataFrame({"confidence": values[order], "answers": np.arange(1, len(values) + 1)})
    frame["wrong"] = (~right.to_numpy(bool)[order]).cumsum()
    frame["expected"] = frame["confidence"].cumsum() / frame["answers"]
    return frame.drop_duplicates("confidence", keep="last", ignore_index=True)


def _bound_precision(answers: Floats, wrong: Floats) -> Floats:
    """Return the one-sided Clopper-Pearson bound of the share of right answers.

    >>> _bound_precision(np.array([58.0, 59.0]), np.zeros(2)).round(4).tolist()
    [0.9497, 0.9505]
    """
    right = np.maximum(answers - wrong, 0)
    bound: Floats = np.where(right > 0, betaincinv(np.maximum(right, 1e-9), wrong + 1, FAILING), 0)
    return bound


def _allow_wrong(answers: Floats, target: float) -> Floats:
    """Return the most wrong answers with which the test passes, -1 where it cannot.

    >>> _allow_wrong(np.array([58.0, 59.0, 93.0]), 0.95).round(2).tolist()
    [-1.0, 0.02, 1.0]
    """
    allowed = bdtrik(FAILING, answers, 1 - target)
    return np.where(target**answers <= FAILING, allowed, -1.0)


def _order_tests(table: pd.DataFrame, effect: float, target: float) -> Counts:
    """Choose the rows to test, from the surest down, without a look at what is right.

    A row is worth a test only if one more wrong answer is allowed than in the row before. The
    first is the one with the greatest power if the confidences are calibrated.
    """
    answers = table["answers"].to_numpy(float) / effect
    allowed = np.floor(_allow_wrong(answers, target) * effect)
    places = np.flatnonzero(np.diff(allowed, prepend=-1.0) > 0)
    if not len(places):
        return places
    wrong, tested = allowed[places] / effect, answers[places]
    power = betainc(tested - wrong, wrong + 1, table["expected"].to_numpy()[places])
    chosen = places[int(power.argmax()) :: math.ceil(len(places) / MAX_TESTS)]
    return np.unique(np.append(chosen, len(table) - 1))


def _estimate_design_effect(wrong: npt.NDArray[np.bool_], clusters: pd.Series) -> float:
    """Estimate how many answers are worth one independent answer, at least 1.

    That is 1 + (m - 1) r, with m the mean size of an answer's cluster and r the intraclass
    correlation of errors. r is shrunk towards 1 with the weight of one wrong answer, so that errors
    too few to estimate it count as correlated.
    """
    codes, _ = pd.factorize(clusters)
    sizes = np.bincount(codes)
    if sizes.max(initial=1) == 1:
        return 1.0
    mean_size = float((sizes**2).sum() / sizes.sum())
    errors: Floats = np.bincount(codes, wrong).astype(float)
    weight = errors.sum()
    correlation = float((weight * _correlate(sizes, errors) + 1) / (weight + 1))
    return 1 + (mean_size - 1) * correlation


def _correlate(sizes: Counts, sums: Floats) -> float:
    """Return the intraclass correlation (0-1) by analysis of variance, 1 for a single cluster.

    Args:
        sizes: Answers of each cluster, at least one cluster with two.
        sums: Wrong answers of each cluster.
    """
    total, others = sizes.sum(), len(sizes) - 1
    if not others:
        return 1.0
    inside = (sums - sums**2 / sizes).sum() / (total - len(sizes))
    between = (sizes * (sums / sizes - sums.sum() / total) ** 2).sum() / others
    size = (total - (sizes**2).sum() / total) / others
    whole = between + (size - 1) * inside
    return max(0.0, float((between - inside) / whole)) if whole else 0.0


def _describe(
    table: pd.DataFrame, bounds: Floats, effect: float, target: float, passed: int | None
) -> Promise:
    """Describe the threshold that passed, or what is missing where none did."""
    rows = int(table["answers"].max()) if len(table) else 0
    if not rows:
        return Promise(target, None, 0.0, math.nan, 0.0, 0, 0.0, _count_needed(1.0, target))
    place = int(bounds.argmax()) if passed is None else passed
    row = table.iloc[place]
    share, precision = row["answers"] / rows, 1 - row["wrong"] / row["answers"]
    needed = _count_needed(precision, target)
    if needed is not None:
        needed = math.ceil(needed * effect / share)
        needed = needed if passed is None else min(needed, rows)
    return Promise(
        target=target,
        threshold=None if passed is None else float(row["confidence"]),
        kept=0.0 if passed is None else float(share),
        precision=float(precision),
        bound=float(bounds[place]),
        rows=rows,
        effective=rows / effect,
        needed=needed,
    )


def _count_needed(precision: float, target: float) -> int | None:
    """Return how many independent answers of a precision prove a target, `None` if no number does.

    >>> _count_needed(1, 0.95), _count_needed(1, 0.99), _count_needed(0.9, 0.95)
    (59, 299, None)
    """
    least = math.ceil(math.log(FAILING) / math.log(target))
    counts = np.geomspace(least, max(least, MAX_NEEDED), 1000).round().astype(int)
    enough = _allow_wrong(counts.astype(float), target) >= (1 - precision) * counts
    return int(counts[enough.argmax()]) if enough.any() else None
