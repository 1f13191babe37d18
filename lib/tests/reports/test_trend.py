"""The figure of scores over time: places of marks, round numbers, words."""

import pytest

from lib.reports.past_runs import list_runs
from lib.reports.trend import BOTTOM, LEFT, MOST, TOP, choose_ticks, plan_trend
from lib.reports.trend import RIGHT as RIGHT_EDGE
from lib.tests.past_runs import RIGHT, WORSE, write_run


@pytest.fixture
def runs(tmp_path):
    """A good run and a worse one after it."""
    write_run(tmp_path / "good", RIGHT, started="2026-01-01T02:00:00+00:00")
    write_run(tmp_path / "worse", WORSE, started="2026-01-03T02:00:00+00:00")
    return list_runs(tmp_path)[0]


def test_marks_lie_where_the_scores_are(runs):
    """Time goes right, a better score lies higher, the interval around it, all in the figure."""
    good, worse = plan_trend(runs).marks
    assert LEFT < good.x < worse.x < RIGHT_EDGE
    assert TOP <= good.y < worse.y <= BOTTOM
    assert TOP <= worse.high <= worse.y <= worse.low <= BOTTOM
    assert worse.label == "worse: F1 0.923 (0.788 to 1.000)"


def test_lines_carry_their_numbers(runs):
    """A score that equals a line's number lies on the line."""
    trend = plan_trend(runs)
    lines = {name: y for y, name in trend.ticks}
    assert trend.marks[0].y == lines["1.00"]


def test_figure_has_words(runs):
    """The alternative text has the first and the last score, the axis the days."""
    trend = plan_trend(runs)
    assert trend.dates == ("2026-01-01", "2026-01-03")
    assert "first 1.000 (1.000 to 1.000), last 0.923 (0.788 to 1.000)" in trend.alt


def test_runs_of_one_day_have_times(runs, tmp_path):
    """Where all runs are of one day the axis shows the time."""
    write_run(tmp_path / "good", started="2026-01-03T01:30:00+00:00")
    assert plan_trend(list_runs(tmp_path)[0]).dates == ("01:30", "02:00")


def test_newest_runs_are_shown(runs):
    """More runs than fit are cut at the old end."""
    trend = plan_trend([runs[0]] + [runs[1]] * MOST)
    assert len(trend.marks) == MOST
    assert trend.marks[-1].label.startswith("worse")


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.9, 0.9), (1, 1), (0.912, 0.979), (0, 0), (0.2999, 0.9), (0.5, 0.6)]
)
def test_ticks_enclose_the_range(low, high):
    """From two to six round numbers enclose each range."""
    ticks = choose_ticks(low, high)
    assert ticks[0] <= low <= high <= ticks[-1]
    assert 2 <= len(ticks) <= 6
    assert ticks == sorted(set(ticks))
