"""The simulation of a user who labels rows."""

from dataclasses import replace

import numpy as np
import pytest

from lib.dev import simulate_labels as module
from lib.dev.simulate_labels import choose_ways, compare_shops, compare_ways, split_halves
from lib.extraction.learned import SOURCES, fit_model, join_rows
from lib.quantities import ENTITIES
from lib.tests.labelled_run import make_shipped


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Few trees and few labels."""
    monkeypatch.setattr("lib.extraction.learned.training.TREES", 4)
    monkeypatch.setattr(module, "LABELS", 10)


@pytest.fixture(scope="module")
def rows():
    """Rows of two sets."""
    asked = make_shipped(40, start=2000)
    source = np.full(40, list(SOURCES).index("statements"), np.int8)
    return join_rows(make_shipped(), replace(asked, source=source))


def test_halves_share_no_group(rows):
    """Both ways together, each row is judged once and labelled once."""
    (first, second), other = split_halves(rows.group, 3)
    assert sorted([*first, *second]) == list(range(len(rows)))
    assert not set(rows.group[first]) & set(rows.group[second])
    assert [part.tolist() for part in other] == [second.tolist(), first.tolist()]


def test_each_way_chooses_other_rows_with_a_use(rows):
    """All but the last choose so many rows, each once, and the unsure ones are less sure."""
    model = fit_model(make_shipped(start=3000))
    answers = module.ask_model(rows, model)
    known = module.take_best(rows, answers)[:30]
    ways = choose_ways(rows, answers, known, 0)
    assert all(len(set(chosen)) == len(chosen) for chosen in ways.values())
    assert {len(chosen) for chosen in ways.values()} == {10, len(rows)}
    unsure = answers.right * (1 - answers.right)
    assert unsure[ways["unsure"]].min() >= np.sort(unsure)[-10:].min()
    assert len(set(rows.group[ways["unsure, one a group"]])) == 10


def test_planted_habit_swaps_labels(rows):
    """Of a drawing with both lengths, each question gets the other's label; others keep theirs."""
    asked = rows.select(np.arange(1, 4))  # two candidates each
    width, depth = ENTITIES.index("width"), ENTITIES.index("depth")
    image = np.array([7, 7, 8], np.uint64)
    drawn = replace(
        asked,
        image=image,
        entity=np.array([width, depth, width], np.int8),
        right=np.array([True, False, False, True, False, True]),
        stated=np.array([True, False, True]),
    )
    swapped = module.swap_lengths(drawn)
    assert swapped.right.tolist() == [False, True, True, False, False, True]
    assert swapped.stated.tolist() == [False, True, True]


def test_ways_and_shops_are_tabulated(rows, monkeypatch):
    """Each way has its score, and its difference with an interval."""
    table = compare_ways(rows, 1).set_index("labelled")
    assert list(table.index[:2]) == ["no labels", "at random"]
    assert table["f1"].between(0, 1).all()
    others = table.drop(index="at random")
    assert (others["low"] <= others["difference"]).all()
    own, rest = module.split_shop(rows, np.arange(80) >= 40)
    monkeypatch.setattr(module, "list_shops", lambda rows: [("mine", own, rest, own.group)])
    shops = compare_shops(rows, 1)
    assert shops["shop"].tolist() == ["mine"] * 2 + ["all real ones"] * 2
    assert shops[module.BRIER].apply(lambda column: column.between(0, 1)).all(axis=None)
