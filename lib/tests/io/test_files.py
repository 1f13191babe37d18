"""Tests of tables as files: each format gives back what was written, a sheet holds it as text."""

import zipfile

import pandas as pd
import pytest

from lib.io.files import MOST_CHARACTERS, WRITERS, write_sheet

TABLE = pd.DataFrame(
    {
        "index": ["0001", "1e5", "=1+1", "+49 30", "@x", "{=1}", "http://a.example/x.jpg"],
        "number": [1.5, float("nan"), 2.0, 3.0, -1.0, 1e-9, 0.1],
        "Größe <b>": ["", "NA", "a\nb", 'say "x"', "é😀漢", " blank ", "1,5;2\t3"],
    }
)


def read(path):
    """Read a table as a user's program would, cells as they are."""
    if path.suffix == ".xlsx":
        return pd.read_excel(path, engine="calamine", keep_default_na=False)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, keep_default_na=False, dtype={"index": str})


@pytest.mark.parametrize("kind", WRITERS)
def test_text_comes_back_as_it_was(tmp_path, kind):
    """Digits, formulas, links and letters of any script are the same text; numbers are numbers."""
    path = tmp_path / f"answers.{kind}"
    WRITERS[kind](TABLE, path)
    found = read(path)
    assert found.columns.tolist() == TABLE.columns.tolist()
    assert found["index"].tolist() == TABLE["index"].tolist()
    assert found["Größe <b>"].tolist() == TABLE["Größe <b>"].tolist()
    numbers = pd.to_numeric(found["number"]).tolist()
    assert numbers == pytest.approx(TABLE["number"].tolist(), nan_ok=True)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", WRITERS)
def test_an_empty_table_has_its_columns(tmp_path, kind):
    """Nothing to answer is no error in any format."""
    path = tmp_path / f"answers.{kind}"
    WRITERS[kind](TABLE[:0], path)
    assert read(path).columns.tolist() == TABLE.columns.tolist() and read(path).empty


def test_sheet_has_a_frozen_head_and_filters(tmp_path):
    """The head stays in view, each column can be filtered, and no cell is a formula or a link."""
    write_sheet(TABLE, tmp_path / "answers.xlsx")
    with zipfile.ZipFile(tmp_path / "answers.xlsx") as file:
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    assert 'state="frozen"' in sheet and 'ySplit="1"' in sheet
    assert f'<autoFilter ref="A1:C{1 + len(TABLE)}"/>' in sheet
    assert "<f>" not in sheet and "hyperlink" not in sheet


def test_sheet_cuts_what_excel_cannot_hold(tmp_path):
    """A longer cell is cut and not lost; the table in memory stays whole."""
    table = pd.DataFrame({"text": ["x" * 40_000, "y" * MOST_CHARACTERS]})
    write_sheet(table, tmp_path / "long.xlsx")
    assert read(tmp_path / "long.xlsx")["text"].str.len().tolist() == [MOST_CHARACTERS] * 2
    assert table["text"].str.len().tolist() == [40_000, MOST_CHARACTERS]


def test_sheet_of_numbers_only(tmp_path):
    """A table needs no text."""
    write_sheet(pd.DataFrame({"a": [1, 2]}), tmp_path / "numbers.xlsx")
    assert read(tmp_path / "numbers.xlsx")["a"].tolist() == [1, 2]
