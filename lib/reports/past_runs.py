"""Find and read the runs in a folder such as `reports/`."""

import difflib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lib.evaluation import Interval, find_scored_predictions
from lib.io import from_project
from lib.reports.rendering import print_duration

REPORTS: Path = from_project("reports")

Record = Mapping[str, Any]
"""Content of a `run.json` or `metrics.json`."""


@dataclass(frozen=True)
class Headline:
    """A run's score and the rows that it was measured on.

    Attributes:
        f1: F1 with its interval.
        precision: Precision, 0-1.
        recall: Recall, 0-1.
        samples: Number of samples.
        rows: Their split, such as `"test"`.
        method: The method that answers.
    """

    f1: Interval
    precision: float
    recall: float
    samples: int
    rows: str
    method: str


def read_headline(metrics: Record) -> Headline | None:
    """Read a run's headline from its `metrics.json`; `None` where no truth is known."""
    if metrics.get("f1") is None or math.isnan(metrics["f1"]):
        return None
    low, high = metrics["intervals"]["f1"]
    return Headline(
        f1=Interval(float(metrics["f1"]), float(low), float(high)),
        precision=float(metrics["precision"]),
        recall=float(metrics["recall"]),
        samples=int(metrics["counts"]["judged"]),
        rows=str(metrics["rows"]),
        method=str(metrics["method"]),
    )


@dataclass(frozen=True)
class PastRun:
    """A run as stored on disk.

    Attributes:
        folder: The run's folder.
        status: `"finished"`, `"failed"`, `"interrupted"` or `"running"`; the last also if the run
            was killed.
        started: Start as ISO time.
        seconds: Duration, `None` if the run has not ended.
        data: Digest of its tables, `""` if an older version recorded none.
        tables: Names of its tables, each with its folder.
        samples: Number of samples.
        failed: Number of images that could not be downloaded or read.
        error: Why the run failed, `""` if it did not.
        headline: Its score, `None` where no truth is known.
    """

    folder: Path
    status: str
    started: str
    seconds: float | None
    data: str
    tables: str
    samples: int
    failed: int
    error: str
    headline: Headline | None

    @property
    def name(self) -> str:
        """Return the folder's name."""
        return self.folder.name


class UnreadableRunError(ValueError):
    """A `run.json` that is damaged or that this project did not write."""


def find_run(name: str, reports: Path = REPORTS) -> Path:
    """Find a run's folder by its path or by its name under `reports/`.

    Raises:
        FileNotFoundError: No run has that name; the message names the closest.
    """
    for folder in (reports / name, Path(name)):
        if folder.is_dir():
            return folder.resolve()
    known = sorted(path.parent.name for path in reports.glob("*/run.json"))
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    raise FileNotFoundError(
        f"No run {name}: it is neither a folder nor a name under {reports}{hint} "
        f"Known are {', '.join(known) or 'none'}."
    )


def find_newest(reports: Path = REPORTS) -> Path:
    """Find the folder of the newest finished run.

    Raises:
        FileNotFoundError: There is none.
    """
    for run in list_runs(reports)[0]:
        if run.status == "finished" and has_answers(run.folder):
            return run.folder
    raise FileNotFoundError(f"There is no finished run in {reports}; name one with --run RUN_DIR.")


def list_runs(reports: Path) -> tuple[list[PastRun], dict[str, str]]:
    """List the runs in a folder, newest first.

    Folders without a `run.json` are ignored.

    Returns:
        The runs, and for each unreadable folder the reason.
    """
    runs: list[PastRun] = []
    unreadable: dict[str, str] = {}
    for folder in sorted(_list_folders(reports)):
        try:
            runs.append(read_run(folder))
        except UnreadableRunError as error:
            unreadable[folder.name] = str(error)
    return sorted(runs, key=lambda run: (run.started, run.name), reverse=True), unreadable


def _list_folders(reports: Path) -> list[Path]:
    """List the folders with a `run.json`, without symbolic links to listed folders."""
    folders = [path.parent for path in reports.glob("*/run.json")]
    here = reports.resolve()
    return [path for path in folders if not path.is_symlink() or path.resolve().parent != here]


def read_run(folder: Path) -> PastRun:
    """Read a run from its folder.

    Raises:
        UnreadableRunError: Its files are damaged or not written by this project.
    """
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableRunError(f"run.json: {error}") from error
    try:
        return _parse_run(folder, record)
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise UnreadableRunError(
            f"run.json or metrics.json is not as this project writes it: {error!r}"
        ) from error


def _parse_run(folder: Path, record: Record) -> PastRun:
    """Parse a record into the values that lists of runs need; fail if one is missing."""
    tables = [Path(str(record["parameters"][name])) for name in ("TEST_CSV", "TRAIN_CSV")]
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return PastRun(
        folder=folder,
        status=str(record["status"]),
        started=datetime.fromisoformat(record["started"]).isoformat(),
        seconds=None if record["seconds"] is None else float(record["seconds"]),
        data=str(record.get("data", "")),
        tables=", ".join(f"{path.parent.name}/{path.name}" for path in tables if path.name),
        samples=int(record["counts"]["samples"]),
        failed=sum(int(failure["count"]) for failure in record["failures"]),
        error=str(record["error"] or ""),
        headline=read_headline(metrics),
    )


def summarise_run(run: PastRun) -> str:
    """Summarise a run in one line for a log."""
    score = f"{run.samples:,} samples"
    if run.status == "finished":
        known = run.headline and f"F1 {run.headline.f1} on {run.headline.samples:,} of"
        score = f"{known or 'no truth for'} {score}"
    parts = [f"run {run.name}: {run.status}", score, f"{run.failed:,} failures"]
    parts += [print_duration(run.seconds or 0), str(run.folder / "index.html")]
    return ", ".join(parts)


def find_previous(run: PastRun, runs: Sequence[PastRun]) -> PastRun | None:
    """Find the latest earlier run that has scored answers on the same data.

    Args:
        run: The later run.
        runs: All runs, newest first, `run` included.
    """
    earlier = runs[runs.index(run) + 1 :]
    same = (other for other in earlier if run.data and other.data == run.data)
    return next((other for other in same if has_answers(other.folder)), None)


def has_answers(run_dir: Path) -> bool:
    """Check whether a run has scored answers."""
    return find_scored_predictions(run_dir).is_file()
