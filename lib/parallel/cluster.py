"""Run one task per item on the workers of a Dask cluster."""

# mypy: allow-untyped-calls
# Half of distributed has no types.

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING

from lib.parallel.workers import Arguments, Attempt, TaskResult

if TYPE_CHECKING:  # takes a second to import, and most runs need no cluster
    from distributed import Client, Future

    ResultFuture = Future[tuple[str, TaskResult]]

CONNECT: float = 20.0  # timeout in seconds to reach the scheduler, and for a first worker
POLL_SECONDS: float = 0.05  # between two looks at the futures
LOST: float = 10.0  # seconds without contact after which the scheduler is given up
DEAD = TaskResult(None, "the process working on it died", 0.0)


class ClusterError(RuntimeError):
    """A cluster that cannot be used; finished items are in the cache."""


def run_on_cluster(
    function: Callable[..., object],
    items: Mapping[str, Arguments],
    address: str,
    limit: float,
    foreseen: tuple[type[Exception], ...] = (),
) -> Iterator[tuple[str, TaskResult]]:
    """Call a function once per item on a Dask cluster, and yield each result as it completes.

    Dask retries the item of a worker that died on another worker, three times. An item that kills
    its workers is lost alone: those started beside it are retried, one at a time.

    Args:
        function: Importable by name, on the workers too.
        items: Arguments of each call, by the item's name.
        address: Address of the scheduler, such as `"tcp://127.0.0.1:8786"`.
        limit: Timeout of an item in seconds; its worker is then ended and restarted by its nanny.
        foreseen: As for `run_each`.

    Raises:
        ClusterError: The scheduler or all workers cannot be reached, or are lost later.
    """
    waiting, attempt = dict(items), Attempt(function, limit, foreseen)
    while waiting:
        started: list[str] = []
        for name, outcome in _run_together(address, attempt, waiting, started):
            del waiting[name]
            yield name, outcome
        for name in [name for name in started if name in waiting]:
            alone = {name: waiting.pop(name)}
            yield next(_run_together(address, attempt, alone, []), (name, DEAD))


def connect(address: str) -> Client:
    """Connect to a scheduler that has workers.

    Raises:
        ClusterError: There is none, or it has no workers.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address} ({error}); start one with `dask scheduler`, "
            'or set CLUSTER to "".'
        ) from error
    try:
        client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError as error:
        client.close(timeout=1)
        raise ClusterError(
            f"The Dask scheduler at {address} has no workers; start some with "
            f"`dask worker {address} --nthreads 1`."
        ) from error
    return client


def _run_together(
    address: str, attempt: Attempt, items: Mapping[str, Arguments], started: list[str]
) -> Iterator[tuple[str, TaskResult]]:
    """Run items until all are done or one kills its workers; add those begun to `started`."""
    client = connect(address)
    waiting = iter(list(items.items()))
    running: set[ResultFuture] = set()
    try:
        ahead = 2 * max(1, sum(client.ncores().values()))
        while True:
            for name, arguments in itertools.islice(waiting, ahead - len(running)):
                started.append(name)
                running.add(client.submit(attempt, name, arguments, pure=False))
            if not running:
                return
            done = _await_some(running, client)
            running -= done
            for future in done:
                if future.status == "error":  # it killed its workers: an `Attempt` never raises
                    return
                yield future.result(timeout=LOST)
    except (OSError, CancelledError) as error:  # a lost connection is an OSError, too
        raise ClusterError(
            f"The Dask scheduler at {address} was lost; what is done is in the cache. "
            "Start it again: the same command goes on."
        ) from error
    finally:
        with suppress(TimeoutError):  # expected when the scheduler is gone
            client.close(timeout=1)


def _await_some(running: set[ResultFuture], client: Client) -> set[ResultFuture]:
    """Wait until some items are done.

    Raises:
        TimeoutError: The scheduler was out of contact for `LOST` seconds.
    """
    seen_at = time.monotonic()
    while time.monotonic() - seen_at < LOST:
        done = {future for future in running if future.done()}
        if done:
            return done
        time.sleep(POLL_SECONDS)
        seen_at = time.monotonic() if client.status == "running" else seen_at
    raise TimeoutError(f"no word from the scheduler for {LOST:g} s")
