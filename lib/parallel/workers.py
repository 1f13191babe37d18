"""Processes that do one thing for many items, where a crash or a hang costs only its item."""

from __future__ import annotations

import faulthandler
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from joblib import Parallel, delayed, parallel_config

from lib.parallel.item_errors import InternalError, report_internal_errors, try_item

GLANCE: float = 0.5  # seconds between two looks at whether the parent is still there


@dataclass(frozen=True)
class TaskResult:
    """What came of one item.

    Attributes:
        value: What the function returned, None when it failed.
        reason: Why it failed, `""` when it did not.
        seconds: Time it took.
        error: The error that nobody foresaw, if that is the reason.
    """

    value: Any
    reason: str
    seconds: float
    error: InternalError | None = None


@dataclass(frozen=True)
class Attempt:
    """A call of a function that never raises.

    Attributes:
        function: Importable by name.
        limit: Seconds a call may take; then its process ends.
        foreseen: Errors that the function raises on purpose, reasons of their own.
    """

    function: Callable
    limit: float
    foreseen: tuple[type[Exception], ...] = ()

    def __call__(self, name: str, arguments: tuple) -> tuple[str, TaskResult]:
        """Call the function in this process, which ends when the call takes too long.

        The timer is C code of its own thread: it ends the process even while a library keeps the
        interpreter's lock.
        """
        faulthandler.dump_traceback_later(self.limit, exit=True)
        start = time.perf_counter()
        try:
            outcome = try_item(self._call, arguments)
        finally:
            faulthandler.cancel_dump_traceback_later()
        seconds = time.perf_counter() - start
        if isinstance(outcome, InternalError):
            return name, TaskResult(None, outcome.reason, seconds, outcome)
        return name, TaskResult(*outcome, seconds)

    def _call(self, arguments: tuple) -> tuple[Any, str]:
        """Give the value, or the reason of an error that was foreseen."""
        try:
            return self.function(*arguments), ""
        except self.foreseen as error:
            return None, f"{type(error).__name__}: {error}"


def run_each(
    function: Callable,
    items: Mapping[str, tuple],
    workers: int,
    limit: float,
    foreseen: tuple[type[Exception], ...] = (),
) -> Iterator[tuple[str, TaskResult]]:
    """Call a function once per item, in processes, and give each outcome as it comes.

    An error becomes an outcome with its reason. A process that dies, or that is ended because an
    item took too long, takes a few items with it: each of those is tried once more in a process of
    its own, so that only the item that does it is lost.

    Args:
        function: Importable by name; the processes import it.
        items: Arguments of the calls, by the item's name.
        workers: Number of processes.
        limit: Seconds an item may take.
        foreseen: Errors that the function raises on purpose; others are internal errors.

    Yields:
        Name of the item and its outcome, in the order in which they end.
    """
    waiting, attempt = dict(items), Attempt(function, limit, foreseen)
    while waiting and workers > 1:
        suspects: set[str] = set()
        for name, outcome in _run_pool(attempt, waiting, workers, suspects):
            del waiting[name]
            yield name, outcome
        alone = {name: waiting.pop(name) for name in waiting.keys() & suspects}
        yield from _run_alone(attempt, alone)
    yield from _run_alone(attempt, waiting)


def report_outcomes(
    work: str, outcomes: Mapping[str, TaskResult], names: Mapping[str, str] | None, items: int
) -> None:
    """Report the internal errors among outcomes, as `report_internal_errors` does.

    Args:
        work: What was done, such as `"reading text"`.
        outcomes: By the item's name here.
        names: For the log, by the name here; where it has none, that one is used.
        items: How many there were, cached ones included.

    Raises:
        StageFault: All of them ended in the same internal error.
    """
    met = {name: outcome.error for name, outcome in outcomes.items() if outcome.error}
    errors = {(names or {}).get(name, name): error for name, error in met.items()}
    report_internal_errors(work, errors, items)


def _run_pool(
    attempt: Attempt, items: Mapping[str, tuple], workers: int, started: set[str]
) -> Iterator[tuple[str, TaskResult]]:
    """Work through items until done or until a process dies; `started` notes what was begun."""

    def tasks() -> Iterator[Any]:
        for name, arguments in list(items.items()):
            started.add(name)
            yield delayed(attempt)(name, arguments)

    bound = {"initializer": end_with_parent, "initargs": (os.getpid(),)}
    with parallel_config(backend="loky", inner_max_num_threads=1, **bound):
        pool = Parallel(
            workers, return_as="generator_unordered", batch_size=1, pre_dispatch=2 * workers
        )
        try:
            yield from pool(tasks())
        except BrokenProcessPool:
            return


def _run_alone(attempt: Attempt, items: Mapping[str, tuple]) -> Iterator[tuple[str, TaskResult]]:
    """Work through items one at a time; a process that dies is replaced."""
    names = list(items)
    while names:
        with _one_process() as process:
            process.submit(_warm_up, attempt).result()
            while names:
                name = names.pop(0)
                start = time.perf_counter()
                try:
                    yield process.submit(attempt, name, items[name]).result()
                except BrokenProcessPool:
                    yield name, _describe_death(time.perf_counter() - start, attempt.limit)
                    break


@contextmanager
def _one_process() -> Iterator[ProcessPoolExecutor]:
    # Spawned: a fork would copy the locks of threads that libraries keep running.
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, end_with_parent, (os.getpid(),)) as process:
        yield process


def _warm_up(attempt: Attempt) -> None:
    """Receive the function, which imports its module, before the clock runs."""


def _describe_death(seconds: float, limit: float) -> TaskResult:
    if seconds >= limit:
        return TaskResult(None, f"took longer than {limit:g} s and was stopped", seconds)
    return TaskResult(None, "the process working on it died", seconds)


def end_with_parent(parent: int) -> None:
    """End this process, whatever it is doing, once its parent has gone; called when it starts.

    Linux's own signal for it, `PR_SET_PDEATHSIG`, comes when the thread ends that started the
    process, and pools start processes from threads that come and go.

    Args:
        parent: Its process ID.
    """
    threading.Thread(target=_await_end_of, args=(parent,), daemon=True).start()


def _await_end_of(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(GLANCE)
    os._exit(1)
