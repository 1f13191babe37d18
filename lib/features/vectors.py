"""Store the vectors of a run in numbered parts, and read them as one array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.io import list_parts, replace_file, write_table

Floats = npt.NDArray[np.floating]


def write_vectors(
    sha256: tuple[str, ...],
    values: Floats,
    weights: str,
    precision: str,
    folder: Path,
    batch: int,
) -> None:
    """Write a batch of vectors as float16, with a table of which row is which image.

    Args:
        sha256: One per row.
        values: (N, 2048).
        weights: Name of the weights that they were computed with.
        precision: Precision that they were computed in.
        folder: Created if missing; receives `part-00000.npy` and `part-00000.parquet`.
        batch: Number of the batch.
    """
    with replace_file(folder / f"part-{batch:05d}.npy") as temporary, temporary.open("wb") as file:
        np.save(file, values.astype(np.float16))
    index = pd.DataFrame({"sha256": list(sha256), "row": range(len(sha256))}).astype(
        {"sha256": str}
    )
    index = index.assign(weights=weights, precision=precision)
    write_table(index, folder / f"part-{batch:05d}.parquet")


class Vectors:
    """Vectors in several files that read as one array; rows are loaded on access.

    Args:
        parts: (N_i, 2048) each, such as memory maps.
        rows: Ascending numbers of the rows in use, counted through all parts.
    """

    def __init__(self, parts: Sequence[Floats], rows: npt.NDArray[np.intp]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])
        self._rows = rows
        self.shape = (len(rows), parts[0].shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, chosen: slice | npt.NDArray[np.integer]) -> Floats:
        rows = self._rows[chosen]
        values = np.empty((len(rows), self.shape[1]), self._parts[0].dtype)
        parts = np.searchsorted(self._starts, rows, side="right") - 1
        for part in np.unique(parts):
            here = parts == part
            values[here] = self._parts[part][rows[here] - self._starts[part]]
        return values


def read_vectors(folder: str | Path) -> tuple[pd.Series[str], Vectors]:
    """Open the vectors of all batches, each image once.

    Returns:
        Name of the weights of each image's vector, by sha256; and the vectors (N, 2048) float16 in
        the same order, which stay on disk.

    Raises:
        FileNotFoundError: There are none yet.
        ValueError: They were computed in several precisions, so that they cannot be compared.
    """
    paths = list_parts(folder, "02_features.ipynb")
    index = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    precisions = sorted(index["precision"].unique())
    if len(precisions) > 1:
        raise ValueError(
            f"The vectors in {folder} are in {' and '.join(precisions)}; set PRECISION to one of "
            "them and run again."
        )
    first = ~index["sha256"].duplicated()
    parts = [np.load(path.with_suffix(".npy"), mmap_mode="r") for path in paths]
    return index[first].set_index("sha256")["weights"], Vectors(parts, np.flatnonzero(first))
