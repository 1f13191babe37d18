"""Run a function on many items in processes, so that a crash or a hang loses only its item."""

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

GLANCE: float = 0.5  # seconds between two checks that the parent is alive


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
        limit: Timeout of a call in seconds; its process then ends.
        foreseen: Expected errors of the function, each a reason of its own.
    """

    function: Callable
    limit: float
    foreseen: tuple[type[Exception], ...] = ()

    def __call__(self, name: str, arguments: tuple) -> tuple[str, TaskResult]:
        """Call the function in this process, which exits if the call exceeds its timeout.

        The timer is C code in a thread of its own, so it works even while a library holds the GIL.
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
        """Return the value, or the reason of an expected error."""
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
    """Call a function once per item in processes, and yield each result as it completes.

    An error becomes a result with its reason. A process that crashes or times out takes a few
    items with it; each of these is retried in a process of its own, so that only the item at fault
    is lost.

    Args:
        function: Importable by name; the processes import it.
        items: Arguments of each call, by the item's name.
        workers: Number of processes.
        limit: Timeout of an item in seconds.
        foreseen: Expected errors of the function; others are internal errors.

    Yields:
        Name and result of each item, in the order of completion.
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
    """Report the internal errors among task results, as `report_internal_errors` does.

    Args:
        work: What was done, such as `"reading text"`.
        outcomes: Task results by the item's name.
        names: Names for the log by the item's name, which is used where there is none.
        items: Number of items, cached ones included.

    Raises:
        StageFault: All of them ended in the same internal error.
    """
    met = {name: outcome.error for name, outcome in outcomes.items() if outcome.error}
    errors = {(names or {}).get(name, name): error for name, error in met.items()}
    report_internal_errors(work, errors, items)


def _run_pool(
    attempt: Attempt, items: Mapping[str, tuple], workers: int, started: set[str]
) -> Iterator[tuple[str, TaskResult]]:
    """Run items until all are done or a process dies; add those begun to `started`."""

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
    """Run items one at a time, replacing a process that dies."""
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
    """Import the function's module, by unpickling the attempt, before the timeout starts."""


def _describe_death(seconds: float, limit: float) -> TaskResult:
    if seconds >= limit:
        return TaskResult(None, f"took longer than {limit:g} s and was stopped", seconds)
    return TaskResult(None, "the process working on it died", seconds)


def end_with_parent(parent: int) -> None:
    """End this process, whatever it is doing, once its parent is gone; call this at its start.

    Linux's own `PR_SET_PDEATHSIG` does not serve: it fires when the thread that started the process
    ends, and pools start processes from short-lived threads.

    Args:
        parent: Process ID of the parent.
    """
    threading.Thread(target=_await_end_of, args=(parent,), daemon=True).start()


def _await_end_of(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(GLANCE)
    os._exit(1)
