"""Read and check the sample table (one row per question about an image), and batch its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.io.item_names import SHORT
from lib.io.links import may_be_local
from lib.io.tables.cells import find_blank, find_entity, find_problems, read_cells
from lib.io.tables.columns import ask_questions, take_columns
from lib.io.tables.formats import read_raw_table, split_sheet
from lib.io.tables.raw_table import name_columns
from lib.io.tables.truths import can_be_met, map_truths
from lib.quantities import ENTITIES

COLUMNS: tuple[str, ...] = (
    *("sample_id", "index", "image_link", "group_id", "entity_name"),
    *("entity_value", "has_truth", "split", "folder", "product_id", "checksum", "problem"),
)
MOST_LISTED: int = 20  # rows in a warning
MOST_NAMED: int = 3  # rows in an error


@dataclass(frozen=True)
class SampleTables:
    """The sample tables of a run.

    Attributes:
        samples: As `read_samples` returns them.
        own_columns: `sample_id` and all columns of the tables as text, under their own names;
            missing where a row's table has no such column.
        notes: One line a table on what was found out about it.
        warnings: A line for each row that cannot be asked and each truth that cannot be met, the
            first of them.
    """

    samples: pd.DataFrame = field(repr=False)
    own_columns: pd.DataFrame = field(repr=False)
    notes: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class TableSettings:
    """How sample tables are read.

    Attributes:
        max_rows: Rows read from the top of each table, 0 for all.
        columns: Our name of a column -> the tables' name.
        questions: Entities asked about each image of a table without `entity_name`, none for all.
        strict: Whether a table with a row that cannot be asked is refused.
    """

    max_rows: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    questions: Sequence[str] = ()
    strict: bool = False


def read_samples(train_csv: str | Path, test_csv: str | Path, max_rows: int = 0) -> pd.DataFrame:
    """Read the train and test tables into one, train rows first; see `read_sample_tables`.

    Returns:
        One row per sample, in the order of the files. `sample_id` (int) is the row's number,
        `split` is `"train"` or `"test"`, `folder` is the base of relative links; the others are
        text. `entity_value` is `""` where the image does not show it or the truth is unknown;
        `has_truth` (bool) tells which. `product_id` and `checksum` are `""` where the table has
        none; `problem` is `""`, or why the row cannot be asked, with its line.
    """
    return read_sample_tables(train_csv, test_csv, TableSettings(max_rows)).samples


def read_sample_tables(
    train_csv: str | Path, test_csv: str | Path, settings: TableSettings | None = None
) -> SampleTables:
    """Read the sample tables, in any form that `tables.formats` knows.

    Args:
        train_csv: Table with `entity_value`. `""` for none.
        test_csv: Table to predict; its `entity_value` is optional, and scored if present. `""` for
            none.
        settings: How to read them.

    Raises:
        FileNotFoundError: A table does not exist.
        ValueError: No table is given, one cannot be read, lacks a column or has too many rows that
            cannot be asked, or both use one relative link for different files.
    """
    settings = settings or TableSettings()
    given = (("train", str(train_csv)), ("test", str(test_csv)))
    parts = [_read_table(path, split, settings) for split, path in given if path]
    if not parts:
        raise ValueError("No sample table: TRAIN_CSV and TEST_CSV are both empty; give one.")
    samples = pd.concat([part.samples for part in parts], ignore_index=True)
    samples.insert(0, "sample_id", np.arange(len(samples)))
    _check_folders(samples)
    own = pd.concat([part.own_columns for part in parts], ignore_index=True)
    own.insert(0, "sample_id", samples["sample_id"], allow_duplicates=True)
    own = own.set_axis(name_columns(own.columns.tolist()), axis=1)
    return SampleTables(
        samples[list(COLUMNS)],
        own,
        [note for part in parts for note in part.notes],
        [warning for part in parts for warning in part.warnings],
    )


def _read_table(path: str, split: str, settings: TableSettings) -> SampleTables:
    """Read one table; see `read_sample_tables`."""
    place, (file, _) = Path(path).name, split_sheet(path)
    raw = read_raw_table(path, settings.max_rows)
    table = take_columns(raw.cells, settings.columns, split, path)
    is_asked = "entity_name" in table
    table = read_cells(table if is_asked else table.assign(entity_name=ENTITIES[0]))
    table["problem"] = find_problems(table, raw)
    _check_rows(table["problem"], find_blank(raw.cells), path, settings.strict)
    table["has_truth"] &= table["problem"] == ""
    folder = str((file if file.is_dir() else file.parent).resolve())
    samples = table.assign(split=split, folder=folder)
    note = f"{place}: {raw.form}, {len(table):,} rows"
    if not is_asked:
        asked = [find_entity(name) for name in settings.questions]
        samples = ask_questions(samples, asked or ENTITIES)
        note += f", no entity_name: {len(samples):,} questions"
    own = raw.cells.loc[samples.index]
    return SampleTables(samples, own, [note], _list_warnings(table, raw.lines, place))


def _check_rows(problems: pd.Series, blank: pd.Index, path: str, strict: bool) -> None:
    """Check that a table is not misunderstood, and that it has no bad row if none is allowed.

    Raises:
        ValueError: More than half of the rows that hold something cannot be asked, or one cannot.
    """
    bad = problems[problems != ""]
    filled, wrong = len(problems) - len(blank), len(bad.index.difference(blank))
    is_misread = 2 * wrong > filled or not filled
    if len(bad) and (strict or is_misread):
        why = "a column may be misunderstood" if is_misread else "STRICT_ROWS refuses any"
        raise ValueError(
            f"{path}: {len(bad):,} of {len(problems):,} rows cannot be asked, {why}: "
            f"{'; '.join(bad[:MOST_NAMED])}."
        )


def _list_warnings(table: pd.DataFrame, lines: npt.NDArray[np.int64], place: str) -> list[str]:
    """List the first rows that cannot be asked, and the first truths that no answer can meet."""
    problems = table.loc[table["problem"] != "", "problem"].tolist()
    rows = np.flatnonzero(table["has_truth"] & ~map_truths(table, can_be_met).astype(bool))
    listed = zip(rows[:MOST_LISTED], table["entity_value"].iloc[rows[:MOST_LISTED]], strict=True)
    truths = [f"line {lines[row]}: {SHORT.repr(truth)}" for row, truth in listed]
    said = {
        f"{len(problems):,} of {len(table):,} rows cannot be asked": problems[:MOST_LISTED],
        f"{len(rows):,} truths can be met by no answer": truths,
    }
    heads = {f"{place}: {text}, the first of them:": listed for text, listed in said.items()}
    return [line for head, listed in heads.items() if listed for line in (head, *listed)]


def _check_folders(samples: pd.DataFrame) -> None:
    """Raise `ValueError` where one relative link means two files."""
    asked = samples[samples["problem"] == ""]
    local = asked[asked["image_link"].map(may_be_local).astype(bool)]
    folders = local.groupby("image_link")["folder"].nunique()
    if (folders > 1).any():
        raise ValueError(
            f"The relative link {SHORT.repr(folders.idxmax())} is in two tables in different "
            "folders and so means two files; put both tables in one folder."
        )


def distinct_links(samples: pd.DataFrame) -> pd.DataFrame:
    """List each link once, in order of first use; rows that cannot be asked are left out.

    Returns:
        Columns `link`, `folder` (the base of a relative link) and `checksum` (`""` for none).
    """
    asked = samples[samples["problem"] == ""]
    links = asked[["image_link", "folder", "checksum"]].rename(columns={"image_link": "link"})
    return links.drop_duplicates("link", ignore_index=True)


def count_batches(links: pd.DataFrame, batch_size: int) -> int:
    """Count the batches that hold all links, at least one.

    >>> count_batches(pd.DataFrame({"link": list("abcde")}), 2)
    3
    """
    if batch_size < 1:
        raise ValueError(f"BATCH_SIZE is {batch_size}; it must be at least 1.")
    return max(1, -(-len(links) // batch_size))


def batch_of(links: pd.DataFrame, batch: int, batch_size: int) -> pd.DataFrame:
    """Return one batch of links; together the batches hold each link once.

    >>> list(batch_of(pd.DataFrame({"link": list("abcde")}), 2, 2)["link"])
    ['e']

    Raises:
        ValueError: There is no such batch, or `batch_size` is below 1.
    """
    batches = count_batches(links, batch_size)
    if not 0 <= batch < batches:
        raise ValueError(
            f"BATCH is {batch}; {len(links)} links in batches of {batch_size} are numbered "
            f"0 to {batches - 1}."
        )
    return links.iloc[batch * batch_size : (batch + 1) * batch_size].reset_index(drop=True)


def connect_samples(samples: pd.DataFrame, keys: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Label the connected components of samples, where a shared key value connects two.

    Args:
        samples: Any table with the key columns; an empty value shares nothing.
        keys: Columns, such as `image_link` and `group_id`.

    Returns:
        Component of each sample, (N,) int.
    """
    from scipy.sparse import coo_array  # Imported here: it costs each kernel a second.
    from scipy.sparse.csgraph import connected_components

    rows, nodes, size = [], [], len(samples)
    for key in keys:
        values = samples[key].astype(str)
        codes, names = pd.factorize(values.where(values != ""))  # -1 where empty
        rows.append(np.flatnonzero(codes >= 0))
        nodes.append(codes[codes >= 0] + size)
        size += len(names)
    edges = (np.concatenate(rows), np.concatenate(nodes))
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(size, size))
    labels: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return labels[: len(samples)]
