"""Say how far a run is: running, finished, failed or killed."""

import argparse
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lib.commands.bars import draw_progress
from lib.commands.terminal import WRONG_REQUEST, complain
from lib.reports import (
    REPORTS,
    PastRun,
    find_run,
    list_runs,
    read_run,
    summarise_run,
)
from lib.workflow import RunProgress, find_progress, is_alive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `status`."""
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN_DIR",
        help="a run's folder, or its name in reports/; default: the newest there",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def do(options: argparse.Namespace) -> int:
    """Print how far a run is; nothing is written, so it may be asked beside a run."""
    try:
        status = read_status(find_run(options.run) if options.run else find_latest(REPORTS))
    except (OSError, ValueError) as error:
        return complain(str(error), WRONG_REQUEST)
    if options.json:
        print(json.dumps(to_json(status)))
    else:
        print_status(status)
    return 0


def find_latest(reports: Path) -> Path:
    """Find the folder of the newest run, whatever became of it.

    Raises:
        FileNotFoundError: There is none.
    """
    runs = list_runs(reports)[0]
    if not runs:
        raise FileNotFoundError(f"There is no run in {reports}; name a folder.")
    return runs[0].folder


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes:
        run: The run.
        state: As in `run.json`, or `"killed"`.
        progress: How far it is, or was when it was killed; `None` if it has ended in order.
        next: What comes next.
    """

    run: PastRun
    state: str
    progress: RunProgress | None
    next: str


def read_status(run_dir: Path) -> Status:
    """Read how far a run is.

    Raises:
        UnreadableRunError: The folder is not that of a run.
    """
    run, progress = read_run(run_dir), find_progress(run_dir)
    if run.status == "running" and not (progress and is_alive(progress, run_dir)):
        run = read_run(run_dir)  # it may have ended meanwhile
        state = "killed" if run.status == "running" else run.status
    else:
        state = run.status
    known = progress if run.status == "running" else None
    return Status(run, state, known, describe_next(state, known))


def describe_next(state: str, progress: RunProgress | None) -> str:
    """Describe what comes next."""
    if state == "finished":
        return "`python -m lib review` lists the least sure answers."
    if state != "running" or not progress:
        return "The same command goes on where this run was."
    ahead = [step.name for step in progress.steps if not step.is_done and not step.running]
    return ", then ".join(ahead) or "the pages"


def describe_status(status: Status) -> str:
    """Describe in one line what a run does, since when and where."""
    run, progress = status.run, status.progress
    if not progress and status.state == "killed":
        return f"run {run.name}: killed, begun {run.started}"
    if not progress:
        return summarise_run(run)
    seen = "" if status.state == "running" else f", last seen {print_time(progress.beat)}"
    return (
        f"run {run.name}: {status.state}, since {print_time(progress.started)}{seen}, "
        f"process {progress.pid} on {progress.host.split()[0]}"
    )


def print_time(seconds: float) -> str:
    """Format a time in seconds since 1970 in the local time zone."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def print_status(status: Status) -> None:
    """Print how far a run is: one line, its bars if it has not ended, and what comes next."""
    from rich.console import Console

    print(describe_status(status))
    if status.progress:
        Console().print(draw_progress(status.progress, status.state == "running"))
    if status.run.error:
        print(f"Error: {status.run.error.splitlines()[0]}")
    print(f"Next: {status.next}")


def to_json(status: Status) -> dict[str, object]:
    """Return how far a run is as values for JSON."""
    run, progress = status.run, status.progress
    said: dict[str, object] = {
        **{"run": run.name, "run_dir": str(run.folder), "state": status.state},
        **{"began": run.started, "seconds": run.seconds, "samples": run.samples},
        **{"error": run.error or None, "next": status.next},
    }
    if not progress:
        return said
    steps = [
        step.model_dump() | {"rate": step.rate, "seconds_left": step.left}
        for step in progress.steps
    ]
    return said | progress.model_dump() | {"steps": steps, "failures": progress.failures}
