"""What a stretch of work costs: time, processor time of all its processes, their memory."""

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
from joblib.externals.loky import get_reusable_executor


@dataclass(frozen=True)
class Cost:
    """What a number of items cost, start-up excluded.

    Attributes:
        items: What came of each in the order in which they ended, the warm ones included.
        count: Items that were measured.
        seconds: By the clock, from the last warm item to the end.
        cpu_seconds: Of this process and all its children, likewise.
        peak_mib: Most memory that a single process held.
    """

    items: tuple[Any, ...]
    count: int
    seconds: float
    cpu_seconds: float
    peak_mib: float

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        """Processor seconds an item."""
        return self.cpu_seconds / self.count


def measure_apart(work: Callable[..., Iterator[Any]], warm: int, *arguments: object) -> Cost:
    """Measure work in a fresh process, so that no thread or setting of ours touches it.

    Args:
        work: Importable; gives an item at a time.
        warm: Items at the start that are not measured: programs and models load meanwhile.
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
        if time.perf_counter() - looked > 1:  # looking takes milliseconds, and memory grows slowly
            looked, peak = time.perf_counter(), max(peak, read_peak_mib())
    seconds, cpu_seconds = time.perf_counter() - clock, read_cpu_seconds() - cpu
    get_reusable_executor().shutdown()  # else its idle workers keep this process from ending
    return Cost(tuple(items), len(items) - warm, seconds, cpu_seconds, peak)


def read_cpu_seconds() -> float:
    """Add up the processor time of this process, its children and those that have ended."""
    total = 0.0
    for process in list_processes():
        with suppress(psutil.NoSuchProcess):  # ended meanwhile: its parent now counts its time
            total += sum(process.cpu_times()[:4])  # user, system, and those of ended children
    return total


def read_peak_mib() -> float:
    """Find the most memory that one of these processes has held so far, in MiB."""
    return max(read_high_water(process.pid) for process in list_processes())


def list_processes(parent: psutil.Process | None = None) -> list[psutil.Process]:
    """List a process, by default this one, and its living descendants."""
    parent = parent or psutil.Process()
    return [parent, *parent.children(recursive=True)]


def read_high_water(pid: int) -> float:
    """Read the most memory a process has held (Linux), in MiB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    sizes = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(next(sizes, "0")) / 1024
