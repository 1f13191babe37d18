"""Benchmark downloading while reading, from a server as slow as the reading."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from lib.dev.bench.figures import Figure
from lib.dev.bench.image_server import serve
from lib.dev.bench.runs import copy_images, run_apart, write_images, write_questions
from lib.io import read_record
from lib.workflow import DOWNLOAD

COUNT: int = 240  # images
BATCHES: int = 8  # no reading during the first download, no download during the last reading
CONNECTIONS: int = 4  # few, so that no link waits long enough to time out


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Time a run over local images, then one over a server as slow; options are not used.

    Returns:
        The figures, and a table with one row per run.
    """
    contents = copy_images(COUNT)
    size = {"BATCH_SIZE": COUNT // BATCHES}
    with TemporaryDirectory(prefix="bench-") as name:
        here, there = Path(name, "here"), Path(name, "there")
        here.mkdir()
        there.mkdir()
        write_images(here, contents)
        reading = run_apart(here, size).seconds
        gap = (reading - add_up(here, DOWNLOAD)) / COUNT  # 01's own time comes on top
        with serve(contents, gap=gap) as address:
            write_questions(there / "test.csv", [f"{address}{number}" for number in range(COUNT)])
            asking = {"ALLOW_HOSTS": ["127.0.0.1"], "CONNECTIONS": CONNECTIONS}
            both = run_apart(there, size | asking).seconds
        fetching = add_up(there, DOWNLOAD)
    figure = Figure(
        *("overlap", "a slow server's images / fetched, then read"),
        (both / (fetching + reading),),
        target="<= 0.65",
    )
    rows = [
        {"run": "images that are here", "seconds": reading},
        {"run": "fetching from a slow server", "seconds": fetching},
        {"run": "fetched beside reading", "seconds": both},
    ]
    return [figure], pd.DataFrame(rows).round(0)


def add_up(folder: Path, step: str) -> float:
    """Return the total seconds that a notebook took in all batches of a run."""
    stages = read_record(folder / "run")["stages"]
    return sum(stage["seconds"] for stage in stages if stage["name"].startswith(step))
