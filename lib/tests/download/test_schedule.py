"""Which link may be asked next, with a clock of our own."""

import math
from collections import Counter

import pytest

from lib.download.jobs import Job
from lib.download.limits import Limits
from lib.download.schedule import Schedule


def make_schedule(hosts: str, **limits: object) -> Schedule:
    """Make a schedule of one job for each letter; the letter is its host."""
    jobs = (Job(f"{host}/{n}", n, "", host) for n, host in enumerate(hosts))
    return Schedule(jobs, Limits(**limits))


def take_all(schedule: Schedule, now: float = 0.0) -> list[Job]:
    """Take jobs until there is none that may start."""
    return list(iter(lambda: schedule.take(now), None))


def test_limits_concurrency_in_all_and_per_host() -> None:
    """No more jobs start than the limits allow, and hosts take turns."""
    schedule = make_schedule("aaaaabbbbbc", connections=5, per_host=2)
    started = take_all(schedule)
    assert Counter(job.host for job in started) == {"a": 2, "b": 2, "c": 1}
    schedule.finish(started[0])
    assert [job.host for job in take_all(schedule)] == [started[0].host]


def test_ends_when_all_are_finished() -> None:
    """Every job is dealt out once, and then it is done."""
    schedule = make_schedule("abcab" * 40, connections=3, per_host=2)
    seen = []
    while not schedule.done:
        for job in take_all(schedule):
            seen.append(job.position)
            schedule.finish(job)
    assert sorted(seen) == list(range(200))


def test_reads_only_a_little_ahead() -> None:
    """Memory does not grow with the number of links."""
    jobs = (Job(str(n), n, "", "a") for n in range(10**9))
    schedule = Schedule(jobs, Limits(connections=2, per_host=2))
    assert len(take_all(schedule)) == 2
    assert next(jobs).position <= 40


def test_postponed_jobs_come_back_in_time() -> None:
    """A job that was put back frees its slot and waits."""
    schedule = make_schedule("aa", connections=1)
    first = schedule.take(0.0)
    schedule.postpone(first, until=5.0)
    second = schedule.take(0.0)
    assert second is not first
    schedule.finish(second)
    assert schedule.take(4.9) is None and not schedule.done
    assert schedule.take(5.0) is first


def test_a_failing_host_pauses_probes_and_is_given_up() -> None:
    """After each pause one job tries; when the pauses are used up, the rest is told why."""
    schedule = make_schedule("aaaaaaaab", per_host=4, host_failures=2, host_pauses=(1.0, 5.0))
    started = take_all(schedule)
    for job in started:
        if job.host == "a":
            schedule.note_failure(job, "reset", now=0.0)
            schedule.finish(job)
    assert schedule.take(0.5) is None
    for now in (1.0, 6.0):
        probes = take_all(schedule, now)
        assert len(probes) == 1, "one job tries after a pause"
        schedule.note_failure(probes[0], "reset", now)
        schedule.finish(probes[0])
    assert schedule.closed("a") == "host given up: reset"
    assert len(take_all(schedule, 6.0)) == 2, "the rest is dealt out at once, to be told"


def test_a_host_that_answers_is_well_again() -> None:
    """One answer after a pause ends the probing, and more answers restore the limit."""
    schedule = make_schedule("a" * 20, per_host=3, host_failures=1, host_pauses=(1.0,))
    for job in take_all(schedule):
        schedule.note_failure(job, "reset", now=0.0)
        schedule.finish(job)
    opened = []
    for now in (1.0, 2.0, 3.0, 4.0):
        jobs = take_all(schedule, now)
        opened.append(len(jobs))
        for job in jobs:
            schedule.note_answer("a")
            schedule.finish(job)
    assert opened == [1, 2, 2, 3]


def test_a_host_that_is_asked_too_much_is_asked_less() -> None:
    """What fails together halves the limit once; what was asked after that, once more."""
    schedule = make_schedule("a" * 40 + "b", per_host=16, host_failures=99)
    opened = []
    for now in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0):
        jobs = [job for job in take_all(schedule, now) if job.host == "a"]
        opened.append(len(jobs))
        for job in jobs:
            schedule.note_failure(job, "silence", now + 0.5)
            schedule.finish(job)
    assert opened == [16, 8, 4, 2, 1, 1]


def test_a_long_wait_closes_a_host() -> None:
    """A wait within timeout is kept; a longer one gives the host up."""
    schedule = make_schedule("aab", per_host=1, longest_wait=10.0)
    job = schedule.take(0.0)
    schedule.note_wait("a", "HTTP 429", until=8.0, now=0.0)
    schedule.finish(job)
    assert schedule.take(7.0).host == "b"
    assert schedule.take(8.0).host == "a"
    schedule.note_wait("a", "HTTP 429", until=3608.0, now=8.0)
    assert schedule.closed("a") == "host given up: HTTP 429"


@pytest.mark.parametrize(
    ("wait", "closed", "why"),
    [
        (-5.0, False, "a wait that is over"),
        (math.inf, True, "a wait for ever"),
        (math.nan, True, "a wait that is no number"),
    ],
)
def test_a_senseless_wait_holds_nobody_up(wait: float, closed: bool, why: str) -> None:
    """A host is asked at once again, or given up; its jobs are dealt out either way."""
    schedule = make_schedule("aa", per_host=1, longest_wait=10.0)
    job = schedule.take(0.0)
    schedule.note_wait("a", "HTTP 429", until=wait, now=0.0)
    schedule.finish(job)
    schedule.finish(job)  # said twice, it counts once
    assert bool(schedule.closed("a")) is closed and schedule.take(0.0), why
    assert not schedule.done
