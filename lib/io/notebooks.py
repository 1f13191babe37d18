"""Read the titles and parameters of notebooks without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat


def notebook_parameters(notebook: Path, tags: Sequence[str] = ("parameters",)) -> dict[str, object]:
    """Read the parameters assigned in a notebook's cells that have one of the tags.

    The cells are parsed as Python, because papermill's inspection skips lines with two `=`.

    Returns:
        Names and values in the order of the cells; empty if there is no such cell.
    """
    cells = nbformat.read(notebook, as_version=4).cells  # type: ignore[no-untyped-call]  # untyped
    tagged = [cell.source for cell in cells if set(tags) & set(cell.metadata.get("tags", []))]
    return dict(_find_assignments("\n".join(tagged)))


def _find_assignments(code: str) -> Iterator[tuple[str, object]]:
    """Yield the names and values of `NAME = value` and `NAME: type = value`."""
    for node in ast.parse(code).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                yield name, ast.literal_eval(value)


def find_title(notebook: nbformat.NotebookNode) -> str:
    """Return the text of a notebook's first heading, `""` if it has none."""
    lines = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
    ]
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), "")
