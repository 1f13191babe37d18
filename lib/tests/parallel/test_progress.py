"""Progress is a bar that counts items and failures, and a file for whoever watches the run."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from tqdm import tqdm

from lib.io.paths import PROJECT
from lib.parallel import progress
from lib.parallel.progress import PROGRESS_VARIABLE, SESSION_VARIABLE, STAGE_VARIABLE, show_progress


def test_is_one_line_that_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Items done before count, failures are told apart, and rate and time left are there."""
    with show_progress(5, "image", "rapidocr", done=1) as shown:
        shown.bar.delay = shown.bar.mininterval = 0
        for number in range(4):
            shown.count("timed out: 60 s" if number == 1 else "")
    text = capsys.readouterr().err
    assert text.count("\r") >= 4 and text.count("\n") == 1
    assert "rapidocr:  40%" in text
    last = text.splitlines()[-1]
    assert "5/5" in last and "failed=1" in last and "<" in last and "image/s" in last


def test_short_work_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Work of a few images ends before its line is worth reading."""
    with show_progress(2, "image") as shown:
        shown.count()
        shown.count("broken")
    assert capsys.readouterr().err == ""


def test_line_is_not_drawn_for_each_item(capsys: pytest.CaptureFixture[str]) -> None:
    """Thousands of quick items cost a few updates, at most one a second."""
    with show_progress(1000, "image") as shown:
        for _ in range(1000):
            shown.count()
    assert capsys.readouterr().err.count("\r") < 5


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a stage of a run reports."""
    monkeypatch.setenv(PROGRESS_VARIABLE, str(tmp_path))
    monkeypatch.setenv(STAGE_VARIABLE, "03_ocr-00002")
    return tmp_path


def test_reports_to_a_file_of_its_own(reports: Path) -> None:
    """Each work of a stage has a file with its counts; details of reasons are left out."""
    with show_progress(3, "image", "file a/b", done=1) as shown:
        shown.count("timed out: 60 s")
        shown.count("timed out: 61 s")
    with show_progress(3, "image", "lines"):
        pass
    (path,) = reports.glob("*file_a_b.json")
    found = json.loads(path.read_text())
    assert found.pop("seconds") >= 0
    counts = {"total": 3, "done": 3, "known": 1, "failures": {"timed out": 2}}
    assert found == {"stage": "03_ocr-00002"} | counts
    assert {path.suffix for path in reports.iterdir()} == {".json"} and len(
        [*reports.iterdir()]
    ) == 2


def test_reports_once_a_second(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced at the start, at most once a second meanwhile, and at the end."""
    written = []
    monkeypatch.setattr(Path, "replace", lambda path, target: written.append(target))
    with show_progress(1000, "image", "rapidocr") as shown:
        for _ in range(1000):
            shown.count()
    assert 2 <= len(written) < 6


def test_work_goes_on_without_its_reports(reports: Path) -> None:
    """A folder that has gone costs the reports only."""
    reports.rmdir()
    with show_progress(1, "image", "rapidocr") as shown:
        shown.count()
    assert shown.bar.n == 1 and not reports.exists()


@pytest.mark.parametrize(
    ("session", "stage", "is_widget"),
    [
        ("", "", False),  # papermill, or Python
        ("notebooks/03_ocr.ipynb", "", True),  # opened in JupyterLab
        ("notebooks/03_ocr.ipynb", "03_ocr-00000", False),  # a run started from a notebook
    ],
)
def test_widget_is_for_hands(
    monkeypatch: pytest.MonkeyPatch, session: str, stage: str, is_widget: bool
) -> None:
    """A notebook opened by hand gets a widget, which papermill would leave at 0 %."""
    for name, value in ((SESSION_VARIABLE, session), (STAGE_VARIABLE, stage)):
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    assert (progress.choose_bar() is not tqdm) == is_widget


def test_widget_counts_in_jupyter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that a Jupyter server has started shows the bar as a widget that counts."""
    monkeypatch.setenv(SESSION_VARIABLE, "a.ipynb")
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        "from lib.parallel import show_progress\n"
        "with show_progress(2, 'image', 'rapidocr') as shown:\n"
        "    shown.bar.delay, shown.bar.mininterval = 1e-9, 0\n"
        "    shown.count(); shown.count('broken: 7')\n"
    )
    notebook = new_notebook(cells=[new_code_cell(code)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert any(
        "application/vnd.jupyter.widget-view+json" in output.get("data", {})
        for output in notebook.cells[0].outputs
    )
    assert "2/2" in nbformat.writes(notebook) and "failed=1" in nbformat.writes(notebook)
