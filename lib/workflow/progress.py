"""Keep the progress of a run in a folder of its own, so that any process can read how far it is."""

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from lib.io.manifest import Manifest
from lib.reports import print_duration

NAME: str = "progress"
"""Name of the folder, to which `Manifest.new_temporary` adds a random part."""
HEAD: str = "run.json"  # in it: what the run's main process knows; other files are the notebooks'
BEAT: float = 5.0  # seconds between two signs of life
SILENCE: float = 90.0  # seconds; file servers may show a file of a minute ago
REASONS: int = 3  # of failures named in a line


class Work(BaseModel):
    """Work of a notebook, such as reading all images with one engine; see `lib.parallel`.

    Attributes:
        stage: Name of the notebook's stage.
        total: Number of items.
        done: Number of items done.
        known: How many of those were done before.
        seconds: Time spent.
        failures: Number of failed items by reason.
    """

    stage: str
    total: int
    done: int
    known: int
    seconds: float
    failures: dict[str, int]


class Step(BaseModel):
    """How far one of the five notebooks is, over all batches.

    Attributes:
        name: Name of the notebook.
        unit: What it counts.
        total: Number of items of the whole run.
        works: How many times it goes through its items.
        waiting: Number of batches that are neither done nor under way.
        running: Stages under way, with their number of items.
        done: Number of items done.
        new: Items done in this run, neither reused nor cached.
        seconds: Time spent on those.
        failures: Number of failed items by reason.
    """

    name: str
    unit: str
    total: int
    works: int
    waiting: int
    running: dict[str, int] = {}
    done: float = 0
    new: float = 0
    seconds: float = 0
    failures: dict[str, int] = {}

    @property
    def rate(self) -> float:
        """Return the items a second, 0 if unknown."""
        return self.new / self.seconds if self.seconds > 0 else 0

    @property
    def left(self) -> float | None:
        """Return the seconds that the rest takes at this rate, `None` if unknown."""
        if self.is_done:
            return 0
        return (self.total - self.done) / self.rate if self.rate else None

    @property
    def is_done(self) -> bool:
        """Return whether nothing is left to do."""
        return not self.waiting and not self.running

    def add(self, work: Work) -> None:
        """Add what is done of a running stage; works that go through the same items share them."""
        share = 1 / max(1, self.works)
        items = self.running[work.stage]
        self.done += share * items * work.done / max(1, work.total)
        self.new += share * (work.done - work.known)
        self.seconds += work.seconds
        self.failures = dict(Counter(self.failures) + Counter(work.failures))


class Usage(BaseModel):
    """What a run uses of its machine.

    Attributes:
        memory: Bytes of the run's processes; those that they share count several times.
        used: Used share of the machine's memory, 0-1.
        free: Free bytes on the disk of the run's folder.
    """

    memory: int = 0
    used: float = 0
    free: int = 0


class RunProgress(BaseModel):
    """How far a run is.

    Attributes:
        host: Name of the machine, with its namespace of process numbers.
        pid: Number of the run's main process.
        started: Start in seconds since 1970.
        beat: Its last sign of life.
        usage: As of then.
        steps: The five notebooks, in order.
        has_ended: Whether this is the last that is shown of it.
    """

    host: str
    pid: int
    started: float
    beat: float
    usage: Usage
    steps: list[Step]
    has_ended: bool = False

    @property
    def seconds(self) -> float:
        """Return the seconds from the start to the last sign of life."""
        return max(0, self.beat - self.started)

    @property
    def failures(self) -> dict[str, int]:
        """Return the number of failed items by reason, most frequent first."""
        return dict(sum((Counter(step.failures) for step in self.steps), Counter()).most_common())

    @property
    def running(self) -> list[str]:
        """Return the names of the stages under way."""
        return [name for step in self.steps for name in step.running]


def name_host() -> str:
    """Name this machine; containers that share a host name differ in their process namespace."""
    with suppress(OSError):
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    return socket.gethostname()


def read_progress(folder: Path) -> RunProgress | None:
    """Read how far a run is from the folder of its progress, `None` if it is not readable."""
    with suppress(OSError, ValidationError):
        head = RunProgress.model_validate_json((folder / HEAD).read_bytes())
        return add_works(head, folder)
    return None


def add_works(progress: RunProgress, folder: Path) -> RunProgress:
    """Return a copy with what the notebooks under way have reported."""
    full = progress.model_copy(deep=True)
    for work in read_works(folder):
        for step in full.steps:
            if work.stage in step.running:
                step.add(work)
    return full


def read_works(folder: Path, stage: str = "") -> Iterator[Work]:
    """Read what the notebooks of a run report, or those whose names begin so."""
    for path in sorted(folder.glob(f"{stage}*.json")):
        with suppress(OSError, ValidationError):
            if path.name != HEAD:
                yield Work.model_validate_json(path.read_bytes())


def find_progress(run_dir: Path) -> RunProgress | None:
    """Read how far the run of a folder is; `None` if it has ended in order, or never began."""
    temporaries = Manifest(run_dir).list_temporaries()
    named = (path for path in temporaries if path.name.startswith(f".{NAME}."))
    found = [progress for progress in map(read_progress, named) if progress]
    return max(found, key=lambda progress: progress.beat, default=None)


def is_alive(progress: RunProgress, run_dir: Path, wait: float = 2 * BEAT + 2) -> bool:
    """Return whether the run that left this progress is still running, here or elsewhere.

    Args:
        progress: As `find_progress` gave it.
        run_dir: The run's folder.
        wait: Seconds to watch for a sign of life, where clocks may differ.
    """
    if progress.host == name_host():
        try:
            process = psutil.Process(progress.pid)
            is_same = process.create_time() <= progress.beat + 1  # else the number is used again
            return is_same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
    if abs(time.time() - progress.beat) < SILENCE:
        return True
    time.sleep(wait)
    later = find_progress(run_dir)
    return later is not None and later.beat != progress.beat


def describe_progress(progress: RunProgress) -> str:
    """Describe in one line how far a run is."""
    begun = [describe_step(step) for step in progress.steps if step.done or step.running]
    return "; ".join([*begun, describe_failures(progress), describe_usage(progress.usage)])


def describe_step(step: Step) -> str:
    """Describe how far a notebook is.

    >>> step = Step(name="03_ocr", unit="images", total=300, works=1, waiting=0)
    >>> describe_step(step)
    'ocr done'
    >>> describe_step(step.model_copy(update={"waiting": 1, "done": 60, "new": 60, "seconds": 20}))
    'ocr 60 of 300 images, 3.0/s, 1 min 20 s left'
    """
    title = step.name.partition("_")[2]
    if step.is_done:
        return f"{title} done"
    count = f"{title} {step.done:,.0f} of {step.total:,} {step.unit}"
    return ", ".join(filter(None, [count, describe_rate(step), describe_left(step)]))


def describe_rate(step: Step) -> str:
    """Describe the items a second, `""` if unknown."""
    return f"{step.rate:.2g}/s" if 0 < step.rate < 1 else f"{step.rate:,.1f}/s" if step.rate else ""


def describe_left(step: Step) -> str:
    """Describe the time left, `""` if it is over or unknown."""
    return f"{print_duration(step.left)} left" if step.left and step.left >= 1 else ""


def describe_failures(progress: RunProgress) -> str:
    """Describe the failures so far by reason, the most frequent first."""
    reasons = progress.failures
    named = ", ".join(f"{count:,} {reason}" for reason, count in list(reasons.items())[:REASONS])
    return f"{sum(reasons.values()):,} failed ({named})" if reasons else "none failed"


def describe_usage(usage: Usage) -> str:
    """Describe memory and disk."""
    return (
        f"memory {usage.memory / 1e9:.1f} GB, {usage.used:.0%} of the machine's in use; "
        f"{usage.free / 1e9:,.1f} GB of disk free"
    )
