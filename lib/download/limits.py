"""The limits of a download: concurrency, timeouts, retries, sizes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of a download; times in seconds.

    Attributes:
        connections: Maximum number of concurrent requests.
        per_host: Maximum number of concurrent requests to one host.
        connect: Timeout of a connection attempt.
        read: Longest silence while a response is read.
        total: Timeout of one attempt at one image, redirects included.
        attempts: Maximum number of requests for one link in a run.
        backoff: Wait before the first retry; it doubles each time, with a jitter of half.
        longest_wait: A host that asks for a longer wait is given up for this run.
        redirects: Maximum number followed for one link.
        size: Largest image file, in bytes.
        host_failures: Consecutive failures after which a host is paused.
        host_pauses: Length of each pause in turn; one request probes the host after each, and a
            failure after the last one gives the host up for this run.
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
