"""Schedule requests: concurrency in all and per host, back-off, and hosts given up."""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from lib.download.jobs import Job
from lib.download.limits import Limits

READ_AT_ONCE: int = 8  # jobs read ahead in one go; more would delay tasks that want to start


@dataclass(eq=False, slots=True)
class Host:
    """The state of one host in this run.

    Attributes:
        limit: Maximum number of concurrent jobs. An overloaded host times out, so a failure
            halves it, and responses add one a round: additive increase, multiplicative decrease
            (Chiu and Jain, 1989), as in TCP.
        ready: Jobs that may start.
        active: Number of running jobs.
        failures: Consecutive failures.
        pauses: Consecutive pauses.
        opens_at: End of the current pause.
        cut_at: When `limit` was last halved.
        closed: The reason it was given up, `""` if it was not.
    """

    limit: float
    ready: deque[Job] = field(default_factory=deque)
    active: int = 0
    failures: int = 0
    pauses: int = 0
    opens_at: float = 0.0
    cut_at: float = -math.inf
    closed: str = ""


class Schedule:
    """A scheduler that hands out jobs and holds only a few of them at a time.

    It never waits and reads no clock: `now` is given, in seconds.

    Args:
        jobs: All jobs; read slightly ahead, so that a slow host does not delay the others.
        limits: Concurrency, retries and pauses.
    """

    def __init__(self, jobs: Iterator[Job], limits: Limits) -> None:
        self._jobs = jobs
        self._limits = limits
        self._hosts: dict[str, Host] = {}
        self._turns: deque[Host] = deque()  # hosts with a job ready
        self._later: list[tuple[float, int, Job]] = []
        self._open = 0  # jobs read and not finished
        self._active = 0
        self._read_all = False

    @property
    def done(self) -> bool:
        """Return whether every job is finished."""
        return self._read_all and not self._open

    def take(self, now: float) -> Job | None:
        """Return a job that may start now, hosts in turn, or `None` if there is none."""
        while self._later and self._later[0][0] <= now:
            self._make_ready(heapq.heappop(self._later)[2])
        found = True
        while found and self._active < self._limits.connections:
            found = self._read_jobs()
            for _ in range(len(self._turns)):
                host = self._turns.popleft()
                if self._may_start(host, now):
                    return self._start(host, now)
                self._turns.append(host)
        return None

    def closed(self, name: str) -> str:
        """Return why a host was given up, `""` if it was not."""
        return self._hosts[name].closed

    def finish(self, job: Job) -> None:
        """Mark a job as finished, successful or not; a second call does nothing."""
        if job.is_running:
            self._leave(job)
            self._open -= 1

    def postpone(self, job: Job, until: float) -> None:
        """Put a job back, to be handed out again at `until`."""
        self._leave(job)
        heapq.heappush(self._later, (until, job.position, job))

    def note_answer(self, name: str) -> None:
        """Record a successful response and raise the host's limit."""
        host = self._hosts[name]
        host.failures = host.pauses = 0
        host.limit = min(self._limits.per_host, host.limit + 1 / host.limit)

    def note_failure(self, job: Job, reason: str, now: float) -> None:
        """Record a failure of a host: after several, pause the host, and finally give it up."""
        host = self._hosts[job.host]
        if job.asked_at >= host.cut_at:  # jobs started before the last cut do not cut again
            host.limit = max(1.0, host.limit / 2)
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
        """Pause a host until the time it asked for, or give it up if that is too late."""
        host = self._hosts[name]
        if until - now <= self._limits.longest_wait:
            host.opens_at = max(host.opens_at, until)
        else:
            host.closed = f"host given up: {reason}"

    def _read_jobs(self) -> bool:
        """Read a few jobs, enough to find other hosts; return whether there were any."""
        free = 20 * self._limits.connections - self._open
        jobs = list(itertools.islice(self._jobs, max(0, min(free, READ_AT_ONCE))))
        self._read_all = self._read_all or (not jobs and free > 0)
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
            return True  # the job learns that its host was given up
        probing = host.failures >= self._limits.host_failures
        return now >= host.opens_at and host.active < (1 if probing else math.floor(host.limit))

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


def choose_pause(attempts: int, backoff: float, jitter: float) -> float:
    """Return the back-off before the next attempt, in seconds.

    >>> [choose_pause(attempts, 1.0, 1.0) for attempts in (1, 2, 3)]
    [1.0, 2.0, 4.0]
    """
    return backoff * 2.0 ** (attempts - 1) * jitter
