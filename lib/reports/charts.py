"""Draw the figures of a run's page from its tables, each with alt text and a note."""

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.evaluation import (
    RIGHT,
    Interval,
    Measure,
    confuse_units,
    coverage_curve,
    pick,
    reliability_table,
)
from lib.reports.plots import (
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
    plot_unit_confusion,
    plot_word_counts,
    print_name,
)

ROW: float = 0.36
"""Height of a horizontal bar in inches; bars with two-line names take more."""


POINTS: int = 500
"""Most points of a curve."""


@dataclass(frozen=True)
class Chart:
    """A figure of the page.

    Attributes:
        title: Title of the figure.
        svg: The drawing, an `<svg>` element.
        said: The figure's content as alt text.
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
        "The bar is the 95 % interval; the method that answers is bold and red.",
    )


def chart_entities(by_entity: pd.DataFrame) -> Chart:
    """Draw the F1 of each entity."""
    return make_chart(
        "F1 of each entity",
        ROW * len(by_entity) + 0.8,
        lambda ax: plot_groups(by_entity, "entity_name", ax),
        say_scores(by_entity, "entity_name"),
        "Few samples make wide intervals.",
    )


def chart_losses(losses: pd.Series) -> Chart:
    """Draw how many samples each stage loses, from all samples to right answers."""
    return make_chart(
        "From all samples to right answers",
        ROW * (len(losses) + 1) + 0.8,
        lambda ax: plot_losses(losses, ax),
        f"{losses.sum():,} samples; " + _join(f"{n:,} {name}" for name, n in losses.items()),
        "Each bar takes away what that stage loses.",
    )


def chart_coverage(judged: pd.DataFrame) -> Chart:
    """Draw precision against the share of questions answered."""
    sure = take_sure(judged)
    answered = len(sure) / max(1, len(judged))
    curve = thin(coverage_curve(sure["probability"], sure["outcome"] == RIGHT))
    lowest = sure.groupby("entity_name")["probability"].min()
    least = _join(f"{print_name(name)} {value:.2f}" for name, value in lowest.items())
    return make_chart(
        "Precision, the more questions are answered",
        2.9,
        lambda ax: plot_coverage(curve, answered, ax),
        f"{answered:.0%} of the questions are answered, "
        f"{(sure['outcome'] == RIGHT).mean():.1%} of the answers are right",
        f"Least probability at which an answer was given: {least}." if least else "",
    )


def chart_reliability(judged: pd.DataFrame, calibrated: bool) -> Chart:
    """Draw the share of right answers against their probability."""
    sure = take_sure(judged)
    table = reliability_table(sure["probability"], sure["outcome"] == RIGHT)
    bins = (
        f"given {row.probability:.2f}, right {row.right:.2f} of {row.samples:,}"
        for row in table.itertuples()
    )
    return make_chart(
        "Is it as sure as it is right?",
        2.9,
        lambda ax: plot_reliability(table, ax),
        _join(bins),
        "Points below the line are answers given too surely."
        + ("" if calibrated else " The rules' probabilities only order answers."),
    )


def chart_probabilities(predictions: pd.DataFrame) -> Chart:
    """Draw the probabilities of each split's answers."""
    given = predictions[predictions["prediction"] != ""].dropna(subset="probability")
    return _chart_sure(dict(list(given.groupby("split", sort=False)["probability"])))


def chart_units(judged: pd.DataFrame) -> Chart:
    """Draw the confusion matrix of units."""
    answered = judged[judged["prediction"] != ""]
    table = confuse_units(answered["entity_value"], answered["prediction"])
    total, good = int(table.to_numpy().sum()), int(np.trace(table))
    counts = table.stack()
    wrong = (
        f"{said} for {true} {n} times"
        for (true, said), n in counts[counts > 0].items()
        if true != said
    )
    return make_chart(
        "Which unit is taken for which",
        0.26 * len(table) + 1.4,
        lambda ax: plot_unit_confusion(table, ax),
        _join([f"the unit is right in {good:,} of {total:,} answers", *wrong]),
        f"The unit is right in {good:,} of {total:,} answers to questions that have one.",
    )


def chart_map(
    placed: pd.DataFrame, variance: list[float], pictures: Mapping[int, np.ndarray]
) -> Chart:
    """Draw the images on the map of their ResNet50 vectors, some as thumbnails.

    Args:
        placed: From `lib.features.map_images`.
        variance: Share of the variance along each axis (2,), 0-1.
        pictures: Row of `placed` -> pixels (H, W, 3).
    """
    places, splits = placed[["x", "y"]].to_numpy(), placed["split"]
    groups = _join(f"{n:,} {name}" for name, n in splits.value_counts().items())
    return make_chart(
        "The pictures as ResNet50 sees them",
        4.6,
        lambda ax: plot_map(places, variance, splits, pictures, ax),
        f"a plane of two principal components with {groups} pictures",
        f"{len(placed):,} pictures, {len(pictures)} of them drawn; those close together look alike "
        "to the network.",
    )


def chart_words(profiles: pd.DataFrame) -> Chart:
    """Draw the number of words on the images of each group."""
    words = profiles[profiles["measure"] == Measure.WORDS]
    table = words.rename(columns={"number": "words"}).assign(engine=words["group"])
    medians = words.groupby("group", sort=False)["number"].median()
    return make_chart(
        "Words on a picture",
        2.7,
        lambda ax: plot_word_counts(table, ax),
        _join(f"{name}: median {value:.0f}" for name, value in medians.items()),
        "Lines that run together are pictures as full of text.",
    )


def chart_sureness(profiles: pd.DataFrame) -> Chart:
    """Draw the probabilities of each group's answers."""
    groups = profiles.groupby("group", sort=False)
    return _chart_sure({name: pick(rows, Measure.CONFIDENCE) for name, rows in groups})


def _chart_sure(groups: dict[str, pd.Series]) -> Chart:
    return make_chart(
        "How sure the answers are",
        2.7,
        lambda ax: plot_probabilities(groups, ax),
        _join(f"{name}: median {values.median():.2f}" for name, values in groups.items()),
    )


def chart_names(profiles: pd.DataFrame, measure: Measure) -> Chart:
    """Draw the shares of the twelve most frequent units or entities in each group."""
    rows = profiles[profiles["measure"] == measure]
    shares = pd.crosstab(rows["name"], rows["group"], normalize="columns")
    shares = shares[list(rows["group"].unique())]
    shares = shares.loc[shares.max(axis=1).nlargest(12).index]
    said = (
        f"{print_name(name)} {' and '.join(map('{:.0%}'.format, row))}"
        for name, *row in shares.itertuples()
    )
    return make_chart(
        measure.capitalize(),
        ROW * len(shares) + 0.9,
        lambda ax: plot_shares(shares, ax),
        _join(said),
    )


def chart_drift(profiles: pd.DataFrame) -> list[Chart]:
    """Draw the distributions that can be compared without a truth."""
    return [
        chart_words(profiles),
        chart_sureness(profiles),
        *(chart_names(profiles, measure) for measure in (Measure.ENTITY, Measure.UNIT)),
    ]


def chart_learning(table: pd.DataFrame) -> Chart:
    """Draw the ranker's F1 against the number of training rows."""
    points = (f"{row.rows:,} rows {row.f1:.3f}" for row in table.itertuples())
    return make_chart(
        "Learning curve of the ranker",
        2.7,
        lambda ax: plot_learning_curve(table, ax),
        _join(points),
        f"Fitted on growing parts of the train rows, judged on {table['judged'].iloc[0]:,} others. "
        "A line that still climbs at its end asks for more rows.",
    )


def chart_ablation(table: pd.DataFrame) -> Chart:
    """Draw the ablation of the ranker's features; the full ranker comes first."""
    return make_chart(
        "What each part brings",
        0.5 * len(table) + 0.8,
        lambda ax: plot_ladder(table, table["method"].iloc[0], ax),
        say_scores(table, "method"),
        f"Rankers fitted alike, one part of what they see taken away, judged on "
        f"{table['samples'].iloc[0]:,} rows not seen in fitting.",
    )


def thin(curve: pd.DataFrame) -> pd.DataFrame:
    """Reduce a curve to at most `POINTS` points, the last one included."""
    return curve.iloc[np.linspace(0, len(curve) - 1, min(len(curve), POINTS)).astype(int)]


def take_sure(judged: pd.DataFrame) -> pd.DataFrame:
    """Select the answers that have a probability."""
    return judged[judged["prediction"] != ""].dropna(subset="probability")


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
