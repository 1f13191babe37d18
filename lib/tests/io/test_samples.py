"""The sample table: what is read, what is refused, and how it is cut up."""

import contextlib
import csv
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.io import files, samples
from lib.io.paths import PHOTOS

TRAIN = """image_link,group_id,entity_name,entity_value
https://m.example/1.jpg,10,width,12.0 inch
https://m.example/1.jpg,10,height,NA
 https://m.example/2.jpg ,11,item_weight,"[100.0, 240.0] volt"
"""
TEST = """index,image_link,group_id,entity_name,answer
007,https://m.example/3.jpg,12,voltage,1 volt
9,https://m.example/1.jpg,10,depth,
"""


def write(folder: Path, name: str, text: str) -> Path:
    """Write a table."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_reads_both_tables(tmp_path: Path) -> None:
    """Train rows come first, rows are numbered through, text stays as it was written."""
    table = samples.read_samples(write(tmp_path, "a.csv", TRAIN), write(tmp_path, "b.csv", TEST))
    assert tuple(table.columns) == samples.COLUMNS
    assert list(table["sample_id"]) == [0, 1, 2, 3, 4]
    assert list(table["index"]) == ["0", "1", "2", "007", "9"]
    assert list(table["split"]) == ["train"] * 3 + ["test"] * 2
    assert list(table["entity_value"]) == ["12.0 inch", "", "[100.0, 240.0] volt", "", ""]
    assert list(table["has_truth"]) == [True] * 3 + [False] * 2
    assert table.loc[2, "image_link"] == "https://m.example/2.jpg"
    assert set(table["folder"]) == {str(tmp_path.resolve())}


def test_a_test_table_with_answers_keeps_them(tmp_path: Path) -> None:
    """A test table that has truth can be scored; an empty value is a truth of its own."""
    labelled = TEST.replace(",answer", ",entity_value")
    table = samples.read_samples("", write(tmp_path, "b.csv", labelled))
    assert list(table["entity_value"]) == ["1 volt", ""]
    assert table["has_truth"].all()


# train, test, rows, why this row
TABLES = [
    (TRAIN, "", 3, "train alone"),
    ("", TEST, 2, "test alone"),
    (TRAIN.splitlines()[0], "", 0, "a head without rows"),
    (TRAIN.replace(",10,", ",,"), TEST, 5, "groups unknown"),
    ("\ufeff" + TRAIN, "", 3, "a byte order mark, as spreadsheets write it"),
    (TRAIN.replace("\n", "\r\n"), "", 3, "line ends of Windows"),
    (TRAIN.replace("https://m.example/1.jpg", "photos/ä 1.jpg"), "", 3, "relative, not ASCII"),
]


@pytest.mark.parametrize(("train", "test", "rows", "why"), TABLES, ids=[row[3] for row in TABLES])
def test_accepts(train: str, test: str, rows: int, why: str, tmp_path: Path) -> None:
    """Tables as people have them are read whole."""
    paths = [
        write(tmp_path, f"{n}.csv", text) if text else "" for n, text in enumerate((train, test))
    ]
    assert len(samples.read_samples(*paths)) == rows, why


# train, test, what the message says, why this row
BAD = [
    (None, "", "both empty", "no table at all"),
    ("", "", "cannot be read as a table", "an empty file"),
    ("\udc89PNG\r\n\x1a\n\0", "", "cannot be read as a table", "an image by mistake"),
    (
        TRAIN.replace("image_link", "photo"),
        "",
        "lacks image_link; found photo",
        "a column renamed",
    ),
    (TEST, "", "lacks entity_value", "test given as train"),
    (TRAIN.replace(",entity_name", ",what"), "", "lacks entity_name", "truths of no question"),
    (
        "",
        TEST.replace("voltage", "girth").replace("depth", "girth"),
        "2 of 2 rows cannot be asked, .* line 2: unknown entity 'girth'",
        "unknown questions only",
    ),
]


@pytest.mark.parametrize(("train", "test", "message", "why"), BAD, ids=[row[3] for row in BAD])
def test_refuses(train: str | None, test: str, message: str, why: str, tmp_path: Path) -> None:
    """Errors say what was found and what is needed."""
    paths = ["", ""]
    if train or (train == "" and not test):
        paths[0] = tmp_path / "train.csv"
        paths[0].write_bytes(train.encode("utf-8", "surrogateescape"))
    if test:
        paths[1] = write(tmp_path, "test.csv", test)
    with pytest.raises(ValueError, match=message):
        samples.read_samples(*paths)


def test_names_a_missing_table(tmp_path: Path) -> None:
    """A table that is not there is named."""
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        samples.read_samples(tmp_path / "none.csv", "")


# beginning of the links, whether they may name files of two folders, why this row
BEGINNINGS = [
    ("photos", True, "a relative path"),
    ("img:1", True, "a name with a colon is a file if there is one"),
    ("file:photos", True, "a relative URL"),
    ("https://m.example", False, "the same wherever the table lies"),
    ("//m.example", False, "a host without a scheme"),
    ("s3://bucket", False, "object storage"),
    ("data:image/png;base64", False, "the image itself"),
]


@pytest.mark.parametrize(("beginning", "is_refused", "why"), BEGINNINGS)
def test_refuses_one_name_for_two_files(
    tmp_path: Path, beginning: str, is_refused: bool, why: str
) -> None:
    """A relative link cannot stand for files in two folders; other links do not depend on them."""
    train = write(tmp_path / "a", "train.csv", TRAIN.replace("https://m.example", beginning))
    test = write(tmp_path / "b", "test.csv", TEST.replace("https://m.example", beginning))
    refused = pytest.raises(ValueError, match=rf"{beginning}/1\.jpg.*two files")
    with refused if is_refused else contextlib.nullcontext():
        samples.read_samples(train, test)


def test_takes_the_first_rows(tmp_path: Path) -> None:
    """`max_rows` cuts each table; 0 takes all."""
    paths = write(tmp_path, "a.csv", TRAIN), write(tmp_path, "b.csv", TEST)
    assert list(samples.read_samples(*paths, max_rows=1)["index"]) == ["0", "007"]


def test_batches_hold_each_link_once(tmp_path: Path) -> None:
    """All batches together are the distinct links, in order of first use."""
    table = samples.read_samples(write(tmp_path, "a.csv", TRAIN), write(tmp_path, "b.csv", TEST))
    links = samples.distinct_links(table)
    assert list(links["link"]) == [f"https://m.example/{n}.jpg" for n in (1, 2, 3)]
    count = samples.count_batches(links, 2)
    parts = [samples.batch_of(links, batch, 2) for batch in range(count)]
    assert pd.concat(parts, ignore_index=True).equals(links)


# batch, batch size, message, why this row
NO_BATCH = [
    (2, 2, "numbered 0 to 1", "behind the last"),
    (-1, 2, "numbered 0 to 1", "before the first"),
    (0, 0, "at least 1", "no size"),
]


@pytest.mark.parametrize(("batch", "size", "message", "why"), NO_BATCH)
def test_refuses_batches(batch: int, size: int, message: str, why: str) -> None:
    """A batch that does not exist is an error, not an empty table."""
    with pytest.raises(ValueError, match=message):
        samples.batch_of(pd.DataFrame({"link": list("abc")}), batch, size)


def test_no_links_make_one_empty_batch() -> None:
    """A table without rows still runs."""
    assert samples.batch_of(pd.DataFrame({"link": []}), 0, 5).empty


def make_samples(count: int, images: int, groups: int) -> pd.DataFrame:
    """Make samples with images and groups drawn by chance."""
    chance = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "image_link": chance.integers(0, images, count).astype(str),
            "group_id": chance.integers(0, groups, count).astype(str),
        }
    )


def test_clusters_share_no_image_and_no_group() -> None:
    """Neither an image nor a group is in two clusters, also where they chain."""
    table = make_samples(300, 400, 250)
    table["cluster"] = samples.connect_samples(table, ("image_link", "group_id"))
    for key in ("image_link", "group_id"):
        assert table.groupby(key)["cluster"].nunique().max() == 1


def test_clusters_follow_chains() -> None:
    """Two groups that share an image hang together; empty groups share nothing."""
    table = pd.DataFrame(
        {"image_link": list("aabcdef"), "group_id": ["1", "2", "2", "", "", "", ""]}
    )
    clusters = pd.Series(samples.connect_samples(table, ("image_link", "group_id")))
    assert clusters[:3].nunique() == 1 and clusters[2:].nunique() == 5


def test_writes_tables_and_reads_parts(tmp_path: Path) -> None:
    """Parts come back in order, and only whole files carry their names."""
    for number in (1, 0):
        files.write_table(
            pd.DataFrame({"batch": [number]}), tmp_path / "words" / f"part-{number:05}.parquet"
        )
    assert list(files.read_parts(tmp_path / "words", "03_ocr.ipynb")["batch"]) == [0, 1]
    assert len(os.listdir(tmp_path / "words")) == 2


def test_missing_parts_name_the_notebook(tmp_path: Path) -> None:
    """A missing input says which notebook makes it."""
    with pytest.raises(FileNotFoundError, match=r"03_ocr\.ipynb"):
        files.read_parts(tmp_path / "words", "03_ocr.ipynb")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """Neither half a file nor a temporary one is left."""
    path = tmp_path / "metrics.json"
    files.write_json({"f1": np.float64(0.5), "rows": np.int64(3), "note": "größer"}, path)
    with pytest.raises(AttributeError):
        files.write_json({"f1": object()}, path)
    with pytest.raises(ZeroDivisionError), files.replace_file(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert json.loads(path.read_text("utf-8")) == {"f1": 0.5, "rows": 3, "note": "größer"}
    assert os.listdir(tmp_path) == ["metrics.json"]


@pytest.mark.challenge
@pytest.mark.skipif(not (PHOTOS / "dev.csv").is_file(), reason="CHALLENGE_PHOTOS is not set")
def test_reads_the_challenge() -> None:
    """The challenge's own tables are read, row by row as they stand there."""
    paths = [PHOTOS / name for name in ("labelled.csv", "dev.csv")]
    table = samples.read_samples(*paths)
    links = [row["image_link"] for path in paths for row in csv.DictReader(path.open())]
    assert table["image_link"].tolist() == links
