"""Run a function on many items in processes, so that a crash or a hang loses only its item."""

from __future__ import annotations

import faulthandler
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lib.parallel.item_errors import InternalError, try_item
from lib.parallel.worker_process import WorkerProcess, wait_for_any

MIN_ITEMS: int = 2
"""Items worth a process: to start one that reads text takes about as long as to read an image."""

Arguments = tuple[object, ...]
Worker = WorkerProcess[tuple[str, "TaskResult"]]
# Where several processes share the cores, each computes in one thread.
ONE_THREAD: dict[str, str] = dict.fromkeys(
    (
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
        *("VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    ),
    "1",
)


HERE: int = -1
"""In place of a number of processes: call in this process, one item after another."""


@dataclass(frozen=True)
class TaskResult:
    """The result of one item.

    Attributes:
        value: What the function returned, None if it failed.
        reason: Why it failed, `""` if it did not.
        seconds: Time it took.
        error: The unexpected error, if that is the reason.
    """

    value: Any
    reason: str
    seconds: float
    error: InternalError | None = None


@dataclass(frozen=True)
class Attempt:
    """A function wrapped so that calling it never raises.

    Attributes:
        function: Importable by name.
        limit: Timeout of a call in seconds; its process then ends. Infinite for none.
        foreseen: Expected errors of the function, each a reason of its own.
    """

    function: Callable[..., object]
    limit: float
    foreseen: tuple[type[Exception], ...] = ()

    def __call__(self, name: str, arguments: Arguments) -> tuple[str, TaskResult]:
        """Call the function in this process, which exits if the call exceeds its timeout."""
        start = time.perf_counter()
        with _exit_after(self.limit):
            outcome = try_item(self._call, arguments)
        seconds = time.perf_counter() - start
        if isinstance(outcome, InternalError):
            return name, TaskResult(None, outcome.reason, seconds, outcome)
        return name, TaskResult(*outcome, seconds)

    def _call(self, arguments: Arguments) -> tuple[object, str]:
        """Return the value, or the reason of an expected error."""
        try:
            return self.function(*arguments), ""
        except self.foreseen as error:
            return None, f"{type(error).__name__}: {error}"


@contextmanager
def _exit_after(limit: float) -> Iterator[None]:
    """Exit if the block takes longer than a finite limit.

    The timer is C code in a thread of its own, so it works even while a library holds the GIL.
    """
    if math.isinf(limit):
        yield
        return
    faulthandler.dump_traceback_later(limit, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def run_each(
    function: Callable[..., object],
    items: Mapping[str, Arguments],
    workers: int,
    limit: float,
    foreseen: tuple[type[Exception], ...] = (),
) -> Iterator[tuple[str, TaskResult]]:
    """Call a function once per item in processes, and yield each result as it completes.

    An error becomes a result with its reason. A process that crashes or times out is replaced, and
    only its item is lost.

    Args:
        function: Importable by name; the processes import it.
        items: Arguments of each call, by the item's name.
        workers: Number of processes; `HERE` for none, then a crash ends this process.
        limit: Timeout of an item in seconds; `HERE` there is none.
        foreseen: Expected errors of the function; others are internal errors.

    Yields:
        Name and result of each item, in the order of completion.
    """
    if workers == HERE:
        alone = Attempt(function, math.inf, foreseen)
        yield from (alone(*item) for item in items.items())
        return
    waiting, attempt = deque(items.items()), Attempt(function, limit, foreseen)
    count = min(workers, -(-len(waiting) // MIN_ITEMS))
    environment = ONE_THREAD if count > 1 else {}
    pool = [WorkerProcess(attempt, environment) for _ in range(count)]
    running: dict[Worker, tuple[str, float]] = {}
    try:
        while pool:
            for worker in wait_for_any(pool):
                if worker in running:
                    yield _read_result(worker, *running.pop(worker), limit)
                else:
                    worker.await_ready(None)
                if worker.is_closed or not waiting:
                    worker.close()
                    pool.remove(worker)
                    pool += [WorkerProcess(attempt, environment)] if waiting else []
                else:
                    name, arguments = waiting.popleft()
                    running[worker] = name, time.perf_counter()
                    worker.call(name, arguments)
    finally:
        for worker in pool:
            worker.close()


def _read_result(worker: Worker, name: str, start: float, limit: float) -> tuple[str, TaskResult]:
    """Return the result of a worker; close it if it died."""
    try:
        return worker.receive()
    except EOFError:
        worker.close()
    seconds = time.perf_counter() - start
    if seconds >= limit:
        return name, TaskResult(None, f"took longer than {limit:g} s and was stopped", seconds)
    return name, TaskResult(None, "the process working on it died", seconds)
