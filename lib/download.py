"""Links to image files on this machine: each fetched once, many at a time, checked, recorded."""

import os
import queue
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import pandas as pd
from anyio.from_thread import start_blocking_portal
from tqdm import tqdm

from lib.client import Client, FetchError, parse_url
from lib.image_store import ImageStore, Outcome, as_failed, with_effort
from lib.images import ImageError
from lib.local_files import find_local_file
from lib.schedule import Job, Limits, Schedule

USER_AGENT: str = "product-measurements/0.1 (research; each image once)"
HERE: str = ""  # the "host" of files on this machine
LONGEST_NAP: float = 0.05  # seconds between two looks at the waits that are over
CHECKERS: int = 2 * (os.cpu_count() or 1)  # threads; they wait for the disk, too


def fetch_images(
    links: pd.DataFrame,
    data_dir: str | Path,
    local_images: str | Path = "",
    allow_hosts: Iterable[str] = (),
    user_agent: str = USER_AGENT,
    limits: Limits | None = None,
    retry_failed: bool = True,
) -> pd.DataFrame:
    """Bring the image of each link onto this machine, showing progress.

    A link that is finished, now or in an earlier run, is never asked for again. A link that fails
    is a row with its reason. Interrupted at any moment, the next call goes on.

    Args:
        links: Columns `link` (http, https, or a path below `folder`) and `folder`.
        data_dir: Fetched images go to `images/` below it, under names made of their content.
        local_images: Folder searched first for the file name in each link, `""` for none. These
            files, and those of relative links, stay where they are.
        allow_hosts: Names of hosts that may be on a private network; others must be public.
        user_agent: How we introduce ourselves to hosts.
        limits: How hard we press; `None` for the usual.
        retry_failed: Whether links that failed in an earlier run are asked for again.

    Returns:
        One row a distinct link, in order: `link`, `path` (relative to `data_dir` when below it),
        `sha256`, `bytes`, `width` and `height` (pixels, upright), `status` (`"ok"`, `"failed"`),
        `reason`, `source` (`"network"`, `"local"`, `"record"`), `attempts`, `seconds`.

    Raises:
        FileNotFoundError: There is no folder `local_images`.
    """
    if local_images and not Path(local_images).is_dir():
        raise FileNotFoundError(f"LOCAL_IMAGES is {local_images}, no folder; give one or nothing.")
    download = Download(
        links.drop_duplicates("link"),
        Path(data_dir).resolve(),
        Path(local_images).resolve() if local_images else None,
        limits or Limits(),
        retry_failed,
    )
    failed, found = 0, {}
    # As text: a widget is lost, stuck at 0 %, when papermill runs the notebook.
    with tqdm(total=links["link"].nunique(), unit="image", mininterval=1, smoothing=0.05) as bar:
        for place, outcome in download.run(allow_hosts, user_agent):
            found[place] = outcome
            failed += outcome.status == "failed"
            bar.set_postfix(failed=failed, refresh=False)
            bar.update()
    types = {field.name: field.type for field in fields(Outcome)}
    rows = [found[place] for place in sorted(found)]
    return pd.DataFrame(rows, columns=list(types)).astype(types)


class Download:
    """One run over many links.

    Args:
        links: Columns `link` and `folder`, each link once.
        data_dir: Where images are kept.
        local_images: Folder searched first, or `None`.
        limits: How hard we press.
        retry_failed: Whether links that failed before are asked for again.
    """

    def __init__(
        self,
        links: pd.DataFrame,
        data_dir: Path,
        local_images: Path | None,
        limits: Limits,
        retry_failed: bool,
    ) -> None:
        self._links = links
        self._data_dir = data_dir
        self._local_images = local_images
        self._limits = limits
        self._retry_failed = retry_failed
        self._results: queue.SimpleQueue[tuple[int, Outcome] | None] = queue.SimpleQueue()

    def run(self, allow_hosts: Iterable[str], user_agent: str) -> Iterator[tuple[int, Outcome]]:
        """Give each link's place and outcome as it is finished.

        A notebook's own thread already has an event loop, so the download runs in another one.
        """
        with start_blocking_portal() as portal:
            running = portal.start_task_soon(self._run, allow_hosts, user_agent)
            yield from iter(self._results.get, None)
            running.result()

    async def _run(self, allow_hosts: Iterable[str], user_agent: str) -> None:
        self._changed = anyio.Event()
        self._checkers = anyio.CapacityLimiter(CHECKERS)
        self._client = Client(self._limits, allow_hosts, user_agent)
        self._store = ImageStore(self._data_dir)
        self._schedule = Schedule(self._list_jobs(), self._limits)
        try:
            await self._work_off()
        finally:
            self._results.put(None)
            self._store.close()
            with anyio.CancelScope(shield=True):
                await self._client.aclose()

    async def _work_off(self) -> None:
        """Start each job when its turn comes, until none is left."""
        async with anyio.create_task_group() as group:
            while not self._schedule.done:
                job = self._schedule.take(time.monotonic())
                if job:
                    group.start_soon(self._work, job)
                    continue
                self._changed = anyio.Event()
                with anyio.move_on_after(LONGEST_NAP):
                    await self._changed.wait()

    def _list_jobs(self) -> Iterator[Job]:
        """Give the links that are not known yet; settle the others at once."""
        rows = zip(self._links["link"], self._links["folder"], strict=True)
        for place, (link, folder) in enumerate(rows):
            try:
                job = make_job(link, place, Path(folder), self._local_images)
            except (FetchError, ImageError) as error:
                self._results.put((place, as_failed(link, str(error))))
                continue
            known = self._store.find(job.key)
            if known and (known.status == "ok" or not self._retry_failed):
                self._results.put((place, replace(known, link=link)))
            else:
                yield job

    async def _work(self, job: Job) -> None:
        """Make one attempt at a link, and settle it unless it was put back."""
        began = time.monotonic()
        outcome = await self._attempt(job)
        job.seconds += time.monotonic() - began
        if outcome:
            outcome = with_effort(outcome, job.attempts, job.seconds)
            if job.attempts:
                self._store.remember(outcome, job.key)
            self._schedule.finish(job)
            self._results.put((job.place, outcome))
        self._changed.set()

    async def _attempt(self, job: Job) -> Outcome | None:
        closed = self._schedule.closed(job.host)
        if closed:
            return as_failed(job.link, closed)
        job.attempts += 1
        try:
            outcome = await self._bring(job)
        except ImageError as error:
            outcome = as_failed(job.link, str(error), "local" if job.file else "network")
        except FetchError as error:
            return self._judge(job, error)
        self._schedule.note_answer(job.host)
        return outcome

    async def _bring(self, job: Job) -> Outcome:
        """Look at the file that is here, or fetch and keep it."""
        check = partial(anyio.to_thread.run_sync, limiter=self._checkers)
        if job.file:
            return await check(self._store.adopt, job.file, job.link)
        temporary = self._store.new_file()
        try:
            sha256 = await self._client.fetch(job.link, temporary)
            return await check(self._store.keep, temporary, sha256, job.link)
        finally:
            temporary.unlink(missing_ok=True)

    def _judge(self, job: Job, error: FetchError) -> Outcome | None:
        """Decide whether a failed attempt is the last; if not, put the job back."""
        now = time.monotonic()
        if error.host_failed:
            self._schedule.note_failure(job.host, str(error), now)
        else:
            self._schedule.note_answer(job.host)
        if error.wait:
            self._schedule.note_wait(job.host, str(error), now + error.wait, now)
        closed = self._schedule.closed(job.host)
        if closed or not error.again or job.attempts >= self._limits.attempts:
            return as_failed(job.link, closed or str(error))
        pause = choose_pause(job.attempts, self._limits.backoff, random.uniform(0.5, 1.5))
        self._schedule.postpone(job, now + max(pause, error.wait or 0.0))
        return None


def make_job(link: str, place: int, folder: Path, local_images: Path | None) -> Job:
    """Find out what a link asks for: a file that is here, or a host.

    Raises:
        ImageError: It is a path that leads nowhere or outside.
        FetchError: It is no web address that we ask.
    """
    file = find_local_file(link, folder, local_images)
    if file is None:
        return Job(link, place, key=link, host=parse_url(link).netloc.decode("ascii"))
    facts = file.stat()  # part of the key: a changed file is another file
    key = f"file:{file}:{facts.st_size}:{facts.st_mtime_ns}"
    return Job(link, place, key, HERE, file)


def choose_pause(attempts: int, backoff: float, jitter: float) -> float:
    """Choose how long to wait before asking again, in seconds.

    >>> [choose_pause(attempts, 1.0, 1.0) for attempts in (1, 2, 3)]
    [1.0, 2.0, 4.0]
    """
    return backoff * 2 ** (attempts - 1) * jitter


def count_outcomes(images: pd.DataFrame) -> pd.DataFrame:
    """Count links by status and kind of reason, most frequent first.

    Returns:
        Columns `status`, `reason` (details left out), `links`, `megabytes`.
    """
    kind = images["reason"].str.replace(r"\s*[(:].*", "", regex=True)
    groups = images.assign(reason=kind).groupby(["status", "reason"], as_index=False)
    counts = groups.agg(links=("link", "size"), megabytes=("bytes", "sum"))
    counts["megabytes"] = counts["megabytes"] / 1e6
    return counts.sort_values("links", ascending=False, ignore_index=True)


def measure_hosts(images: pd.DataFrame) -> pd.DataFrame:
    """Measure the hosts that were asked in this run, slowest first.

    Returns:
        Columns `host`, `links`, `failed`, `attempts` (sum), `median_seconds` (a link).
    """
    asked = images[(images["source"] == "network") & (images["attempts"] > 0)]
    hosts = asked.assign(
        host=asked["link"].map(lambda link: urlsplit(link).netloc), failed=asked["status"] != "ok"
    ).groupby("host", as_index=False)
    table = hosts.agg(
        links=("link", "size"),
        failed=("failed", "sum"),
        attempts=("attempts", "sum"),
        median_seconds=("seconds", "median"),
    )
    return table.sort_values("median_seconds", ascending=False, ignore_index=True)
