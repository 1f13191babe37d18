"""Files as people have them: each is read whole, and one line says what was found out."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.io.samples import TableSettings, read_sample_tables
from lib.io.tables import delimited
from lib.io.tables.delimited import read_text
from lib.io.tables.formats import read_raw_table

HEAD = "index,image_link,group_id,entity_name"
ROWS = ("0001,https://m.example/1.jpg,NA,width", "0002,Möbel/höhe–1.jpg,7,height")
TABLE = "\n".join([HEAD, *ROWS]) + "\n"
SEMICOLON = TABLE.replace(",", ";")
LINKS = "https://m.example/a,b.jpg\nhttps://m.example/2.jpg\n\nbilder/3 é.png\n"
RECORDS = [dict(zip(HEAD.split(","), row.split(","), strict=True)) for row in ROWS]
JSON_LINES = "\n".join(map(json.dumps, RECORDS)) + "\n"
TYPED = pd.DataFrame({"Index": [1, 2], "image_link": ["a.jpg", "b.jpg"], "Price": [1.5, None]})


def parquet(frame: pd.DataFrame) -> bytes:
    """Write a table as Parquet."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def workbook(**sheets: pd.DataFrame) -> bytes:
    """Write tables as the sheets of a workbook; that of `Low` has its head in a row."""
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="xlsxwriter") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False, header=name != "Low")
    return buffer.getvalue()


def zipped(data: bytes) -> bytes:
    """Put a file into an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("table.csv", data)
    return buffer.getvalue()


def lower(frame: pd.DataFrame) -> pd.DataFrame:
    """Put a title and an empty row above the head of a table."""
    title = ["Products", *[""] * (frame.shape[1] - 1)]
    return pd.DataFrame([title, [""] * frame.shape[1], list(frame), *frame.to_numpy().tolist()])


# file, content, rows, what the line says, why
FILES = [
    ("a.csv", TABLE.encode(), 2, "comma, UTF-8", "as the challenge has it"),
    ("a.csv", TABLE.encode("utf-8-sig"), 2, "UTF-8 with byte order mark", "Excel's CSV UTF-8"),
    ("a.csv", SEMICOLON.encode("cp1252"), 2, "semicolon, Windows-1252", "Excel in Germany"),
    ("a.csv", TABLE.replace("–", "").encode("latin-1"), 2, "Windows-1252", "same in Latin-1"),
    ("a.csv", TABLE.replace("–", "\x81").encode("latin-1"), 2, "Latin-1", "no Windows letter"),
    ("a.txt", TABLE.replace(",", "\t").encode("utf-16"), 2, "tab, UTF-16", "Unicode text"),
    ("a.csv", SEMICOLON.encode("utf-16-le"), 2, "semicolon, UTF-16", "without its mark"),
    ("a.csv", SEMICOLON.encode("utf-16-be"), 2, "semicolon, UTF-16", "the other way round"),
    ("a.tsv", TABLE.replace(",", "\t").encode(), 2, "tab, UTF-8", "TSV"),
    ("a.csv", TABLE.replace(",", "|").encode(), 2, "bar, UTF-8", "bars, as databases print"),
    ("a.csv", ("sep=;\n" + SEMICOLON).encode(), 2, "semicolon", "a line for Excel above"),
    ("a.csv", TABLE.replace("\n", "\r\n").encode(), 2, "comma", "line ends of Windows"),
    ("a.csv", TABLE.replace("\n", "\r").encode(), 2, "comma", "line ends of old Macs"),
    ("a.csv", TABLE.replace("\n", "\n\n").encode(), 2, "comma", "empty lines between"),
    ("a.csv", TABLE.rstrip().encode(), 2, "comma", "no line end at the end"),
    ("a.csv", f"{HEAD}\n".encode(), 0, "comma", "a head alone"),
    ("a.csv", TABLE.replace("0001", '"00\n01"').encode(), 2, "comma", "a line end in a cell"),
    ("a.csv", TABLE.replace("0001", '"a ""b"", c"').encode(), 2, "comma", "quotes in quotes"),
    ("a.csv", TABLE.replace("NA", '12" x 5"').encode(), 2, "comma", "inches are no quotes"),
    ("a.csv", TABLE.replace(HEAD, HEAD + ",,").encode(), 2, "comma", "head longer than rows"),
    (
        "a.csv",
        TABLE.replace("\n0", "\nx,0").replace(HEAD, f"a;b,{HEAD}").encode(),
        2,
        "comma",
        "other marks in the head",
    ),
    ("a.csv", b"a.b;image_link\n1,5;1.jpg\n2,5;2.jpg\n", 16, "semicolon", "decimal commas"),
    ("a.csv", b"image_link\nx,1.jpg\ny;2.jpg\n", 16, "one column", "marks in the only column"),
    ("a.csv", b"Image Link ,Index\n1.jpg,7\n", 8, "no entity_name: 8 questions", "the head's way"),
    ("a.csv", (",a" * 99 + ",image_link\n" + "," * 99 + ",b.jpg\n").encode(), 8, "comma", "wide"),
    ("a.csv", gzip.compress(TABLE.encode()), 2, "comma, UTF-8, gzip", "packed, badly named"),
    ("a.csv.gz", gzip.compress(SEMICOLON.encode("cp1252")), 2, "Windows-1252, gzip", "packed"),
    ("a.tsv.bz2", bz2.compress(TABLE.encode()), 2, "bzip2", "packed by bzip2"),
    ("a.csv.xz", lzma.compress(TABLE.encode()), 2, "xz", "packed by xz"),
    ("a.csv.zip", zipped(TABLE.encode()), 2, "zip", "the only file of an archive"),
    ("a.csv.gz", TABLE.encode(), 2, "comma, UTF-8", "not packed at all"),
    ("a.jsonl", JSON_LINES.encode(), 2, "JSON lines, UTF-8", "JSON lines"),
    ("a.jsonl", JSON_LINES.replace("\n", "\n\n").encode("utf-16"), 2, "UTF-16", "spaced, wide"),
    ("a.jsonl.gz", gzip.compress(JSON_LINES.encode()), 2, "JSON lines, UTF-8, gzip", "packed"),
    ("a.json", json.dumps(RECORDS, indent=1).encode(), 2, "JSON, UTF-8", "a list over lines"),
    ("a.jsonl", b'{"image_link": "1.jpg"}\n{"x": [1]}\n{"image_link": "2"}\n', 24, "", "gaps"),
    ("a.parquet", parquet(pd.DataFrame(RECORDS)), 2, "Parquet", "Parquet of text"),
    ("a.parquet", parquet(TYPED), 16, "Parquet", "Parquet of numbers"),
    ("a.parquet.gz", gzip.compress(parquet(TYPED)), 16, "Parquet, gzip", "packed once more"),
    ("a.xlsx", workbook(One=pd.DataFrame(RECORDS)), 2, "sheet 'One'", "a workbook"),
    ("a.xlsx", workbook(One=TYPED, Two=TYPED), 16, "sheet 'One' of 2", "the first of two sheets"),
    ("a.xlsx#Zwei #2", workbook(a=TYPED, **{"Zwei #2": TYPED}), 16, "'Zwei #2' of 2", "a sheet"),
    ("a.xlsx", workbook(Low=lower(TYPED)), 16, "sheet 'Low'", "the head is lower down"),
    ("a.xlsx.gz#Two", gzip.compress(workbook(One=TYPED, Two=TYPED)), 16, "'Two' of 2", "packed"),
    ("a.txt", LINKS.encode(), 24, "list of links, UTF-8", "links and nothing else"),
    ("links", LINKS.encode("cp1252"), 24, "list of links, Windows-1252", "without an ending"),
    ("a.txt.gz", gzip.compress(LINKS.encode()), 24, "list of links, UTF-8, gzip", "packed"),
    ("a.txt", ("\n" + LINKS.replace("\n", "\r\n")).encode("utf-8-sig"), 24, "links", "Notepad"),
    ("a.txt", b"data:image/png;base64,iVBORw0KGgo=\n", 8, "list of links", "the image itself"),
]


@pytest.mark.parametrize(("name", "data", "rows", "said", "why"), FILES, ids=range(len(FILES)))
def test_reads_files(
    tmp_path: Path, name: str, data: bytes, rows: int, said: str, why: str
) -> None:
    """Each file gives its rows, and the line says its form."""
    (tmp_path / name.partition("#")[0]).write_bytes(data)
    found = read_sample_tables("", tmp_path / name)
    assert len(found.samples) == rows, why
    assert len(found.own_columns) == rows, why
    assert len(found.notes) == 1 and said in found.notes[0], why


@pytest.mark.parametrize("name", ["text", "Parquet", "a workbook"])
def test_text_stays_text(tmp_path: Path, name: str) -> None:
    """`0001` stays `0001` and `NA` stays `NA`, whatever holds them; links are not recoded."""
    frame = pd.DataFrame(RECORDS)
    kinds = {"text": TABLE.encode(), "Parquet": parquet(frame), "a workbook": workbook(a=frame)}
    (tmp_path / "table").write_bytes(kinds[name])
    found = read_sample_tables("", tmp_path / "table").samples
    assert found["index"].tolist() == ["0001", "0002"]
    assert found["group_id"].tolist() == ["NA", "7"]
    assert found["image_link"].tolist()[1] == "Möbel/höhe–1.jpg"


def test_numbers_are_as_they_are_seen(tmp_path: Path) -> None:
    """A column of whole numbers with gaps has no points, and a gap is empty."""
    for name, data in (("a.parquet", parquet(TYPED)), ("a.xlsx", workbook(a=TYPED))):
        (tmp_path / name).write_bytes(data)
        table = read_raw_table(tmp_path / name)
        assert table.cells["Index"].tolist() == ["1", "2"]
        assert table.cells["Price"].tolist() == ["1.5", ""]
    (tmp_path / "a.jsonl").write_text('{"a": 1.50, "b": 007}\n{"a": 1.50, "b": null}\n')
    table = read_raw_table(tmp_path / "a.jsonl")
    assert table.cells["a"].tolist() == ["", "1.50"]
    assert list(table.faults) == [0]


def test_folder_of_images(tmp_path: Path) -> None:
    """The images in a folder and below are the rows, in order, but for hidden ones."""
    for name in ("b.JPG", "a.png", "sub/c.webp", "notes.txt", "._a.png", ".trash/d.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    found = read_sample_tables("", tmp_path / "in", TableSettings(questions=["Height", "width"]))
    assert found.notes == [
        "in: folder, 1 other files left out, 3 rows, no entity_name: 6 questions"
    ]
    links = found.samples["image_link"]
    assert links.tolist() == [one for one in ("a.png", "b.JPG", "sub/c.webp") for _ in range(2)]
    assert found.samples["index"].tolist()[:3] == ["0:height", "0:width", "1:height"]
    assert set(found.samples["folder"]) == {str((tmp_path / "in").resolve())}


# content, what the message says, why
REFUSED = [
    (b"", "it is empty", "nothing"),
    (b" \n\n", "it is empty", "nothing to see"),
    (b"\x89PNG\r\n\x1a\n\0\0", "cannot be read", "an image"),
    (gzip.compress(TABLE.encode())[:-9], "cannot be read", "half of a packed file"),
    (parquet(TYPED)[:-9], "cannot be read", "half of a Parquet file"),
    (workbook(a=TYPED)[:-99], "cannot be read", "half of a workbook"),
    (workbook(a=pd.DataFrame()), "its sheet 'a' is empty", "an empty sheet"),
    ((TABLE + '1,"a.jpg,2,width\n2,b.jpg,2,width').encode(), "line 4 opens is never", "a quote"),
    (b"[1, 2", "cannot be read", "half of a list"),
    (b"[" * 9999, "cannot be read", "deeper than Python calls"),
    (b'{"a": 1}\n', "lacks image_link; found a", "no column of ours"),
    (b"Image URL,b\nhttps://x/1.jpg,2\n", "COLUMNS: {image_link: Image URL}", "a hint"),
    (b"<html><body>Not found</body></html>", "lacks image_link", "a page of a server"),
]


@pytest.mark.parametrize(("data", "said", "why"), REFUSED, ids=[row[2] for row in REFUSED])
def test_refuses_files(tmp_path: Path, data: bytes, said: str, why: str) -> None:
    """What is no table says why, in a ValueError."""
    (tmp_path / "table").write_bytes(data)
    with pytest.raises(ValueError) as error:
        read_sample_tables("", tmp_path / "table")
    assert said in str(error.value), why


def test_names_the_sheets(tmp_path: Path) -> None:
    """A sheet that does not exist is told which there are."""
    (tmp_path / "a.xlsx").write_bytes(workbook(One=TYPED, Two=TYPED))
    with pytest.raises(ValueError, match="no sheet 'Three', but One, Two"):
        read_raw_table(f"{tmp_path}/a.xlsx#Three")


def test_unpacked_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that unpacks to a large one is refused before it fills the memory."""
    monkeypatch.setattr("lib.io.tables.formats.MOST_BYTES", 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 10**6))
    with pytest.raises(ValueError, match="larger than 1,000 bytes"):
        read_raw_table(tmp_path / "a.csv.gz")


def test_rows_of_another_width() -> None:
    """Rows that end early are filled; a row with more cells than the head is faulty."""
    table = read_text(b"a,b,c\n1\n1,2,3,,\n\n1,2,3,4\n", 0)
    assert table.cells.to_numpy().tolist() == [["1", "", ""], ["1", "2", "3"], ["1", "2", "3"]]
    assert table.faults == {2: "4 cells where the head has 3"}
    assert table.lines.tolist() == [2, 3, 5]


# what is put into the rows of a large table, why
LARGE: list[tuple[Callable[[str], str], str]] = [
    (lambda text: text, "all rows are alike"),
    (lambda text: text.replace("\n", "\r\n"), "line ends of Windows"),
    (lambda text: text.rstrip(), "no line end at the end"),
    (lambda text: text.replace(",7,", ',"a ""b"", c",'), "quotes"),
    (lambda text: text.replace(",7,", ',12" x 5",'), "inches"),
    (lambda text: text.replace(",7,", ',"a\nb",', 1), "a line end in a cell"),
    (lambda text: text.replace(",7,", ",,NA"), "empty cells, and a row that is too long"),
    (lambda text: text.replace("\n5", "\n\n5"), "empty lines"),
    (lambda text: text.replace("\n5", "\n\n5\n1"), "empty lines and short rows"),
    (lambda text: "sep=,\n" + text, "a line for Excel"),
]


@pytest.mark.parametrize(("change", "why"), LARGE, ids=[row[1] for row in LARGE])
def test_large_tables_are_read_alike(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str], why: str
) -> None:
    """The quick way for large tables gives what the other one does."""
    rows = [f"{number},https://m.example/ä{number}.jpg,7,width" for number in range(200)]
    data = change("\n".join([HEAD, *rows, ""])).encode()
    slow = read_text(data, 0)
    monkeypatch.setattr(delimited, "QUICK_FROM", 0)
    quick = read_text(data, 0)
    pd.testing.assert_frame_equal(quick.cells, slow.cells)
    assert np.array_equal(quick.lines, slow.lines), why
    assert quick.faults == slow.faults
