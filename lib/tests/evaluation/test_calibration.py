"""Confidences: how well they rank the answers, and how well they are calibrated."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.calibration import (
    coverage_by,
    coverage_curve,
    expected_calibration_error,
    precision_of_surest,
    reliability_table,
    roc_area,
)

CONFIDENCE = pd.Series([0.9, 0.8, 0.8, 0.3])
RIGHT = pd.Series([True, True, False, False])
IMAGES = pd.Series(["a", "a", "b", "c"])


def _calibrated(count=2000, seed=0):
    """Draw answers that are right as often as their confidence says, four to an image."""
    random = np.random.default_rng(seed)
    confidence = pd.Series(random.random(count))
    return confidence, pd.Series(random.random(count) < confidence), pd.Series(range(count)) // 4


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        ([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0], 0),  # right as often as said
        ([0.6, 0.6], [1, 1], 0.4),  # underconfident
        ([1.0, 1.0], [0, 0], 1),  # sure and wrong; 1 is in the last bin
        ([0.0, 0.0], [0, 0], 0),  # 0 is in the first bin
        ([0.05, 0.25], [1, 0], (0.95 + 0.25) / 2),  # gaps of two bins do not cancel out
        ([0.1, 0.05], [1, 0], 0.425),  # a bin's upper end belongs to it: these cancel out
    ],
)
def test_calibration_error(confidence, right, expected):
    """The error is the mean gap over the bins, each weighted by its answers."""
    answers = pd.Series(confidence), pd.Series(right, dtype=bool), pd.Series(range(len(right)))
    assert expected_calibration_error(*answers).value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        ([0.9, 0.8, 0.2], [1, 1, 0], 1),  # in order
        ([0.9, 0.8, 0.2], [0, 1, 1], 0),  # reversed
        ([0.9, 0.8, 0.2], [1, 0, 1], 0.5),  # one pair of two
        ([0.5, 0.5, 0.5], [1, 0, 1], 0.5),  # ties count half
        ([0.9, 0.8], [1, 1], np.nan),  # nothing to tell apart
    ],
)
def test_roc_area(confidence, right, expected):
    """The area is the share of pairs, a right and a wrong answer, that are in order."""
    answers = pd.Series(confidence), pd.Series(right, dtype=bool), pd.Series(range(len(right)))
    assert roc_area(*answers).value == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.25, 1),  # the surest alone
        (0.5, 0.75),  # and half of a right and a wrong one of the same confidence
        (0.75, 2 / 3),
        (1, 0.5),
    ],
)
def test_precision_of_surest(share, expected):
    """The surest answers come first, and ties are taken in proportion."""
    found = precision_of_surest(share, CONFIDENCE, RIGHT, IMAGES)
    assert found.value == pytest.approx(expected)


METRICS = {
    "calibration error": expected_calibration_error,
    "area": roc_area,
    "surest": lambda *answers: precision_of_surest(0.8, *answers),
}


@pytest.mark.parametrize("name", METRICS)
def test_intervals(name):
    """The same seed gives the same bounds, and fewer images wider ones."""
    answers = _calibrated()
    many = METRICS[name](*answers, 7)
    few = METRICS[name](*(part[:200] for part in answers))
    assert many == METRICS[name](*answers, 7)
    assert many.low < many.high < many.low + (few.high - few.low) / 2


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("area", 5 / 6),  # of confidences spread evenly over 0-1
        ("surest", 0.6),  # the mean confidence of the surest 80 %
    ],
)
def test_intervals_hold_the_truth(name, truth):
    """The interval holds the true value about as often as it says."""
    found = [METRICS[name](*_calibrated(400, seed)) for seed in range(30)]
    assert 26 <= sum(one.low <= truth <= one.high for one in found) <= 30


def test_intervals_are_by_image():
    """Answers that repeat others of their image tell nothing new."""
    answers = [part[:200] for part in _calibrated()]
    alone = roc_area(answers[0], answers[1], pd.Series(range(200)))
    answers = [pd.Series(np.repeat(part.to_numpy(), 10)) for part in answers[:2]]
    shared = roc_area(*answers, pd.Series(np.repeat(range(200), 10)))
    assert shared.high - shared.low == pytest.approx(alone.high - alone.low, rel=0.1)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("rows", [0, 1])
def test_metrics_of_little(name, rows):
    """Without answers nothing is known; one answer has a value, if any, but no spread."""
    found = METRICS[name](CONFIDENCE[:rows], RIGHT[:rows], IMAGES[:rows])
    assert np.isnan(found.value) == (rows == 0 or name == "area")
    assert not found.low < found.high


def test_coverage_curve():
    """The most confident answers come first, up to the share of questions answered."""
    curve = coverage_curve(CONFIDENCE, RIGHT, IMAGES, questions=8)
    assert curve["coverage"].tolist() == [0.125, 0.25, 0.375, 0.5]
    assert curve["precision"].tolist() == pytest.approx([1, 0.75, 2 / 3, 0.5])
    assert (curve["low"] <= curve["precision"]).all() and (curve["high"] <= 1).all()
    assert coverage_curve(CONFIDENCE[:0], RIGHT[:0], IMAGES[:0]).empty
    assert len(coverage_curve(*_calibrated())) == 100


def test_coverage_of_each_group():
    """Each group has the curve of its own answers, over the same questions; none has none."""
    columns = {"probability": CONFIDENCE, "outcome": RIGHT.map({True: "right", False: "missed"})}
    answers = pd.DataFrame({**columns, "image": IMAGES, "method": ["b", "b", "a", "a"]})
    curves = coverage_by(answers, "method", 8)
    assert curves["method"].tolist() == ["b", "b", "a", "a"]
    assert curves["coverage"].tolist() == [0.125, 0.25, 0.125, 0.25]
    assert curves["precision"].tolist() == [1, 1, 0, 0]
    own = coverage_curve(CONFIDENCE[2:], RIGHT[2:], IMAGES[2:], 8)
    assert curves[2:]["high"].tolist() == own["high"].tolist()
    assert coverage_by(answers[:0], "method").columns.tolist() == curves.columns.tolist()


def test_reliability_table():
    """Answers are averaged in bins of equal width, each with the interval of its share."""
    table = reliability_table(pd.Series([0.15, 1.0, 0.95]), pd.Series([False, True, False]))
    assert table["bin"].tolist() == [0.2, 1.0]
    assert table["answers"].tolist() == [1, 2]
    assert table["right"].tolist() == [0.0, 0.5]
    assert table["confidence"].tolist() == pytest.approx([0.15, 0.975])
    assert table["low"].tolist() == pytest.approx([0, 0.0945], abs=1e-4)  # by Wilson (1927)
    assert table["high"].tolist() == pytest.approx([0.7935, 0.9055], abs=1e-4)
    assert reliability_table(CONFIDENCE[:0], RIGHT[:0]).empty
