"""Comparisons for people: the words, the page, the table and the numbers say the same."""

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from lib.evaluation.comparison import compare_runs
from lib.reports.comparison_page import (
    SHOWN,
    describe_comparison,
    describe_samples,
    judge_comparison,
    write_comparison,
)
from lib.tests.past_runs import RIGHT, TRUTH, WORSE, write_run
from lib.tests.reports.test_notebook_page import find_network

WRONG = ["9.0 inch" if true else "" for true in TRUTH]


@pytest.fixture
def runs(tmp_path):
    """A run and a worse one after it."""
    return write_run(tmp_path / "before & <b>"), write_run(tmp_path / "after", WORSE)


def test_files_say_the_same(runs):
    """Page, table and numbers lie in the second run's folder and agree."""
    found = write_comparison(*runs)
    folder = runs[1] / "comparisons"
    numbers = json.loads((folder / "before & <b>.json").read_text())
    table = pd.read_csv(folder / "before & <b>.csv", dtype=str, keep_default_na=False)
    page = BeautifulSoup((folder / "before & <b>.html").read_text(), "html.parser")
    assert numbers["changed"] == len(table) == len(found.changed) == 3
    assert numbers["f1"]["difference"] == found.scores[0].difference.value
    text = page.get_text(" ", strip=True)
    for words in ("before & <b>", "-0.077", "no longer right", "9.0 inch", judge_comparison(found)):
        assert words in text
    assert page.find("a", string="All 3 as a table")["href"] == "before%20%26%20%3Cb%3E.csv"
    assert find_network(str(page)) == []


def test_terminal_says_the_same(runs):
    """The printed lines hold scores, conclusion, entities and the changed samples."""
    text = "\n".join(describe_comparison(compare_runs(*runs)))
    for words in ("F1", "recall", "-0.077 (", "p = 0.250", "item_weight", "no longer right"):
        assert words in text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (RIGHT, RIGHT, "Every answer is the same."),
        (RIGHT, WORSE, "after is not significantly different: 3 of 30"),  # p = 0.25
        (RIGHT, WRONG, "after is significantly worse: 20 of 30"),
        (WRONG, RIGHT, "after is significantly better: 20 of 30"),
    ],
)
def test_conclusion(tmp_path, before, after, said):
    """A difference is called significant only where interval and test agree."""
    first = write_run(tmp_path / "before", before)
    found = compare_runs(first, write_run(tmp_path / "after", after))
    assert judge_comparison(found).startswith(said)


def test_without_truth(tmp_path):
    """Runs without a truth have their changed answers on page and terminal, and no score."""
    runs = [
        write_run(tmp_path / name, answers, None)
        for name, answers in (("before", RIGHT), ("after", WORSE))
    ]
    found = write_comparison(*runs)
    assert "No truth is known to both" in judge_comparison(found)
    page = (runs[1] / "comparisons/before.html").read_text()
    assert "no longer answered" in page
    assert "F1" not in "\n".join(describe_comparison(found))
    assert json.loads((runs[1] / "comparisons/before.json").read_text())["f1"] is None


def test_tables_of_different_size(tmp_path):
    """Where the tables differ, it is said how many samples are shared."""
    first = write_run(tmp_path / "before", RIGHT[:12], TRUTH[:12])
    found = compare_runs(first, write_run(tmp_path / "after"))
    assert describe_samples(found) == (
        "12 test samples of 6 images; the runs share 12 samples, before has 12 and after 30"
    )


def test_page_stays_small(tmp_path):
    """A page shows so many changed answers; the table has all."""
    truth = ["1.0 inch"] * (SHOWN + 7)
    first = write_run(tmp_path / "before", truth, truth)
    second = write_run(tmp_path / "after", [""] * len(truth), truth)
    write_comparison(first, second)
    page = BeautifulSoup((second / "comparisons/before.html").read_text(), "html.parser")
    assert len(page.find_all("table")[-1].find_all("tr")) == SHOWN + 1
    assert f"the first {SHOWN} are here" in page.get_text()
    assert len(pd.read_csv(second / "comparisons/before.csv")) == SHOWN + 7
