"""The command line: exit codes, messages, the last lines, and Ctrl-C."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib import __main__ as program
from lib.paths import PROJECT
from lib.pipeline import RunLocked
from lib.samples import write_json
from lib.stage import StageError
from lib.tests.test_pipeline import STEPS, wait_for, write_notebook

SAMPLE = str(PROJECT / "notebooks/params/sample.yaml")


def run_program(monkeypatch, outcome, *arguments):
    """Run the command line with a pipeline that returns or raises the outcome."""
    asked = []

    def pretend(parameters):
        asked.append(parameters)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(program, "run_pipeline", pretend)
    monkeypatch.setattr(program, "read_parameters", lambda *request: {"RUN_DIR": "reports/sample"})
    before = signal.getsignal(signal.SIGTERM)
    try:
        return program.main(["run", SAMPLE, *arguments]), asked
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (StageError("03_ocr failed: fish"), 1, "fish"),  # some work failed
        (RunLocked("Another run is using it"), 3, "Another run"),  # come back later
        (KeyboardInterrupt(), 130, "goes on"),  # as shells count Ctrl-C
    ],
)
def test_failures_have_exit_codes(monkeypatch, capsys, outcome, code, said):
    """Each way to fail has its exit code and a message on the standard error."""
    assert run_program(monkeypatch, outcome)[0] == code
    assert said in capsys.readouterr().err


def test_success_says_where_and_how_good(monkeypatch, capsys, tmp_path):
    """The last lines are the two paths and the F1."""
    metrics = {"f1": 0.81234, "intervals": {"f1": [0.7, 0.9]}, "counts": {"judged": 9}}
    write_json(metrics, tmp_path / "metrics.json")
    assert run_program(monkeypatch, tmp_path)[0] == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("predictions.csv")
    assert lines[1].endswith("index.html")
    assert lines[2] == "F1: 0.812"


def test_run_without_truth_says_so(monkeypatch, capsys, tmp_path):
    """A run that cannot be scored is no failure."""
    assert run_program(monkeypatch, tmp_path)[0] == 0
    assert "F1: not known" in capsys.readouterr().out


def test_run_name_chooses_the_folder(monkeypatch, tmp_path):
    """--run-name is short for a folder under reports/."""
    asked = run_program(monkeypatch, tmp_path, "--run-name", "mine")[1]
    assert asked[0]["RUN_DIR"] == "reports/mine"


def test_misspelt_parameter_fails_at_once():
    """`-p OCR_ENGINNE x` ends with code 2 and names the closest parameter."""
    command = [sys.executable, "-m", "lib", "run", SAMPLE, "-p", "OCR_ENGINNE", "x"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert result.returncode == 2
    assert "OCR_ENGINES" in result.stderr
    assert "Traceback" not in result.stderr


SCRIPT = """
import sys
from functools import partial
from pathlib import Path
import lib.__main__ as program
notebooks = Path(sys.argv[1])
program.read_parameters = partial(program.read_parameters, notebooks=notebooks)
program.run_pipeline = partial(program.run_pipeline, notebooks=notebooks)
sys.exit(program.main(["run", sys.argv[2]]))
"""
PARAMETERS = """
TRAIN_CSV = ""
TEST_CSV = ""
RUN_DIR = "x"
MAX_ROWS = 0
BATCH_SIZE = 5
"""


def test_stopping_takes_seconds_and_children(tmp_path):
    """Ctrl-C ends the run within seconds, with the record saying so."""
    started = tmp_path / "started"
    for step in STEPS:
        code = f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\ntime.sleep(60)"
        write_notebook(tmp_path / f"{step}.ipynb", code, PARAMETERS)
    table = tmp_path / "test.csv"
    table.write_text("index,image_link,group_id,entity_name\n1,a.jpg,1,width\n")
    run_dir = tmp_path / "run"
    write_json({"TEST_CSV": str(table), "RUN_DIR": str(run_dir)}, tmp_path / "p.yaml")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(tmp_path / "p.yaml")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for(started.exists)
    sent_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert time.monotonic() - sent_at < 20
    assert process.returncode == 130
    assert "The same command goes on" in said
    assert json.loads(Path(run_dir / "run.json").read_text())["status"] == "interrupted"
