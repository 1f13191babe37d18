"""The figure of a score over many runs: where its marks lie; a template draws them as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib.reports.past_runs import PastRun, print_f1

WIDTH, HEIGHT = 480, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 468, 12, 190  # of the plotting area
STEPS: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
MOST: int = 60  # runs in a figure; more would touch each other


@dataclass(frozen=True)
class Mark:
    """One run in the figure; places in its own pixels, from the top left."""

    x: float
    y: float
    low: float
    high: float
    label: str


@dataclass(frozen=True)
class Trend:
    """A figure.

    Attributes:
        marks: The oldest run first.
        ticks: Height of each line and its number.
        dates: When the first and the last run began.
        alt: The figure in words.
    """

    marks: list[Mark]
    ticks: list[tuple[float, str]]
    dates: tuple[str, str]
    alt: str


def plan_trend(runs: Sequence[PastRun]) -> Trend:
    """Place the F1 of runs and its interval, each run as far from the next.

    Args:
        runs: Scored, newest first, at least one; the newest `MOST` are taken.
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
    """Choose round numbers around a range, at least two.

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
    """Name the first and the last day, or the times where it is one day."""
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
