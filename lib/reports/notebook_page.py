"""Convert executed notebooks to pages that open offline."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from traitlets.config import Config

from lib.io import find_title, notebook_parameters, replace_file
from lib.reports.rendering import TEMPLATES, read_script, read_style

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

WIDGET: str = "application/vnd.jupyter.widget-view+json"
# Output types that a page shows without a network, the preferred first.
SHOWN: tuple[str, ...] = (
    *("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg"),
    *("text/latex", "text/plain"),
)
FIGURES: tuple[str, ...] = ("image/png", "image/jpeg", "image/svg+xml")


def write_notebook_page(notebook: Path, run: str, samples: int) -> Path:
    """Convert an executed notebook to a page beside it that opens offline.

    Args:
        notebook: The executed notebook; one that failed shows its error.
        run: Name of the run.
        samples: Number of samples in the run.

    Returns:
        Path of the page: the notebook's, with `.html`.
    """
    content = read_notebook(notebook)
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


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook file."""
    notebook: nbformat.NotebookNode
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # has no types
    return notebook


def describe_figures(notebook: nbformat.NotebookNode) -> None:
    """Set each figure's title and alt text from the sentence that introduces it."""
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
    """Remove widgets, mostly progress bars: they need scripts from the network."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if WIDGET not in output.get("data", {})
            ]


def _last_sentence(text: str) -> str:
    r"""Take the last line of Markdown, without its marks.

    >>> _last_sentence("## Sizes\n\nHow *large* are the images?")
    'How large are the images?'
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
    """Build the exporter once, as that is slow."""
    from nbconvert import HTMLExporter  # its import fails for a user without a home folder

    return HTMLExporter(  # type: ignore[no-untyped-call]  # has no types
        config=Config({"NbConvertBase": {"display_data_priority": list(SHOWN)}}),
        preprocessors=["nbconvert.preprocessors.CoalesceStreamsPreprocessor"],  # progress bars
        template_name="notebook",
        extra_template_basedirs=[str(TEMPLATES)],
    )
