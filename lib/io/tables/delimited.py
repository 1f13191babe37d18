"""Read text as a table: find its encoding and its delimiter, or that it is a list of links."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import BinaryIO, TextIO

import numpy as np
import pyarrow.csv
from charset_normalizer import from_bytes

from lib.io.links import has_image_ending
from lib.io.tables.objects import read_objects
from lib.io.tables.raw_table import RawTable, make_table, name_columns
from lib.parallel import InternalError, try_item

ENCODINGS: dict[str, str] = {
    "utf_8": "UTF-8",
    "utf_8_sig": "UTF-8 with byte order mark",
    **dict.fromkeys(("utf_16", "utf_16_le", "utf_16_be"), "UTF-16"),
    "cp1252": "Windows-1252",
    "latin_1": "Latin-1",
}
MARKS: dict[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
NO_MARK: str = "\x1f"  # a delimiter that no table has: each line is one cell
LONGEST_CELL: int = 1 << 24  # letters; a `data:` link may hold an image
LOOKED_AT: int = 20  # rows, to find the delimiter
LOOKED_THROUGH: int = 1 << 16  # characters, for what no text has
QUICK_FROM: int = 1 << 20  # bytes

_NAMES_MARK = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # a first line that Excel understands
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read_text(data: bytes, max_rows: int) -> RawTable:
    """Read the bytes of a text file as a table.

    Raises:
        ValueError: They are no text, or there is nothing in it.
        csv.Error: A row cannot be read.
    """
    encoding = find_encoding(data)
    stream = partial(io.TextIOWrapper, encoding=encoding, newline="")
    first = stream(io.BytesIO(data)).read(LOOKED_THROUGH).strip()
    if not first or _BINARY.search(first):
        raise ValueError("it holds no text" if first else "it is empty")
    said = ENCODINGS[encoding]
    if first[0] in "{[":
        return read_objects(stream(io.BytesIO(data)), max_rows, said, first[0] == "[")
    return _read_delimited(data, stream, max_rows, said)


def find_encoding(data: bytes) -> str:
    """Find the encoding of a text.

    >>> find_encoding("Höhe;5 €".encode()), find_encoding("Höhe;5 €".encode("cp1252"))
    ('utf_8', 'cp1252')

    Raises:
        ValueError: It is none of `ENCODINGS`.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf_8_sig"
    if b"\0" not in data[:4096] and not isinstance(try_item(data.decode), InternalError):
        return "utf_8"
    is_wide = b"\0" in data
    names = [name for name in ENCODINGS if name.startswith("utf_16") == is_wide]
    found = from_bytes(data, cp_isolation=names).best()
    if found is None and is_wide:
        raise ValueError(f"its encoding is none of {', '.join(dict.fromkeys(ENCODINGS.values()))}")
    return str(found.encoding) if found else "latin_1"


def is_link(text: str) -> bool:
    """Return whether a first line is a link or the name of an image, not the head of a table.

    >>> [is_link(text) for text in ("https://x.example/1", "a/1.JPG", "image_link", "1,a.jpg,3")]
    [True, True, False, False]
    """
    return bool(re.match(r"(?:[a-z][a-z0-9+.-]*://|data:)", text, re.IGNORECASE)) or (
        has_image_ending(text)
    )


def _read_delimited(
    data: bytes, stream: Callable[[BinaryIO], TextIO], max_rows: int, encoding: str
) -> RawTable:
    """Read rows of delimited cells, or a list of links, which has no head."""
    csv.field_size_limit(LONGEST_CELL)
    mark = find_mark(list(islice(_read_lines(stream(io.BytesIO(data))), LOOKED_AT)))
    rows = _read_rows(stream(io.BytesIO(data)), mark)
    line, head = next(rows)
    form = f"{MARKS.get(mark, 'one column')}, {encoding}"
    if mark == NO_MARK and is_link(head[0]):
        form, rows, head = f"list of links, {encoding}", chain([(line, head)], rows), ["image_link"]
    elif line == 1 and not max_rows and (quick := _read_quickly(data, mark, head, form)):
        return quick
    table = make_table(head, islice(rows, max_rows or None), form)
    if len(table.cells) and not data.rstrip(b"\0\r\n\t ").endswith(b'"'):
        _check_quotes(table)
    return table


def _read_quickly(data: bytes, mark: str, head: Sequence[str], form: str) -> RawTable | None:
    """Read a large table in UTF-8 as the other way does, if each row is one line of all cells."""
    names = name_columns(head)
    if len(data) < QUICK_FROM or not form.endswith(", UTF-8") or not all(map(str.strip, head)):
        return None
    found = try_item(
        pyarrow.csv.read_csv,
        io.BytesIO(data),
        pyarrow.csv.ReadOptions(column_names=names, skip_rows=1, block_size=LONGEST_CELL),
        pyarrow.csv.ParseOptions(delimiter=mark, newlines_in_values=True),
        pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string())),
    )
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if isinstance(found, InternalError) or len(found) != lines - 1:
        return None
    return RawTable(found.to_pandas(), np.arange(2, lines + 1), form)


def _read_lines(stream: TextIO) -> Iterator[str]:
    """Yield the lines that hold something, without the one that names the delimiter."""
    filled = (line for line in stream if line.strip())
    first = next(filled, "")
    return filled if _NAMES_MARK.fullmatch(first) else chain([first], filled)


def find_mark(lines: Sequence[str]) -> str:
    r"""Find the delimiter that cuts the head and most of the rows into equally many cells.

    >>> find_mark(["Link;Breite", "1,5;2,5"]), find_mark(["image_link", "a,b.jpg"])
    (';', '\x1f')

    Raises:
        csv.Error: The lines cannot be cut.
    """
    if is_link(lines[0]):
        return NO_MARK
    widths = {mark: [len(row) for row in csv.reader(lines, delimiter=mark)] for mark in MARKS}
    ranks = {
        mark: (found.count(found[0]) / len(found), found[0])
        for mark, found in widths.items()
        if found[0] > 1
    }
    return max(ranks, key=lambda mark: ranks[mark], default=NO_MARK)


def _read_rows(stream: TextIO, mark: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are no empty line, each with the line where it begins."""
    reader, line = csv.reader(stream, delimiter=mark), 1
    for row in reader:
        is_note = line == 1 and _NAMES_MARK.fullmatch(mark.join(row))
        if (len(row) > 1 or any(cell.strip() for cell in row)) and not is_note:
            yield line, row
        line = reader.line_num + 1


def _check_quotes(table: RawTable) -> None:
    """Check that no quote swallows the rest of a table that does not end with a quote.

    Raises:
        ValueError: One does.
    """
    if table.cells.iloc[-1].str.contains("\n").any():
        raise ValueError(f"the quote that line {table.lines[-1]} opens is never closed")
