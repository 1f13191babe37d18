"""Make the job of each link, and the result that it ends in."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from yarl import URL

from lib.download.data_links import read_data_link
from lib.download.http.client import FetchError, parse_url
from lib.download.image_files import Body, LinkResult, as_failed
from lib.download.local_files import find_local_file
from lib.download.object_storage import STORES, check_driver, find_bucket, read_object
from lib.io import ImageError, find_scheme
from lib.parallel import InternalError

NO_URL = URL("")
LOCAL: str = ""  # the "host" of local files and of images within their links

Reader = Callable[[str, int, IO[bytes]], str]
"""Writes a link's content of at most so many bytes to a file, and returns its sha256."""


@dataclass(eq=False, slots=True)
class Job:
    """A link that is being processed.

    Attributes:
        link: As written in the table.
        position: Its position among the links.
        key: Key of its outcome in the record.
        host: The host to ask, or a bucket; `""` for a local file or an image within its link.
        url: The URL to request; of no meaning for other links.
        file: The local file, if it is one.
        read: Reads what is neither a URL nor a local file.
        checksum: The digest that the image must have, `""` for any.
        attempts: Number of attempts so far.
        seconds: Duration of these attempts.
        mtime_ns: Modification time of the local file, in nanoseconds since 1970.
        asked_at: When it was last handed out.
        is_running: Whether it is handed out and not back yet.
    """

    link: str
    position: int
    key: str
    host: str = ""
    url: URL = NO_URL
    file: Path | None = None
    read: Reader | None = None
    checksum: str = ""
    attempts: int = 0
    seconds: float = 0.0
    mtime_ns: int = 0
    asked_at: float = 0.0
    is_running: bool = False

    @property
    def source(self) -> str:
        """Return where the image comes from, as in `LinkResult`."""
        return "network" if self.host or not self.key else "local"


@dataclass(frozen=True, slots=True)
class Finished:
    """The outcome of one link, sent to the calling thread.

    Attributes:
        position: Position of the link.
        outcome: Its outcome.
        key: Key in the record, `""` if it is not to be recorded.
        error: An unexpected error, if there was one.
    """

    position: int
    outcome: LinkResult
    key: str = ""
    error: InternalError | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded body, to be stored by the calling thread."""

    job: Job
    body: Body


def make_job(link: str, position: int, folder: str, local_images: Path | None) -> Job | LinkResult:
    """Make the job of a link; a failed outcome if it leads nowhere."""
    try:
        file = find_local_file(link, Path(folder), local_images)
        if file is None:
            return make_remote_job(link, position)
    except (FetchError, ImageError) as error:
        return as_failed(link, str(error))
    facts = file.stat()  # part of the key: a changed file is another file
    key = f"file:{file}:{facts.st_size}:{facts.st_mtime_ns}"
    return Job(link, position, key, LOCAL, file=file, mtime_ns=max(1, facts.st_mtime_ns))


def make_remote_job(link: str, position: int) -> Job:
    """Make the job of a link that leads to no local file.

    Raises:
        FetchError: It can be requested nowhere.
    """
    scheme = find_scheme(link)
    if scheme == "data":
        digest = hashlib.sha256(link.encode("utf-8", "surrogatepass")).hexdigest()
        return Job(link, position, key=f"data:{digest}", read=read_data_link)
    if scheme in STORES:
        bucket = find_bucket(link)
        check_driver(bucket)
        return Job(link, position, key=link, host=bucket, read=read_object)
    url = parse_url(link)
    return Job(link, position, key=link, host=url.host_port_subcomponent or "", url=url)


@contextmanager
def measure_effort(job: Job) -> Iterator[None]:
    """Count an attempt at a job and its duration, successful or not."""
    job.attempts += 1
    began = time.monotonic()
    try:
        yield
    finally:
        job.seconds += time.monotonic() - began


def make_result(job: Job, found: LinkResult | InternalError) -> Finished:
    """Return the result of a job; a job never tried, or with an internal error, has no key."""
    error = found if isinstance(found, InternalError) else None
    if isinstance(found, InternalError):
        found = as_failed(job.link, found.reason)
    seconds = round(job.seconds, 3)
    outcome = replace(found, mtime_ns=job.mtime_ns, attempts=job.attempts, seconds=seconds)
    outcome = replace(outcome, source=job.source)
    return Finished(job.position, outcome, job.key if job.attempts and not error else "", error)
