"""Sum up a run that has ended, for a terminal or a scheduler."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.io import WRITERS, read_record
from lib.io.run_record import ReasonCount

MOST_REASONS: int = 5  # of failures named
# Written by a run that has finished, by what they are for.
FILES: dict[str, str] = {
    "predictions": "predictions.csv",
    "report": "index.html",
    "record": "run.json",
    "log": "run.log",
}


def count_decisions(run_dir: Path) -> dict[str, int]:
    """Count the rows by decision: answered, silent, review, failed; none if no row has one."""
    try:
        columns = ["answers", "decision"]
        table = pd.read_parquet(run_dir / "tables/predictions.parquet", columns=columns)
    except (OSError, ValueError):  # not reached, or of an older version
        return {}
    counts = table.loc[table["answers"], "decision"].value_counts()
    return {str(decision): int(count) for decision, count in counts.items()}


def find_answers(run_dir: Path) -> Path | None:
    """Find the table of a run's answers, in whichever format it was asked for."""
    files = (run_dir / f"answers.{kind}" for kind in WRITERS)
    return next((file for file in files if file.is_file()), None)


def list_files(run_dir: Path) -> dict[str, str]:
    """List the files of a run that a user may open next, by what they are for."""
    found: dict[str, Path | None] = {use: run_dir / name for use, name in FILES.items()}
    found |= {"runs": run_dir.parent / "index.html", "answers": find_answers(run_dir)}
    return {use: str(path) for use, path in found.items() if path and path.is_file()}


def describe_end(run_dir: Path) -> list[str]:
    """Describe a finished run in lines: answers, failures, where the files are, what to do next."""
    files, record = list_files(run_dir), read_record(run_dir)
    named = {"predictions": "Predictions", "answers": "With confidences", "runs": "All runs"}
    return [
        *describe_decisions(count_decisions(run_dir)),
        f"Failures: {describe_failures(record.get('failures', []))}",
        *(f"{title}: {files[use]}" for use, title in named.items() if use in files),
        f"Next: `python -m lib review {run_dir}` lists the least sure answers with their images.",
    ]


def describe_decisions(counts: dict[str, int]) -> list[str]:
    """Describe in a line how many rows have an answer, and why others have none.

    >>> describe_decisions({"answered": 34, "silent": 10, "failed": 1})
    ['Answers: 34 of 45 rows; 10 without, as the image states none, 1 failed']
    """
    if not counts:
        return []
    words = {
        "silent": "without, as the image states none",
        "review": "left to a reviewer",
        "failed": "failed",
    }
    others = [f"{counts[name]:,} {text}" for name, text in words.items() if counts.get(name)]
    rows = f"Answers: {counts.get('answered', 0):,} of {sum(counts.values()):,} rows"
    return ["; ".join([rows, *([", ".join(others)] if others else [])])]


def describe_failures(failures: list[ReasonCount]) -> str:
    """Describe failed images by step and reason, the most frequent first.

    >>> describe_failures([{"step": "download", "reason": "not found", "count": 3}])
    '3 not found (download)'
    >>> describe_failures([])
    'none'
    """
    said = [f"{one['count']:,} {one['reason']} ({one['step']})" for one in failures[:MOST_REASONS]]
    rest = sum(one["count"] for one in failures[MOST_REASONS:])
    return ", ".join([*said, *([f"{rest:,} others"] if rest else [])]) or "none"
