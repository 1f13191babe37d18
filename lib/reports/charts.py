"""Draw the figures of a run's page from its tables, each with alt text and a note."""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.evaluation import (
    RIGHT,
    Interval,
    Measure,
    confuse_units,
    reliability_table,
)
from lib.reports.captions import (
    describe_ablation,
    describe_calibration,
    describe_coverage,
    describe_learning,
)
from lib.reports.past_runs import PastRun
from lib.reports.plots import (
    Pixels,
    draw_svg,
    plot_coverage,
    plot_groups,
    plot_ladder,
    plot_learning_curve,
    plot_losses,
    plot_map,
    plot_probabilities,
    plot_reliability,
    plot_shares,
    plot_trend,
    plot_unit_confusion,
    plot_word_counts,
    print_name,
)

ROW: float = 0.36
"""Height of a horizontal bar in inches; bars with two-line names take more."""
RUNS: int = 60
"""Most runs in a trend; more marks would overlap."""


@dataclass(frozen=True)
class Chart:
    """A figure of the page.

    Attributes:
        title: Title of the figure.
        svg: The drawing, an `<svg>` element.
        said: Alt text.
        note: How to read the figure, `""` for no note.
    """

    title: str
    svg: str
    said: str
    note: str = ""


def make_chart(
    title: str, height: float, draw: Callable[[Axes], object], said: str, note: str = ""
) -> Chart:
    """Draw a figure, `height` inches high."""
    return Chart(title, draw_svg(height, draw, f"{title}: {said}"), said, note)


def chart_ladder(ladder: pd.DataFrame, method: str) -> Chart:
    """Draw the F1 of each method on the same samples; `method` is the one that answers."""
    return make_chart(
        "F1 of each method",
        0.5 * len(ladder) + 0.8,
        lambda ax: plot_ladder(ladder, method, ax),
        say_scores(ladder, "method"),
        "The bars are 95 % intervals; the method that answers is bold and red.",
    )


def chart_entities(by_entity: pd.DataFrame) -> Chart:
    """Draw the F1 of each entity."""
    return make_chart(
        "F1 of each entity",
        ROW * len(by_entity) + 0.8,
        lambda ax: plot_groups(by_entity, "entity_name", ax),
        say_scores(by_entity, "entity_name"),
        "The fewer the samples, the wider the interval.",
    )


def chart_losses(losses: pd.Series) -> Chart:
    """Draw how many samples each stage loses, from all samples to right answers."""
    return make_chart(
        "From all samples to right answers",
        ROW * (len(losses) + 1) + 0.8,
        lambda ax: plot_losses(losses, ax),
        f"{losses.sum():,} samples; " + _join(f"{n:,} {name}" for name, n in losses.items()),
        "Each bar starts where the last one ended: its length is what that stage loses.",
    )


def chart_coverage(curves: pd.DataFrame) -> Chart:
    """Draw precision against the share of questions answered.

    Args:
        curves: From `lib.evaluation.coverage_by`.
    """
    ends = (
        f"{row['method']}: {row['coverage']:.0%} of the questions answered, "
        f"{row['precision']:.1%} of the answers right"
        for row in curves.groupby("method", sort=False).tail(1).to_dict("records")
    )
    return make_chart(
        "Precision against coverage",
        2.9,
        lambda ax: plot_coverage(curves, ax),
        _join(ends),
        describe_coverage(curves),
    )


def chart_reliability(judged: pd.DataFrame, error: Interval) -> Chart:
    """Draw the share of right answers against their probability.

    Args:
        judged: Scored predictions.
        error: Their expected calibration error.
    """
    answers = take_answers(judged)
    right = answers["outcome"] == RIGHT
    table = reliability_table(answers["probability"], right)
    bins = (
        f"given {row['confidence']:.2f}, right {row['right']:.2f} of {row['answers']:,}"
        for row in table.to_dict("records")
    )
    return make_chart(
        "Calibration: share of right answers by probability",
        2.9,
        lambda ax: plot_reliability(table, ax),
        _join(bins),
        describe_calibration(error, answers["probability"].mean(), right.mean()),
    )


def chart_probabilities(probabilities: pd.Series, groups: pd.Series) -> Chart:
    """Draw the probabilities of the answers of each group."""
    named = {str(name): part for name, part in probabilities.groupby(groups, sort=False)}
    return make_chart(
        "Probabilities of the answers",
        2.7,
        lambda ax: plot_probabilities(named, ax),
        _join(f"{name}: median {values.median():.2f}" for name, values in named.items()),
    )


def chart_units(judged: pd.DataFrame) -> Chart:
    """Draw the confusion matrix of units."""
    answered = judged[judged["prediction"] != ""]
    table = confuse_units(answered["entity_value"], answered["prediction"])
    counts = table.to_numpy()
    score = f"he unit is right in {np.trace(counts):,} of {counts.sum():,} answers"
    wrong = (
        f"{said} for {true} {times} times"
        for true, row in table.to_dict("index").items()
        for said, times in row.items()
        if times and true != said
    )
    return make_chart(
        "Confusion of units",
        0.26 * len(table) + 1.4,
        lambda ax: plot_unit_confusion(table, ax),
        _join([f"t{score}", *wrong]),
        f"T{score} to questions that have one.",
    )


def chart_map(
    placed: pd.DataFrame, variance: Sequence[float], images: Mapping[int, Pixels]
) -> Chart:
    """Draw the images on the map of their ResNet50 vectors, some as thumbnails.

    Args:
        placed: From `lib.features.map_images`.
        variance: Share of the variance along each axis (2,), 0-1.
        images: Row of `placed` -> pixels (H, W, 3).
    """
    places, splits = placed[["x", "y"]].to_numpy(), placed["split"]
    groups = _join(f"{n:,} {name}" for name, n in splits.value_counts().items())
    return make_chart(
        "Map of the images by their ResNet50 vectors",
        4.6,
        lambda ax: plot_map(places, variance, splits, images, ax),
        f"a plane of two principal components with {groups} images",
        f"{len(placed):,} images, {len(images)} of them drawn; similar images are close.",
    )


def chart_words(profiles: pd.DataFrame) -> Chart:
    """Draw the number of words on the images of each group."""
    words = profiles[profiles["measure"] == Measure.WORDS]
    table = words.rename(columns={"number": "words"}).assign(engine=words["group"])
    medians = words.groupby("group", sort=False)["number"].median()
    return make_chart(
        "Words on an image",
        2.7,
        lambda ax: plot_word_counts(table, ax),
        _join(f"{name}: median {value:.0f}" for name, value in medians.items()),
        "Where two lines coincide, both groups have equally much text.",
    )


def chart_names(profiles: pd.DataFrame, measure: Measure) -> Chart:
    """Draw the shares of the twelve most frequent units or entities in each group."""
    rows = profiles[profiles["measure"] == measure]
    shares = pd.crosstab(rows["name"], rows["group"], normalize="columns")
    shares = shares[list(rows["group"].unique())]
    shares = shares.loc[shares.max(axis=1).nlargest(12).index]
    said = (
        f"{print_name(name)} {' and '.join(map('{:.0%}'.format, row))}"
        for name, row in shares.iterrows()
    )
    return make_chart(
        measure.capitalize(),
        ROW * len(shares) + 0.9,
        lambda ax: plot_shares(shares, ax),
        _join(said),
    )


def chart_drift(profiles: pd.DataFrame) -> list[Chart]:
    """Draw the distributions that can be compared without a truth."""
    answers = profiles[profiles["measure"] == Measure.CONFIDENCE]
    return [
        chart_words(profiles),
        chart_probabilities(answers["number"], answers["group"]),
        *(chart_names(profiles, measure) for measure in (Measure.ENTITY, Measure.UNIT)),
    ]


def chart_learning(table: pd.DataFrame, whose: str) -> Chart:
    """Draw a model's F1 against the number of labelled rows; `whose` says which model it is."""
    points = (f"{row['rows']:,} rows {row['f1']:.3f}" for row in table.to_dict("records"))
    return make_chart(
        f"Learning curve of {whose}",
        2.7,
        lambda ax: plot_learning_curve(table, ax),
        _join(points),
        f"Scored on {table['judged'].iloc[0]:,} other rows. {describe_learning(table)}",
    )


def chart_ablation(table: pd.DataFrame, whose: str) -> Chart:
    """Draw the ablation of a model's features; the whole model comes first."""
    return make_chart(
        f"Ablation of {whose}",
        0.5 * len(table) + 0.8,
        lambda ax: plot_ladder(table, table["method"].iloc[0], ax),
        say_scores(table, "method"),
        "Each model is fitted without one family of features and scored on "
        f"{table['samples'].iloc[0]:,} held-out rows. {describe_ablation(table)}",
    )


def chart_trend(runs: Sequence[PastRun]) -> Chart:
    """Draw the F1 of scored runs on one data set, given newest first; the newest are shown."""
    shown = [(run.started, run.headline.f1) for run in reversed(runs[:RUNS]) if run.headline]
    rows = [{"started": started, **vars(f1)} for started, f1 in shown]
    table = pd.DataFrame(rows).rename(columns={"value": "f1"})
    (first, before), (last, after) = shown[0], shown[-1]
    return make_chart(
        f"F1 of {len(shown)} runs from {first[:10]} to {last[:10]}",
        2.9,
        lambda ax: plot_trend(table, ax),
        f"first {before}, last {after}, lowest {table['f1'].min():.3f}, "
        f"highest {table['f1'].max():.3f}",
        f"On {runs[0].tables} (data {runs[0].data[:8]}); the bars are 95 % intervals.",
    )


def take_answers(predictions: pd.DataFrame) -> pd.DataFrame:
    """Select the answers that have a probability."""
    return predictions[predictions["prediction"] != ""].dropna(subset="probability")


def say_scores(table: pd.DataFrame, column: str) -> str:
    """Format scores with their intervals as one line.

    >>> row = {"method": "rules", "f1": 0.95, "low": 0.91, "high": 0.98}
    >>> say_scores(pd.DataFrame([row]), "method")
    'rules 0.950 (0.910 to 0.980)'
    """
    return _join(
        f"{print_name(row[column])} {Interval(row['f1'], row['low'], row['high'])}"
        for row in table.to_dict("records")
    )


def _join(parts: Iterable[str]) -> str:
    return textwrap.shorten("; ".join(parts), 900, placeholder=" ...")
