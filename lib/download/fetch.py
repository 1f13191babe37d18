"""Fetch the image of each link once, many at a time; check, store and record it."""

import asyncio
import itertools
import queue
import random
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import SpooledTemporaryFile

import pandas as pd

from lib.download.http.client import Client, FetchError
from lib.download.image_files import DISK_FAULTS, Body, LinkResult, as_failed
from lib.download.jobs import Fetched, Finished, Job, make_job, make_result, measure_effort
from lib.download.limits import Limits
from lib.download.schedule import Schedule, choose_pause
from lib.download.store import ImageStore
from lib.download.summary import tabulate_outcomes
from lib.download.transfer import transfer
from lib.io import ImageError
from lib.parallel import (
    InternalError,
    describe_error,
    report_internal_errors,
    show_progress,
    try_item,
)

USER_AGENT: str = "product-measurements/0.2 (research; each image once)"
MIN_WAIT, MAX_WAIT = 0.05, 1.0  # seconds until a task without a job looks again
RECORDED_AFTER: float = 0.02  # seconds; outcomes within this time share one transaction
SPOOLED: int = 1 << 20  # bytes of a body held in memory; a larger one goes to an unnamed file
HELD: int = 1 << 26  # bytes of bodies waiting to be stored; beyond this, tasks wait
MOST_THREADS: int = 32  # name look-ups and local files at a time; a look-up may hang for minutes
LOOKED_UP_AT_ONCE: int = 50  # links, in the record of earlier runs


def fetch_images(
    links: pd.DataFrame,
    data_dir: str | Path,
    local_images: str | Path = "",
    allow_hosts: Iterable[str] = (),
    user_agent: str = USER_AGENT,
    respect_robots_tag: bool = False,
    limits: Limits | None = None,
    retry_failed: bool = True,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Download the image of each link, showing progress.

    A finished link, from this or an earlier run, is never requested again. A failed link becomes a
    row with its reason, whatever the error. After an interruption the next call resumes. Only the
    returned table grows with the number of links: about 1 kB a link while it is built.

    Args:
        links: Columns `link` (a URL, or a path below `folder`), `folder` and, if images are to be
            checked, `checksum` (SHA-256 or MD5 in hex, `""` for none).
        data_dir: Downloaded images go to `images/` below it, named by their sha256.
        local_images: Folder searched first for the file name in each link, `""` for none. These
            files, and those of relative links, stay where they are.
        allow_hosts: Names of hosts that may be on a private network; others must be public.
        user_agent: The `User-Agent` header.
        respect_robots_tag: Whether an image is left whose `X-Robots-Tag` refuses it.
        limits: Concurrency, timeouts and retries; `None` for the defaults.
        retry_failed: Whether links that failed in an earlier run are requested again.
        names: Name of each link in the log, such as `"a.jpg (test sample 17)"`; default the link.

    Returns:
        One row per distinct link, in order: `link`, `path` (relative to `data_dir` if below it),
        `sha256`, `bytes`, `width` and `height` (pixels, upright), `status` (`"ok"`, `"failed"`),
        `reason`, `source` (`"network"`, `"local"`, `"record"`), `attempts`, `seconds`, `mtime_ns`
        (modification time of a local file, 0 for a downloaded one).

    Raises:
        FileNotFoundError: The folder `local_images` does not exist.
        StoreError: A foreign file is in the place of one of ours in the data folder.
        StageFault: There are links, and all of them ended in the same internal error.
    """
    if local_images and not Path(local_images).is_dir():
        raise FileNotFoundError(f"LOCAL_IMAGES is {local_images}, no folder; give one or nothing.")
    limits = limits or Limits()
    here = Path(local_images).resolve() if local_images else None
    distinct = links.assign(checksum=links.get("checksum", "")).drop_duplicates("link")
    found: dict[int, LinkResult] = {}
    with (
        closing(ImageStore(Path(data_dir).resolve())) as store,
        show_progress(len(distinct), "image", "download") as progress,
    ):
        client = Client(limits, allow_hosts, user_agent, respect_robots_tag)
        download = Download(distinct, store, client, limits, here, retry_failed)
        with closing(download.run()) as outcomes:
            for position, outcome in outcomes:
                found[position] = outcome
                progress.count(outcome.reason)
    errors = {(names or {}).get(link, link): error for link, error in download.errors.items()}
    report_internal_errors("fetching images", errors, len(distinct))
    return tabulate_outcomes([found[position] for position in sorted(found)])


Message = Finished | Fetched | BaseException
"""A message to the calling thread; an error ends the run."""


class Download:
    """One download of many links.

    One thread runs an event loop, where many tasks each take a link and request it; the calling
    thread has the bodies checked and written, and records the outcomes. Only a few links are held
    in memory at a time.

    Args:
        links: Columns `link`, `folder` and `checksum`, each link once.
        store: Stores and records the images.
        client: Sends the requests.
        limits: Concurrency, timeouts and retries.
        local_images: Folder searched first, or `None`.
        retry_failed: Whether links that failed before are requested again.

    Attributes:
        errors: Unexpected errors, by link.
    """

    def __init__(
        self,
        links: pd.DataFrame,
        store: ImageStore,
        client: Client,
        limits: Limits,
        local_images: Path | None,
        retry_failed: bool,
    ) -> None:
        self._links = links
        self._store = store
        self._client = client
        self._limits = limits
        self._local_images = local_images
        self._retry_failed = retry_failed
        self.errors: dict[str, InternalError] = {}
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._held = 0  # bytes of bodies waiting to be stored
        self._freed = asyncio.Event()  # set when `_held` has shrunk
        self._schedule = Schedule(self._list_jobs(), limits)

    def run(self) -> Generator[tuple[int, LinkResult], None, None]:
        """Yield the position and outcome of each link once recorded, in order of completion."""
        self._loop.set_default_executor(ThreadPoolExecutor(MOST_THREADS, "download"))
        tasks = self._loop.create_task(self._run_tasks())
        thread = threading.Thread(target=self._run_loop, args=(tasks,), daemon=True)
        thread.start()
        try:
            yield from self._settle_all(len(self._links))
        finally:
            self._loop.call_soon_threadsafe(tasks.cancel)
            thread.join()
            self._loop.close()
            self._record(self._take_messages())

    def _run_loop(self, tasks: asyncio.Task[None]) -> None:
        """Run the tasks in this thread; an error of theirs is raised in the calling thread."""
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(tasks)
        except BaseExceptionGroup as errors:
            self._messages.put(errors.exceptions[0])
        except BaseException as error:
            self._messages.put(error)

    async def _run_tasks(self) -> None:
        """Run as many tasks at a time as there may be requests, until no job is left."""
        count = min(self._limits.connections, len(self._links))
        async with self._client, asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(self._run_jobs())

    def _settle_all(self, count: int) -> Iterator[tuple[int, LinkResult]]:
        """Record the outcomes in batches and yield them."""
        while count:
            first = self._messages.get()
            time.sleep(RECORDED_AFTER)
            results = self._record([first, *self._take_messages()])
            yield from ((result.position, result.outcome) for result in results)
            count -= len(results)

    def _take_messages(self) -> list[Message]:
        """Take the messages that wait."""
        return [self._messages.get() for _ in range(self._messages.qsize())]

    def _record(self, messages: Sequence[Message]) -> list[Finished]:
        """Store the fetched bodies and record all outcomes; raise an error that was sent.

        Raises:
            OSError: The disk accepts no file at all.
        """
        messages = [
            *messages,
            *self._store_bodies([message for message in messages if isinstance(message, Fetched)]),
        ]
        results = [message for message in messages if isinstance(message, Finished)]
        self._store.remember({result.key: result.outcome for result in results if result.key})
        self.errors |= {result.outcome.link: result.error for result in results if result.error}
        for error in messages:
            if isinstance(error, BaseException):
                raise error
        return results

    def _store_bodies(self, fetched: Sequence[Fetched]) -> Iterator[Finished | OSError]:
        """Store the fetched bodies as files."""
        stored = self._store.add([item.body for item in fetched])
        for item, outcome in zip(fetched, stored, strict=True):
            yield outcome if isinstance(outcome, OSError) else make_result(item.job, outcome)
        size = sum(len(item.body.data) for item in fetched)
        if not self._loop.is_closed():  # at the end nobody waits for it
            self._loop.call_soon_threadsafe(self._release, size)

    def _list_jobs(self) -> Iterator[Job]:
        """Yield a job for each link without a recorded outcome; settle the others at once."""
        columns = (self._links[name] for name in ("link", "folder", "checksum"))
        rows = enumerate(zip(*columns, strict=True))
        while some := list(itertools.islice(rows, LOOKED_UP_AT_ONCE)):
            jobs = [job for position, row in some if (job := self._make_job(position, *row))]
            known = self._store.find([job.key for job in jobs])
            for job in jobs:
                outcome = known.get(job.key)
                if outcome and self._is_settled(job, outcome):
                    known_here = replace(outcome, link=job.link, mtime_ns=job.mtime_ns)
                    self._messages.put(Finished(job.position, known_here))
                else:
                    yield job

    def _is_settled(self, job: Job, known: LinkResult) -> bool:
        """Return whether the outcome of an earlier run still holds."""
        if known.status == "failed":
            return not self._retry_failed
        return self._store.agrees(known, job.checksum)

    def _make_job(self, position: int, link: str, folder: str, checksum: str) -> Job | None:
        """Make the job of a link, or settle a link that cannot be requested."""
        made = try_item(make_job, link, position, folder, self._local_images)
        if isinstance(made, Job):
            made.checksum = checksum
            return made
        self._messages.put(make_result(Job(link, position, key=""), made))
        return None

    async def _run_jobs(self) -> None:
        """Run one job after another until none is left."""
        while job := await self._take_job():
            try:
                await self._attempt(job)
            except Exception as error:  # of this link only, as in `try_item`, which cannot await
                self._settle(job, describe_error(error))

    async def _take_job(self) -> Job | None:
        """Wait for a job; return `None` when no more will come."""
        pause = MIN_WAIT
        while not (job := self._schedule.take(time.monotonic())) and not self._schedule.done:
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_WAIT)
        return job

    async def _attempt(self, job: Job) -> None:
        """Make one attempt at a link.

        Raises:
            OSError: An unexpected error of the link's file.
        """
        closed = self._schedule.closed(job.host)
        if closed:
            self._settle(job, as_failed(job.link, closed))
            return
        try:
            message: Message = await self._obtain(job)
        except ImageError as error:
            message = make_result(job, as_failed(job.link, str(error)))
        except FetchError as error:
            self._handle_failure(job, error)
            return
        except OSError as error:
            if error.errno not in DISK_FAULTS:
                raise
            message = error
        self._messages.put(message)

    async def _obtain(self, job: Job) -> Finished | Fetched:
        """Check the local file, or download the image.

        Raises:
            FetchError: The download failed, or the image has another checksum.
        """
        if job.file:
            self._note_answer(job)
            with measure_effort(job):
                adopt = self._store.adopt
                outcome = await asyncio.to_thread(adopt, job.file, job.link, job.checksum)
            return make_result(job, outcome)
        with SpooledTemporaryFile(SPOOLED) as file:
            with measure_effort(job):
                sha256 = await transfer(job, self._client, self._limits, file)
            self._note_answer(job)
            await self._await_memory()
            self._held += file.tell()
            file.seek(0)
            return Fetched(job, Body(job.link, file.read(), sha256))

    def _note_answer(self, job: Job) -> None:
        """Release the job's slot now, so that no connection idles while the disk is written."""
        self._schedule.note_answer(job.host)
        self._schedule.finish(job)

    async def _await_memory(self) -> None:
        """Wait until another body may be held in memory."""
        while self._held >= HELD:
            self._freed.clear()
            await self._freed.wait()

    def _release(self, size: int) -> None:
        """Record that bodies of this size are stored, and wake the tasks that wait."""
        self._held -= size
        self._freed.set()

    def _settle(self, job: Job, failed: LinkResult | InternalError) -> None:
        """Settle a failed job."""
        self._schedule.finish(job)
        self._messages.put(make_result(job, failed))

    def _handle_failure(self, job: Job, error: FetchError) -> None:
        """Settle a failed attempt, or put the job back for a retry."""
        now = time.monotonic()
        if error.host_failed:
            self._schedule.note_failure(job, str(error), now)
        else:
            self._schedule.note_answer(job.host)
        if error.wait:
            self._schedule.note_wait(job.host, str(error), now + error.wait, now)
        closed = self._schedule.closed(job.host)
        if closed or not error.again or job.attempts >= self._limits.attempts:
            self._settle(job, as_failed(job.link, closed or str(error)))
            return
        pause = choose_pause(job.attempts, self._limits.backoff, random.uniform(0.5, 1.5))
        self._schedule.postpone(job, now + max(pause, error.wait or 0.0))
