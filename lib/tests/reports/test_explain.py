"""Tests of explaining a choice."""

from lib.extraction.scan import scan_page
from lib.reports.explain import explain_candidates
from lib.tests.drawing import page, word


def test_best_candidate_comes_first_with_its_keywords():
    """The table orders by score and shows what decided."""
    scan = scan_page(page(word("Gross weight 2 kg", 0, 0), word("Net weight 1.8 kg", 0, 40)))
    table = explain_candidates(scan, "item_weight")
    assert table["quantity"].tolist() == ["1.8 kilogram", "2.0 kilogram"]
    assert table["keywords"].tolist() == ["net weight (line)", "gross weight (line)"]


def test_no_candidates_make_an_empty_table():
    """Nothing to choose from is a table without rows."""
    assert explain_candidates(scan_page(page()), "width").empty
