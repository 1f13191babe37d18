"""Tests of answering a run's samples by a ranker, its own or the shipped one."""

import pandas as pd
import pytest

from lib.extraction.ranking.cross_fitting import FOLDS, answer_by_ranker
from lib.extraction.ranking.training import fit_ranker
from lib.extraction.scan import scan_page
from lib.tests.drawing import page, word

COUNT = 60


def scan_label(number):
    """Scan a label with a dose and a net weight."""
    lines = word(f"Dose {number % 5 + 1} g", 0, 0), word(f"Net weight {number + 90} g", 0, 40)
    return scan_page(page(*lines))


SCANS = {f"sha{number}": scan_label(number) for number in range(COUNT)}
SAMPLES = pd.DataFrame(
    {
        "sample_id": range(COUNT + 1),
        "sha256": [*SCANS, ""],
        "group_id": [f"g{i // 2}" for i in range(COUNT + 1)],
        "entity_name": "item_weight",
        "entity_value": [f"{i + 90}.0 gram" for i in range(COUNT)] + ["1.0 gram"],
        "has_truth": True,
        "split": ["train"] * 50 + ["test"] * (COUNT - 49),
    }
)


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """Fit few trees: what is tested is who is fitted on which rows."""
    monkeypatch.setattr("lib.extraction.ranking.training.TREES", 20)


def test_few_train_rows_are_answered_by_the_shipped_ranker():
    """Nothing is fitted on them, so there are no folds."""
    answers = answer_by_ranker(SAMPLES, SCANS)
    assert answers["sample_id"].tolist() == list(range(COUNT + 1))
    assert (answers["fold"] == -1).all()
    assert answers["prediction"].iloc[-1] == ""
    assert answers["prediction"].iloc[1] == "91.0 gram"


def test_enough_train_rows_make_their_own_ranker(monkeypatch):
    """Train rows are answered out of fold, groups kept together; test rows by all of them."""
    monkeypatch.setattr("lib.extraction.ranking.cross_fitting.MIN_TRAIN_ROWS", 40)
    answers = answer_by_ranker(SAMPLES, SCANS)
    assert answers["sample_id"].tolist() == list(range(COUNT + 1))
    assert answers["fold"].iloc[50:].eq(-1).all()
    assert set(answers["fold"].iloc[:50]) == set(range(FOLDS))
    assert answers["fold"].iloc[:50].groupby(SAMPLES["group_id"]).nunique().eq(1).all()
    right = answers["prediction"] == SAMPLES["entity_value"]
    assert right.iloc[:60].mean() > 0.9


def test_train_rows_all_of_one_group_fall_back(monkeypatch, caplog):
    """Where folds cannot be dealt, the shipped ranker answers and the log says why."""
    monkeypatch.setattr("lib.extraction.ranking.cross_fitting.MIN_TRAIN_ROWS", 40)
    answers = answer_by_ranker(SAMPLES.assign(group_id="g"), SCANS)
    assert (answers["fold"] == -1).all()
    assert "too little to fit a ranker" in caplog.text


def test_a_long_train_table_is_drawn_from(monkeypatch):
    """A ranker learns from so many rows at most; all rows are answered."""
    monkeypatch.setattr("lib.extraction.ranking.cross_fitting.MIN_TRAIN_ROWS", 40)
    monkeypatch.setattr("lib.extraction.ranking.cross_fitting.MAX_TRAIN_ROWS", 30)
    monkeypatch.setattr("lib.extraction.ranking.cross_fitting.FOLDS", 2)
    learnt = []
    fit = fit_ranker
    monkeypatch.setattr(
        "lib.extraction.ranking.cross_fitting.fit_ranker",
        lambda q, *rest: learnt.append(len(q)) or fit(q, *rest),
    )
    answers = answer_by_ranker(SAMPLES, SCANS)
    assert max(learnt) == 30 > min(learnt) and len(answers) == COUNT + 1
