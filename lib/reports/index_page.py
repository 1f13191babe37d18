"""Write the page of all runs, `reports/index.html`: headlines, changes between runs, trends."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib.evaluation import Interval, find_scored_predictions
from lib.io import move_aside, read_json, replace_file
from lib.reports.comparison_page import FOLDER, name_file, print_change, print_p, write_comparison
from lib.reports.past_runs import PastRun, Record, find_previous, has_answers, list_runs
from lib.reports.rendering import render

if TYPE_CHECKING:
    from lib.reports.charts import Chart

LOG = logging.getLogger(__name__)

OWN: str = "list of runs by product-measurements"  # marks pages that may be overwritten
SEAL: str = "<!-- sha256 of the text above: "


def write_runs(reports: Path) -> Path:
    """Write the page of all runs in a folder, and the comparisons that it links to.

    Returns:
        `index.html` in the folder; one that this project did not write is left unchanged.
    """
    target = reports / "index.html"
    if os.path.lexists(target) and not _make_way(target):
        return target
    runs, unreadable = list_runs(reports)
    page = render(
        "runs.html.j2",
        runs=[(run, describe_change(run, runs)) for run in runs],
        trends=draw_trends(runs),
        unreadable=unreadable,
        own=OWN,
    )
    with replace_file(target) as part:
        part.write_text(seal(page), encoding="utf-8")
    return target


def seal(page: str) -> str:
    """Append the digest of a page's text, so that later edits are detected.

    >>> is_sealed(seal("<p>one</p>")), is_sealed(seal("<p>one</p>").replace("one", "two"))
    (True, False)
    """
    return f"{page}{SEAL}{hashlib.sha256(page.encode()).hexdigest()} -->\n"


def is_sealed(text: str) -> bool:
    """Check whether a page is unchanged since it was sealed."""
    page, mark, _ = text.rpartition(SEAL)
    return bool(mark) and seal(page) == text


def _make_way(target: Path) -> bool:
    """Check whether the page may be written; move an edited page aside first."""
    text = target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""
    if OWN not in text:
        LOG.warning("%s is no page of this project and is left as it is", target)
        return False
    if not is_sealed(text):
        LOG.warning("%s was changed; it is kept as %s", target, move_aside(target).name)
    return True


def draw_trends(runs: Sequence[PastRun]) -> list[Chart]:
    """Draw the trend of each data set with at least two scored runs."""
    from lib.reports.charts import chart_trend  # imported here: matplotlib takes a second

    groups: dict[str, list[PastRun]] = {}
    for run in runs:
        if run.data and run.headline:
            groups.setdefault(run.data, []).append(run)
    return [chart_trend(group) for group in groups.values() if len(group) > 1]


def describe_change(run: PastRun, runs: Sequence[PastRun]) -> dict[str, str] | None:
    """Describe how a run differs from the previous one on the same data.

    Returns:
        `before` (name of the previous run), `address` (of the comparison, `""` for none),
        `answers`, and `score` and `p` where a truth is known; `None` without a previous run.
    """
    before = find_previous(run, runs)
    if before is None or not has_answers(run.folder):
        return None
    try:
        found = read_change(before.folder, run.folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        LOG.warning("%s and %s cannot be compared: %s", before.name, run.name, error)
        return {"before": before.name, "address": "", "answers": "not comparable"}
    address = f"{run.name}/{FOLDER}/{before.name}.html"
    return {"before": before.name, "address": address, **print_summary(found)}


def read_change(before: Path, after: Path) -> Record:
    """Read the summary of a comparison; compare the runs if it is missing or out of date.

    Raises:
        NotComparableError: The runs cannot be compared.
    """
    summary = name_file(before, after, "json")
    newest = max(find_scored_predictions(run).stat().st_mtime for run in (before, after))
    found = read_json(summary)
    if not found or summary.stat().st_mtime < newest:
        write_comparison(before, after)
    return read_json(summary)


def print_summary(found: Record) -> dict[str, str]:
    """Format the summary of a comparison.

    >>> print_summary({"changed": 0, "samples": 9, "f1": None})
    {'answers': 'no answer changed'}
    """
    if not found["changed"]:
        return {"answers": "no answer changed"}
    answers = f"{found['changed']:,} of {found['samples']:,} answers changed"
    if not found["f1"]:
        return {"answers": answers}
    gap = Interval(found["f1"]["difference"], found["f1"]["low"], found["f1"]["high"])
    return {"score": print_change(gap), "p": print_p(found["p_value"]), "answers": answers}
