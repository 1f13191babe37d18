"""Tests of answering tables of samples, by one method and by all."""

import pandas as pd
import pytest

from lib.extraction.answers import answer_samples, choose_by_rules, list_candidates
from lib.extraction.methods import FIRST_MATCH, answer_by_all_methods, choose_rows
from lib.extraction.page_scans import Scans
from lib.extraction.scan import scan_page
from lib.tests.drawing import page, word

PAGE = page(word("Dose 5 ml", 0, 0), word("Net weight 500 g", 0, 40))
SAMPLES = pd.DataFrame(
    {
        "sample_id": [0, 1, 2],
        "entity_name": ["item_weight", "voltage", "item_weight"],
        "sha256": ["a", "a", ""],
    }
)
RULES = answer_samples(SAMPLES, {"a": scan_page(PAGE)}, choose_by_rules)
OWN = {"rules": RULES.assign(fold=2), "learned": RULES.assign(fold=2)}


def test_every_sample_has_a_row():
    """Answered, silent and unread samples all come back, in order, with a reason."""
    answers = answer_samples(SAMPLES, {"a": scan_page(PAGE)}, choose_by_rules)
    assert answers["sample_id"].tolist() == [0, 1, 2]
    assert answers["prediction"].tolist() == ["500.0 gram", "", ""]
    assert answers["x1"].isna().tolist() == [False, True, True]
    assert answers["reason"].iloc[2] == "the image could not be read"


def test_rows_keep_their_order_whatever_their_image():
    """Pages are answered one after the other, rows come back as they were given."""
    mixed = pd.concat([SAMPLES, SAMPLES.assign(sha256="0")], ignore_index=True).iloc[[3, 0, 4, 1]]
    scans = {"a": scan_page(PAGE), "0": scan_page(page(word("Weight 9 g", 0, 0)))}
    answers = answer_samples(mixed, scans, choose_by_rules)
    assert answers["prediction"].tolist() == ["9.0 gram", "500.0 gram", "", ""]
    assert answers.index.tolist() == [0, 1, 2, 3]


def test_no_samples_make_an_empty_table():
    """An empty table keeps its columns."""
    assert "prediction" in answer_samples(SAMPLES[:0], {}, choose_by_rules)


def test_candidates_are_listed_with_their_keywords():
    """The list shows what competed for an answer."""
    listed = list_candidates(SAMPLES, {"a": scan_page(PAGE)})
    assert listed["quantity"].tolist() == ["500.0 gram"]
    assert listed["keywords"].iloc[0] == "net weight (line)"


def test_ladder_has_the_baseline_and_every_engine():
    """The first match reads the plain text; each engine has its own rules."""
    engines = ("rapidocr", "tesseract", "tesseract_plain")
    scans = {engine: Scans({"a": PAGE}, {}, {}) for engine in engines}
    ladder = answer_by_all_methods(SAMPLES, scans, choose_by_rules, OWN, "rules")
    assert ladder["method"].unique().tolist() == [
        FIRST_MATCH, "rules (tesseract)", "rules (rapidocr)", "learned (rapidocr)",
    ]  # fmt: skip
    assert ladder[ladder["method"] == FIRST_MATCH]["prediction"].tolist() == [
        "5.0 millilitre", "5.0 millilitre", "",
    ]  # fmt: skip
    chosen = choose_rows(ladder, "rules", "rapidocr")
    assert chosen["answers"].all()
    assert chosen["prediction"].tolist() == ["500.0 gram", "", ""]


def test_plain_tesseract_may_answer_alone():
    """Where it is the first engine, rules read its text too."""
    ladder = answer_by_all_methods(
        SAMPLES, {"tesseract_plain": Scans({"a": PAGE}, {}, {})}, choose_by_rules, OWN, "rules"
    )
    assert choose_rows(ladder, "rules", "tesseract_plain")["prediction"].iloc[0] == "500.0 gram"


def test_the_model_is_a_rung_above_the_rules():
    """Where the model is asked for, its answers are the run's."""
    scans = {"rapidocr": Scans({"a": PAGE}, {}, {})}
    ladder = answer_by_all_methods(SAMPLES, scans, choose_by_rules, OWN, "learned")
    assert ladder["method"].unique().tolist() == ["rules (rapidocr)", "learned (rapidocr)"]
    assert set(ladder["method"][ladder["answers"]]) == {"learned (rapidocr)"}
    assert ladder.groupby("method")["fold"].unique().map(list).to_dict() == {
        "rules (rapidocr)": [2], "learned (rapidocr)": [2],
    }  # fmt: skip


def test_unknown_method_is_named():
    """Asking for a rung that is not there lists those that are."""
    scans = {"rapidocr": Scans({}, {}, {})}
    ladder = answer_by_all_methods(SAMPLES, scans, choose_by_rules, OWN, "rules")
    with pytest.raises(ValueError, match=r"rules \(rapidocr\)"):
        choose_rows(ladder, "rules", "tesseract")
