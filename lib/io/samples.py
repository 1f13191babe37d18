"""Read and check the sample table (one row per question about an image), and batch its links."""

import reprlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.parallel import InternalError, try_item
from lib.quantities import ENTITIES

SHORT = reprlib.Repr()
"""Formats a value for a message, however large or deep it is."""
SHORT.maxstring, SHORT.maxother, SHORT.maxlevel = 300, 100, 2

QUESTION: tuple[str, ...] = ("image_link", "group_id", "entity_name")
REQUIRED: dict[str, tuple[str, ...]] = {
    "train": (*QUESTION, "entity_value"),
    "test": ("index", *QUESTION),
}
COLUMNS: tuple[str, ...] = (
    "sample_id",
    "index",
    *QUESTION,
    "entity_value",
    "has_truth",
    "split",
    "folder",
)
# Spellings of a missing value in tables; any other text stays as it is.
NO_VALUE: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")


def read_samples(train_csv: str | Path, test_csv: str | Path, max_rows: int = 0) -> pd.DataFrame:
    """Read the train and test tables into one, train rows first.

    Args:
        train_csv: Table with `entity_value`; a missing `index` is numbered from 0.
            `""` for none.
        test_csv: Table with `index`; `entity_value` is optional, and scored if present.
            `""` for none.
        max_rows: Rows read from the top of each table, 0 for all.

    Returns:
        One row per sample, in the order of the files. `sample_id` (int) is the row's number,
        `split` is `"train"` or `"test"`, `folder` is the base of relative links; `index`,
        `image_link`, `group_id`, `entity_name` and `entity_value` are text. `entity_value` is `""`
        where the image does not show it or the truth is unknown; `has_truth` (bool) tells which.
        Further columns of the files are left out.

    Raises:
        FileNotFoundError: A table does not exist.
        ValueError: No table is given, or one lacks a column, asks about an unknown entity, uses an
            index twice, or both use one relative link for different files.
    """
    tables = [("train", train_csv), ("test", test_csv)]
    parts = [_read_table(Path(path), split, max_rows) for split, path in tables if str(path)]
    if not parts:
        raise ValueError("No sample table: TRAIN_CSV and TEST_CSV are both empty; give one.")
    samples = pd.concat(parts, ignore_index=True)
    samples.insert(0, "sample_id", np.arange(len(samples)))
    _check_folders(samples)
    return samples[list(COLUMNS)]


def _read_table(path: Path, split: str, max_rows: int) -> pd.DataFrame:
    """Read and check one table; see `read_samples`."""
    table = _read_csv(path, max_rows)
    missing = [name for name in REQUIRED[split] if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path} lacks {', '.join(missing)}; found {', '.join(table.columns)[:300]}. "
            f"A {split} table needs {', '.join(REQUIRED[split])}."
        )
    if "index" not in table:
        table["index"] = [str(number) for number in range(len(table))]
    table["has_truth"] = "entity_value" in table
    if not table["has_truth"].any():
        table["entity_value"] = ""
    table["image_link"] = table["image_link"].str.strip()
    table["entity_value"] = table["entity_value"].where(~table["entity_value"].isin(NO_VALUE), "")
    _check_rows(table, path)
    return table.assign(split=split, folder=str(path.resolve().parent))


def _read_csv(path: Path, max_rows: int) -> pd.DataFrame:
    """Read a CSV file as text, nothing interpreted (`"NA"` stays `"NA"`, `"007"` stays `"007"`)."""
    if not path.is_file():
        raise FileNotFoundError(f"No sample table at {path}; give a CSV file or an empty name.")
    # Compressed files and invalid bytes make readers raise dozens of kinds of errors.
    rows = max_rows or None
    table = try_item(pd.read_csv, path, dtype=str, keep_default_na=False, nrows=rows)
    if isinstance(table, InternalError):
        raise ValueError(
            f"{path} cannot be read as a table (a CSV in UTF-8, packed or not): "
            f"{table.kind}: {table.message}"
        )
    return table


def _check_rows(table: pd.DataFrame, path: Path) -> None:
    """Raise `ValueError` for unknown entities and for an index used twice."""
    unknown = sorted(set(table["entity_name"]) - {*ENTITIES})
    if unknown:
        raise ValueError(
            f"{path} asks about unknown entities {SHORT.repr(unknown[:5])}; "
            f"known are {sorted(ENTITIES)}."
        )
    repeated = table.loc[table["index"].duplicated(), "index"].unique()
    if len(repeated):
        raise ValueError(
            f"{path} uses {len(repeated)} index values twice, such as "
            f"{SHORT.repr(list(repeated[:5]))}; every row needs an index of its own."
        )


def _check_folders(samples: pd.DataFrame) -> None:
    """Raise `ValueError` where one relative link means two files."""
    local = samples.loc[~samples["image_link"].str.contains("://", regex=False)]
    folders = local.groupby("image_link")["folder"].nunique()
    if (folders > 1).any():
        raise ValueError(
            f"The relative link {SHORT.repr(folders.idxmax())} is in two tables in different "
            "folders and so means two files; put both tables in one folder."
        )


def distinct_links(samples: pd.DataFrame) -> pd.DataFrame:
    """List each link once, in order of first use.

    Returns:
        Columns `link` and `folder` (the base of a relative link).
    """
    links = samples[["image_link", "folder"]].rename(columns={"image_link": "link"})
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
