"""Work in processes: errors, crashes and hangs cost their item only."""

import pytest

from lib.tests.stand_in import halve
from lib.workers import run_each

LIMIT = 2.0


def run(numbers: list[int], workers: int) -> dict:
    """Work through numbers, each under its own name."""
    return dict(run_each(halve, {str(n): (n,) for n in numbers}, workers, LIMIT))


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_deaths_and_hangs_cost_their_item_only(workers):
    """All other items have their values; those three have a reason."""
    numbers = [2, 4, 666, 6, 777, 8, 9, 10]
    outcomes = run(numbers, workers)
    assert {name: outcome.value for name, outcome in outcomes.items() if not outcome.reason} == {
        "2": 1, "4": 2, "6": 3, "8": 4, "10": 5,
    }  # fmt: skip
    assert outcomes["9"].reason == "ValueError: 9 is odd"
    assert outcomes["666"].reason == "the process working on it died"
    assert outcomes["777"].reason == "took longer than 2 s and was stopped"
    assert outcomes["777"].seconds >= LIMIT


def test_nothing_to_do_starts_no_process():
    """No items, no outcomes, at once."""
    assert run([], 2) == {}
