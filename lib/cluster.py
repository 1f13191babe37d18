"""Items worked on by a Dask cluster, through joblib's own backend for it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from joblib import Parallel, delayed, parallel_config

from lib.workers import Outcome, attempt

if TYPE_CHECKING:  # takes a second to import, and most runs need no cluster
    from distributed import Client
    from joblib._dask import DaskDistributedBackend

CONNECT: float = 20.0  # seconds to reach the scheduler, and for a first worker to be there
LOST: float = 10.0  # seconds without the scheduler after which it is given up
DEAD = Outcome(None, "the process working on it died", 0.0)


class ClusterError(RuntimeError):
    """The cluster cannot be used; what is done is in the cache."""


def run_on_cluster(
    function: Callable, items: Mapping[str, tuple], address: str, limit: float
) -> Iterator[tuple[str, Outcome]]:
    """Call a function once per item on a Dask cluster, and give each outcome as it comes.

    Dask gives the item of a worker that died to another one, three times. An item that is to blame
    is lost alone: those begun beside it are tried once more, one at a time.

    Args:
        function: Importable by name, on the workers too.
        items: Arguments of the calls, by the item's name.
        address: Of the scheduler, such as `"tcp://127.0.0.1:8786"`.
        limit: Seconds an item may take; then its worker is ended, which its nanny starts again.

    Raises:
        ClusterError: The scheduler or all workers cannot be reached, or not any more.
    """
    waiting = dict(items)
    while waiting:
        started: list[str] = []
        for name, outcome in _run_together(address, function, waiting, limit, started):
            del waiting[name]
            yield name, outcome
        for name in [name for name in started if name in waiting]:
            alone = {name: waiting.pop(name)}
            yield next(_run_together(address, function, alone, limit, []), (name, DEAD))


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
    address: str, function: Callable, items: Mapping[str, tuple], limit: float, started: list[str]
) -> Iterator[tuple[str, Outcome]]:
    """Work through items until done or until one has killed its workers; `started` notes begun."""
    client, found = connect(address), queue.SimpleQueue()
    work = (client, function, dict(items), limit, started, found)
    threading.Thread(target=_feed, args=work, daemon=True).start()
    try:
        while True:
            item = _take(found, client)
            if isinstance(item, Exception):
                raise ClusterError(
                    f"The Dask scheduler at {address} was lost; what is done is in the cache. "
                    "Start it again: the same command goes on."
                ) from item
            if item is None:
                return
            yield item
    finally:
        with suppress(TimeoutError):  # as it may be where the scheduler is gone
            client.close(timeout=1)


def _take(found: queue.SimpleQueue, client: Client) -> tuple[str, Outcome] | Exception | None:
    """Wait for an outcome, the end (`None`) or an error.

    Joblib would wait for ever for a lost scheduler, and for an item that killed its workers: the
    one is an error here, the other an end before all is done.
    """
    seen_at = time.monotonic()
    while True:
        try:
            return found.get(timeout=0.5)
        except queue.Empty:
            seen_at = time.monotonic() if client.status == "running" else seen_at
        if time.monotonic() - seen_at > LOST:
            return TimeoutError(f"no word from the scheduler for {LOST:g} s")
        if any(state.status == "error" for state in list(client.futures.values())):
            return None


def _feed(
    client: Client,
    function: Callable,
    items: Mapping[str, tuple],
    limit: float,
    started: list[str],
    found: queue.SimpleQueue,
) -> None:
    """Put outcomes into a queue, then `None`, or the error that ended the work."""

    def tasks() -> Iterator[Any]:
        for name, arguments in items.items():
            started.append(name)
            yield delayed(attempt)(name, function, arguments, limit)

    try:
        with parallel_config(_make_backend(client)):
            ahead = 2 * max(1, sum(client.ncores().values()))
            pool = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch=ahead)
            for outcome in pool(tasks()):
                found.put(outcome)
        found.put(None)
    except Exception as error:  # a lost scheduler shows in many ways
        found.put(error)


def _make_backend(client: Client) -> DaskDistributedBackend:
    """Make joblib's backend, kept from working in this process where the cluster has one core."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):
        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(2, super().effective_n_jobs(n_jobs))

    return Backend(client=client)
