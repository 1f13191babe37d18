"""Read a table of any form: text, XLSX, Parquet, a folder of images; packed or not."""

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pandas as pd
import pyarrow.parquet
from pyarrow import types

from lib.io.links import has_image_ending, walk_files
from lib.io.tables.delimited import read_text
from lib.io.tables.raw_table import RawTable, make_table, name_columns
from lib.parallel import InternalError, try_item

FORMS: str = (
    "CSV, TSV, JSON lines, Parquet or XLSX, packed or not, or a list of links; "
    "text in UTF-8, UTF-16, Windows-1252 or Latin-1"
)
MOST_BYTES: int = 1 << 32  # of a file, unpacked
MOST_FILES: int = 10**7  # in a folder

_SHEET = re.compile(r"(.+\.(?:xls[xmb]?|ods)(?:\.gz)?)#(.+)", re.IGNORECASE | re.DOTALL)
_PARQUET, _WORKBOOKS = b"PAR1", (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # first bytes of files


def split_sheet(path: str | Path) -> tuple[Path, str]:
    """Split a table's name into its file and its sheet, `""` if it names none.

    >>> [str(part) for part in split_sheet("a/b.xlsx#Sheet 1")], split_sheet("a#b.csv")[1]
    (['a/b.xlsx', 'Sheet 1'], '')
    """
    match = _SHEET.fullmatch(str(path))
    return (Path(match[1]), match[2]) if match else (Path(path), "")


def read_raw_table(path: str | Path, max_rows: int = 0) -> RawTable:
    """Read a table as its file has it.

    Args:
        path: A file, a sheet of one as `file.xlsx#Sheet`, or a folder of images.
        max_rows: Rows read from the top, 0 for all.

    Raises:
        FileNotFoundError: There is neither.
        ValueError: It cannot be read as a table.
    """
    file, sheet = split_sheet(path)
    if file.is_dir():
        return _list_images(file, max_rows)
    if not file.is_file():
        raise FileNotFoundError(
            f"No sample table at {file}; give a table, a folder of images or an empty name."
        )
    # Damaged files make their readers raise dozens of kinds of errors.
    table = try_item(_read_file, file, sheet, max_rows)
    if isinstance(table, InternalError):
        kind = "" if table.kind == "ValueError" else f"{table.kind}: "
        raise ValueError(f"{path} cannot be read as a table ({FORMS}): {kind}{table.message}")
    return table


def _read_file(file: Path, sheet: str, max_rows: int) -> RawTable:
    """Read a file in the form that its first bytes tell, as its name may err.

    Raises:
        ValueError: It is too large, or no table.
    """
    with file.open("rb") as packed:
        start = packed.read(LONGEST_START)
        packed.seek(0)
        found = [name for name, (first, _) in _PACKINGS.items() if start.startswith(first)]
        opened = _PACKINGS[found[0]][1](packed) if found else packed
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    table = _read_bytes(data, sheet, max_rows)
    packing = [name for name in found if not data.startswith(_WORKBOOKS)]
    return replace(table, form=", ".join([table.form, *packing]))


def _open_zip(packed: BinaryIO) -> BinaryIO:
    """Open the only file in an archive; what holds more, such as a workbook, is left as it is."""
    archive = zipfile.ZipFile(packed)
    names = archive.namelist()
    packed.seek(0)
    return cast(BinaryIO, archive.open(names[0])) if len(names) == 1 else packed


def _read_bytes(data: bytes, sheet: str, max_rows: int) -> RawTable:
    """Read what a file holds, unpacked."""
    if data.startswith(_PARQUET):
        return _read_parquet(data, max_rows)
    if data.startswith(_WORKBOOKS):
        return _read_sheet(data, sheet, max_rows)
    return read_text(data, max_rows)


_PACKINGS: dict[str, tuple[bytes, Callable[[BinaryIO], BinaryIO]]] = {
    "gzip": (b"\x1f\x8b", lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file))),
    "bzip2": (b"BZh", lambda file: cast(BinaryIO, bz2.BZ2File(file))),
    "xz": (b"\xfd7zXZ\0", lambda file: cast(BinaryIO, lzma.LZMAFile(file))),  # noqa: SIM115
    "zip": (b"PK\x03\x04", _open_zip),
}
LONGEST_START: int = 8  # bytes that tell how a file is packed


def _read_parquet(data: bytes, max_rows: int) -> RawTable:
    """Read a Parquet file; columns of bytes and of nested values are left out."""
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    kept = [
        field.name
        for field in table.schema
        if not types.is_nested(field.type) and not types.is_binary(field.type)
    ]
    cells = table.select(kept).slice(0, max_rows or None).to_pandas(ignore_metadata=True)
    texts = [_to_text(cells.iloc[:, place]) for place in range(len(kept))]
    named = dict(zip(name_columns(kept), texts, strict=True))
    return RawTable(pd.DataFrame(named), np.arange(1, len(cells) + 1), "Parquet")


def _to_text(column: pd.Series) -> pd.Series:
    """Write a column as text: whole numbers without a point, missing values as `""`.

    >>> _to_text(pd.Series([17.0, None])).tolist(), _to_text(pd.Series(["NA", None])).tolist()
    (['17', ''], ['NA', ''])
    """
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("string").fillna("").astype(str)


def _read_sheet(data: bytes, sheet: str, max_rows: int) -> RawTable:
    """Read a sheet of a workbook, by default the first; its head is below empty rows and titles.

    Raises:
        ValueError: There is no such sheet, or it is empty.
    """
    with pd.ExcelFile(io.BytesIO(data), engine="calamine") as book:
        names = [str(name) for name in book.sheet_names]
        if sheet and sheet not in names:
            raise ValueError(f"it has no sheet {sheet!r}, but {', '.join(names)}")
        name = sheet or names[0]
        found = pd.read_excel(book, sheet_name=name, header=None, dtype=str, na_filter=False)
    rows = found.astype(str).to_numpy().tolist()
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    if not any(filled):
        raise ValueError(f"its sheet {name!r} is empty")
    # A row of one cell above others is a title.
    first = next(number for number, count in enumerate(filled, 1) if count > (max(filled) > 1))
    last = max(number for number, count in enumerate(filled, 1) if count)
    kept = islice(enumerate(rows[first:last], first + 1), max_rows or None)
    form = f"sheet {name!r}" + (f" of {len(names)}" if len(names) > 1 else "")
    return make_table(rows[first - 1], kept, form)


def _list_images(folder: Path, max_rows: int) -> RawTable:
    """List the images in a folder and those below it, by name, but for hidden ones.

    Raises:
        ValueError: There are none.
    """
    files = list(islice(walk_files(folder), MOST_FILES))
    links = sorted(filter(has_image_ending, files))
    if not links:
        raise ValueError(f"{folder} holds no image; give a table, or a folder of images.")
    others = len(files) - len(links)
    form = f"folder, {others:,} other files left out" if others else "folder"
    rows = ([link.encode("utf-8", "backslashreplace").decode()] for link in links)
    return make_table(["image_link"], enumerate(islice(rows, max_rows or None), 1), form)
