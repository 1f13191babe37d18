"""Notebooks run in this process: their code, without kernels, which take seconds to start."""

import ast
import shutil
import threading
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import nbformat
from matplotlib import pyplot as plt

from lib.io.files import replace_file
from lib.workflow.runner import Runner, Stage, StageError

_ONE_AT_A_TIME = threading.Lock()  # imports and open figures belong to the whole process


class InProcess(Runner):
    """Run the code cells of a stage's notebook here, and leave its copy."""

    def prepare(self, stage: Stage) -> None:
        """Do nothing: no process is started."""

    def open_writers(self) -> Executor:
        """Write pages in this process."""
        return ThreadPoolExecutor(1)

    def run(self, stage: Stage) -> float:
        """Run a stage; what it raises becomes the failure of the stage."""
        try:
            run_notebook(stage.source, stage.parameters)
        except Exception as error:
            raise StageError(f"{stage.name} failed: {error!r}") from error
        finally:
            with replace_file(stage.target) as path:
                shutil.copyfile(stage.source, path)
        return 0.1


def run_notebook(path: Path, parameters: Mapping[str, object]) -> list[str]:
    """Run a notebook's code in this process; give what its cells show."""
    shown: list[str] = []
    scope: dict[str, object] = {"display": lambda value: shown.append(render(value))}
    with _ONE_AT_A_TIME:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                shown.append(render(run_cell(cell.source, scope)))
            if "parameters" in cell.metadata.get("tags", []):
                scope |= {name: parameters[name] for name in parameters.keys() & scope.keys()}
        plt.close("all")
    return shown


def run_cell(source: str, scope: dict[str, object]) -> object:
    """Run one cell; give the value of its last expression, as a notebook does."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        return exec(source, scope)
    exec(compile(ast.Module(body, []), "<cell>", "exec"), scope)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), scope)


def render(value: object) -> str:
    """Print a value in the richest form that a page would show."""
    for name in ("_repr_html_", "_repr_markdown_"):
        if hasattr(value, name):
            return str(getattr(value, name)())
    return ""


def list_files(folder: Path) -> dict[str, bytes]:
    """Read all files below a folder, by their path in it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
