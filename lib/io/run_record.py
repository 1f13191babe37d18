"""Define the record of a run, `run.json`, and read it."""

from pathlib import Path
from typing import TypedDict, cast

from lib.io.files import read_json


class ReasonCount(TypedDict):
    """How many items of a step met one reason."""

    step: str
    reason: str
    count: int


class StageCounts(TypedDict, total=False):
    """What a notebook counted and saved; it may save further values."""

    cache_hits: int
    cache_misses: int
    failures: int
    fetched: int
    internal_errors: dict[str, int]
    missed: str
    notes: list[str]
    precision: str


class StageRow(StageCounts):
    """A finished notebook: its duration in seconds, and whether an earlier result was reused."""

    name: str
    seconds: float
    reused: bool


class RowCounts(TypedDict, total=False):
    """The images, the pages (one per image and engine) and the words that a run has read."""

    images: int
    pages: int
    words: int


class Counts(RowCounts):
    """The size of a run; what it has read is known at its end."""

    samples: int
    links: int
    batches: int


class CacheUse(TypedDict):
    """Results found in the cache, and results computed, in this run."""

    hits: int
    misses: int


class Commit(TypedDict):
    """The commit of the code, `None` outside git, and whether files were modified since."""

    commit: str | None
    dirty: bool | None


class Machine(TypedDict):
    """The machine of a run; memory in GiB."""

    system: str
    cores: int | None
    memory: float


class RunRecord(TypedDict):
    """The record of a run.

    Times are ISO texts in UTC, durations are in seconds; `status` is `"running"`, `"finished"`,
    `"failed"` or `"interrupted"`. `data` is a digest of the sample tables, `engines` holds the
    version of each OCR engine.
    """

    run: str
    status: str
    started: str
    finished: str | None
    seconds: float | None
    parameters: dict[str, object]
    data: str
    counts: Counts
    cache: CacheUse
    failures: list[ReasonCount]
    internal_errors: list[ReasonCount]
    notes: list[str]
    error: str | None
    stages: list[StageRow]
    versions: dict[str, str | dict[str, str] | None]
    git: Commit
    machine: Machine


def read_record(run_dir: Path) -> RunRecord:
    """Read the record of a run; it is empty if there is none, and older versions lack some keys."""
    return cast(RunRecord, read_json(run_dir / "run.json"))
