"""The simulation of a user who labels rows."""

from dataclasses import replace

import numpy as np
import pytest

from lib.dev import simulate_labels as module
from lib.dev.simulate_labels import choose_ways, compare_shops, compare_ways, split_halves
from lib.extraction.learned import SOURCES, answer_unseen, fit_model, join_rows
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
    answers = answer_unseen(rows, model)["learned"]
    known = module.take_best(rows, answers)[:30]
    ways = choose_ways(rows, answers, known, 0)
    assert all(len(set(chosen)) == len(chosen) for chosen in ways.values())
    assert {len(chosen) for chosen in ways.values()} == {10, len(rows)}
    unsure = answers.right * (1 - answers.right)
    assert unsure[ways["unsure"]].min() >= np.sort(unsure)[-10:].min()
    assert len(set(rows.group[ways["unsure, one a group"]])) == 10


def test_ways_and_shops_are_tabulated(rows, monkeypatch):
    """Each way has its score, and its difference with an interval."""
    table = compare_ways(rows, 1).set_index("labelled")
    assert list(table.index[:2]) == ["no labels", "at random"]
    assert table["f1"].between(0, 1).all()
    others = table.drop(index="at random")
    assert (others["low"] <= others["difference"]).all()
    shop = np.arange(40, 80)
    monkeypatch.setattr(module, "list_shops", lambda rows: [("mine", shop, rows.group[shop])])
    shops = compare_shops(rows, 1)
    assert shops["shop"].tolist() == ["mine", "mine", "all", "all"]
    assert shops[module.BRIER].apply(lambda column: column.between(0, 1)).all(axis=None)
