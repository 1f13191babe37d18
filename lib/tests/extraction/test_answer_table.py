"""Tests of the tables that a run gives: answers, one row an image, and products."""

import pandas as pd
import pytest

from lib.evaluation import Promise
from lib.extraction.answer_table import COLUMNS, IN_UNITS, convert_answer, give_answers
from lib.extraction.answers import answer_samples, choose_by_rules
from lib.extraction.decisions import decide_answers
from lib.extraction.scan import scan_page
from lib.tests.drawing import page, word

PAGE = page(word("Dose 5 g", 0, 0), word("Net weight 500 g", 20, 40))
OTHER = page(word("Net weight 2 lb", 20, 40))
TWO = page(word("Net weight 12 oz", 20, 40), word("230 V", 20, 90))
PAGES = {"a": scan_page(PAGE), "b": scan_page(OTHER), "c": scan_page(TWO)}
SAMPLES = pd.DataFrame(
    {
        "sample_id": [0, 1, 2],
        "index": ["17", "18", "0019"],
        "image_link": ["a.jpg", "a.jpg", "lost.jpg"],
        "entity_name": ["item_weight", "voltage", "item_weight"],
        "product_id": "",
        "sha256": ["a", "a", ""],
    }
)


def give(samples, units=None, own=None, promise=None):
    """Answer samples by the rules and arrange the tables."""
    answers = answer_samples(samples, PAGES, choose_by_rules)
    answers = answers.assign(answers=True, stated=0.5)
    return give_answers(decide_answers(answers, promise), samples, units, own)


def tabulate(samples):
    """Arrange the long table only."""
    return give(samples)["answers"]


def expand(images, products=None):
    """Ask two questions of each image: index -> sha256."""
    rows = [(row, sha, entity) for row, sha in images for entity in ("item_weight", "voltage")]
    names = products or {}
    return pd.DataFrame(
        {
            "sample_id": range(len(rows)),
            "index": [f"{row}:{entity}" for row, _, entity in rows],
            "image_link": [f"{row}.jpg" for row, _, _ in rows],
            "entity_name": [entity for _, _, entity in rows],
            "product_id": [names.get(row, "") for row, _, _ in rows],
            "sha256": [sha for _, sha, _ in rows],
        }
    )


def test_table_tells_where_each_answer_was_read():
    """One row a sample with index, decision, corners and text; nothing where nothing was read."""
    table = tabulate(SAMPLES)
    assert table.columns.tolist() == COLUMNS
    assert table["index"].tolist() == ["17", "18", "0019"]
    assert table["prediction"].tolist() == ["500.0 gram", "", ""]
    assert table["decision"].tolist() == ["answered", "silent", "failed"]
    assert table["text"].tolist() == ["500 g", "", ""]
    assert table["runner_up"].tolist() == ["5.0 gram", "", ""]
    assert table["corners"].tolist()[1:] == ["", ""]
    numbers = [float(number) for number in table["corners"].iloc[0].split(" ")]
    left, top, right, bottom = numbers[0], numbers[1], numbers[4], numbers[5]
    assert numbers == [left, top, right, top, right, bottom, left, bottom]
    assert (top, bottom) == (40, 50) and 20 < left < right == 100


def test_table_is_in_the_order_of_the_samples():
    """Whatever the order of the answers, rows follow the samples."""
    mixed = SAMPLES.iloc[[2, 0, 1]]
    assert tabulate(mixed)["index"].tolist() == ["0019", "17", "18"]


def test_table_survives_a_csv(tmp_path):
    """A plain reader finds the columns and the same text."""
    path = tmp_path / "answers.csv"
    table = tabulate(SAMPLES)
    table.to_csv(path, index=False)
    read = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in ("index", "prediction", "decision", "reason", "corners", "text"):
        assert read[name].tolist() == table[name].tolist()


def test_no_samples_make_an_empty_table():
    """The header is there without a row, with and without own columns."""
    tables = give(SAMPLES[:0])
    assert tables["answers"].columns.tolist() == COLUMNS
    assert {name: len(table) for name, table in tables.items()} == dict.fromkeys(tables, 0)
    own = pd.DataFrame({"sample_id": pd.Series(dtype=int), "note": pd.Series(dtype=str)})
    assert give(SAMPLES[:0], own=own)["answers"].columns.tolist() == ["note", *COLUMNS]


CONVERTED = [
    ("500.0 gram", {"weight": "kilogram"}, (0.5, "kilogram"), "the wanted unit"),
    ("230.0 volt", {"weight": "kilogram"}, (230.0, "volt"), "no unit is wanted: as it is"),
    ("9.4 inch", {"length": "centimetre"}, (23.9, "centimetre"), "rounded"),
    ("12.0 fluid ounce", {"volume": "millilitre"}, (355.0, "millilitre"), "a unit of two words"),
]


@pytest.mark.parametrize(("answer", "units", "expected", "reason"), CONVERTED)
def test_answers_are_converted(answer, units, expected, reason):
    """A number and a unit, in the unit wanted for this kind of measure."""
    assert convert_answer(answer, units) == expected, reason


def test_wanted_units_are_columns():
    """The answer itself stays as the challenge wants it; no answer has no number."""
    tables = give(SAMPLES.assign(product_id="p"), {"weight": "kilogram"})
    table = tables["answers"]
    assert table.columns.tolist() == [*COLUMNS, *IN_UNITS, "conflict"]
    assert table["prediction"].tolist() == ["500.0 gram", "", ""]
    assert table["output_value"].fillna(-1).tolist() == [0.5, -1, -1]
    assert table["output_unit"].tolist() == ["kilogram", "", ""]
    assert tables["products"]["output_value"].fillna(-1).tolist() == [0.5, -1]
    assert not set(IN_UNITS) & set(tabulate(SAMPLES))


def test_images_make_one_row_each():
    """Where the user's table asks nothing, its rows come back with a column a question."""
    tables = give(expand([("0007", "b"), ("3", "c"), ("9", "")]), {"weight": "gram"})
    wide = tables["answers_wide"]
    assert wide["index"].tolist() == ["0007", "3", "9"]
    assert wide["image_link"].tolist() == ["0007.jpg", "3.jpg", "9.jpg"]
    assert wide["item_weight"].tolist() == ["2.0 pound", "12.0 ounce", ""]
    assert wide["item_weight_gram"].fillna(-1).tolist() == [907.0, 340.0, -1]
    assert wide["voltage"].tolist() == ["", "230.0 volt", ""]
    assert "voltage_volt" not in wide
    long = tables["answers"].set_index("index")
    assert wide["voltage_confidence"].tolist()[1] == long.loc["3:voltage", "confidence"]
    assert wide["failed"].tolist() == ["", "", "the image could not be read"]
    assert not {"conflict", "product_id", "sample_id"} & set(wide)


def test_withheld_answers_are_not_in_the_wide_table():
    """What is left to a reviewer is named, and neither its text nor its number is given."""
    nothing_kept = Promise(0.95, None, 0.5, 0.97, 0.95, 100, 100.0, 100)
    samples = expand([("3", "c")])
    wide = give(samples, {"weight": "gram"}, promise=nothing_kept)["answers_wide"]
    assert wide[["item_weight", "voltage"]].to_numpy().tolist() == [["", ""]]
    assert wide["item_weight_gram"].isna().all() and (wide["item_weight_confidence"] > 0).all()
    assert wide["review"].tolist() == ["item_weight, voltage"]


ONCE = [
    (SAMPLES, "a table with questions"),
    (SAMPLES[:0], "no rows"),
    (
        pd.concat([expand([("1", "c")]), SAMPLES], ignore_index=True).assign(sample_id=range(5)),
        "an index that only looks so",
    ),
]


@pytest.mark.parametrize(("samples", "reason"), ONCE)
def test_one_question_a_row_has_no_wide_table(samples, reason):
    """A table with its own questions is not turned around."""
    assert give(samples)["answers_wide"].empty, reason


def test_a_repeated_index_keeps_both_rows():
    """Two rows of the user's table with one index are two rows of answers, in order."""
    samples = expand([("1", "c"), ("2", "b"), ("1", "b")])
    wide = give(samples)["answers_wide"]
    assert wide["index"].tolist() == ["1", "2", "1"]
    assert wide["item_weight"].tolist() == ["12.0 ounce", "2.0 pound", "2.0 pound"]


def test_conflicts_are_in_all_tables():
    """Two images of one product that state different weights are in conflict, a third is not."""
    samples = expand([("1", "c"), ("2", "b"), ("3", "b")], {"1": "p", "2": "p", "3": "q"})
    tables = give(samples)
    conflict = tables["answers"].set_index("index")["conflict"]
    assert conflict["1:item_weight"] == "2.0 pound (2:item_weight)"
    assert conflict["3:item_weight"] == conflict["1:voltage"] == ""
    assert tables["answers_wide"]["conflict"].tolist() == ["item_weight", "item_weight", ""]
    assert tables["answers_wide"]["product_id"].tolist() == ["p", "p", "q"]
    assert len(tables["products"]) == 4


def own_columns(samples, **columns):
    """Make a user's table with one row a sample."""
    return pd.DataFrame({"sample_id": samples["sample_id"], **columns})


def test_own_columns_come_back():
    """The user's columns stand first, in their order and spelling, by row and not by position."""
    own = own_columns(SAMPLES, **{"Note ": ["a", "=1+1", "c"], "index": ["17", "18", "0019"]})
    table = give(SAMPLES, own=own[::-1])["answers"]
    assert table.columns.tolist() == ["Note ", "index", *COLUMNS[1:]]
    assert table["Note "].tolist() == ["a", "=1+1", "c"]
    assert table["prediction"].tolist() == ["500.0 gram", "", ""]


def test_own_columns_named_like_ours_are_kept_too():
    """Ours keep their names, which scripts rely on; the user's get a note behind theirs."""
    samples = expand([("1", "c")])
    own = own_columns(samples, index="1", prediction="8 gram", voltage="12 V")
    tables = give(samples, own=own)
    assert tables["answers"].columns.tolist()[:3] == [
        "index (table)",
        "prediction (table)",
        "voltage",
    ]
    wide = tables["answers_wide"]
    assert wide.columns.tolist()[:4] == ["index", "prediction", "voltage (table)", "image_link"]
    assert wide[["index", "voltage (table)", "voltage"]].to_numpy().tolist() == [
        ["1", "12 V", "230.0 volt"]
    ]


def test_columns_of_another_table_are_left_out():
    """A column that only the train table has is none of the test table's; empty ones are."""
    own = own_columns(SAMPLES, note=["", "", ""], entity_value=None, half=["a", None, None])
    table = give(SAMPLES, own=own)["answers"]
    assert table.columns.tolist() == ["note", "half", *COLUMNS]
    assert table["half"].tolist() == ["a", "", ""]
