"""Stages run in this process: the code of their notebooks, without kernels, which take seconds."""

import threading
from pathlib import Path

import nbformat

from lib.io.files import replace_file
from lib.workflow.runner import Runner, Stage, StageError

_FIRST_IMPORT = threading.Lock()  # two stages at once must not import the same modules


class InProcess(Runner):
    """Run the code cells of a stage's notebook here, and leave its copy."""

    def run(self, stage: Stage) -> float:
        """Run a stage; what it raises becomes the failure of the stage."""
        notebook = nbformat.read(stage.source, as_version=4)
        scope: dict[str, object] = {}
        try:
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    run_cell(cell.source, scope)
                if "parameters" in cell.metadata.get("tags", []):
                    scope |= stage.parameters
        except Exception as error:
            raise StageError(f"{stage.name} failed: {error!r}") from error
        finally:
            with replace_file(stage.target) as path:
                nbformat.write(notebook, path)
        return 0.1


def run_cell(source: str, scope: dict[str, object]) -> None:
    """Run a cell; its imports at the top, one stage at a time."""
    lines = source.splitlines()
    with _FIRST_IMPORT:
        exec("\n".join(line for line in lines if line.startswith(("import ", "from "))), scope)
    exec(source, scope)


def list_files(folder: Path) -> dict[str, bytes]:
    """Read all files below a folder, by their path in it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
