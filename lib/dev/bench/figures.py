"""Hold measured figures with their targets; show them as a table, store them as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        part: Part of the benchmark, such as `"ocr"`.
        name: Name of the measurement.
        rounds: Its value in each round.
        unit: Of the values, `""` for ratios and shares.
        target: The project's target, `"<= 0.33"` or `">= 2"`; `""` if there is none.
    """

    part: str
    name: str
    rounds: tuple[float, ...]
    unit: str = ""
    target: str = ""

    @property
    def value(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def is_met(self) -> bool | None:
        """Return whether the target is met, `None` if there is none.

        >>> Figure("ocr", "ratio", (0.3, 0.31, 0.5), target="<= 0.33").is_met
        True
        """
        if not self.target:
            return None
        relation, limit = self.target.split()
        return self.value <= float(limit) if relation == "<=" else self.value >= float(limit)


def divide_rounds(over: Sequence[float], under: Sequence[float]) -> tuple[float, ...]:
    """Divide round by round, so that a slow phase of the machine affects both sides.

    >>> divide_rounds([1.0, 3.0], [2.0, 4.0])
    (0.5, 0.75)
    """
    return tuple(a / b for a, b in zip(over, under, strict=True))


def tabulate_figures(figures: Sequence[Figure]) -> pd.DataFrame:
    """Return figures as a table: part, what, median, lowest, highest, unit, target, met."""
    rows = [
        (
            *(figure.part, figure.name),
            *(f"{value:.4g}" for value in (figure.value, min(figure.rounds), max(figure.rounds))),
            *(figure.unit, figure.target),
            {True: "yes", False: "NO", None: ""}[figure.is_met],
        )
        for figure in figures
    ]
    columns = ["part", "measured", "median", "low", "high", "unit", "target", "met"]
    return pd.DataFrame(rows, columns=columns)


def to_records(figures: Sequence[Figure]) -> list[dict[str, object]]:
    """Turn figures into plain values for JSON."""
    return [asdict(f) | {"value": f.value, "is_met": f.is_met} for f in figures]
