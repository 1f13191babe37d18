"""Write a comparison of two runs as text lines, a page, a CSV and a JSON file."""

from pathlib import Path

from lib.evaluation import Interval, RunComparison, compare_runs
from lib.io import write_csv, write_json
from lib.reports.rendering import render_page

FOLDER: str = "comparisons"
LEVEL: float = 0.05  # significant if below it and the interval excludes 0
SHOWN: int = 500  # most changed samples on a page; the CSV has all


def write_comparison(before: Path, after: Path) -> RunComparison:
    """Compare two runs and write a page, a CSV of the changed samples and a JSON summary.

    Args:
        before: Folder of the first run.
        after: Folder of the second run; the files go to its `comparisons/`, named like the first.

    Raises:
        NotComparableError: The runs cannot be compared.
    """
    found = compare_runs(before, after)
    write_csv(found.changed, name_file(before, after, "csv"))
    render_page(
        "comparison.html.j2",
        name_file(before, after, "html"),
        comparison=found,
        conclusion=judge_comparison(found),
        what=describe_samples(found),
        entities=found.by_entity.to_dict("records"),
        changed=found.changed.head(SHOWN).to_dict("records"),
        neighbours=before.resolve().parent == after.resolve().parent,
        print_change=print_change,
        print_p=print_p,
    )
    write_json(summarise_comparison(found), name_file(before, after, "json"))
    return found


def name_file(before: Path, after: Path, kind: str) -> Path:
    """Return the path of a comparison's file; `kind` is `"html"`, `"csv"` or `"json"`."""
    return after / FOLDER / f"{before.name}.{kind}"


def summarise_comparison(found: RunComparison) -> dict[str, object]:
    """Summarise a comparison in plain values for lists of runs."""
    f1 = found.scores[0].difference if found.judged else None
    return {
        **{"before": found.before, "after": found.after, "rows": found.rows},
        **{"samples": len(found.pairs), "shared": found.shared, "asked": list(found.asked)},
        "f1": f1 and {"difference": f1.value, "low": f1.low, "high": f1.high},
        "p_value": found.p_value if found.judged else None,
        **{"gained": found.gained, "lost": found.lost, "changed": len(found.changed)},
    }


def describe_comparison(found: RunComparison) -> list[str]:
    """Format a comparison as lines for a terminal."""
    lines = [f"{found.after} against {found.before}, {describe_samples(found)}", ""]
    for score in found.scores:
        values = f"{score.before!s:24} {score.after!s:24} {print_change(score.difference)}"
        lines.append(f"{score.name:10} {values}")
    lines += [*([""] if found.scores else []), judge_comparison(found), ""]
    entities = found.by_entity.to_string(
        index=False, float_format="{:.3f}".format, formatters={"difference": print_change}
    )
    lines += entities.splitlines()
    if len(found.changed):
        columns = ["index", "entity_name", "truth", "before", "after", "way"]
        shown = found.changed[columns if found.judged else [*columns[:2], *columns[3:]]]
        lines += ["", *shown.to_string(index=False, max_rows=SHOWN).splitlines()]
    return lines


def describe_samples(found: RunComparison) -> str:
    """Describe which samples are compared."""
    here = f"{len(found.pairs):,} {found.rows} samples of {found.images:,} images"
    if found.asked == (found.shared, found.shared):
        return here
    first, second = found.asked
    return (
        f"{here}; the runs share {found.shared:,} samples, {found.before} has {first:,} and "
        f"{found.after} {second:,}"
    )


def judge_comparison(found: RunComparison) -> str:
    """State the result of a comparison in a sentence."""
    changed = f"{len(found.changed):,} of {len(found.pairs):,} answers changed"
    if found.changed.empty:
        return "Every answer is the same."
    if not found.judged:
        return f"{changed}. No truth is known to both runs, so there is no score."
    gap = found.scores[0].difference
    clear = (gap.low > 0 or gap.high < 0) and found.p_value < LEVEL
    kind = "better" if gap.value > 0 else "worse"
    return (
        f"{found.after} is {f'significantly {kind}' if clear else 'not significantly different'}: "
        f"{changed}, "
        f"{found.gained:,} to right and {found.lost:,} from right "
        f"({print_p(found.p_value)}, McNemar's exact test)."
    )


def print_change(gap: Interval) -> str:
    """Format a difference with its interval.

    >>> print_change(Interval(0.0123, -0.0001, 0.03))
    '+0.012 (+0.000 to +0.030)'
    """
    value, low, high = (f"{round(part, 3) + 0.0:+.3f}" for part in (gap.value, gap.low, gap.high))
    return f"{value} ({low} to {high})"


def print_p(p_value: float) -> str:
    """Format a p-value.

    >>> print_p(0.6249), print_p(0.00001)
    ('p = 0.625', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
