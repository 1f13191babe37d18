"""Executed notebooks as pages that open offline, and the style, script and prints of all pages."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import nbformat
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from lib.io.files import replace_file
from lib.io.notebooks import find_title, notebook_parameters

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

TEMPLATES: Path = Path(__file__).parent / "templates"
WIDGET: str = "application/vnd.jupyter.widget-view+json"
# What a page can show without a network, best first.
SHOWN: tuple[str, ...] = (
    *("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg"),
    *("text/latex", "text/plain"),
)
FIGURES: tuple[str, ...] = ("image/png", "image/jpeg", "image/svg+xml")


def write_page(notebook: Path, run: str, samples: int) -> Path:
    """Turn an executed notebook into a page beside it that opens without a network.

    Args:
        notebook: Executed; one that failed shows its error.
        run: Name of the run.
        samples: Number of samples in the run.

    Returns:
        The page, named like the notebook with `.html`.
    """
    content = nbformat.read(notebook, as_version=4)
    describe_figures(content)
    drop_widgets(content)
    resources = {
        "run": run,
        "samples": samples,
        "title": find_title(content) or notebook.stem,
        "state": _find_state(content),
        "parameters": notebook_parameters(notebook, ("parameters", "injected-parameters")),
        "style": read_style(),
        "script": read_script(),
    }
    page, _ = _exporter().from_notebook_node(content, resources)
    target = notebook.with_suffix(".html")
    with replace_file(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return target


def describe_figures(notebook: nbformat.NotebookNode) -> None:
    """Title each figure with its number and the sentence that introduces it; so its alt text."""
    said, number = "", 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            said = _last_sentence(cell.source) or said
        for output in cell.get("outputs", []):
            if set(output.get("data", {})) & set(FIGURES):
                number += 1
                output.metadata.setdefault("alt", f"Figure: {said}")
                output.metadata.setdefault("title", f"Figure {number}: {said}")


def drop_widgets(notebook: nbformat.NotebookNode) -> None:
    """Remove widgets, progress bars mostly: they need scripts from elsewhere to be seen."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if WIDGET not in output.get("data", {})
            ]


def _last_sentence(text: str) -> str:
    r"""Take the last line of Markdown, without its marks.

    >>> _last_sentence("## Sizes\n\nHow *large* are the pictures?")
    'How large are the pictures?'
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].strip("#>- ").replace("*", "").replace("`", "") if lines else ""


def _find_state(notebook: nbformat.NotebookNode) -> str:
    facts = notebook.metadata.get("papermill", {})
    if not facts.get("duration"):
        return ""
    ended = str(facts.get("end_time", ""))[:16].replace("T", " ")
    failed = " and failed" if facts.get("exception") else ""
    return f"This notebook took {facts['duration']:.0f} s, ended {ended} UTC{failed}."


@cache
def _exporter() -> HTMLExporter:
    """Make the exporter once: it is slow to make, quick to use."""
    from nbconvert import HTMLExporter  # fails to import for a user without any home folder

    return HTMLExporter(
        config=Config({"NbConvertBase": {"display_data_priority": list(SHOWN)}}),
        preprocessors=["nbconvert.preprocessors.CoalesceStreamsPreprocessor"],  # progress bars
        template_name="notebook",
        extra_template_basedirs=[str(TEMPLATES)],
    )


@cache
def read_style() -> str:
    """Join the style of all pages with the colours of code, for light and dark."""
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return f"{style}\n{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


@cache
def read_script() -> str:
    """Read the script of all pages: it sorts tables, shows code, filters answers."""
    return (TEMPLATES / "page.js").read_text(encoding="utf-8")


def read_headline(metrics: dict) -> dict | None:
    """Pick a run's score and what it stands on out of its `metrics.json`.

    Returns:
        `f1` with its bounds `low` and `high`, `precision`, `recall`, `samples`, `rows` (such as
        `"test"`) and `method`; `None` where no truth is known.
    """
    f1 = metrics.get("f1")
    if f1 is None or math.isnan(f1):
        return None
    low, high = metrics["intervals"]["f1"]
    bounds = {"low": low, "high": high, "samples": metrics["counts"]["judged"]}
    return {
        name: metrics.get(name) for name in ("f1", "precision", "recall", "rows", "method")
    } | bounds


def render_page(template: str, target: Path, **values: object) -> Path:
    """Write a page from a template, whole or not at all."""
    with replace_file(target) as part:
        part.write_text(render(template, **values), encoding="utf-8")
    return target


def render(template: str, **values: object) -> str:
    """Fill in a template, in the style of all pages."""
    style, script = read_style(), read_script()
    return _templates().get_template(template).render(style=style, script=script, **values)


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    pages = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters |= {
        "score": print_score,
        "share": print_share,
        "count": print_count,
        "duration": print_duration,
        "words": lambda name: str(name).replace("_", " "),
        "rows": lambda table, name: [{**row, name: key} for key, row in table.items()],
        "pairs": lambda names: [(name, name) for name in names],
        "moment": lambda text: str(text)[:16].replace("T", " ") + " UTC",
    }
    return pages


def print_score(value: float | None) -> str:
    """Print a score of 0-1.

    >>> print_score(0.86549), print_score(None)
    ('0.865', '–')
    """
    return "–" if value is None or isinstance(value, jinja2.Undefined) else f"{value:.3f}"


def print_share(value: float | None) -> str:
    """Print a share of 0-1 as percent.

    >>> print_share(0.6667), print_share(None)
    ('66.7 %', '–')
    """
    return "–" if value is None or isinstance(value, jinja2.Undefined) else f"{100 * value:.1f} %"


def print_count(value: int | None) -> str:
    """Print a number of things.

    >>> print_count(131187), print_count(None)
    ('131,187', '–')
    """
    return "–" if value is None or isinstance(value, jinja2.Undefined) else f"{value:,}"


def print_duration(seconds: float) -> str:
    """Print a time span.

    >>> print_duration(7.25), print_duration(200), print_duration(7260)
    ('7.2 s', '3 min 20 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
