"""Benchmark whole runs: the sample from scratch, again, in a new folder, and two photos."""

from __future__ import annotations

import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import yaml

from lib.dev.bench.figures import Figure
from lib.dev.bench.runs import IMAGES, RunContents, list_contents
from lib.io import PROJECT

SAMPLE: Path = PROJECT / "notebooks/params/sample.yaml"
PHOTOS: tuple[str, str] = ("drawing_test_0.jpg", "front_train_0.jpg")
COLD, SAME, RESTART, TWO = "cold", "nothing changed", "new folder, full cache", "two photos"
TARGETS: dict[str, str] = {SAME: "<= 3", RESTART: "<= 20", TWO: "<= 20"}  # seconds
MIN_FILES, MIN_FIGURES = 50, 85  # of the cold run, on 2026-11-28


@dataclass(frozen=True)
class Run:
    """A run: its wall-clock time in seconds, the start of Python included, and its contents."""

    seconds: float
    contents: RunContents


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Time whole runs, started as a user does, and list what each wrote; options are not used.

    Returns:
        The figures, and a table with one row per run.
    """
    with TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        own, data = write_own_table(place / "photos"), place / "data"
        runs = {
            COLD: time_run(SAMPLE, place / "run", data),
            SAME: time_run(SAMPLE, place / "run", data),
            RESTART: time_run(SAMPLE, place / "other", data),
            TWO: time_run(own, place / "two", place / "other data"),
        }
    return compare_runs(runs), pd.DataFrame([describe_run(*run) for run in runs.items()])


def write_own_table(folder: Path) -> Path:
    """Write two photos, a table of their links, and the parameters of a user's first run."""
    folder.mkdir()
    for name in PHOTOS:
        (folder / name).write_bytes((IMAGES / name).read_bytes())
    (folder / "table.csv").write_text("\n".join(["image_link", *PHOTOS]))
    given: dict[str, object] = {
        "TRAIN_CSV": "",
        "TEST_CSV": str(folder / "table.csv"),
        "LOCAL_IMAGES": str(folder),
        "OCR_ENGINES": ["rapidocr"],
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(given))
    return folder / "run.yaml"


def compare_runs(runs: Mapping[str, Run]) -> list[Figure]:
    """Set times against their targets, and what each run wrote against the cold one."""
    cold = runs[COLD]
    found = [
        *((name, runs[name].seconds, "s", target) for name, target in TARGETS.items()),
        (f"{SAME} / {COLD}", runs[SAME].seconds / cold.seconds, "", "<= 0.05"),
        (f"{RESTART} / {COLD}", runs[RESTART].seconds / cold.seconds, "", ""),
        (f"{COLD}: files", cold.contents.file_count, "", f">= {MIN_FILES}"),
        (f"{COLD}: figures", cold.contents.figure_count, "", f">= {MIN_FIGURES}"),
        *(
            (f"{name}: missing files, poorer pages", len(find_missing(name, runs)), "", "<= 0")
            for name in TARGETS
        ),
    ]
    return [Figure("pipeline", name, (value,), unit, target) for name, value, unit, target in found]


def find_missing(name: str, runs: Mapping[str, Run]) -> list[str]:
    """Find what the cold run wrote and another did not.

    Two photos have no truths, so the front page of their run has fewer figures.
    """
    left_out = ("index.html",) if name == TWO else ()
    return runs[COLD].contents.find_missing(runs[name].contents, left_out)


def describe_run(name: str, run: Run) -> dict[str, object]:
    """Describe a run in a row: its time, its files by kind, its figures by page."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in run.contents.count_kinds().items())
    figures = {Path(page).stem.split("_")[0]: n for page, n in run.contents.figures.items() if n}
    pages = ", ".join(f"{page} {count}" for page, count in figures.items())
    return {
        "run": name,
        "seconds": round(run.seconds, 1),
        "files": f"{run.contents.file_count}: {kinds}",
        "figures": f"{run.contents.figure_count}: {pages}",
    }


def time_run(parameters: Path, run_dir: Path, data_dir: Path) -> Run:
    """Time one run.

    Raises:
        RuntimeError: The run failed.
    """
    command = [sys.executable, "-m", "lib", "run", str(parameters)]
    given = {"RUN_DIR": run_dir, "DATA_DIR": data_dir}
    options = [text for name, path in given.items() for text in ("-p", name, str(path))]
    start = time.perf_counter()
    done = subprocess.run([*command, *options], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the run failed: {done.stderr[-2000:]}")
    return Run(time.perf_counter() - start, list_contents(run_dir))
