"""Run one task per item on the workers of a Dask cluster."""

# mypy: allow-untyped-calls
# Half of distributed has no types.

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from lib.parallel.workers import Arguments, Attempt, TaskResult

if TYPE_CHECKING:  # takes a second to import, and most runs need no cluster
    from distributed import Client, Future, as_completed

    ResultFuture = Future[tuple[str, TaskResult]]

Found = TypeVar("Found")
Results = list[tuple[str, TaskResult]]

CONNECT: float = 20.0  # timeout in seconds to reach the scheduler, and for a first worker
POLL_SECONDS: float = 0.05  # between two looks at the queue of finished items
SILENCE: float = 10.0  # seconds without a result after which the workers are counted
MESSAGE_ITEMS: int = 1_000  # sent to the scheduler in one message
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
    if not items:
        return
    attempt = Attempt(function, limit, foreseen)
    client = connect(address)
    suspects: list[str] = []
    try:
        for name, result in _run_together(client, address, attempt, items):
            if result is DEAD:
                suspects.append(name)
            else:
                yield name, result
        for name in suspects:
            yield from _run_together(client, address, attempt, {name: items[name]})
    except (OSError, futures.CancelledError) as error:  # a lost connection is an OSError, too
        raise ClusterError(
            f"The Dask scheduler at {address} was lost; what is done is in the cache. "
            "Start it again: the same command goes on."
        ) from error
    finally:
        with suppress(TimeoutError):  # expected when the scheduler is gone
            client.close(timeout=1)


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
        _require_workers(client, address)
    except ClusterError:
        client.close(timeout=1)
        raise
    return client


def _require_workers(client: Client, address: str) -> None:
    """Wait until the cluster has a worker.

    Raises:
        ClusterError: It has had none for `CONNECT` seconds.
        OSError: The scheduler was lost.
    """
    try:
        client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError as error:
        raise ClusterError(
            f"The Dask scheduler at {address} has no workers; start some with "
            f"`dask worker {address} --nthreads 1`."
        ) from error


def _run_together(
    client: Client, address: str, attempt: Attempt, items: Mapping[str, Arguments]
) -> Iterator[tuple[str, TaskResult]]:
    """Run items and yield their results; `DEAD` for those whose workers died again and again.

    Any of these may be innocent: Dask blames all that waited on a worker for its death.
    """
    from distributed import as_completed

    arguments = list(items.values())
    sent = client.map(attempt, list(items), arguments, pure=False, batch_size=MESSAGE_ITEMS)
    names = {future.key: name for future, name in zip(sent, items, strict=True)}
    running = as_completed(sent, loop=client.loop)
    del sent  # so that the workers forget a result once it was taken
    while not running.is_empty():
        done = _watch(partial(_take_done, running), client, address)
        if any(future.cancelled() for future in done):
            raise ConnectionError("the connection to the scheduler was closed")
        gathered = client.gather(done, errors="skip", asynchronous=True)  # `Attempt` never raises
        loop = client.loop.asyncio_loop  # type: ignore[union-attr]
        coming = asyncio.run_coroutine_threadsafe(gathered, loop)
        found = dict(_watch(partial(_take_results, coming), client, address))
        yield from found.items()
        killed = {names[future.key] for future in done} - found.keys()
        yield from dict.fromkeys(killed, DEAD).items()


def _take_done(running: as_completed) -> list[ResultFuture] | None:
    """Take the items that are done by now, if any."""
    time.sleep(POLL_SECONDS)
    return running.next_batch(block=False) or None


def _take_results(coming: futures.Future[Results]) -> Results | None:
    """Take results once they have come from the workers, which may be lost before."""
    futures.wait([coming], POLL_SECONDS)
    return coming.result() if coming.done() else None


def _watch(ask: Callable[[], Found | None], client: Client, address: str) -> Found:
    """Ask until there is an answer, however long a busy scheduler takes.

    A scheduler is lost only when the connection to it closes. The system closes it with the
    scheduler's process, and after 30 s if its machine no longer answers.

    Raises:
        OSError: The scheduler was lost.
        ClusterError: All workers were lost.
    """
    asked_at = time.monotonic()
    while (found := ask()) is None:
        if client.status != "running":
            raise ConnectionError("the connection to the scheduler was closed")
        if time.monotonic() - asked_at > SILENCE:
            if not client.ncores():
                _require_workers(client, address)
            asked_at = time.monotonic()
    return found
