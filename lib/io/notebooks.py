"""Read the titles and parameters of notebooks without running them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import nbformat

Parameters = dict[str, object]


def notebook_parameters(notebook: Path, tags: Sequence[str] = ("parameters",)) -> Parameters:
    """Read the parameters assigned in a notebook's cells that have one of the tags.

    The cells are parsed as Python, because papermill's inspection skips lines with two `=`.

    Returns:
        Names and values in the order of the cells; empty if there is no such cell.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    tagged = [cell.source for cell in cells if set(tags) & set(cell.metadata.get("tags", []))]
    assigned = [node for node in ast.parse("\n".join(tagged)).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assigned}


def find_title(notebook: nbformat.NotebookNode) -> str:
    """Return the text of a notebook's first heading, `""` if it has none."""
    lines = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
    ]
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), "")
