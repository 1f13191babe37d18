"""Processes that do one thing for many items, where a crash or a hang costs only its item."""

import faulthandler
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError


@dataclass(frozen=True)
class Outcome:
    """What came of one item.

    Attributes:
        value: What the function returned, None when it failed.
        reason: Why it failed, `""` when it did not.
        seconds: Time it took.
    """

    value: Any
    reason: str
    seconds: float


def run_each(
    function: Callable, items: Mapping[str, tuple], workers: int, limit: float
) -> Iterator[tuple[str, Outcome]]:
    """Call a function once per item, in processes, and give each outcome as it comes.

    An error becomes an outcome with its reason. A process that dies, or that is ended because an
    item took too long, takes a few items with it: each of those is tried once more in a process of
    its own, so that only the item that does it is lost.

    Args:
        function: Importable by name; the processes import it.
        items: Arguments of the calls, by the item's name.
        workers: Number of processes.
        limit: Seconds an item may take.

    Yields:
        Name of the item and its outcome, in the order in which they end.
    """
    waiting = dict(items)
    while waiting and workers > 1:
        suspects: set[str] = set()
        for name, outcome in _run_pool(function, waiting, workers, limit, suspects):
            del waiting[name]
            yield name, outcome
        alone = {name: waiting.pop(name) for name in waiting.keys() & suspects}
        yield from _run_alone(function, alone, limit)
    yield from _run_alone(function, waiting, limit)


def _run_pool(
    function: Callable, items: Mapping[str, tuple], workers: int, limit: float, started: set[str]
) -> Iterator[tuple[str, Outcome]]:
    """Work through items until done or until a process dies; `started` notes what was begun."""

    def tasks() -> Iterator[Any]:
        for name, arguments in list(items.items()):
            started.add(name)
            yield delayed(attempt)(name, function, arguments, limit)

    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(
            workers, return_as="generator_unordered", batch_size=1, pre_dispatch=2 * workers
        )
        try:
            yield from pool(tasks())
        except TerminatedWorkerError:
            return


def _run_alone(
    function: Callable, items: Mapping[str, tuple], limit: float
) -> Iterator[tuple[str, Outcome]]:
    """Work through items one at a time; a process that dies is replaced."""
    names = list(items)
    while names:
        with _one_process() as process:
            process.submit(_warm_up, function).result()
            while names:
                name = names.pop(0)
                start = time.perf_counter()
                try:
                    yield process.submit(attempt, name, function, items[name], limit).result()
                except BrokenProcessPool:
                    yield name, _describe_death(time.perf_counter() - start, limit)
                    break


@contextmanager
def _one_process() -> Iterator[ProcessPoolExecutor]:
    # Spawned: a fork would copy the locks of threads that libraries keep running.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        yield process


def _warm_up(function: Callable) -> None:
    """Receive the function, which imports its module, before the clock runs."""


def _describe_death(seconds: float, limit: float) -> Outcome:
    if seconds >= limit:
        return Outcome(None, f"took longer than {limit:g} s and was stopped", seconds)
    return Outcome(None, "the process working on it died", seconds)


def attempt(name: str, function: Callable, arguments: tuple, limit: float) -> tuple[str, Outcome]:
    """Call the function in this process, which ends when the call takes too long.

    The timer is C code of its own thread: it ends the process even while a library keeps the
    interpreter's lock.
    """
    faulthandler.dump_traceback_later(limit, exit=True)
    start = time.perf_counter()
    try:
        return name, Outcome(function(*arguments), "", time.perf_counter() - start)
    except Exception as error:  # libraries raise anything; here it becomes the item's reason
        reason = f"{type(error).__name__}: {error}"
        return name, Outcome(None, reason, time.perf_counter() - start)
    finally:
        faulthandler.cancel_dump_traceback_later()
