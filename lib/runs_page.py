"""The page of all runs, `reports/index.html`: headlines, what changed from run to run, trends."""

import logging
from collections.abc import Sequence
from pathlib import Path

from lib.answers import VERDICTS
from lib.comparison_page import FOLDER, name_file, print_change, print_p, write_comparison
from lib.record import read_json
from lib.report import render_page
from lib.runs import PastRun, find_previous, has_answers, list_runs
from lib.scores import Interval
from lib.series import prune_runs
from lib.trend import Trend, plan_trend

LOG = logging.getLogger(__name__)

OWN: str = "list of runs by product-measurements"  # so that no other index.html is overwritten


def update_runs(run_dir: Path, keep: int = 0) -> None:
    """After a run: delete the oldest of its series and renew the page of all runs.

    What goes wrong here is logged and leaves the run as it is.

    Args:
        run_dir: The run that has just ended.
        keep: Runs of the series that stay, 0 for all.
    """
    try:
        prune_runs(run_dir, keep)
        write_runs(run_dir.parent)
    except OSError as error:
        LOG.warning("The page of all runs was not renewed: %s", error)


def write_runs(reports: Path) -> Path:
    """Write the page of all runs in a folder, and the comparisons that it links to.

    Returns:
        `index.html` in the folder; one that somebody else wrote is left alone.
    """
    target = reports / "index.html"
    if target.is_file() and OWN.encode() not in target.read_bytes():
        LOG.warning("%s is no page of this project and is left as it is", target)
        return target
    runs, unreadable = list_runs(reports)
    return render_page(
        "runs.html.j2",
        target,
        runs=[(run, describe_change(run, runs)) for run in runs],
        trends=draw_trends(runs),
        unreadable=unreadable,
        own=OWN,
    )


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
    newest = max((run / VERDICTS).stat().st_mtime for run in (before, after))
    if not summary.is_file() or summary.stat().st_mtime < newest:
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
