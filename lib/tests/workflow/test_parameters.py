"""Parameters: defaults out of notebooks, files and overrides over them, errors that help."""

import json
import re
from pathlib import Path
from typing import get_args

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from lib.extraction import METHODS
from lib.io.notebooks import notebook_parameters
from lib.ocr import ENGINES
from lib.quantities import UNIT_KIND
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameter_types import WEIGHTS, Method
from lib.workflow.parameters import (
    NOTEBOOKS,
    PIPELINE_SETS,
    Parameters,
    check_run_name,
    find_problems,
    known_parameters,
    read_parameters,
)
from lib.workflow.retention import name_series

KNOWN = known_parameters()
CELL = """\
OCR_ENGINES: list[str] = ["rapidocr", "tesseract"]  # the first = the one that answers
MAX_ROWS: int = 0  # rows
BATCH = 0  # number of the batch
UNSET: str  # is no parameter yet
first, second = 1, 2
SEED = 0
"""


@pytest.fixture
def notebooks(tmp_path):
    """A folder with one notebook."""
    cell = new_code_cell(CELL, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[new_code_cell("UNTAGGED = 1"), cell])
    nbformat.write(notebook, tmp_path / "01_first.ipynb")
    return tmp_path


def ask(folder, text="", *overrides):
    """Read parameters from the text of a YAML file."""
    path = folder / "params.yaml"
    path.write_text(text)
    return read_parameters(path, overrides)


def test_defaults_come_from_notebooks(notebooks):
    """Only the tagged cell counts, with or without types; a second `=` does no harm."""
    found = notebook_parameters(notebooks / "01_first.ipynb")
    names = {"OCR_ENGINES": ["rapidocr", "tesseract"], "MAX_ROWS": 0, "BATCH": 0, "SEED": 0}
    assert found == names
    known = known_parameters(notebooks)
    assert known["KEEP_IMAGES"] is True
    assert "BATCH" not in known


def test_notebooks_and_model_agree():
    """Each parameter of a notebook is in the model with its type; the defaults stay there."""
    defaults = {
        name: value
        for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
        for name, value in notebook_parameters(path).items()
        if name not in PIPELINE_SETS
    }
    fields = Parameters.model_fields
    assert set(defaults) <= set(fields)
    assert {name for name, field in fields.items() if field.is_required()} <= set(defaults)
    assert all(field.description for field in fields.values())
    assert find_problems(KNOWN) == []
    assert {name: KNOWN[name] for name in defaults} == defaults


def test_missing_default_is_named(notebooks):
    """A parameter that no notebook has is an error, not a crash in the middle of a run."""
    with pytest.raises(ParameterError, match="TRAIN_CSV is missing"):
        read_parameters(write_empty(notebooks), (), notebooks)


def write_empty(folder: Path) -> Path:
    """Write a parameter file that sets nothing."""
    path = folder / "empty.yaml"
    path.write_text("{}")
    return path


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("reports/mine", r"reports/mine"),
        ("reports/nightly-{date}", r"reports/nightly-\d{4}-\d\d-\d\d"),
        ("reports/hourly-{time}", r"reports/hourly-\d{4}-\d\d-\d\d-\d{6}"),
    ],
)
def test_start_is_filled_in(tmp_path, given, pattern):
    """A run's folder may bear its start, as `lib.workflow.retention` knows it."""
    run_dir = ask(tmp_path, f"RUN_DIR: {given}").RUN_DIR
    assert re.fullmatch(pattern, run_dir)
    kind = "mine" if given.endswith("mine") else given.split("/")[1].split("-")[0] + "-{start}"
    assert name_series(Path(run_dir)) == kind


def test_misspelt_start_is_an_error(tmp_path):
    """Braces with another word in them name what is known."""
    with pytest.raises(ParameterError, match=r"\{date\} or \{time\}"):
        ask(tmp_path, "RUN_DIR: reports/nightly-{day}")


def test_file_and_overrides_win_in_turn(tmp_path):
    """An override beats the file, the file beats the default; values are read as YAML."""
    got = ask(tmp_path, "SEED: 3\nWORKERS: 1", ("SEED", "4"), ("OCR_ENGINES", "[tesseract]"))
    assert (got.SEED, got.WORKERS, got.OCR_ENGINES) == (4, 1, ["tesseract"])
    assert KNOWN["TRAIN_CSV"] == got.TRAIN_CSV


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("", [("OCR_ENGINNE", "x")], "did you mean OCR_ENGINES?"),  # misspelt: papermill only warns
        ("", [("seed", "1")], "did you mean SEED?"),  # names are in capitals
        ("", [("BATCH", "1")], "leave it out"),  # the pipeline counts batches itself
        ("SEED: one", [], "expected a valid integer"),  # a word for a number
        ("SEED: true", [], "expected a valid integer"),  # Python takes True for 1
        ("SEED: 1.0", [], "expected a valid integer"),  # a fraction, even of none
        ("OCR_ENGINES: rapidocr", [], "expected a valid list"),  # one name, not in a list
        ("OCR_ENGINES: [1]", [], "expected a valid string"),  # a list of something else
        ("OCR_ENGINES: []", [], "different names"),  # nobody answers
        ("OCR_ENGINES: [easyocr]", [], "expected 'rapidocr' or"),  # an engine we do not have
        ("KEEP_IMAGES: maybe", [], "expected a valid boolean"),  # neither yes nor no
        ("SEED: -1", [], "greater than or equal to 0"),  # numpy refuses negative seeds
        ("TRAIN_CSV: nowhere.csv", [], "a file that exists"),  # found out before the work
        ("TRAIN_CSV: ''\nTEST_CSV: ''", [], "both empty"),  # nothing to do
        ("- a\n- b", [], "no names with values"),  # a list, not names
        ("DEVICE: cpu\nPRECISION: float16", [], "float16 needs CUDA"),  # only a GPU has it
        ("PRECISION: half", [], "'bfloat16' or 'float16'"),  # torch's own names
        ("ANSWERS_FORMAT: excel", [], "'csv', 'xlsx' or 'parquet'"),  # not by the program's name
        ("OUTPUT_UNITS: centimetre", [], "expected a valid dict"),  # a unit of what
        ("OUTPUT_UNITS: {length: cm}", [], "length: millimetre, centimetre"),  # no official name
        ("OUTPUT_UNITS: {length: gram}", [], "length: millimetre"),  # measures something else
        ("OUTPUT_UNITS: {width: inch}", [], "for each kind"),  # a question is no kind
        ("OUTPUT_UNITS: {1: inch}", [], "expected a valid string"),  # nor is a number
        ("OUTPUT_UNITS: {length: [inch]}", [], "expected a valid string"),  # two would be one
        ("KEEP_COLUMNS: all", [], "expected a valid boolean"),  # all or none
        ("SEED: one", [], "params.yaml: SEED is 'one'"),  # the file is named
        ("", [("SEED", "one")], "params.yaml and the command line: SEED"),  # or both are
        ("SEED: [", [], "not YAML"),  # broken file
        ("", [("SEED", "[")], "not YAML"),  # broken override
    ],
)
def test_mistakes_are_explained(tmp_path, text, overrides, message):
    """Each mistake is an error that says what was expected."""
    with pytest.raises(ParameterError) as error:
        ask(tmp_path, text, *overrides)
    assert message in str(error.value)


def test_all_mistakes_are_listed(tmp_path):
    """Two mistakes need one look, not two runs."""
    with pytest.raises(ParameterError) as error:
        ask(tmp_path, "SEED: one\nWORKERS: many")
    assert "SEED" in str(error.value) and "WORKERS" in str(error.value)


def test_missing_file_is_named(tmp_path):
    """A parameter file that does not exist is an error with its path."""
    with pytest.raises(ParameterError, match="none"):
        read_parameters(tmp_path / "none.yaml")


def test_own_images_are_not_deleted(tmp_path):
    """Deleting images is refused where the user's own images are in the image store."""
    (tmp_path / "images/own").mkdir(parents=True)
    parameters = KNOWN | {
        "DATA_DIR": str(tmp_path),
        "LOCAL_IMAGES": str(tmp_path / "images/own"),
        "KEEP_IMAGES": False,
    }
    assert "would be deleted" in find_problems(parameters)[0]
    assert find_problems(parameters | {"KEEP_IMAGES": True}) == []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("WEIGHTS", "random", ""),  # nothing is no choice
        ("WEIGHTS", "IMAGENET1K_V2", "nowhere.pth"),  # a file must be there, a name may be fetched
        ("DEVICE", "cuda:1", "gpu"),  # as torch names them
        ("METHOD", "rules", "magic"),  # one that exists
        ("BATCH_SIZE", 1, 0),  # a batch holds something
        ("MAX_ROWS", 0, -1),  # 0 means all
        ("KEEP_RUNS", 0, -1),  # likewise
        ("RUN_DIR", "reports/x", "reports/x-{day}"),  # {date} and {time} are filled in before
        ("CONNECTIONS", 1, 0),  # at least one
        ("LOCAL_IMAGES", "lib", "nowhere"),  # from the project's folder
        ("OCR_ENGINES", list(ENGINES), ["rapidocr", "rapidocr"]),  # each once
        ("SEED", 2**32 - 1, 2**32),  # numpy's 32 bits
        ("CLUSTER", "tls://[fe80::1]:8786", "tls://fe80::1:8786"),  # brackets tell the port
        ("USER_AGENT", "Müller (a@b.example)", "Müller\n"),  # as headers are written
        ("ALLOW_HOSTS", ["localhost", "my_nas.", "[::1]", "10.0.0.1"], ["localhost/"]),
    ],
)
def test_values_are_checked(name, good, bad):
    """Values that cannot work are found before anything runs."""
    assert find_problems(KNOWN | {name: good}) == []
    assert name in find_problems(KNOWN | {name: bad})[0]


def test_units_of_all_kinds_are_accepted(tmp_path):
    """Any unit of ours may be asked for, one for each kind of measure."""
    kinds = {"length": "inch", "weight": "ton", "volume": "fluid ounce", "voltage": "kilovolt"}
    wanted = kinds | {"wattage": "kilowatt"}
    assert set(wanted) == set(UNIT_KIND.values())
    units = ask(tmp_path, "", ("OUTPUT_UNITS", json.dumps(wanted))).OUTPUT_UNITS
    assert units == wanted


def test_methods_are_those_of_extraction():
    """The methods of the model are those there are."""
    assert set(get_args(Method)) == set(METHODS)


def test_weights_are_torchvisions():
    """The names of weights, known without importing torch, are those that torchvision has."""
    from torchvision.models import ResNet50_Weights

    assert set(WEIGHTS) == {entry.name for entry in ResNet50_Weights} | {"random"}


@pytest.mark.parametrize("name", ["mine", "a: b", "nightly #2", "nightly-{date}", "ü" * 100, "..."])
def test_run_names(name):
    """Whatever is one part of a path may be a run's name."""
    assert check_run_name(name) == ""


def test_home_is_expanded(monkeypatch, tmp_path):
    """`~` is the home folder in each parameter that is a path."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "table.csv").touch()
    paths = {"TEST_CSV": "~/table.csv", "TRAIN_CSV": "", "LOCAL_IMAGES": "~", "REFERENCE": "~"}
    assert find_problems(KNOWN | paths | {"RUN_DIR": "~/run"}) == []


def test_values_in_messages_are_short(tmp_path):
    """A long list of mistakes is cut."""
    with pytest.raises(ParameterError) as error:
        ask(tmp_path, "".join(f"NAME_{number}: 1\n" for number in range(999)))
    assert str(error.value).endswith("And 994 more.")
