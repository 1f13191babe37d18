"""The page's figures: each says in words what it shows, and is drawn of one row too."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.calibration import coverage_by
from lib.evaluation.drift import Measure, profile
from lib.evaluation.intervals import Interval
from lib.evaluation.outcomes import LOSSES
from lib.reports.charts import (
    chart_ablation,
    chart_coverage,
    chart_entities,
    chart_ladder,
    chart_learning,
    chart_losses,
    chart_map,
    chart_names,
    chart_probabilities,
    chart_reliability,
    chart_units,
    chart_words,
    take_answers,
)

LADDER = pd.DataFrame(
    {
        "method": ["first match", "rules"],
        "f1": [0.2, 0.95],
        "low": [0.1, 0.9],
        "high": [0.3, 0.99],
        "samples": [138, 138],
    }
)
JUDGED = pd.DataFrame(
    {
        "sample_id": range(4),
        "sha256": ["a", "b", "c", "d"],
        "image": ["a", "b", "c", "d"],
        "split": ["test", "test", "test", "train"],
        "method": "rules (rapidocr)",
        "engine": "rapidocr",
        "entity_name": ["width", "width", "voltage", "width"],
        "prediction": ["1.0 inch", "2.0 inch", "", "3.0 centimetre"],
        "entity_value": ["1.0 inch", "2.0 centimetre", "9.0 volt", "3.0 centimetre"],
        "probability": [0.9, 0.8, 0.1, np.nan],
        "outcome": ["right", "wrong unit", "missed", "right"],
    }
)
PAGES = pd.DataFrame(
    {"sha256": list("abcd"), "engine": "rapidocr", "words": [3, 9, 0, 4], "status": "ok"}
)
PLACED = pd.DataFrame({"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 0.0], "split": ["test"] * 3})
CURVE = pd.DataFrame({"rows": [100, 200], "judged": 50, "f1": [0.8, 0.9], "low": 0.7, "high": 0.95})
COVERAGE = coverage_by(JUDGED[:2], "method", 3)
PROFILES = pd.concat(
    [profile(JUDGED[:3], PAGES, "test"), profile(JUDGED[3:], PAGES, "train")], ignore_index=True
)

# Figure -> how it is made, and words of what it must say.
CASES = {
    "ladder": (lambda: chart_ladder(LADDER, "rules"), "rules 0.950 (0.900 to 0.990)"),
    "entities": (
        lambda: chart_entities(LADDER.rename(columns={"method": "entity_name"})),
        "first match 0.200",
    ),
    "losses": (lambda: chart_losses(pd.Series(dict.fromkeys(LOSSES, 2))), "16 samples; 2 not"),
    "coverage": (lambda: chart_coverage(COVERAGE), "67% of the questions answered, 50.0%"),
    "reliability": (
        lambda: chart_reliability(JUDGED[:3], Interval(0.45, 0.1, 0.8)),
        "given 0.80, right 0.00 of 1; given 0.90, right 1.00 of 1",
    ),
    "probabilities": (
        lambda: chart_probabilities(JUDGED["probability"], JUDGED["split"]),
        "test: median 0.80",
    ),
    "units": (lambda: chart_units(JUDGED), "2 of 3 answers; inch for centimetre 1 times"),
    "map": (lambda: chart_map(PLACED, [0.9, 0.1], {}), "3 test images"),
    "words": (lambda: chart_words(PROFILES), "test: median 3; train: median 4"),
    "names": (lambda: chart_names(PROFILES, Measure.UNIT), "inch 100% and 0%"),
    "learning": (lambda: chart_learning(CURVE, "this model"), "100 rows 0.800; 200 rows 0.900"),
    "ablation": (lambda: chart_ablation(LADDER, "this model"), "rules 0.950"),
}


@pytest.mark.parametrize("name", CASES)
def test_figures_say_what_they_show(name):
    """The numbers drawn are in the words too, and the title opens what the figure is called."""
    make, words = CASES[name]
    chart = make()
    assert words in chart.said
    assert f'aria-label="{chart.title}: ' in chart.svg


def test_charts_say_how_to_read_them():
    """Calibration and coverage are summed up in a sentence with numbers; the model is named."""
    error = Interval(0.45, 0.1, 0.8)
    assert "calibration error is 0.450 (0.100 to 0.800)" in chart_reliability(JUDGED, error).note
    assert "of all 50.0 %" in chart_coverage(COVERAGE).note
    learning = chart_learning(CURVE, "this model")
    assert learning.title.endswith("of this model") and "50 other rows" in learning.note
    assert "138 held-out rows" in chart_ablation(LADDER, "this model").note


@pytest.mark.parametrize(
    "rows",
    [
        0,  # nothing was judged
        1,  # one answer
    ],
)
def test_little_to_show(rows):
    """Figures of few rows are drawn, and say so."""
    few = JUDGED[:rows]
    for chart in (
        chart_coverage(coverage_by(take_answers(few), "method")),
        chart_reliability(few, Interval(np.nan, np.nan, np.nan)),
        chart_units(few),
        chart_probabilities(few["probability"], few["split"]),
    ):
        assert "<svg" in chart.svg


def test_long_runs_have_small_figures():
    """The curve of 50,000 different probabilities is as small as the eye allows, and ends right."""
    count = 50_000
    many = pd.DataFrame(
        {
            "entity_name": "width",
            "image": np.arange(count),
            "method": "rules",
            "prediction": "1.0 inch",
            "probability": np.linspace(0, 1, count),
            "outcome": np.where(np.arange(count) % 4, "right", "wrong value"),
        }
    )
    chart = chart_coverage(coverage_by(many, "method"))
    assert len(chart.svg) < 100_000
    assert "0.75 at 100%" in chart.svg
