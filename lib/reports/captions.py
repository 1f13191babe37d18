"""Say in a sentence how to read a figure of the evaluation, with its own numbers."""

import math
from collections.abc import Iterable

import pandas as pd

from lib.evaluation import Interval, forecast_gain
from lib.reports.comparison_page import print_change
from lib.reports.plots import print_name

MORE_ROWS: int = 500
"""Labelled rows that the forecast adds."""


def describe_coverage(curves: pd.DataFrame) -> str:
    """Say how precise the surer half and all of the answers of each method are.

    Args:
        curves: From `lib.evaluation.coverage_by`.

    >>> curve = pd.DataFrame({"precision": [1, 0.75], "low": [0.9, 0.5], "high": [1, 0.9]})
    >>> describe_coverage(curve.assign(method="rules"))
    'Answer only as far to the right as the curve keeps the precision that you need: of the surer \
half of the answers, 100.0 % (90.0 to 100.0) are right by rules, of all 75.0 % (50.0 to 90.0).'
    """
    parts = [
        f"{_percent(curve.iloc[(len(curve) - 1) // 2])} are right by {name}, "
        f"of all {_percent(curve.iloc[-1])}"
        for name, curve in curves.groupby("method", sort=False)
    ]
    if not parts:
        return "No answer has a truth to compare with."
    return (
        "Answer only as far to the right as the curve keeps the precision that you need: of the "
        f"surer half of the answers, {'; '.join(parts)}."
    )


def _percent(row: pd.Series) -> str:
    low, high = (f"{100 * row[name]:.1f}" for name in ("low", "high"))
    return f"{100 * row['precision']:.1f} % ({low} to {high})"


def describe_calibration(error: Interval, confidence: float, right: float) -> str:
    """Say how far the confidences are from the shares of right answers, and in which direction.

    Args:
        error: The expected calibration error.
        confidence: Mean confidence of the answers, 0-1.
        right: Share of the answers that is right, 0-1.

    >>> describe_calibration(Interval(0.034, 0.02, 0.06), 0.95, 0.91)
    'Points below the diagonal are overconfident: the mean confidence is 0.950, 0.910 of the \
answers are right, and the expected calibration error is 0.034 (0.020 to 0.060).'
    """
    if math.isnan(error.value):
        return "No answer has a truth to compare with."
    below = "Points below the diagonal are overconfident"
    return (
        f"{below}: the mean confidence is {confidence:.3f}, {right:.3f} of the answers are right, "
        f"and the expected calibration error is {error}."
    )


def describe_gains(gains: pd.DataFrame) -> str:
    """Say what the learned method adds to the rules.

    Args:
        gains: From `lib.evaluation.compare_groups`, the row of all samples last.

    >>> rows = [("width", 0.1, 0.02, 0.2), ("depth", 0.0, -0.1, 0.1), ("all", 0.05, -0.01, 0.1)]
    >>> names = ["entity_name", "difference", "low", "high"]
    >>> describe_gains(pd.DataFrame(rows, columns=names))
    'Fitting changes F1 by +0.050 (-0.010 to +0.100) in all; only the difference of width is \
significant.'
    """
    if gains.empty:
        return "No row was answered by both methods, or none has a truth."
    *_, every = (Interval(*row) for row in gains[["difference", "low", "high"]].to_numpy())
    parts = gains[:-1]
    clear = parts.loc[(parts["low"] > 0) | (parts["high"] < 0), "entity_name"]
    found = f"only the difference of {_list(clear)} is" if len(clear) else "no entity's is"
    return f"Fitting changes F1 by {print_change(every)} in all; {found} significant."


def describe_learning(curve: pd.DataFrame) -> str:
    """Say what more labelled rows would bring, by the trend of a learning curve.

    >>> curve = pd.DataFrame({"rows": [100, 200, 400], "f1": [0.7, 0.8, 0.9]})
    >>> describe_learning(curve.assign(low=curve["f1"], high=curve["f1"]))
    'If the trend over the logarithm of the rows goes on, 500 more rows change F1 by +0.117 \
(+0.117 to +0.117).'
    >>> describe_learning(curve.assign(low=curve["f1"] - 0.2, high=curve["f1"] + 0.2))
    'If the trend over the logarithm of the rows goes on, 500 more rows change F1 by +0.117 \
(-0.048 to +0.285), which may be nothing: the interval contains 0.'
    """
    gain = forecast_gain(curve, MORE_ROWS)
    if math.isnan(gain.value):
        return "The curve has too few points for a forecast."
    flat = gain.low <= 0 <= gain.high
    return (
        f"If the trend over the logarithm of the rows goes on, {MORE_ROWS} more rows change F1 by "
        f"{print_change(gain)}"
        f"{', which may be nothing: the interval contains 0' if flat else ''}."
    )


def describe_ablation(table: pd.DataFrame) -> str:
    """Say which family of features the model needs most.

    Args:
        table: Columns `method` and `f1`; the whole model first, then `without ...`, then the rules.

    >>> names = ["learned", "without print", "without rules", "rules"]
    >>> describe_ablation(pd.DataFrame({"method": names, "f1": [0.9, 0.9, 0.8, 0.9]}))
    'The model needs the family rules most: F1 -0.100 without it. 1 of 2 families change nothing \
when left out.'
    """
    hidden = table[table["method"].str.startswith("without ")]
    if hidden.empty:
        return "No family of features was left out."
    change = hidden.set_index("method")["f1"] - table["f1"].iloc[0]
    name, none = str(change.idxmin()).removeprefix("without "), int((change == 0).sum())
    return (
        f"The model needs the family {name} most: F1 {change.min():+.3f} without it. "
        f"{none} of {len(change)} families change nothing when left out."
    )


def _list(names: Iterable[object]) -> str:
    return ", ".join(print_name(name) for name in names)
