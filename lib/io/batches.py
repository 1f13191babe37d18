"""Open the images of a batch, and save what a notebook leaves for the next ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib.io.files import read_table, write_json, write_table
from lib.io.item_names import name_images
from lib.parallel import count_reported


@dataclass(frozen=True)
class Batch:
    """The images of one batch.

    Attributes:
        links: Number of links, those without an image included.
        images: One row a distinct image: the columns of `tables/images`, indexed by sha256.
        samples: The samples of these images, with `image` (sha256) and `path`.
        files: File of each image, by sha256.
        names: Link and first sample of each image for messages, by sha256.
    """

    links: int
    images: pd.DataFrame = field(repr=False)
    samples: pd.DataFrame = field(repr=False)
    files: dict[str, Path] = field(repr=False)
    names: dict[str, str] = field(repr=False)


def open_batch(run_dir: Path, data_dir: Path, batch: int) -> Batch:
    """Open the images that `01_download.ipynb` recorded for one batch.

    Raises:
        FileNotFoundError: There is no such batch; the message names the notebook that makes it.
    """
    part = run_dir / f"tables/images/part-{batch:05d}.parquet"
    links = read_table(part, "01_download.ipynb")
    samples = pd.read_parquet(run_dir / "tables/samples.parquet")
    found = links[links["status"] == "ok"]
    images = found.drop_duplicates("sha256")
    keys = found[["link", "sha256", "path"]].set_axis(["image_link", "image", "path"], axis=1)
    files = {
        sha256: data_dir / path
        for sha256, path in zip(images["sha256"], images["path"], strict=True)
    }
    names = name_images(images, samples)
    asked = samples.merge(keys, on="image_link")
    return Batch(len(links), images.set_index("sha256"), asked, files, names)


def save_tables(run_dir: Path, batch: int | None = None, **tables: pd.DataFrame) -> None:
    """Write tables to `tables/` of a run, those of a batch as parts in a folder each.

    Args:
        run_dir: The run's folder.
        batch: Number of the batch, `None` if the tables hold all batches.
        **tables: The tables by name.
    """
    part = "" if batch is None else f"/part-{batch:05d}"
    for name, table in tables.items():
        write_table(table, run_dir / f"tables/{name}{part}.parquet")


def save_counts(run_dir: Path, notebook: str, batch: int | None = None, **counts: object) -> None:
    """Write a notebook's counts for the record of the run, with the internal errors it met.

    Args:
        run_dir: The run's folder.
        notebook: Name of the notebook, such as `"03_ocr"`.
        batch: Number of the batch, `None` for a notebook that runs once.
        **counts: The counts by name; `notes` is a list of sentences for the reader of the run.
    """
    part = "" if batch is None else f"-{batch:05d}"
    counts |= {"internal_errors": count_reported()}
    write_json(counts, run_dir / f"stages/{notebook}{part}.json")
