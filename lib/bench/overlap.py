"""The overlap part: downloading beside reading, from a server as slow as reading is."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from lib.bench.figures import Figure
from lib.bench.picture_server import serve
from lib.bench.runs import copy_pictures, run_apart, write_pictures, write_questions

COUNT: int = 240  # pictures
BATCHES: int = 8  # with the first nothing is read beside, after the last nothing is fetched


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Read pictures that are here, then those of a server that takes as long; options not used.

    Returns:
        The figures, and a table with one row a run.
    """
    contents = copy_pictures(COUNT)
    size = {"BATCH_SIZE": COUNT // BATCHES}
    with TemporaryDirectory(prefix="bench-") as name:
        here, there = Path(name, "here"), Path(name, "there")
        here.mkdir()
        there.mkdir()
        write_pictures(here, contents)
        reading = run_apart(here, size).seconds
        with serve(contents, gap=reading / COUNT) as address:
            write_questions(there / "test.csv", [f"{address}{number}" for number in range(COUNT)])
            both = run_apart(there, size | {"ALLOW_HOSTS": ["127.0.0.1"]}).seconds
    figure = Figure(
        *("overlap", "a slow server's pictures / fetched, then read"),
        (both / (2 * reading),),
        target="<= 0.65",
    )
    rows = [
        {"run": "pictures that are here", "seconds": reading},
        {"run": "the server alone", "seconds": reading},
        {"run": "fetched beside reading", "seconds": both},
    ]
    return [figure], pd.DataFrame(rows).round(0)
