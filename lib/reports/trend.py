"""Lay out the figure of F1 over many runs; a template draws it as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib.reports.past_runs import PastRun, print_f1

WIDTH, HEIGHT = 480, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 468, 12, 190  # edges of the plotting area
STEPS: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
MOST: int = 60  # runs in a figure; more marks would overlap


@dataclass(frozen=True)
class Mark:
    """One run in the figure; coordinates in its pixels, from the top left."""

    x: float
    y: float
    low: float
    high: float
    label: str


@dataclass(frozen=True)
class Trend:
    """The layout of one figure.

    Attributes:
        marks: One for each run, the oldest first.
        ticks: Height and label of each grid line.
        dates: Start of the first and of the last run.
        alt: Alt text of the figure.
    """

    marks: list[Mark]
    ticks: list[tuple[float, str]]
    dates: tuple[str, str]
    alt: str


def plan_trend(runs: Sequence[PastRun]) -> Trend:
    """Lay out the F1 of runs with its intervals, evenly spaced.

    Args:
        runs: At least one scored run, newest first; the newest `MOST` are shown.
    """
    shown = list(reversed(runs[:MOST]))
    scores = [run.headline for run in shown]
    ticks = choose_ticks(min(s["low"] for s in scores), max(s["high"] for s in scores))

    def place(score: float) -> float:
        return round(BOTTOM - (score - ticks[0]) / (ticks[-1] - ticks[0]) * (BOTTOM - TOP), 1)

    gap = (RIGHT - LEFT) / len(shown)
    marks = [
        Mark(
            x=round(LEFT + gap * (number + 0.5), 1),
            y=place(run.headline["f1"]),
            low=place(run.headline["low"]),
            high=place(run.headline["high"]),
            label=f"{run.name}: F1 {print_f1(run.headline)}",
        )
        for number, run in enumerate(shown)
    ]
    lines = [(place(tick), f"{tick:.2f}") for tick in ticks]
    return Trend(marks, lines, _name_ends(shown), _describe(shown))


def choose_ticks(low: float, high: float) -> list[float]:
    """Choose at least two round numbers that enclose a range.

    >>> choose_ticks(0.912, 0.979)
    [0.9, 0.92, 0.94, 0.96, 0.98]
    >>> choose_ticks(0.5, 0.5)
    [0.5, 0.51]
    """
    step = next((step for step in STEPS if high - low <= 4 * step), STEPS[-1])
    first = math.floor(round(low / step, 6))
    last = max(first + 1, math.ceil(round(high / step, 6)))
    return [round(number * step, 3) for number in range(first, last + 1)]


def _name_ends(runs: Sequence[PastRun]) -> tuple[str, str]:
    """Label the axis with the first and last day, or with times if both are one day."""
    first, last = runs[0].started, runs[-1].started
    part = slice(11, 16) if first[:10] == last[:10] else slice(10)
    return first[part], last[part]


def _describe(runs: Sequence[PastRun]) -> str:
    first, last = runs[0], runs[-1]
    scores = [run.headline["f1"] for run in runs]
    return (
        f"F1 of {len(runs)} runs from {first.started[:10]} to {last.started[:10]}: first "
        f"{print_f1(first.headline)}, last {print_f1(last.headline)}, lowest {min(scores):.3f}, "
        f"highest {max(scores):.3f}."
    )
