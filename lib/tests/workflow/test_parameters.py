"""Parameters: defaults out of notebooks, files and overrides over them, errors that help."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from lib.io.notebooks import notebook_parameters
from lib.workflow.parameters import (
    ENGINES,
    WEIGHTS,
    ParameterError,
    check_run_name,
    find_wrong_values,
    known_parameters,
    read_parameters,
)
from lib.workflow.retention import name_series

CELL = """\
TRAIN_CSV = ""  # sample table
TEST_CSV = "{table}"  # sample table
OCR_ENGINES = ["rapidocr", "tesseract"]  # the first = the one that answers
BATCH = 0  # number of the batch
RUN_DIR = "reports/x"  # results
SEED = 0
MARGIN = 0.5
"""


@pytest.fixture
def notebooks(tmp_path):
    """A folder with one notebook and the table that it names."""
    table = tmp_path / "test.csv"
    table.write_text("index\n")
    cell = new_code_cell(CELL.format(table=table), metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[new_code_cell("UNTAGGED = 1"), cell])
    nbformat.write(notebook, tmp_path / "01_first.ipynb")
    return tmp_path


def ask(notebooks, text="", *overrides):
    """Read parameters from the text of a YAML file."""
    path = notebooks / "params.yaml"
    path.write_text(text)
    return read_parameters(path, overrides, notebooks)


def test_defaults_come_from_notebooks(notebooks):
    """Only the tagged cell counts, a second `=` in a comment does no harm."""
    found = notebook_parameters(notebooks / "01_first.ipynb")
    assert found["OCR_ENGINES"] == ["rapidocr", "tesseract"]
    assert "UNTAGGED" not in found
    known = known_parameters(notebooks)
    assert known["KEEP_IMAGES"] is True
    assert "BATCH" not in known


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("reports/mine", r"reports/mine"),
        ("reports/nightly-{date}", r"reports/nightly-\d{4}-\d\d-\d\d"),
        ("reports/hourly-{time}", r"reports/hourly-\d{4}-\d\d-\d\d-\d{6}"),
    ],
)
def test_start_is_filled_in(notebooks, given, pattern):
    """A run's folder may bear its start, as `lib.workflow.retention` knows it."""
    run_dir = ask(notebooks, f"RUN_DIR: {given}")["RUN_DIR"]
    assert re.fullmatch(pattern, run_dir)
    kind = "mine" if given.endswith("mine") else given.split("/")[1].split("-")[0] + "-{start}"
    assert name_series(Path(run_dir)) == kind


def test_misspelt_start_is_an_error(notebooks):
    """Braces with another word in them name what is known."""
    with pytest.raises(ParameterError, match=r"\{date\} or \{time\}"):
        ask(notebooks, "RUN_DIR: reports/nightly-{day}")


def test_file_and_overrides_win_in_turn(notebooks):
    """An override beats the file, the file beats the default; values are read as YAML."""
    got = ask(notebooks, "SEED: 3\nMARGIN: 1", ("SEED", "4"), ("OCR_ENGINES", "[tesseract]"))
    assert (got["SEED"], got["MARGIN"], got["OCR_ENGINES"]) == (4, 1, ["tesseract"])
    assert got["TRAIN_CSV"] == ""


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("", [("OCR_ENGINNE", "x")], "did you mean OCR_ENGINES?"),  # misspelt: papermill only warns
        ("", [("seed", "1")], "did you mean SEED?"),  # names are in capitals
        ("", [("BATCH", "1")], "leave it out"),  # the pipeline counts batches itself
        ("SEED: one", [], "expected int"),  # a word for a number
        ("SEED: true", [], "expected int"),  # Python takes True for 1
        ("MARGIN: wide", [], "expected float"),  # a word for a number
        ("OCR_ENGINES: rapidocr", [], "expected list"),  # one name, not in a list
        ("OCR_ENGINES: [1]", [], "expected list"),  # a list of something else
        ("OCR_ENGINES: []", [], "different names"),  # nobody answers
        ("OCR_ENGINES: [easyocr]", [], "rapidocr"),  # an engine we do not have
        ("KEEP_IMAGES: maybe", [], "expected bool"),  # neither yes nor no
        ("SEED: -1", [], "0 to"),  # numpy refuses negative seeds
        ("TRAIN_CSV: nowhere.csv", [], "a file that exists"),  # found out before the work
        ("TEST_CSV: ''", [], "both empty"),  # nothing to do
        ("- a\n- b", [], "no names with values"),  # a list, not names
        ("SEED: [", [], "not YAML"),  # broken file
        ("", [("SEED", "[")], "not YAML"),  # broken override
    ],
)
def test_mistakes_are_explained(notebooks, text, overrides, message):
    """Each mistake is an error that says what was expected."""
    with pytest.raises(ParameterError) as error:
        ask(notebooks, text, *overrides)
    assert message in str(error.value)


def test_all_mistakes_are_listed(notebooks):
    """Two mistakes need one look, not two runs."""
    with pytest.raises(ParameterError) as error:
        ask(notebooks, "SEED: one\nMARGIN: wide")
    assert "SEED" in str(error.value) and "MARGIN" in str(error.value)


def test_missing_file_is_named(notebooks):
    """A parameter file that does not exist is an error with its path."""
    with pytest.raises(ParameterError, match="none"):
        read_parameters(notebooks / "none.yaml", (), notebooks)


def test_own_pictures_are_not_deleted(tmp_path):
    """Deleting images is refused where the user's own pictures are in the image store."""
    (tmp_path / "images/own").mkdir(parents=True)
    parameters = {
        "DATA_DIR": str(tmp_path),
        "LOCAL_IMAGES": str(tmp_path / "images/own"),
        "KEEP_IMAGES": False,
    }
    assert "would be deleted" in find_wrong_values(parameters)[0]
    assert find_wrong_values(parameters | {"KEEP_IMAGES": True}) == []


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
    assert find_wrong_values({name: good}) == []
    assert name in find_wrong_values({name: bad})[0]


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
    assert find_wrong_values(paths | {"RUN_DIR": "~/run"}) == []


def test_values_in_messages_are_short(notebooks):
    """A long list of mistakes is cut."""
    with pytest.raises(ParameterError) as error:
        ask(notebooks, "".join(f"NAME_{number}: 1\n" for number in range(999)))
    assert str(error.value).endswith("And 994 more.")
