"""The command line: exit codes, messages, the last lines, and Ctrl-C."""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest
import yaml

from lib import __main__ as program
from lib.commands import cache, compare, run, terminal
from lib.io.files import read_json, replace_file, write_json, write_table
from lib.io.manifest import find_manifest
from lib.io.paths import PROJECT
from lib.tests.past_runs import WORSE, write_run
from lib.tests.workflow.test_pipeline import STEPS, listen_to_interrupts, wait_for, write_notebook
from lib.workflow.locking import RunLocked
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameters import Parameters, known_parameters
from lib.workflow.runner import StageError

SAMPLE = str(PROJECT / "notebooks/params/sample.yaml")


def read_values(overrides):
    """Read values of parameters as the command line's are read."""
    return {name: yaml.safe_load(value) for name, value in overrides}


def run_program(monkeypatch, outcome, *arguments, run_dir="reports/sample", work=None):
    """Run the command line with a pipeline that works, and returns or raises the outcome."""
    asked = []

    def pretend(parameters, timeout, show):
        asked.append((parameters, timeout))
        if work:
            work(parameters, timeout, show)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(run, "run_pipeline", pretend)
    monkeypatch.setattr(
        run,
        "read_parameters",
        lambda path, overrides: Parameters.model_validate(
            known_parameters() | {"RUN_DIR": str(run_dir)} | read_values(overrides)
        ),
    )
    before = signal.getsignal(signal.SIGTERM)
    try:
        return program.main(["run", SAMPLE, *arguments]), asked
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (RunLocked("Another run is using it"), 3, "Another run"),  # come back later
        (KeyboardInterrupt(), 130, "goes on"),  # as shells count Ctrl-C
    ],
)
def test_failures_have_exit_codes(monkeypatch, capsys, outcome, code, said):
    """Each way to fail has its exit code and a message on the standard error."""
    assert run_program(monkeypatch, outcome)[0] == code
    assert said in capsys.readouterr().err


def test_failed_run_is_summed_up(monkeypatch, capsys, tmp_path):
    """A failed stage ends with code 1; the error is told, and the output is one line for a log."""
    run_dir = write_run(tmp_path / "night", status="failed")
    outcome = StageError("03_ocr failed: fish")
    assert run_program(monkeypatch, outcome, run_dir=run_dir)[0] == 1
    said = capsys.readouterr()
    assert "fish" in said.err
    assert said.out.startswith("run night: failed, 30 samples, 0 failures, ")
    assert said.out.count("\n") == 1


def test_success_says_where_and_how_good(monkeypatch, capsys, tmp_path):
    """The last lines are answers, failures, paths, what to do next, and the run in one line."""
    run_dir = write_run(tmp_path / "night")
    decisions = ["answered"] * 20 + ["silent"] * 9 + ["failed"]
    table = pd.DataFrame({"answers": True, "decision": decisions})
    others = table.assign(answers=False, decision="silent")  # of a method that is only compared
    write_table(pd.concat([table, others]), run_dir / "tables/predictions.parquet")
    (tmp_path / "index.html").touch()
    failures = [{"step": "download", "reason": "not found", "count": 1}]
    write_json(read_json(run_dir / "run.json") | {"failures": failures}, run_dir / "run.json")
    assert run_program(monkeypatch, run_dir, run_dir=run_dir)[0] == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == [
        "Answers: 20 of 30 rows; 9 without, as the image states none, 1 failed",
        "Failures: 1 not found (download)",
        f"Predictions: {run_dir / 'predictions.csv'}",
        f"All runs: {tmp_path / 'index.html'}",
        f"Next: `python -m lib review {run_dir}` lists the least sure answers with their images.",
    ]
    start = "run night: finished, F1 1.000 (1.000 to 1.000) on 30 of 30 samples"
    assert lines[-1].startswith(start)


def test_quiet_prints_one_line(monkeypatch, capsys, tmp_path):
    """--quiet leaves the line that sums up the run, and warnings."""
    run_dir = write_run(tmp_path / "night")

    def work(parameters, timeout, show):
        logging.getLogger("lib").info("usual")
        logging.getLogger("lib").warning("odd")

    stream = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(stream)
    run_program(monkeypatch, run_dir, "--quiet", run_dir=run_dir, work=work)
    logging.getLogger().removeHandler(stream)
    said = capsys.readouterr()
    assert said.out.startswith("run night: finished") and said.out.count("\n") == 1
    assert "odd" in said.err and "usual" not in said.err


def test_log_goes_to_a_file_too(monkeypatch, capsys, tmp_path):
    """--log appends the log to a file of the user's, and ends with the run."""
    run_dir, log = write_run(tmp_path / "night"), tmp_path / "my.log"
    log.write_text("before\n")

    def work(parameters, timeout, show):
        logging.getLogger("lib").warning("odd")

    run_program(monkeypatch, run_dir, "--log", str(log), run_dir=run_dir, work=work)
    logging.getLogger("lib").warning("later")
    lines = log.read_text().splitlines()
    assert lines[0] == "before" and lines[1].endswith(" odd") and len(lines) == 2
    code = run_program(monkeypatch, run_dir, "--log", str(tmp_path / "no/x.log"), run_dir=run_dir)
    assert code[0] == 2 and "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outcome", "code", "state", "error"),
    [
        (None, 0, "finished", None),  # a run
        (StageError("03_ocr failed: fish\nIn cell 3"), 1, "failed", "03_ocr failed: fish"),
        (KeyError("fish"), 1, "failed", "internal error"),  # nobody foresaw it
        (ParameterError("x is no table"), 2, "refused", "x is no table"),
        (RunLocked("Another run"), 3, "locked", "Another run"),
        (KeyboardInterrupt(), 130, "interrupted", "stopped"),
    ],
)
def test_json_is_one_object(monkeypatch, capsys, tmp_path, outcome, code, state, error):
    """--json prints one object however the run ends, and all else on standard error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = "finished" if state in ("refused", "locked") else state
    run_dir = write_run(tmp_path / "night", status=before)
    assert run_program(monkeypatch, outcome, "--json", run_dir=run_dir)[0] == code
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["exit_code"], found["status"]) == (code, state)
    assert (found["error"] or "").startswith(error or "") and said.err
    assert ("counts" in found) == (state not in ("refused", "locked"))
    if state == "finished":
        assert found["files"]["predictions"] == str(run_dir / "predictions.csv")


INTERNAL_ERRORS = [
    {"step": "03_ocr", "reason": "internal error: KeyError: 'engine'", "count": 1_200},
    {"step": "04_extraction", "reason": "internal error: OverflowError: too large", "count": 1},
]


@pytest.mark.parametrize(
    ("errors", "options", "code"),
    [
        ([], [], 0),
        ([], ["--strict"], 0),  # nothing to be strict about
        (INTERNAL_ERRORS, [], 0),  # each row has an outcome
        (INTERNAL_ERRORS, ["--strict"], 4),  # asked for
    ],
)
def test_internal_errors_are_told(monkeypatch, capsys, tmp_path, errors, options, code):
    """A finished run says in one line how many rows an unforeseen error has emptied."""
    run_dir = write_run(tmp_path / "night")
    record = read_json(run_dir / "run.json") | {"internal_errors": errors}
    write_json(record, run_dir / "run.json")
    assert run_program(monkeypatch, run_dir, *options, run_dir=run_dir)[0] == code
    said = capsys.readouterr()
    line = (
        "1,201 internal errors (KeyError: 'engine'; OverflowError: too large): their rows are "
        f"empty; tracebacks in {run_dir}/run.log\n"
    )
    assert said.err == (line if errors else "")
    assert "finished" in said.out


@pytest.mark.parametrize(
    ("terminal", "no_color", "red"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_internal_errors_are_red(monkeypatch, capsys, tmp_path, terminal, no_color, red):
    """The line is red on a terminal, unless its user wants no colours."""
    run_dir = write_run(tmp_path / "night")
    write_json({"internal_errors": INTERNAL_ERRORS}, run_dir / "run.json")
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    run._tell_internal_errors(run_dir)
    assert capsys.readouterr().err.startswith("\033[31m") == red


@pytest.mark.parametrize("has_log", [True, False])
def test_unforeseen_error_is_one_line(monkeypatch, capsys, tmp_path, has_log):
    """What nobody foresaw ends with code 1, its kind in a line, its traceback in a file."""
    run_dir = write_run(tmp_path / "night")
    if has_log:
        with replace_file(run_dir / "run.log") as log:
            log.write_text("started\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert run_program(monkeypatch, KeyError("fish\nand more"), run_dir=run_dir)[0] == 1
    said = capsys.readouterr().err
    assert said.startswith("internal error: KeyError: 'fish") and said.count("\n") == 1
    log = Path(said.split("traceback in ")[1].strip())
    assert log.parent == (run_dir if has_log else tmp_path)
    assert log.read_text().startswith("started\nTraceback" if has_log else "Traceback")
    assert bool(find_manifest(log)) == has_log and (not has_log or find_manifest(log).owns(log))


def test_unforeseen_error_elsewhere(monkeypatch, capsys, tmp_path):
    """`compare` and `cache` end in the same way, and Ctrl-C ends them without a traceback."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for outcome, code in ((ZeroDivisionError("fish"), 1), (KeyboardInterrupt(), 130)):
        monkeypatch.setattr(compare, "find_run", Mock(side_effect=outcome))
        monkeypatch.setattr(cache, "measure_cache", Mock(side_effect=outcome))
        for command in (["compare", "a", "b"], ["cache", "--data-dir", str(tmp_path)]):
            assert program.main(command) == code
            assert capsys.readouterr().err.count("\n") == 1


def test_exit_codes_are_documented(capsys):
    """The help of `run` and the page on running name each exit code."""
    with pytest.raises(SystemExit):
        program.main(["run", "--help"])
    said = capsys.readouterr().out
    page = (PROJECT / "docs/running.md").read_text(encoding="utf-8")
    for code in (0, terminal.FAILED, 2, terminal.LOCKED, terminal.HAS_ERRORS, terminal.STOPPED):
        assert re.search(rf"^  {code} ", said, flags=re.M)
        assert re.search(rf"^\| {code} \|", page, flags=re.M)


def test_run_without_truth_says_so(monkeypatch, capsys, tmp_path):
    """A run that cannot be scored is no failure."""
    run_dir = write_run(tmp_path / "night", truth=None)
    assert run_program(monkeypatch, run_dir, run_dir=run_dir)[0] == 0
    assert "finished, no truth for 30 samples" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mine", "a: b", "nightly #2"])
def test_run_name_chooses_the_folder(monkeypatch, name):
    """--run-name is short for a folder under reports/, whatever YAML would make of it."""
    asked = run_program(monkeypatch, RunLocked(""), "--run-name", name)[1]
    assert f"reports/{name}" == asked[0][0].RUN_DIR


def test_wait_is_passed_on(monkeypatch):
    """--wait says how long another run is waited for; by default it is not."""
    assert run_program(monkeypatch, RunLocked(""))[1][0][1] == 0
    assert run_program(monkeypatch, RunLocked(""), "--wait", "60")[1][0][1] == 60


def test_compare_prints_and_writes(capsys, tmp_path):
    """`compare` ends with the paths of the page and the table, which are there."""
    first, second = write_run(tmp_path / "first"), write_run(tmp_path / "second", WORSE)
    assert program.main(["compare", str(first), str(second)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "second against first, 30 test samples of 15 images"
    paths = [Path(line.partition(": ")[2]) for line in lines[-2:]]
    assert paths == [second / "comparisons" / f"first.{kind}" for kind in ("html", "csv")]
    assert all(path.is_file() for path in paths)


def test_compare_complains(capsys, tmp_path):
    """Runs that are not there or share nothing are a wrong request, told in a line."""
    first = write_run(tmp_path / "first")
    other = write_run(tmp_path / "other", image_link="x.jpg")
    assert program.main(["compare", str(first), "no such run"]) == 2
    assert "No run no such run" in capsys.readouterr().err
    assert program.main(["compare", str(first), str(other)]) == 2
    assert "share no sample" in capsys.readouterr().err


def test_misspelt_parameter_fails_at_once():
    """`-p OCR_ENGINNE x` ends with code 2 and names the closest parameter."""
    command = [sys.executable, "-m", "lib", "run", SAMPLE, "-p", "OCR_ENGINNE", "x"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert result.returncode == 2
    assert "OCR_ENGINES" in result.stderr
    assert "Traceback" not in result.stderr


SCHEDULES = (PROJECT / "reports/README.md").read_text(encoding="utf-8")
UNITS = dict(
    zip(("service", "timer"), re.findall(r"```ini\n(.*?)```", SCHEDULES, flags=re.S), strict=True)
)


def test_documented_commands_are_known():
    """The commands for cron and systemd are ones the command line takes."""
    commands = re.findall(r"\.venv/bin/python -m lib (.+?)(?: >>.*)?$", SCHEDULES, flags=re.M)
    assert [command.split()[0] for command in commands] == ["compare", "run", "run"]
    page = (PROJECT / "docs/running.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    python -m lib (.+?)(?: +#.*)?$", page, flags=re.M)
    assert {command.split()[0] for command in shown} == {"run", "status"}
    assert all(program._parse(command.split()) for command in (*commands, *shown))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_documented_units_are_valid(tmp_path):
    """Systemd finds no fault with the units, once the path is a real one."""
    for kind, text in UNITS.items():
        unit = text.replace("/path/to/project/.venv/bin/python", sys.executable)
        unit = unit.replace("/path/to/project", str(PROJECT))
        (tmp_path / f"measurements.{kind}").write_text(unit)
    paths = [tmp_path / f"measurements.{kind}" for kind in UNITS]
    command = ["systemd-analyze", "verify", "--user", *map(str, paths)]
    session = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=session)
    faults = [line for line in result.stderr.splitlines() if "measurements." in line]
    assert (result.returncode, faults) == (0, []), result.stderr


SCRIPT = """
import sys
from functools import partial
from pathlib import Path
import lib.__main__ as program
from lib.commands import run
notebooks = Path(sys.argv[1])
run.run_pipeline = partial(run.run_pipeline, notebooks=notebooks)
sys.exit(program.main(["run", sys.argv[2]]))
"""
PARAMETERS = """
TRAIN_CSV = ""
TEST_CSV = ""
RUN_DIR = "x"
DATA_DIR = "x"
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
    given = {"TRAIN_CSV": "", "TEST_CSV": str(table), "RUN_DIR": str(run_dir)}
    write_json(given | {"DATA_DIR": str(tmp_path / "data")}, tmp_path / "p.yaml")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(tmp_path / "p.yaml")]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=listen_to_interrupts
    )
    wait_for(started.exists)
    sent_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert time.monotonic() - sent_at < 20
    assert process.returncode == 130
    assert "The same command goes on" in said
    assert json.loads(Path(run_dir / "run.json").read_text())["status"] == "interrupted"
