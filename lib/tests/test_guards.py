"""Guards: promises about the project's own files that no reader should have to check."""

import ast
import itertools
import json
import re
import statistics
import tomllib
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml

from lib.io.notebooks import notebook_parameters
from lib.io.paths import PROJECT
from lib.workflow.parameters import known_parameters

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
PARAMETER_FILES = sorted((PROJECT / "notebooks/params").glob("*.yaml"))
NUMBERED = [path for path in NOTEBOOKS if path.name[0].isdigit()]
MODULES = sorted(path for path in (PROJECT / "lib").rglob("*.py") if "tests" not in path.parts)
TEMPLATES = sorted(
    path for path in (PROJECT / "lib/reports/templates").rglob("*") if path.is_file()
)
HOME = re.compile(r"/(home|Users|root|work)/|[A-Z]:\\\\")
LONGEST_CELL = 15  # lines; imports are as long as they are
MEDIAN_CELL = 5  # lines
MOST_CELLS = 45
MOST_PARAMETERS = 16
NOT_DATA = (".py", ".pyc")
# How a parameter's type is annotated, if not by its name.
TYPES = {"list": "list[str]", "dict": "dict[str, str]"}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def read_code(path: Path) -> list[str]:
    """Read a notebook's code cells."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@every_notebook
def test_notebook_is_clean(path):
    """Committed notebooks hold no outputs, no counts and no paths of somebody's machine."""
    text = path.read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)
    assert all(cell["execution_count"] is None for cell in cells)
    assert not HOME.search(text)


@every_notebook
def test_notebook_kernel_is_everybodys(path):
    """Each notebook asks for the plain Python kernel, which every installation has."""
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"


@every_notebook
def test_notebook_asks_a_question(path):
    """The title is a question, and the last section answers it."""
    cells = nbformat.read(path, as_version=4).cells
    title = cells[0].source.splitlines()[0]
    assert re.fullmatch(r"# .+\?", title)
    assert [cell.cell_type for cell in cells[-3:]] == ["markdown", "code", "markdown"]
    assert cells[-3].source.startswith("## So, ")
    assert cells[-1].source.startswith("**Limits.**")


@every_notebook
def test_cells_are_few_and_thin(path):
    """Cells are short and define nothing: what deserves a name belongs into lib."""
    assert len(nbformat.read(path, as_version=4).cells) <= MOST_CELLS
    assert statistics.median(len(code.splitlines()) for code in read_code(path)) <= MEDIAN_CELL
    for code in read_code(path):
        is_long = len(code.splitlines()) > LONGEST_CELL
        assert not is_long or code.startswith(("import ", "from ")), code
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not any(isinstance(node, defined) for node in ast.walk(ast.parse(code))), code


@every_notebook
def test_each_code_cell_is_introduced(path):
    """After title, imports, parameters and set-up, Markdown comes before each cell of code."""
    cells = nbformat.read(path, as_version=4).cells
    kinds = [cell.cell_type for cell in cells]
    assert kinds[:4] == ["markdown", "code", "code", "code"]
    assert cells[1].source.startswith(("import ", "from "))
    assert cells[2].metadata["tags"] == ["parameters"]
    assert ("code", "code") not in itertools.pairwise(kinds[4:])


@every_notebook
def test_parameters_can_be_seen(path):
    """`papermill --help-notebook` shows each parameter with its type and its comment."""
    seen = papermill.inspect_notebook(path)
    values = notebook_parameters(path)
    assert set(seen) == set(values)
    assert all(parameter["help"] for parameter in seen.values())
    shown = {name: parameter["inferred_type_name"] for name, parameter in seen.items()}
    types = {name: type(value).__name__ for name, value in values.items()}
    assert shown == {name: TYPES.get(kind, kind) for name, kind in types.items()}


def test_shared_parameters_agree():
    """A parameter has one default, in whichever notebooks it stands."""
    defaults: dict[str, set[str]] = {}
    for path in NUMBERED:
        for name, value in notebook_parameters(path).items():
            defaults.setdefault(name, set()).add(repr(value))
    assert {name: values for name, values in defaults.items() if len(values) > 1} == {}


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.name)
def test_notebooks_have_few_parameters(path):
    """Few parameters, all in capitals, each used in a later cell."""
    names = set(notebook_parameters(path))
    assert len(names) <= MOST_PARAMETERS
    assert all(name.isupper() for name in names)
    used = {
        node.id
        for code in read_code(path)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert names <= used


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=lambda path: path.name)
def test_parameter_files_name_known_parameters(path):
    """The shipped parameter files name no parameter that does not exist."""
    assert set(yaml.safe_load(path.read_text())) <= set(known_parameters())


def test_sample_file_is_the_default():
    """Notebooks by themselves do what `make run` does."""
    path = PROJECT / "notebooks/params/sample.yaml"
    known = known_parameters()
    assert known | yaml.safe_load(path.read_text()) == known


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_load_nothing(path):
    """Report templates name no address of a network."""
    assert "//" not in re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)


def test_pins_are_complete():
    """Each package asked for is pinned to one version, and none is asked for by address."""
    pins = (PROJECT / "requirements.txt").read_text().splitlines()
    names = {re.split(r"[=;\[ ]", pin)[0].lower() for pin in pins if pin}
    assert all("==" in pin for pin in pins if pin and not pin.startswith("#"))
    asked = (PROJECT / "requirements.in").read_text().splitlines()
    wanted = {
        re.split(r"[=;\[ <>~]", line)[0].lower() for line in asked if line[:1] not in ("", "#")
    }
    assert wanted <= names


def test_installed_package_has_its_files():
    """Each file beside the modules, such as a model, is also in the installed package."""
    lib = PROJECT / "lib"
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["lib"]
    named = {path for pattern in patterns for path in lib.glob(pattern)}
    beside = {path for path in lib.rglob("*") if path.is_file() and path.suffix not in NOT_DATA}
    assert not beside - named
