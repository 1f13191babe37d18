"""Claim a folder for a run if nothing foreign is in it, and log to the run's file."""

import logging
import os
from pathlib import Path

from lib.io.files import read_json
from lib.io.manifest import LOCK, Manifest, is_lock
from lib.io.paths import PROJECT, from_project

RUN_LOG: str = "run.log"
LOG_VARIABLE: str = "PRODUCT_MEASUREMENTS_LOG"
"""Environment variable that names the logs of the run that a notebook is part of, a line each."""
SOURCES: tuple[str, ...] = (
    *("lib", "notebooks", "docs", "data/sample", "data/images", "data/cache"),
    *(".git", ".ci", ".venv"),
)
"""Folders of the project in which no run may lie."""
RECORD_KEYS: frozenset[str] = frozenset({"run", "status", "parameters", "counts", "stages"})
"""What the `run.json` of every version of this project holds."""


class RunDirError(ValueError):
    """A folder cannot be used for a run; the message says what was found and what to do."""


def is_run(folder: Path) -> bool:
    """Tell whether a folder is a run's: by its manifest, or its `run.json`."""
    return Manifest(folder).is_valid() or read_json(folder / "run.json").keys() >= RECORD_KEYS


def check_run_dir(run_dir: Path) -> str:
    """Return why a folder cannot be a run's, `""` if it can; write nothing.

    A run needs a folder that is new, empty or a run's already.
    """
    place = run_dir.resolve()
    found = _find_obstacle(place)
    if not found:
        return ""
    return f"RUN_DIR {run_dir} {found}; name a new or empty folder, such as reports/my_run."


def _find_obstacle(place: Path) -> str:
    if PROJECT.is_relative_to(place):
        return "is the project's own folder or one above it"
    if place in (PROJECT / "reports", PROJECT / "data"):
        return "is the folder that runs or images lie in"
    if any(place.is_relative_to(PROJECT / source) for source in SOURCES):
        return "lies in the project's own files"
    if not place.exists():
        return ""
    if not place.is_dir():
        return "is a file"
    return _describe_content(place)


def _describe_content(folder: Path) -> str:
    """Return why a folder's content prevents a run there, `""` if it does not."""
    found = [path for path in folder.iterdir() if path.name != LOCK or not is_lock(path)]
    names = sorted(path.name for path in found)
    runs = [name for name in names if is_run(folder / name)]
    if runs:
        return f"holds other runs ({_list_some(runs)})"
    if names and not is_run(folder):
        return f"holds {_list_some(names)} and is no run of this project"
    return ""


def _list_some(names: list[str]) -> str:
    more = f" and {len(names) - 2:,} more" if len(names) > 2 else ""
    return f"{', '.join(map(repr, names[:2]))}{more}"


def claim_run_dir(run_dir: Path) -> Manifest:
    """Make a folder a run's, and begin its manifest unless it has one.

    Raises:
        RunDirError: The folder holds something else.
    """
    problem = check_run_dir(run_dir)
    if problem:
        raise RunDirError(problem)
    run_dir.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(run_dir)
    if not manifest.is_valid():
        manifest.begin()
    return manifest


def open_run_dir(run_dir: str) -> Path:
    """Open the folder of a run for a notebook; where the pipeline asks for it, log to its files.

    Raises:
        RunDirError: The folder holds something else.
    """
    folder = from_project(run_dir)
    claim_run_dir(folder)
    log_to_run()
    return folder


def log_to_run() -> None:
    """Append the library's log to the files of the run that this process is part of, if any."""
    for log in os.environ.get(LOG_VARIABLE, "").splitlines():
        log_to(Path(log))


def log_to(path: Path) -> logging.Handler:
    """Append the library's log to a file, in addition to its other outputs."""
    logging.basicConfig(level=logging.WARNING)
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logging.getLogger("lib").addHandler(handler)
    return handler


def list_logs() -> list[str]:
    """List the files to which the library's log is appended."""
    handlers = logging.getLogger("lib").handlers
    return [one.baseFilename for one in handlers if isinstance(one, logging.FileHandler)]


def end_log(handler: logging.Handler) -> None:
    """End a log that `log_to` began."""
    logging.getLogger("lib").removeHandler(handler)
    handler.close()
