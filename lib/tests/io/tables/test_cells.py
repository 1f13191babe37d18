"""The cells of tables: entities as people write them, rows that cannot be asked."""

from pathlib import Path

import pytest

from lib.io.samples import TableSettings, read_sample_tables
from lib.io.tables.cells import find_entity
from lib.quantities import ENTITIES

# name in a cell, entity, why
ENTITY_NAMES = [
    *[(entity, entity, "as it is") for entity in ENTITIES],
    (" Height", "height", "a blank and a capital"),
    ("item volume", "item_volume", "a blank for the line"),
    ("Max weight recommendation", "maximum_weight_recommendation", "shortened"),
    ("Maximum-Weight", "maximum_weight_recommendation", "shortened, with a hyphen"),
    ("WEIGHT", "item_weight", "what catalogues call it"),
    ("\u00a0voltage\t", "voltage", "blanks that cannot be seen"),
    ("colour", "", "no question of ours"),
    ("", "", "nothing"),
    ("width height", "", "two at once"),
]


@pytest.mark.parametrize(("name", "entity", "why"), ENTITY_NAMES)
def test_find_entity(name: str, entity: str, why: str) -> None:
    """Entities are understood regardless of case, blanks and punctuation."""
    assert find_entity(name) == entity, why


# a row beside three good ones, its problem, why
PROBLEMS = [
    ("5,,1,width,", "no link", "an empty link"),
    ("5, - ,1,width,", "no link", "a dash is no link"),
    ("5,a.jpg,1,colour,", "unknown entity 'colour'", "no question of ours"),
    ("5,a.jpg,1,,", "unknown entity ''", "nothing is asked"),
    ("2,a.jpg,1,width,", "index '2' is used before", "a repeated index"),
    (",a.jpg,1,width,", "no index", "an empty index"),
    (",,,,", "the row is empty", "a row of commas"),
    ("5,a.jpg,1,width,,7", "6 cells where the head has 5", "a comma too many"),
    ("5,a.jpg,1,width,abc", "no SHA-256 or MD5: 'abc'", "no checksum"),
]


@pytest.mark.parametrize(("row", "problem", "why"), PROBLEMS, ids=[row[2] for row in PROBLEMS])
def test_bad_rows_fail_alone(tmp_path: Path, row: str, problem: str, why: str) -> None:
    """A bad row keeps its place and gets its line and reason; the others are asked."""
    good = [f"{number},{number}.jpg,1,width," for number in (1, 2, 3)]
    lines = ["index,image_link,group_id,entity_name,checksum", *good[:2], row, good[2]]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = read_sample_tables("", tmp_path / "a.csv")
    assert found.samples["problem"].tolist() == ["", "", f"line 4: {problem}", ""], why
    assert found.warnings[0] == "a.csv: 1 of 4 rows cannot be asked, the first of them:"
    assert found.warnings[1:] == [f"line 4: {problem}"]
    with pytest.raises(ValueError, match="STRICT_ROWS"):
        read_sample_tables("", tmp_path / "a.csv", TableSettings(strict=True))


def test_a_bad_row_is_not_scored(tmp_path: Path) -> None:
    """What cannot be asked has no truth, and its link is not fetched for it."""
    (tmp_path / "a.csv").write_text(
        "image_link,entity_name,entity_value,sha256\n"
        f"1.jpg,width,1 cm,{'A' * 64}\n2.jpg,girth,1 cm,\n3.jpg,width,-,N/A\n"
    )
    samples = read_sample_tables("", tmp_path / "a.csv").samples
    assert samples["has_truth"].tolist() == [True, False, True]
    assert samples["checksum"].tolist() == ["a" * 64, "", ""]


def test_only_the_first_rows_are_listed(tmp_path: Path) -> None:
    """Twenty bad rows are listed, and the number of all is told."""
    rows = [*(f"{number}.jpg" for number in range(60)), *["-"] * 30]
    (tmp_path / "a.csv").write_text("\n".join(["image_link,b", *(f"{row},x" for row in rows)]))
    warnings = read_sample_tables("", tmp_path / "a.csv").warnings
    assert warnings[0].startswith("a.csv: 30 of 90 rows") and len(warnings) == 21


def test_rows_of_commas_refuse_no_table(tmp_path: Path) -> None:
    """Empty rows below a table, as spreadsheets leave them, are no misunderstood column."""
    (tmp_path / "a.csv").write_text("image_link,entity_name\n1.jpg,width\n" + ",\n" * 50)
    samples = read_sample_tables("", tmp_path / "a.csv").samples
    assert samples["problem"].eq("").tolist() == [True, *[False] * 50]


def test_own_columns_come_back(tmp_path: Path) -> None:
    """All columns of both tables are kept as text, under their own names, sample by sample."""
    (tmp_path / "a.csv").write_text("Image Link;sample_id;Größe\n1.jpg;007;L\n2.jpg;;\n", "cp1252")
    (tmp_path / "b.csv").write_text("image_link,entity_name,entity_value\n3.jpg, Width,9.4 in\n")
    settings = TableSettings(questions=("width", "height"))
    own = read_sample_tables(tmp_path / "b.csv", tmp_path / "a.csv", settings).own_columns
    theirs = ["image_link", "entity_name", "entity_value", "Image Link", "sample_id.1", "Größe"]
    assert list(own) == ["sample_id", *theirs]
    assert own["sample_id"].tolist() == [0, 1, 2, 3, 4]
    assert own["Größe"].tolist()[1:] == ["L", "L", "", ""]
    assert own["sample_id.1"].tolist()[1:] == ["007", "007", "", ""]
    assert own["entity_value"].tolist()[:1] == ["9.4 in"]
    assert own.isna().sum().tolist() == [0, 4, 4, 4, 1, 1, 1]  # columns of the other table
