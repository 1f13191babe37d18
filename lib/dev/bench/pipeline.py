"""Benchmark the pipeline: a run of the sample from scratch, then again without changes."""

from __future__ import annotations

import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from lib.dev.bench.figures import Figure
from lib.io import PROJECT

SAMPLE: Path = PROJECT / "notebooks/params/sample.yaml"
COLD, WARM, ANEW = "cold", "nothing changed", "another folder, same cache"


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Time whole runs of the sample, started as a user does; options are not used.

    Returns:
        The figures, and a table with one row per run.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder)
        seconds = {
            COLD: time_run(place / "run", place / "data"),
            WARM: time_run(place / "run", place / "data"),
            ANEW: time_run(place / "other", place / "data"),
        }
    figures = [
        Figure(
            *("pipeline", "nothing changed / cold"),
            (seconds[WARM] / seconds[COLD],),
            target="<= 0.05",
        ),
        Figure("pipeline", "nothing changed", (seconds[WARM],), "s", target="<= 20"),
        Figure("pipeline", "another folder / cold", (seconds[ANEW] / seconds[COLD],)),
    ]
    rows = [{"run": name, "seconds": found} for name, found in seconds.items()]
    return figures, pd.DataFrame(rows).round(1)


def time_run(run_dir: Path, data_dir: Path) -> float:
    """Time one run of the sample in seconds, the start of Python included.

    Raises:
        RuntimeError: The run failed.
    """
    command = [sys.executable, "-m", "lib", "run", str(SAMPLE)]
    given = {"RUN_DIR": run_dir, "DATA_DIR": data_dir}
    options = [text for name, path in given.items() for text in ("-p", name, str(path))]
    start = time.perf_counter()
    done = subprocess.run([*command, *options], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the run of the sample failed: {done.stderr[-2000:]}")
    return time.perf_counter() - start
