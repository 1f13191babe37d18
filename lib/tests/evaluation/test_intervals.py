"""Bounds of scores, and methods compared."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.intervals import (
    bootstrap_difference,
    bootstrap_interval,
    compare_all,
    compare_groups,
    forecast_gain,
    score_answerable,
    score_by,
    score_samples,
    summarise,
)
from lib.evaluation.outcomes import exact_match_f1, precision

NAMES = pd.Series(["right", "right", "wrong value", "missed", "rightly empty", "right"])
IMAGES = pd.Series(["a", "a", "b", "c", "c", "d"])


def _many(share, count=400, seed=0):
    random = np.random.default_rng(seed)
    return pd.Series(np.where(random.random(count) < share, "right", "wrong value"))


def test_interval_holds_value():
    """The bounds lie around the measured score, the same for the same seed."""
    interval = bootstrap_interval(NAMES, IMAGES, seed=3)
    assert interval.value == pytest.approx(0.75)
    assert interval.low <= interval.value <= interval.high
    assert interval == bootstrap_interval(NAMES, IMAGES, seed=3)


def test_interval_agrees_with_theory():
    """For one sample an image, precision's bounds are those of a binomial share."""
    names = _many(0.8)
    interval = bootstrap_interval(names, pd.Series(range(400)), precision, resamples=4000)
    half = 1.96 * np.sqrt(interval.value * (1 - interval.value) / 400)
    assert interval.high - interval.value == pytest.approx(half, rel=0.12)
    assert interval.value - interval.low == pytest.approx(half, rel=0.12)


def test_interval_is_by_image():
    """Samples that share images tell less, so the bounds are wider."""
    names = pd.Series(np.repeat(_many(0.8, 40).to_numpy(), 10))
    alone = bootstrap_interval(names, pd.Series(range(400)), precision)
    shared = bootstrap_interval(names, pd.Series(np.repeat(range(40), 10)), precision)
    assert shared.high - shared.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], (0, 0, 0)),  # no sample
        (["right"], (1, 1, 1)),  # one image is always drawn
        (["rightly empty"] * 3, (0, 0, 0)),  # nothing to be right about
        (["right"] * 5, (1, 1, 1)),
    ],
)
def test_interval_of_little(names, expected):
    """Tables with nothing to vary have bounds without width."""
    series = pd.Series(names, dtype=str)
    interval = bootstrap_interval(series, pd.Series(range(len(names))), exact_match_f1)
    assert (interval.value, interval.low, interval.high) == expected


def test_difference_of_better():
    """A better method on the same samples is found better, with the samples it gains and loses."""
    worse = _many(0.5)
    better = worse.where(_many(0.3, seed=1) == "wrong value", "right")
    images = pd.Series(range(400))
    assert bootstrap_difference(worse, better, images).low > 0
    table = compare_all(pd.DataFrame({"worse": worse, "better": better}), "better", images)
    assert table["gained"].tolist() == [(worse != better).sum()]
    assert table["lost"].tolist() == [0]


def test_difference_of_same():
    """A method does not differ from itself, however the images are resampled."""
    found = bootstrap_difference(NAMES, NAMES, IMAGES)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_paired_is_narrower():
    """Resampling the same images for both leaves less to chance than each alone."""
    first = _many(0.7)
    second = first.mask(first.index < 5, "right")
    found = bootstrap_difference(first, second, pd.Series(range(400)))
    alone = bootstrap_interval(first, pd.Series(range(400)))
    assert found.high - found.low < (alone.high - alone.low) / 2


def test_compare_all():
    """Each other method is a row; the method itself is not."""
    outcomes = pd.DataFrame({"a": NAMES, "b": NAMES, "c": ["missed"] * 6})
    table = compare_all(outcomes, "a", IMAGES)
    assert table["method"].tolist() == ["b", "c"]
    assert table["difference"].tolist() == pytest.approx([0, 0.75])
    assert table[["gained", "lost"]].to_numpy().tolist() == [[0, 0], [3, 0]]


def test_compare_groups():
    """Each group is compared on its own samples, all of them at the end."""
    outcomes = pd.DataFrame({"rules": ["missed", *NAMES[1:]], "learned": NAMES})
    groups = pd.Series(list("yyyxxx"), name="entity_name")
    table = compare_groups(outcomes, IMAGES, groups)
    assert table["entity_name"].tolist() == ["y", "x", "all"]
    assert table["samples"].tolist() == [3, 3, 6]
    assert table["rules"].tolist() == pytest.approx([0.5, 2 / 3, 4 / 7])
    assert table["difference"].tolist() == pytest.approx([0.3, 0, 0.75 - 4 / 7])
    every = bootstrap_difference(outcomes["rules"], outcomes["learned"], IMAGES)
    assert table["high"].iloc[-1] == every.high > table["difference"].iloc[-1]
    empty = compare_groups(outcomes[:0], IMAGES[:0], groups[:0])
    assert empty.empty and empty.columns.tolist() == table.columns.tolist()


def make_curve(f1, rows=(500, 1000, 2000, 4000), half=0.0):
    """Make a learning curve with intervals of one width."""
    return pd.DataFrame({"rows": rows, "f1": f1, "low": np.array(f1) - half, "high": f1 + half})


@pytest.mark.parametrize(
    ("f1", "gain"),
    [
        ([0.6, 0.7, 0.8, 0.9], 0.1),  # a tenth a doubling: 4,000 more rows are one more
        ([0.9, 0.9, 0.9, 0.9], 0.0),  # flat
        ([0.9, 0.8, 0.7, 0.6], -0.1),  # labels that harm are not called useful
    ],
)
def test_forecast_continues_the_trend(f1, gain):
    """Points on a line are continued exactly, without an interval where they have none."""
    found = forecast_gain(make_curve(np.array(f1)), 4000)
    assert (found.value, found.low, found.high) == pytest.approx((gain, gain, gain))


def test_forecast_holds_what_comes():
    """The interval holds the true gain of noisy curves in about 95 of 100 cases."""
    random, held = np.random.default_rng(0), 0
    for seed in range(100):
        f1 = np.array([0.6, 0.65, 0.7, 0.75]) + random.normal(0, 0.02, 4)
        gain = forecast_gain(make_curve(f1, half=1.96 * 0.02), 4000, seed)
        held += gain.low <= 0.05 <= gain.high
    assert 88 <= held <= 100


@pytest.mark.parametrize("rows", [(), (500,), (500, 1000), (500, 500, 1000)])
def test_forecast_needs_three_sizes(rows):
    """Two points always lie on a line, so they say nothing about its error."""
    assert np.isnan(forecast_gain(make_curve(np.full(len(rows), 0.9), rows), 500).value)


def test_score_by():
    """Groups are scored in order of appearance, and an empty table is a table without rows."""
    frame = pd.DataFrame({"outcome": NAMES, "image": IMAGES, "kind": list("yyyxxx")})
    table = score_by(frame, "kind")
    assert table["kind"].tolist() == ["y", "x"]
    assert table["f1"].tolist() == pytest.approx([0.8, 2 / 3])
    assert table[["tp", "fp", "fn", "tn"]].to_numpy().tolist() == [[2, 1, 0, 0], [1, 0, 1, 1]]
    assert list(score_by(frame[:0], "kind").columns) == list(table.columns)


def test_summarise():
    """The summary counts images and outcomes, and knows no score without samples."""
    found = summarise(NAMES, IMAGES)
    assert found["images"] == 4
    assert found["outcomes"]["right"] == 3
    assert found["intervals"]["f1"][0] <= found["f1"] <= found["intervals"]["f1"][1]
    assert summarise(NAMES[:0], IMAGES[:0])["f1"] is None


def test_score_answerable():
    """Ranges, lists and units that the question does not allow are left out, empty truths not."""
    truths = ["1.0 volt", "100 to 240 volt", "[1.0, 2.0] volt", "1.0 inch", "", "2.0 volt"]
    frame = pd.DataFrame({"entity_value": truths, "outcome": NAMES, "image": IMAGES})
    found = score_answerable(frame.assign(entity_name="voltage"))
    assert (found["unmet"], found["samples"]) == (3, 3)
    rest = score_samples(NAMES[[0, 4, 5]], IMAGES[[0, 4, 5]])
    assert found == {"unmet": 3, **rest}
    assert score_answerable(frame[1:2].assign(entity_name="voltage"))["f1"] is None
