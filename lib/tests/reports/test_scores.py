"""Figures: each is drawn, with units on its axes, with little or nothing to show too."""

import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from lib.evaluation.calibration import coverage_by, reliability_table
from lib.evaluation.outcomes import LOSSES, OUTCOMES, confuse_units, count_losses
from lib.reports.plots.images import GalleryImage, plot_gallery, plot_map
from lib.reports.plots.scores import (
    plot_coverage,
    plot_groups,
    plot_ladder,
    plot_learning_curve,
    plot_losses,
    plot_outcomes,
    plot_probabilities,
    plot_reliability,
    plot_shares,
    plot_trend,
    plot_unit_confusion,
)
from lib.reports.plots.style import COLOURS
from lib.tests.breaking import break_at

matplotlib.use("Agg")

SCORES = pd.DataFrame(
    {
        "method": ["first match", "rules"],
        "entity_name": ["width", "item_weight"],
        "f1": [0.2, 0.8],
        "low": [0.1, 0.7],
        "high": [0.3, 0.9],
        "samples": [10, 2000],
    }
)
TREND = SCORES.assign(started=["2026-01-01T02:00:00+00:00", "2026-01-03T02:00:00+00:00"])
CURVE = pd.DataFrame({"rows": [100, 200], "f1": [0.7, 0.8], "low": [0.6, 0.7], "high": [0.8, 0.9]})
CONFIDENCE = pd.Series([0.9, 0.8, 0.3])
RIGHT = pd.Series([True, True, False])
IMAGES = pd.Series(["a", "b", "b"])
ANSWERS = pd.DataFrame(
    {"probability": CONFIDENCE, "outcome": ["right", "right", "missed"], "image": IMAGES}
)
UNITS = confuse_units(pd.Series(["1 inch", "1 foot"]), pd.Series(["1 inch", "1 inch"]))
OUTCOME_TABLE = pd.DataFrame([range(6)], index=["train"], columns=OUTCOMES)
LOSS_COUNTS = count_losses(pd.Series(["right", "missed", "right"]))


@pytest.fixture(autouse=True)
def _drawn_without_warnings():
    """Draw whatever the test made, take warnings as errors, and close it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
    plt.close("all")


FIGURES = {
    "ladder": lambda n: plot_ladder(SCORES[:n], "rules"),
    "groups": lambda n: plot_groups(SCORES[:n], "entity_name"),
    "losses": lambda n: plot_losses(LOSS_COUNTS if n else LOSS_COUNTS * 0),
    "outcomes": lambda n: plot_outcomes(OUTCOME_TABLE[:n]),
    "coverage": lambda n: plot_coverage(
        coverage_by(ANSWERS[:n].assign(method="rules"), "method", 5)
    ),
    "reliability": lambda n: plot_reliability(reliability_table(CONFIDENCE[:n], RIGHT[:n])),
    "probabilities": lambda n: plot_probabilities(
        {"train": CONFIDENCE[:n], "test": CONFIDENCE[:0]}
    ),
    "shares": lambda n: plot_shares(pd.DataFrame({"train": [0.5, 0.5]}, ["volt", "watt"])[:n]),
    "learning curve": lambda n: plot_learning_curve(CURVE[:n]),
    "trend": lambda n: plot_trend(TREND[:n]),
    "units": lambda n: plot_unit_confusion(UNITS.iloc[:n, :n]),
    "map": lambda n: plot_map(
        np.eye(2)[:n], np.array([0.5, 0.2]), pd.Series(["train", "test"][:n], dtype=str)
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled(name):
    """Each figure names what its axes measure."""
    ax = FIGURES[name](3)
    assert ax.get_xlabel()
    assert ax.get_ylabel() or [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("count", [0, 1])
def test_little_to_show(name, count):
    """A run without truth or with one row gets its figures too."""
    assert FIGURES[name](count) is not None


def test_ladder_points_out_the_answer():
    """The method that answers is bold, and every score is printed."""
    ax = plot_ladder(SCORES, "rules")
    assert [text.get_text() for text in ax.texts] == ["0.200", "0.800"]
    weights = [label.get_fontweight() for label in ax.get_yticklabels()]
    assert weights == ["normal", "bold"]


def test_waterfall_ends_at_zero():
    """The bars below the first add up to it: the last one ends where the axis begins."""
    bars = plot_losses(LOSS_COUNTS).patches
    assert len(bars) == 1 + len(LOSSES)
    assert bars[0].get_width() == sum(bar.get_width() for bar in bars[1:]) == 3
    assert bars[-1].get_x() == 0


def test_coverage_of_two_methods():
    """Each curve runs to the share of questions that its method answered, as its label says."""
    both = [ANSWERS.assign(method="rules"), ANSWERS[:2].assign(method="learned")]
    ax = plot_coverage(coverage_by(pd.concat(both), "method", 5))
    assert [line.get_xdata()[-1] for line in ax.lines[::2]] == pytest.approx([0.6, 0.4])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["rules: 0.67 at 60%", "learned: 1.00 at 40%"]
    assert len(ax.collections) == 2  # the bands


def test_reliability_has_intervals_and_counts():
    """Each bin shows its share, its interval and its number of answers."""
    ax = plot_reliability(reliability_table(CONFIDENCE, RIGHT))
    assert ax.lines[1].get_ydata().tolist() == [0, 1, 1]
    bounds = [segment[:, 1] for segment in ax.collections[0].get_segments()]
    assert all(low < high for low, high in bounds)
    assert [text.get_text() for text in ax.texts] == ["1", "1", "1"]


@pytest.mark.parametrize(
    ("second", "labels"),
    [
        ("2026-01-03T02:00:00+00:00", ["2026-01-01", "2026-01-03"]),
        ("2026-01-01T04:30:00+00:00", ["02:00", "04:30"]),  # of one day
    ],
)
def test_trend_has_scores_intervals_and_dates(second, labels):
    """Runs stand in the order of the table, each with its interval, the axis says when."""
    ax = plot_trend(TREND.assign(started=[TREND["started"][0], second]))
    assert ax.lines[0].get_ydata().tolist() == [0.2, 0.8]
    bounds = [segment[:, 1].tolist() for segment in ax.collections[0].get_segments()]
    assert bounds == [[0.1, 0.3], [0.7, 0.9]]
    assert [label.get_text() for label in ax.get_xticklabels()] == labels


def test_units_leave_empty_cells_clear():
    """Only what was counted is painted, so that a page's own paper shows."""
    ax = plot_unit_confusion(UNITS)
    assert len(ax.patches) == len(ax.texts) == 2


def test_every_outcome_has_its_colour():
    """No two outcomes or losses share a colour."""
    names = {*OUTCOMES, *LOSSES}
    assert set(COLOURS) == names
    assert len(set(COLOURS.values())) == len(names)


def test_gallery():
    """Images of any shape, titles with dollar signs and Chinese, boxes and blanks are drawn."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    quad = ((1, 1), (9, 2), (9, 8), (1, 7))
    images = [GalleryImage(pixels, "costs $5 or $6\n宽 12", quad)] * 4
    axes = plot_gallery(images, columns=3)
    assert len(axes) == 6
    assert axes[0].get_title(loc="left").endswith("□ 12")
    assert len(axes[0].patches) == 2
    assert not axes[4].axison


def test_empty_gallery():
    """No images are a figure that says so."""
    axes = plot_gallery([])
    assert axes[0].texts[0].get_text() == "None."


def test_map_with_images():
    """Images stand on the map at their places."""
    pixels = {1: np.zeros((5, 8, 3), np.uint8)}
    groups = pd.Series(["train", "test"])
    ax = plot_map(np.eye(2), np.array([0.5, 0.2]), groups, pixels)
    assert len(ax.artists) == 1


def test_image_that_cannot_be_drawn_says_why(monkeypatch, caplog):
    """An error that nobody foresaw leaves one place blank; the others are drawn."""
    break_at(monkeypatch, "lib.reports.plots.images.plot_image", "second")
    images = [GalleryImage(np.zeros((4, 4, 3), np.uint8), title) for title in ("first", "second")]
    first, second, _ = plot_gallery(images)
    assert first.get_title(loc="left") == "first" and first.images
    assert "KeyError" in second.texts[0].get_text()
    assert "second: internal error" in caplog.messages[0]
