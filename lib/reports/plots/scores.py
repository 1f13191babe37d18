"""Draw the figures of scores, outcomes, probabilities and confidences, one function each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lib.reports.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    GROUPS,
    INK,
    RED,
    WIDTH,
    new_axes,
    print_name,
    say_instead,
    wrap_name,
)


def plot_ladder(table: pd.DataFrame, answers: str = "", ax: Axes | None = None) -> Axes:
    """Draw the F1 of each method with its interval, in the order of the table.

    Args:
        table: Columns `method`, `f1`, `low`, `high`.
        answers: The method to highlight.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(0.55 * len(table) + 1.1)
    if table.empty:
        return say_instead(ax, "No row has a truth to compare with.")
    for place, row in enumerate(table.to_dict("records")):
        f1, low, high = row["f1"], row["low"], row["high"]
        colour = RED if row["method"] == answers else BLUE
        ax.plot([low, high], [place, place], color=colour, lw=3, alpha=0.45)
        ax.plot(f1, place, "o", color=colour, ms=8)
        ax.text(min(high, 1) + 0.015, place, f"{f1:.3f}", va="center", color=colour)
    _name_rows(ax, list(table["method"]), "F1 with its 95 % bootstrap interval (over images)")
    for label, method in zip(ax.get_yticklabels(), table["method"], strict=True):
        label.set_fontweight("bold" if method == answers else "normal")
    ax.set_xlim(0, 1.1)
    return ax


def plot_groups(table: pd.DataFrame, column: str, ax: Axes | None = None) -> Axes:
    """Draw the F1 of each group as a bar with its interval and its number of samples.

    Args:
        table: The grouping column, and `f1`, `low`, `high`, `samples`.
        column: Name of the grouping column, such as `"entity_name"`.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(0.42 * len(table) + 1.1)
    if table.empty:
        return say_instead(ax, "No row has a truth to compare with.")
    places = np.arange(len(table))
    ax.barh(places, table["f1"], color=BLUE, alpha=0.85, height=0.65)
    ax.hlines(places, table["low"], table["high"], color=INK, lw=1.5)
    rows = table.to_dict("records")
    for place, row in enumerate(rows):
        ax.text(max(row["high"], row["f1"]) + 0.015, place, f"{row['f1']:.2f}", va="center")
    labels = [f"{print_name(row[column])} ({row['samples']:,})" for row in rows]
    _name_rows(ax, labels, "F1 with its 95 % interval; samples in brackets")
    ax.set_xlim(0, 1.1)
    return ax


def plot_losses(counts: pd.Series, ax: Axes | None = None) -> Axes:
    """Draw the samples lost at each stage, as a waterfall from all samples to right answers.

    Args:
        counts: Samples by loss, from `lib.evaluation.count_losses`.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(0.42 * (len(counts) + 1) + 1.1)
    total = int(counts.sum())
    ax.barh(0, total, color=INK, height=0.65)
    left = total - counts.cumsum()
    colours = [COLOURS[loss] for loss in counts.index]
    places = np.arange(1, len(counts) + 1)
    ax.barh(places, counts, left=left, color=colours, height=0.65)
    for place, (count, end) in enumerate(zip([total, *counts], [0, *left], strict=True)):
        text = f"{count:,} ({count / max(1, total):.0%})"
        ax.annotate(text, (end + count, place), (4, 0), textcoords="offset points", va="center")
    _name_rows(ax, ["all samples", *counts.index], "samples")
    ax.set_xlim(0, max(1, total) * 1.25)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def plot_outcomes(table: pd.DataFrame) -> Axes:
    """Draw the share of each outcome, one stacked bar for each group.

    Args:
        table: Groups in rows, outcomes in columns, counts in cells.
    """
    ax = new_axes(0.42 * len(table) + 1.9)
    if table.empty:
        return say_instead(ax, "No row has a truth to compare with.")
    shares = table.div(table.sum(axis=1).clip(lower=1), axis=0)
    left = np.zeros(len(table))
    places = np.arange(len(table))
    for outcome in table.columns:
        share, colour = shares[outcome].to_numpy(), COLOURS[outcome]
        ax.barh(places, share, 0.7, left, color=colour, label=outcome, edgecolor="white")
        left += share
    _name_rows(ax, [print_name(name) for name in table.index], "share of samples")
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlim(0, 1)
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.45, 1), frameon=False)
    return ax


def plot_coverage(curves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw precision and its interval against the share of questions answered, for each method.

    Args:
        curves: From `lib.evaluation.coverage_by`, of at most four methods.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(3.6)
    if curves.empty:
        return say_instead(ax, "No answer has a truth to compare with.")
    groups = curves.groupby("method", sort=False)
    for (name, curve), (colour, marker) in zip(groups, GROUPS, strict=False):
        x, last = curve["coverage"], curve.iloc[-1]
        label = f"{print_name(name)}: {last['precision']:.2f} at {last['coverage']:.0%}"
        ax.fill_between(x, curve["low"], curve["high"], color=colour, alpha=0.15, lw=0)
        ax.plot(x, curve["precision"], color=colour, lw=2)
        ax.plot(last["coverage"], last["precision"], marker, color=colour, label=label)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return _share_axes(ax, "coverage: share of the questions answered", "precision")


def plot_reliability(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of right answers, with its interval, against their confidence.

    Args:
        table: From `lib.evaluation.reliability_table`.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(3.6)
    if table.empty:
        return say_instead(ax, "No answer has a truth to compare with.")
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1, label="perfectly calibrated")
    ax.vlines(table["confidence"], table["low"], table["high"], color=BLUE, lw=3, alpha=0.45)
    ax.plot(
        table["confidence"], table["right"], "o", color=BLUE, label="answers with this confidence"
    )
    for row in table.to_dict("records"):
        place = (row["confidence"], row["low"])
        text = f"{row['answers']:,}"
        ax.annotate(text, place, (0, -12), textcoords="offset points", ha="center", color=INK)
    ax.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return _share_axes(ax, "confidence (labels: answers)", "share right, 95 % interval")


def plot_probabilities(groups: Mapping[str, pd.Series], ax: Axes | None = None) -> Axes:
    """Draw a histogram of the probabilities of each group's answers, as shares of the group.

    Args:
        groups: Name -> probabilities, 0-1.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(3.2)
    filled = {name: values for name, values in groups.items() if len(values)}
    if not filled:
        return say_instead(ax, "There are no answers.")
    named = {f"{name} ({len(values):,} answers)": values for name, values in filled.items()}
    _plot_histograms(ax, named)
    ax.legend(loc="upper left", frameon=False)
    ax.set(xlabel="predicted probability", ylabel="share of the answers")
    return ax


def plot_shares(shares: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of each name in each group, bars of one name side by side.

    Args:
        shares: Names in rows, at most four groups in columns, shares 0-1 in cells.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(0.42 * len(shares) + 1.3)
    if shares.empty:
        return say_instead(ax, "There are no values.")
    height = 0.8 / shares.shape[1]
    for place, (name, (colour, _)) in enumerate(zip(shares, GROUPS, strict=False)):
        rows = np.arange(len(shares)) - 0.4 + (place + 0.5) * height
        ax.barh(rows, shares[name], height * 0.9, color=colour, label=str(name))
    _name_rows(ax, [print_name(name) for name in shares.index], "share of the group")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(loc="lower right", frameon=False)
    return ax


def plot_learning_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the F1 of a fitted method and its interval against the number of training rows.

    Args:
        table: Columns `rows`, `f1`, `low`, `high`.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(3.2)
    if table.empty:
        return say_instead(ax, "No model was fitted.")
    ax.fill_between(table["rows"], table["low"], table["high"], color=BLUE, alpha=0.2, lw=0)
    ax.plot(table["rows"], table["f1"], "o-", color=BLUE)
    for rows, f1 in zip(table["rows"], table["f1"], strict=True):
        ax.annotate(f"{f1:.3f}", (rows, f1), (0, 7), textcoords="offset points", ha="center")
    ax.set(xlabel="training rows", ylabel="F1 with its 95 % interval")
    ax.margins(x=0.12, y=0.25)
    return ax


def plot_unit_confusion(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the confusion matrix of units; shades show each cell's share of its row.

    Args:
        table: From `lib.evaluation.confuse_units`.
        ax: Where to draw; a new figure if `None`.
    """
    side = 0.42 * len(table) + 1.6
    ax = ax or new_axes(side, min(WIDTH, side + 1.5))
    if table.empty:
        return say_instead(ax, "No answered row has a truth to compare with.")
    shares = table.div(table.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    for (row, column), count in np.ndenumerate(table.to_numpy()):
        if count:
            share = shares[row, column]
            corner = (column - 0.5, row - 0.5)
            ax.add_patch(Rectangle(corner, 1, 1, color=BLUE, alpha=share, lw=0))
            ink = "white" if share > 0.5 else INK
            ax.text(column, row, f"{count:,}", ha="center", va="center", color=ink, fontsize=9)
    ends = (-0.5, len(table) - 0.5)
    ax.set(aspect="equal", xlim=ends, ylim=ends[::-1])
    ax.set_xticks(range(len(table)), table.columns, rotation=45, ha="right")
    ax.set_yticks(range(len(table)), table.index)
    ax.set(xlabel="predicted unit", ylabel="true unit")
    return ax


def _name_rows(ax: Axes, names: list[str], unit: str) -> None:
    """Label horizontal rows, the first at the top."""
    ax.set_yticks(range(len(names)), [wrap_name(name) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(unit)


def _share_axes(ax: Axes, x: str, y: str) -> Axes:
    """Label two axes that go from 0 to 1."""
    ax.set(xlabel=x, ylabel=y, xlim=(0, 1.02), ylim=(0, 1.05))
    return ax


def _plot_histograms(ax: Axes, groups: Mapping[str, pd.Series]) -> None:
    """Draw a histogram of the values 0-1 of each group, as shares of the group."""
    for (name, values), (colour, _) in zip(groups.items(), GROUPS, strict=False):
        share = np.full(len(values), 1 / len(values))
        counts, edges = np.histogram(values.clip(0, 1), np.linspace(0, 1, 21), weights=share)
        ax.stairs(counts, edges, color=colour, lw=2, label=name)
        ax.stairs(counts, edges, color=colour, alpha=0.15, fill=True)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlim(0, 1)


def plot_confidences(words: pd.DataFrame) -> Axes:
    """Draw a histogram of each engine's confidences.

    Args:
        words: Columns `engine` and `confidence` (0-1), one row a word.
    """
    ax = new_axes(3)
    groups = words.groupby("engine", sort=False)["confidence"]
    _plot_histograms(ax, {str(engine): values for engine, values in groups})
    return _finish(ax, "confidence of a word", "share of the engine's words")


def plot_word_counts(pages: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of images on which each engine read at least a given number of words.

    Args:
        pages: Columns `engine` and `words` (their number), one row an image and engine.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(3)
    groups = pages.groupby("engine", sort=False)["words"]
    for (engine, words), (colour, _) in zip(groups, GROUPS, strict=False):
        counts = np.sort(words)[::-1]
        shares = np.arange(1, len(counts) + 1) / len(counts)
        ax.step(shares, counts, where="pre", lw=2, color=colour, label=str(engine))
    ax.set_yscale("symlog", linthresh=1)
    return _finish(ax, "share of the images", "at least so many words (or lines)")


def plot_trend(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the F1 of runs with its interval, evenly spaced in the order of the table.

    Args:
        table: Columns `started` (ISO time), `f1`, `low`, `high`.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(3.2)
    if table.empty:
        return say_instead(ax, "No run has a score.")
    places = np.arange(len(table))
    ax.vlines(places, table["low"], table["high"], color=BLUE, lw=3, alpha=0.45)
    ax.plot(places, table["f1"], "o-", color=BLUE)
    days = table["started"].str[:10]
    labels = days if days.nunique() > 1 else table["started"].str[11:16]
    ax.set_xticks(places[[0, -1]], labels.iloc[[0, -1]])
    ax.margins(x=0.12)
    return _finish(ax, "start of the run (UTC)", "F1 with its 95 % interval")


def _finish(ax: Axes, x: str, y: str) -> Axes:
    ax.set(xlabel=x, ylabel=y)
    ax.grid(color=GREY, alpha=0.25)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False)
    return ax
