"""Truths as people write them, and those that no answer can meet."""

from pathlib import Path

import pytest

from lib.io.samples import read_sample_tables
from lib.io.tables.truths import can_be_met, is_empty, normalise_truth

# cell, entity, truth, whether an answer can meet it, why
TRUTHS = [
    ("9.4 inch", "width", "9.4 inch", True, "in the official form"),
    ("12.0 Inch", "width", "12.0 Inch", True, "scoring does not mind the capital"),
    ("9.4 in", "width", "9.4 inch", True, "a short unit"),
    ("9,4 inch", "width", "9.4 inch", True, "a decimal comma"),
    ('9.4"', "width", "9.4 inch", True, "a sign"),
    ("500g", "item_weight", "500.0 gram", True, "no blank"),
    ("1.000 g", "item_weight", "1.0 gram", True, "a dot is decimal, as on labels"),
    ("1,500 ml", "item_volume", "1500.0 millilitre", True, "a mark of thousands"),
    ("1/2 lb", "item_weight", "0.5 pound", True, "a fraction"),
    ("5' 6\"", "height", "66.0 inch", True, "feet and inches"),
    ("2.2 lb (1 kg)", "item_weight", "2.2 pound", True, "said twice"),
    ("12 oz", "item_volume", "12.0 fluid ounce", True, "ounces of a volume"),
    ("ca. 30 cm", "depth", "30.0 centimetre", True, "a word beside it"),
    ("Höhe: 30 cm", "height", "30.0 centimetre", True, "its name beside it"),
    ("30 Zentimeter", "depth", "30.0 centimetre", True, "in German"),
    ("12V", "voltage", "12.0 volt", True, "a letter"),
    *[(text, "width", "", True, "empty") for text in ("", "N.A.", "n/a", "-", "–", "none", "NaN")],
    ("10 to 15 cm", "width", "10 to 15 cm", False, "a range"),
    ("10-15 cm", "width", "10-15 cm", False, "a range with a dash"),
    ("[100.0, 240.0] volt", "voltage", "[100.0, 240.0] volt", False, "a list"),
    ("10 x 20 cm", "width", "10 x 20 cm", False, "two edges"),
    ("6 x 250 ml", "item_volume", "6 x 250 ml", False, "a pack"),
    ("9.4", "width", "9.4", False, "no unit"),
    ("large", "width", "large", False, "no number"),
    ("3 kg", "width", "3 kg", False, "another kind of unit"),
    ("3.0 kilogram", "width", "3.0 kilogram", False, "likewise, in the official form"),
    ("-5 cm", "width", "-5 cm", False, "below nothing"),
    ("5 b", "item_weight", "5 b", False, "a pound only to OCR"),
    ("5 cm or 7", "width", "5 cm or 7", False, "another number"),
]


@pytest.mark.parametrize(("cell", "entity", "truth", "is_met", "why"), TRUTHS)
def test_normalise_truth(cell: str, entity: str, truth: str, is_met: bool, why: str) -> None:
    """A single quantity is put into the official form; what no answer can meet stays."""
    assert normalise_truth(cell, entity) == truth, why
    assert can_be_met(truth, entity) == is_met, why
    assert normalise_truth(truth, entity) == truth, why


def test_a_long_cell_is_not_empty() -> None:
    """Only short cells are looked at, so a long link costs nothing."""
    assert is_empty("-" * 20) and not is_empty("-" * 21)


def test_truths_that_cannot_be_met_are_listed(tmp_path: Path) -> None:
    """They are counted and listed with their line, and the rows are asked all the same."""
    rows = ["a.jpg,width,9.4 in", "a.jpg,height,10 to 15 cm", "a.jpg,depth,-", "a.jpg,width,9.4"]
    (tmp_path / "a.csv").write_text("\n".join(["image_link,entity_name,entity_value", *rows]))
    found = read_sample_tables(tmp_path / "a.csv", "")
    assert found.warnings == [
        "a.csv: 2 truths can be met by no answer, the first of them:",
        "line 3: '10 to 15 cm'",
        "line 5: '9.4'",
    ]
    assert found.samples["entity_value"].tolist() == ["9.4 inch", "10 to 15 cm", "", "9.4"]
    assert found.samples["has_truth"].all() and not found.samples["problem"].any()
