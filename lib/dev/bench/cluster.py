"""Benchmark a Dask cluster: how many images a second one scheduler can hand out."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import psutil

from lib.dev.bench.figures import Figure
from lib.io import PROJECT
from lib.ocr import Box, Page, Word
from lib.parallel import run_on_cluster

WORKERS, THREADS = 10, 10
PAUSE: float = 0.05  # seconds in place of the networks; all threads together: 2,000 images a second
COUNT: int = 4_000  # images a round
WARM: int = 500  # images before the first round
START: float = 120.0  # timeout in seconds for the cluster's start
LINES: int = 19  # of text, as on a photo of the challenge


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Measure rounds of images that take the workers a pause and no work.

    The scheduler and our loop are a thread each, so the processor time of an image limits their
    speed. The measured speed is lower: ten workers' messages are handled by the same cores.

    Returns:
        The figures, and a table with one row per round.
    """
    with start_cluster() as (address, scheduler):
        measure_round(address, scheduler, WARM)
        rows = [measure_round(address, scheduler, COUNT) for _ in range(options.rounds)]
    table = pd.DataFrame(rows)
    figures = [
        Figure("cluster", f"{name}, images a second", tuple(rates), target=target)
        for name, rates, target in (
            ("the scheduler's limit", 1000 / table["scheduler ms"], ">= 1000"),
            ("our loop's limit", 1000 / table["loop ms"], ">= 1000"),
            ("ten workers on the same cores", table["images a second"], ""),
        )
    ]
    return figures, table.round(2)


@contextmanager
def start_cluster() -> Iterator[tuple[str, psutil.Process]]:
    """Start a scheduler and the workers; yield the scheduler's address and process.

    Raises:
        RuntimeError: It did not start in time.
    """
    worker = {"cls": "distributed.Worker", "opts": {"nthreads": THREADS, "dashboard": False}}
    with TemporaryDirectory(prefix="bench-") as name:
        file = Path(name, "scheduler.json")
        place = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        scheduler = _start("scheduler", *place, "--scheduler-file", str(file), folder=name)
        workers = []
        try:
            address = _read_address(file)
            half = json.dumps(dict.fromkeys(map(str, range(WORKERS // 2)), worker))
            workers += [_start("spec", address, "--spec", half, folder=name) for _ in range(2)]
            _await_workers(address)
            yield address, psutil.Process(scheduler.pid)
        finally:
            for process in (*workers, scheduler):
                process.kill()
                process.wait()


def _start(*arguments: str, folder: str) -> subprocess.Popen[bytes]:
    """Start a part of the cluster, without the profiler that takes a tenth of a worker's time."""
    settings = {
        "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
        "DASK_TEMPORARY_DIRECTORY": folder,
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", "dask", *arguments]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=os.environ | settings, stdout=quiet, stderr=quiet)


def _read_address(file: Path) -> str:
    """Wait for the scheduler's file and return the address in it."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        with suppress(OSError, ValueError):  # not written, or half written
            return str(json.loads(file.read_text())["address"])
        time.sleep(0.1)
    raise RuntimeError(f"the Dask scheduler did not start within {START:g} s")


def _await_workers(address: str) -> None:
    """Wait for all workers."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        try:
            client.wait_for_workers(WORKERS, timeout=START)
        except TimeoutError as error:
            raise RuntimeError(f"no {WORKERS} Dask workers within {START:g} s") from error


def read_asleep(number: int) -> Page:
    """Stand in for an engine: a page of text, after a pause."""
    time.sleep(PAUSE)
    words = (Word(f"Width {number} cm", 0.9, Box(10, 10, 200, 30).quad) for _ in range(LINES))
    return Page(640, 480, "asleep", tuple(words))


def measure_round(address: str, scheduler: psutil.Process, count: int) -> dict[str, float]:
    """Measure images a second, and the processor time an image of the scheduler and our loop."""
    items = {f"{number:064x}": (number,) for number in range(count)}
    start, busy, own = time.perf_counter(), sum(scheduler.cpu_times()[:2]), time.process_time()
    results = dict(run_on_cluster(read_asleep, items, address, math.inf))
    failed = next((result.reason for result in results.values() if result.reason), "")
    if failed:
        raise RuntimeError(f"an image failed: {failed}")
    return {
        "images a second": count / (time.perf_counter() - start),
        "scheduler ms": 1000 * (sum(scheduler.cpu_times()[:2]) - busy) / count,
        "loop ms": 1000 * (time.process_time() - own) / count,
    }
