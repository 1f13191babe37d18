"""The columns of tables: found whatever they are called, added where they are missing."""

import pandas as pd
import pytest

from lib.io.tables.columns import KNOWN_COLUMNS, ask_questions, find_columns, take_columns

# names in the table, COLUMNS, what is found, why
NAMES = [
    (["index", "image_link"], {}, {"index": "index", "image_link": "image_link"}, "as they are"),
    ([" Image Link", "GroupID"], {}, {"image_link": " Image Link", "group_id": "GroupID"}, "case"),
    (["Index", "index"], {}, {"index": "index"}, "exactly so before alike"),
    (["INDEX", "Index"], {}, {"index": "INDEX"}, "the first of two alike"),
    (["MD5"], {}, {"checksum": "MD5"}, "a checksum by its kind"),
    (["md5", "sha256"], {}, {"checksum": "sha256"}, "the stronger of two"),
    (["Image URL"], {"image_link": "image url"}, {"image_link": "Image URL"}, "renamed, any case"),
    (["url", "image_link"], {"image_link": "url"}, {"image_link": "url"}, "COLUMNS wins"),
    (["index", "x"], {"image_link": "index"}, {"image_link": "index"}, "it is not taken twice"),
    (["sku"], {"index": "sku", "product_id": "sku"}, {"index": "sku", "product_id": "sku"}, "both"),
    (["Preis"], {}, {}, "none of ours"),
]


@pytest.mark.parametrize(("names", "renamed", "found", "why"), NAMES, ids=[r[3] for r in NAMES])
def test_find_columns(
    names: list[str], renamed: dict[str, str], found: dict[str, str], why: str
) -> None:
    """Columns are found regardless of case and blanks, or under the names that COLUMNS gives."""
    assert find_columns(names, renamed, "a.csv") == found, why


def test_columns_that_a_table_lacks_are_added() -> None:
    """Rows are numbered, each image is a group, and the rest is empty."""
    taken = take_columns(pd.DataFrame({"image_link": ["a", "b", "a"]}), {}, "test", "a.csv")
    assert taken["index"].tolist() == ["0", "1", "2"]
    assert taken["group_id"].tolist() == ["a", "b", "a"]
    assert set(taken) == {*KNOWN_COLUMNS, "has_truth"} - {"entity_name"}
    assert not taken["has_truth"].any() and set(taken["checksum"]) == {""}


# columns, split, what the message says, why
LACKING = [
    (["link"], "test", "lacks image_link; found link", "no image"),
    (["image_link"], "train", "lacks entity_name, entity_value", "a train table asks and answers"),
    (["image_link", "entity_value"], "test", "lacks entity_name", "truths of which question?"),
]


@pytest.mark.parametrize(("names", "split", "said", "why"), LACKING, ids=[r[3] for r in LACKING])
def test_lacking_columns(names: list[str], split: str, said: str, why: str) -> None:
    """What is needed and missing is named, with COLUMNS as the way out."""
    cells = pd.DataFrame({name: ["x"] for name in names})
    with pytest.raises(ValueError, match=f"{said}.*COLUMNS"):
        take_columns(cells, {}, split, "a.csv")


def test_questions_are_asked_of_each_image() -> None:
    """Samples are in the order of the rows, then of the questions; rows keep their labels."""
    rows = pd.DataFrame({"index": ["7", "08"], "image_link": ["a", "b"]})
    asked = ask_questions(rows, ["voltage", "width"])
    assert asked["index"].tolist() == ["7:voltage", "7:width", "08:voltage", "08:width"]
    assert asked["entity_name"].tolist() == ["voltage", "width"] * 2
    assert asked.index.tolist() == [0, 0, 1, 1]
    assert list(ask_questions(rows[:0], ["width"])) == ["index", "image_link", "entity_name"]
