"""Which link may be asked next: places in all and per host, waits, and hosts given up."""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

DRAWN_AT_ONCE: int = 8  # jobs; drawing many would hold up those who want to start


@dataclass(frozen=True)
class Limits:
    """How hard a download may press; times in seconds.

    Attributes:
        connections: Links asked at the same time, in all; each by a thread of its own.
        per_host: Most links asked at the same time of one host.
        connect: Longest wait for a connection.
        read: Longest silence while an answer is read.
        total: Longest time for one attempt at one image, redirects included.
        attempts: How often one link is asked in a run.
        backoff: First wait before asking again; it doubles each time, give or take half.
        longest_wait: A host that asks for a longer wait is given up for this run.
        redirects: Followed for one link.
        size: Largest image file, in bytes.
        host_failures: A host that fails this often in a row is left alone for a while ...
        host_pauses: ... for so long, asked once after each pause, then given up for this run.
    """

    connections: int = 64
    per_host: int = 32
    connect: float = 5.0
    read: float = 15.0
    total: float = 60.0
    attempts: int = 4
    backoff: float = 1.0
    longest_wait: float = 60.0
    redirects: int = 5
    size: int = 50_000_000
    host_failures: int = 5
    host_pauses: tuple[float, ...] = (1.0, 5.0, 30.0)


@dataclass(eq=False, slots=True)
class Job:
    """A link on its way.

    Attributes:
        link: As it stands in the table.
        place: Its number among the links.
        key: What its outcome is remembered under.
        host: Whom it asks; `""` for this machine.
        url: What it asks for, unless that is a file.
        file: The file on this machine that it stands for, if it does.
        attempts: How often it was asked.
        seconds: How long that took.
        mtime_ns: When that file was last changed, in nanoseconds since 1970.
        asked_at: When it was last dealt out.
        is_running: Whether it is dealt out and not back yet.
    """

    link: str
    place: int
    key: str
    host: str = ""
    url: httpx.URL | None = None
    file: Path | None = None
    attempts: int = 0
    seconds: float = 0.0
    mtime_ns: int = 0
    asked_at: float = 0.0
    is_running: bool = False


@dataclass(eq=False, slots=True)
class Host:
    """What is known of one host in this run.

    Attributes:
        places: Jobs that it may have at a time. A host that is asked too much at once is silent for
            too long, so a failure halves them, and answers add one a round: additive increase,
            multiplicative decrease (Chiu and Jain, 1989), as in TCP.
        ready: Jobs that may start.
        active: Jobs that have.
        failures: In a row.
        pauses: In a row.
        opens_at: Until then it is left alone.
        cut_at: When its places were last halved.
        closed: The reason it was given up, `""` if it was not.
    """

    places: float
    ready: deque[Job] = field(default_factory=deque)
    active: int = 0
    failures: int = 0
    pauses: int = 0
    opens_at: float = 0.0
    cut_at: float = -math.inf
    closed: str = ""


class Schedule:
    """Deal out jobs, a few at a time however many there are.

    It never waits and never looks at a clock: `now` is given, in seconds. One thread at a time.

    Args:
        jobs: All the work; drawn a little ahead, so that a slow host does not hold up the rest.
        limits: Places and timeout.
    """

    def __init__(self, jobs: Iterator[Job], limits: Limits) -> None:
        self._jobs = jobs
        self._limits = limits
        self._hosts: dict[str, Host] = {}
        self._turns: deque[Host] = deque()  # hosts with a job ready
        self._later: list[tuple[float, int, Job]] = []
        self._open = 0  # jobs drawn and not finished
        self._active = 0
        self._drained = False

    @property
    def done(self) -> bool:
        """Whether every job is finished."""
        return self._drained and not self._open

    def take(self, now: float) -> Job | None:
        """Give a job that may start now, hosts in turn, or `None` if there is none."""
        while self._later and self._later[0][0] <= now:
            self._make_ready(heapq.heappop(self._later)[2])
        drawn = True
        while drawn and self._active < self._limits.connections:
            drawn = self._draw()
            for _ in range(len(self._turns)):
                host = self._turns.popleft()
                if self._may_start(host, now):
                    return self._start(host, now)
                self._turns.append(host)
        return None

    def closed(self, name: str) -> str:
        """Say why a host was given up, `""` if it was not."""
        return self._hosts[name].closed

    def finish(self, job: Job) -> None:
        """Take note that a job is over, well or badly; once is enough."""
        if job.is_running:
            self._leave(job)
            self._open -= 1

    def postpone(self, job: Job, until: float) -> None:
        """Put a job back, to be dealt out again when the time has come."""
        self._leave(job)
        heapq.heappush(self._later, (until, job.place, job))

    def note_answer(self, name: str) -> None:
        """Take note that a host is well."""
        host = self._hosts[name]
        host.failures = host.pauses = 0
        host.places = min(self._limits.per_host, host.places + 1 / host.places)

    def note_failure(self, job: Job, reason: str, now: float) -> None:
        """Take note that a host did not answer: after a few times pause, at last give it up."""
        host = self._hosts[job.host]
        if job.asked_at >= host.cut_at:  # those asked together with one that failed say no more
            host.places = max(1.0, host.places / 2)
            host.cut_at = now
        host.failures += 1
        if host.failures < self._limits.host_failures or now < host.opens_at:
            return
        if host.pauses == len(self._limits.host_pauses):
            host.closed = f"host given up: {reason}"
            return
        host.opens_at = now + self._limits.host_pauses[host.pauses]
        host.pauses += 1

    def note_wait(self, name: str, reason: str, until: float, now: float) -> None:
        """Leave a host alone until it wants to be asked, or give it up if that is too long."""
        host = self._hosts[name]
        if until - now <= self._limits.longest_wait:
            host.opens_at = max(host.opens_at, until)
        else:
            host.closed = f"host given up: {reason}"

    def _draw(self) -> bool:
        """Draw a few jobs, up to enough to find other hosts; say whether there were any."""
        room = 20 * self._limits.connections - self._open
        jobs = list(itertools.islice(self._jobs, max(0, min(room, DRAWN_AT_ONCE))))
        self._drained = self._drained or (not jobs and room > 0)
        self._open += len(jobs)
        for job in jobs:
            self._make_ready(job)
        return bool(jobs)

    def _make_ready(self, job: Job) -> None:
        host = self._hosts.setdefault(job.host, Host(self._limits.per_host))
        if not host.ready:
            self._turns.append(host)
        host.ready.append(job)

    def _may_start(self, host: Host, now: float) -> bool:
        if host.closed:
            return True  # to be told so
        probing = host.failures >= self._limits.host_failures
        return now >= host.opens_at and host.active < (1 if probing else math.floor(host.places))

    def _start(self, host: Host, now: float) -> Job:
        job = host.ready.popleft()
        job.asked_at, job.is_running = now, True
        if host.ready:
            self._turns.append(host)
        host.active += 1
        self._active += 1
        return job

    def _leave(self, job: Job) -> None:
        job.is_running = False
        self._hosts[job.host].active -= 1
        self._active -= 1
