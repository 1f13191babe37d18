"""Measure the cost of work: wall-clock time, CPU time and memory of all its processes."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Cost:
    """The cost of a number of items, start-up excluded.

    Attributes:
        items: Result of each in order of completion, warm-up items included.
        count: Number of measured items.
        seconds: Wall-clock time from the last warm-up item to the end.
        cpu_seconds: CPU time of this process and all its children in that time.
        peak_mib: Peak memory of a single process.
    """

    items: tuple[Any, ...]
    count: int
    seconds: float
    cpu_seconds: float
    peak_mib: float

    @property
    def rate(self) -> float:
        """Return the items per second."""
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        """Return the CPU seconds per item."""
        return self.cpu_seconds / self.count


def measure_apart(work: Callable[..., Iterator[Any]], warm: int, *arguments: object) -> Cost:
    """Measure work in a fresh process, unaffected by our threads and settings.

    Args:
        work: Importable by name; yields one item at a time.
        warm: Number of warm-up items, not measured, during which programs and models load.
        arguments: Of `work`.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure_here, work, warm, *arguments).result()


def measure_here(work: Callable[..., Iterator[Any]], warm: int, *arguments: object) -> Cost:
    """Measure work in this process and the processes it starts; see `measure_apart`."""
    coming, peak = work(*arguments), 0.0
    items = list(itertools.islice(coming, warm))
    clock, cpu = time.perf_counter(), read_cpu_seconds()
    looked = -math.inf
    for item in coming:
        items.append(item)
        if time.perf_counter() - looked > 1:  # a look takes milliseconds, and memory grows slowly
            looked, peak = time.perf_counter(), max(peak, read_peak_mib())
    seconds, cpu_seconds = time.perf_counter() - clock, read_cpu_seconds() - cpu
    return Cost(tuple(items), len(items) - warm, seconds, cpu_seconds, peak)


def read_cpu_seconds() -> float:
    """Return the total CPU time of this process and its children, ended ones included."""
    total = 0.0
    for process in list_processes():
        with suppress(psutil.NoSuchProcess):  # it has ended, and its parent counts its time
            total += sum(process.cpu_times()[:4])  # user, system, and those of ended children
    return total


def read_peak_mib() -> float:
    """Return the highest peak memory of a single one of these processes so far, in MiB."""
    return max(read_high_water(process.pid) for process in list_processes())


def list_processes(parent: psutil.Process | None = None) -> list[psutil.Process]:
    """List a process, by default this one, and its living descendants."""
    parent = parent or psutil.Process()
    return [parent, *parent.children(recursive=True)]


def read_high_water(pid: int) -> float:
    """Read the peak memory of a process (Linux), in MiB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    sizes = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(next(sizes, "0")) / 1024
