"""The page of all runs, `reports/index.html`: headlines, what changed from run to run, trends."""

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from lib.evaluation import SCORED_PREDICTIONS, Interval
from lib.io import move_aside, read_json, replace_file
from lib.reports.comparison_page import FOLDER, name_file, print_change, print_p, write_comparison
from lib.reports.past_runs import PastRun, find_previous, has_answers, list_runs
from lib.reports.rendering import render
from lib.reports.trend import Trend, plan_trend

LOG = logging.getLogger(__name__)

OWN: str = "list of runs by product-measurements"  # so that no other index.html is overwritten
SEAL: str = "<!-- sha256 of the text above: "


def write_runs(reports: Path) -> Path:
    """Write the page of all runs in a folder, and the comparisons that it links to.

    Returns:
        `index.html` in the folder; one that somebody else wrote is left alone.
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
    """End a page with the digest of its text, so that a change by somebody else shows.

    >>> is_sealed(seal("<p>one</p>")), is_sealed(seal("<p>one</p>").replace("one", "two"))
    (True, False)
    """
    return f"{page}{SEAL}{hashlib.sha256(page.encode()).hexdigest()} -->\n"


def is_sealed(text: str) -> bool:
    """Tell whether a page is as it was when it was sealed."""
    page, mark, _ = text.rpartition(SEAL)
    return bool(mark) and seal(page) == text


def _make_way(target: Path) -> bool:
    """Tell whether the page may be written: one that was changed since is moved aside first."""
    text = target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""
    if OWN not in text:
        LOG.warning("%s is no page of this project and is left as it is", target)
        return False
    if not is_sealed(text):
        LOG.warning("%s was changed; it is kept as %s", target, move_aside(target).name)
    return True


def draw_trends(runs: Sequence[PastRun]) -> list[tuple[PastRun, Trend]]:
    """Draw a figure for each data set that at least two scored runs are about.

    Returns:
        The newest run on each data set, and its figure.
    """
    groups: dict[str, list[PastRun]] = {}
    for run in runs:
        if run.data and run.headline:
            groups.setdefault(run.data, []).append(run)
    return [(group[0], plan_trend(group)) for group in groups.values() if len(group) > 1]


def describe_change(run: PastRun, runs: Sequence[PastRun]) -> dict[str, str] | None:
    """Say how a run differs from the one before it on the same data.

    Returns:
        `before` (its name), `address` (of the comparison, `""` if there is none), `answers`, and
        `score` and `p` where a truth is known; `None` where there is no such run.
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


def read_change(before: Path, after: Path) -> dict:
    """Read what changed between two runs, after comparing them if that was not done yet.

    Raises:
        NotComparableError: They cannot be compared.
    """
    summary = name_file(before, after, "json")
    newest = max((run / SCORED_PREDICTIONS).stat().st_mtime for run in (before, after))
    found = read_json(summary)
    if not found or summary.stat().st_mtime < newest:
        write_comparison(before, after)
    return read_json(summary)


def print_summary(found: dict) -> dict[str, str]:
    """Print the summary of a comparison.

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
