"""Benchmark memory: a run of 20,000 samples against one of 2,000."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from lib.dev.bench.figures import Figure
from lib.dev.bench.runs import RunCost, copy_images, run_apart, write_images
from lib.quantities import ENTITIES

FEW, MANY = 2_000, 20_000  # samples; every entity of each image is asked for
BATCH_SIZE: int = 125  # images; both runs have several batches


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Measure both runs once, on images that all differ; options are not used.

    Returns:
        The figures, and a table with one row per run.
    """
    costs = {count: measure_run(count) for count in (FEW, MANY)}
    few, many = costs.values()
    figures = [
        Figure(
            *("memory", f"all processes, {MANY:,} samples / {FEW:,}"),
            (many.peak_mib / few.peak_mib,),
            target="<= 1.15",
        ),
        Figure("memory", f"all processes, {MANY:,} samples", (many.peak_mib,), "MiB"),
    ]
    rows = [
        {
            "samples": count,
            "images": count // len(ENTITIES),
            "seconds": cost.seconds,
            "MiB": cost.peak_mib,
        }
        for count, cost in costs.items()
    ]
    return figures, pd.DataFrame(rows).round(0)


def measure_run(count: int) -> RunCost:
    """Measure a run of the pipeline over `count` samples."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_images(folder, copy_images(count // len(ENTITIES)))
        return run_apart(folder, {"BATCH_SIZE": BATCH_SIZE})
