"""The sentences beside figures: right numbers, and plain words where there are none."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.calibration import coverage_by
from lib.evaluation.intervals import Interval, compare_groups
from lib.reports.captions import (
    describe_ablation,
    describe_calibration,
    describe_coverage,
    describe_gains,
    describe_learning,
)

ANSWERS = pd.DataFrame(
    {
        "method": ["rules"] * 4 + ["learned"] * 4,
        "probability": [0.9, 0.8, 0.7, 0.6] * 2,
        "outcome": ["right", "right", "wrong value", "right", *["right"] * 4],
        "image": list("abcdabcd"),
    }
)
CURVE = pd.DataFrame({"rows": [100, 200, 400], "f1": 0.9, "low": 0.8, "high": 0.95})
NONE = Interval(np.nan, np.nan, np.nan)


def test_coverage_of_each_method():
    """The surer half and all answers of each method are in the sentence."""
    said = describe_coverage(coverage_by(ANSWERS, "method"))
    assert "are right by rules, of all 75.0 % (25.0 to 100.0)" in said
    assert said.endswith("are right by learned, of all 100.0 % (100.0 to 100.0).")


def test_gains_name_what_is_significant():
    """An entity counts whose interval excludes 0, in either direction."""
    rows = pd.DataFrame({"rules": ["missed", "right"] * 30, "learned": ["right"] * 60})
    entities = pd.Series(["item_weight"] * 30 + ["width"] * 30, name="entity_name")
    images = pd.Series(range(60))
    assert "difference of item weight, width is" in describe_gains(
        compare_groups(rows, images, entities)
    )
    same = rows.assign(rules="right")
    said = describe_gains(compare_groups(same, images, entities))
    assert said.startswith("Fitting changes F1 by +0.000 (+0.000 to +0.000) in all; no entity")


def test_flat_curve_promises_nothing():
    """Where labels have not helped so far, the sentence says that more may not either."""
    assert "which may be nothing" in describe_learning(CURVE)
    rising = CURVE.assign(f1=[0.5, 0.6, 0.7], low=[0.49, 0.59, 0.69], high=[0.51, 0.61, 0.71])
    assert "nothing" not in describe_learning(rising)


@pytest.mark.parametrize(
    "said",
    [
        describe_coverage(coverage_by(ANSWERS[:0], "method")),  # nothing was answered
        describe_calibration(NONE, np.nan, np.nan),  # no answer has a truth
        describe_gains(pd.DataFrame()),  # the run has no truth
        describe_learning(CURVE[:1]),  # a curve of one point
        describe_ablation(pd.DataFrame({"method": ["learned"], "f1": [0.9]})),  # no family
    ],
)
def test_nothing_to_say(said):
    """Without data there is a sentence without numbers."""
    assert "nan" not in said
    assert said.startswith(("No ", "The curve has too few"))
