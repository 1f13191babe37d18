"""Write files atomically, and read tables stored in numbered parts."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from lib.io.manifest import find_manifest, name_temporary

MOST_SHEET_ROWS: int = 2**20 - 1
"""Rows of an Excel sheet below its head."""
MOST_CHARACTERS: int = 32_767
"""Characters of an Excel cell; programs refuse or lose longer ones."""
MOST_PIXELS: int = 400
"""Widest column of a sheet that we write."""


@contextmanager
def replace_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that atomically replaces `path` when the block succeeds.

    In a run's folder the manifest records the file, and a file at `path` that the run did not write
    is moved aside.
    """
    path = Path(path)
    manifest = find_manifest(path)
    if manifest:
        manifest.make_way(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = manifest.new_temporary(path) if manifest else name_temporary(path)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        if manifest:
            manifest.install(temporary, path)
        else:
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a Parquet file atomically, creating its folder."""
    with replace_file(path) as temporary:
        frame.to_parquet(temporary, index=False)


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV atomically, without its index."""
    with replace_file(path) as part:
        frame.to_csv(part, index=False, lineterminator="\n")


def write_sheet(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table as an Excel sheet atomically: its head stays in view, each column has a filter.

    Text stays text: `0001` is no number, `=1+1` no formula. What Excel cannot hold is cut: a cell
    of more than 32,767 characters.

    Raises:
        ValueError: The table has more rows than `MOST_SHEET_ROWS`.
    """
    text = frame.select_dtypes(exclude="number").columns
    frame = frame.astype(dict.fromkeys(text, str))
    frame[text] = frame[text].apply(lambda column: column.str[:MOST_CHARACTERS])
    options = {"options": {"strings_to_formulas": False, "strings_to_urls": False}}
    with (
        replace_file(path) as temporary,
        temporary.open("wb") as file,
        pd.ExcelWriter(file, engine="xlsxwriter", engine_kwargs=options) as book,
    ):
        frame.to_excel(book, sheet_name="answers", index=False, freeze_panes=(1, 0))
        sheet = book.sheets["answers"]
        sheet.autofilter(0, 0, len(frame), max(0, len(frame.columns) - 1))
        sheet.autofit(MOST_PIXELS)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": write_csv,
    "xlsx": write_sheet,
    "parquet": write_table,
}
"""Writer of a table by the end of the file's name."""


def write_json(data: Mapping[str, object], path: str | Path) -> None:
    """Write a JSON file atomically, creating its folder; numpy numbers are accepted."""
    text = json.dumps(data, indent=2, ensure_ascii=False, default=lambda value: value.item())
    with replace_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> dict[str, object]:
    """Read a JSON object, empty if the file is missing or damaged."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def read_table(path: Path, made_by: str) -> pd.DataFrame:
    """Read a table of a run.

    Raises:
        FileNotFoundError: There is none; the message names the notebook that makes it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No {path}; run {made_by} first.")
    return pd.read_parquet(path)


def read_parts(
    folder: str | Path, made_by: str, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Concatenate the `part-*.parquet` files of a folder, or some columns of them, in order.

    Raises:
        FileNotFoundError: There are none; the message names the notebook that makes them.
    """
    parts = list_parts(folder, made_by)
    names = None if columns is None else list(columns)
    return pd.concat([pd.read_parquet(part, columns=names) for part in parts], ignore_index=True)


def list_parts(folder: str | Path, made_by: str) -> list[Path]:
    """List the `part-*.parquet` files of a folder, in order; in a run's folder, those it wrote.

    Raises:
        FileNotFoundError: There are none; the message names the notebook that makes them.
    """
    manifest = find_manifest(Path(folder) / "part")
    found = sorted(Path(folder).glob("part-*.parquet"))
    parts = [part for part in found if not manifest or manifest.names(part)]
    if not parts:
        raise FileNotFoundError(f"No part-*.parquet in {folder}; run {made_by} first.")
    return parts
