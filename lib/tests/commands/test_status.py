"""`status` says how far a run is, without touching it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from lib import __main__ as program
from lib.commands import status
from lib.io.files import read_json, write_json
from lib.io.manifest import Manifest
from lib.io.paths import PROJECT
from lib.tests.in_process import list_files
from lib.tests.past_runs import write_run
from lib.tests.test_main import PARAMETERS, SCRIPT
from lib.tests.workflow.test_pipeline import STEPS, listen_to_interrupts, wait_for, write_notebook
from lib.tests.workflow.test_progress import end_process, make_progress
from lib.workflow.progress import HEAD, NAME, find_progress


def start_run(folder, **changes):
    """Leave what a run under way has written."""
    run_dir = write_run(folder, status="failed")
    record = read_json(run_dir / "run.json") | {"status": "running", "error": None}
    write_json(record, run_dir / "run.json")
    place = Manifest(run_dir).new_temporary(run_dir / NAME)
    place.mkdir()
    (place / HEAD).write_text(make_progress(**changes).model_dump_json())
    return run_dir


def ask(capsys, *arguments):
    """Ask for the status; return what is printed."""
    assert program.main(["status", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_running(capsys, tmp_path):
    """A run under way is shown with its bars, and nothing in its folder changes."""
    run_dir = start_run(tmp_path / "run")
    before = list_files(run_dir)
    lines = ask(capsys, run_dir).splitlines()
    assert lines[0].startswith("run run: running, since 20") and ", process " in lines[0]
    assert lines[2].startswith("03 ocr") and "0/300 images" in lines[2]
    assert lines[-1] == "Next: 04_extraction"
    assert list_files(run_dir) == before


@pytest.mark.parametrize("has_progress", [True, False])
def test_killed(capsys, tmp_path, has_progress):
    """A run whose process has gone was killed: it says how far it was and how to go on."""
    run_dir = start_run(tmp_path / "run", pid=end_process())
    if not has_progress:  # killed before it was written, or of an older version
        (place,) = run_dir.glob(f".{NAME}.*")
        (place / HEAD).unlink()
    said = ask(capsys, run_dir)
    assert said.startswith("run run: killed") and "goes on where" in said.splitlines()[-1]
    assert ("last seen" in said and "03 ocr" in said) == has_progress
    assert ("stopped" in said) == has_progress and "running" not in said and " left" not in said


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("finished", ["run run: finished, F1 1.000", "Next: `python -m lib review`"]),
        ("failed", ["run run: failed", "Error: ValueError: fish", "Next: The same command"]),
        ("interrupted", ["run run: interrupted", "Next: The same command"]),
    ],
)
def test_ended(capsys, tmp_path, state, said):
    """A run that has ended in order is summed up."""
    lines = ask(capsys, write_run(tmp_path / "run", status=state)).splitlines()
    assert [line[: len(start)] for line, start in zip(lines, said, strict=True)] == said


def test_run_that_ends_meanwhile_is_not_killed(monkeypatch, tmp_path):
    """A run that ends while it is looked at has ended in order."""
    run_dir = start_run(tmp_path / "run", pid=end_process())

    def end(progress, run_dir):
        write_run(run_dir)
        return False

    monkeypatch.setattr(status, "is_alive", end)
    assert status.read_status(run_dir).state == "finished"


def test_json_has_the_numbers(capsys, tmp_path):
    """One object has the state, the steps with rate and time left, and the failures."""
    found = json.loads(ask(capsys, start_run(tmp_path / "run"), "--json"))
    assert (found["state"], found["run"], found["next"]) == ("running", "run", "04_extraction")
    assert [step["name"] for step in found["steps"]] == ["01_download", "03_ocr", "04_extraction"]
    assert found["steps"][1]["seconds_left"] is None and found["failures"] == {}
    ended = json.loads(ask(capsys, write_run(tmp_path / "ended"), "--json"))
    assert ended["state"] == "finished" and "steps" not in ended


def test_newest_is_the_default(capsys, monkeypatch, tmp_path):
    """Without a name it is the newest run in reports/, whatever became of it."""
    monkeypatch.setattr(status, "REPORTS", tmp_path)
    assert program.main(["status"]) == 2
    assert "There is no run" in capsys.readouterr().err
    write_run(tmp_path / "old", started="2026-01-01T00:00:00+00:00")
    write_run(tmp_path / "new", status="failed", started="2026-01-02T00:00:00+00:00")
    assert ask(capsys).startswith("run new: failed")


def test_wrong_requests(capsys, tmp_path):
    """A folder that is none, or no run, is a wrong request in one line."""
    for name in ("no such run", str(tmp_path)):
        assert program.main(["status", name]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture
def command(tmp_path):
    """The command of a run whose notebooks take a minute."""
    for step in STEPS:
        code = f"import pathlib, time\npathlib.Path({str(tmp_path / 'started')!r}).touch()\n"
        write_notebook(tmp_path / f"{step}.ipynb", f"{code}time.sleep(60)", PARAMETERS)
    table = tmp_path / "test.csv"
    table.write_text("index,image_link,group_id,entity_name\n1,a.jpg,1,width\n")
    given = {"TRAIN_CSV": "", "TEST_CSV": str(table), "RUN_DIR": str(tmp_path / "run")}
    write_json(given | {"DATA_DIR": str(tmp_path / "data")}, tmp_path / "p.yaml")
    return [sys.executable, "-c", SCRIPT, str(tmp_path), str(tmp_path / "p.yaml")]


def test_real_run_killed(capsys, tmp_path, command):
    """A run that is killed by the system is seen running before and killed after."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=PROJECT)
    wait_for((tmp_path / "started").exists)
    run_dir = tmp_path / "run"
    assert ask(capsys, run_dir).startswith("run run: running, since ")
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    asked_at = time.monotonic()
    said = ask(capsys, run_dir)
    assert time.monotonic() - asked_at < 5
    assert said.startswith("run run: killed, since ") and "01 download" in said
    assert find_progress(run_dir).running == ["01_download-00000"]
    psutil.wait_procs(family, timeout=10)


def test_bars_on_a_terminal(monkeypatch, command):
    """On a terminal a run has bars and no log; Ctrl-C gives back the cursor and is explained."""
    monkeypatch.setenv("TERM", "xterm")
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        command, stdout=inner, stderr=inner, cwd=PROJECT, preexec_fn=listen_to_interrupts
    )
    os.close(inner)
    said = ""
    while "01_download-00000" not in said:
        said += os.read(terminal, 65536).decode(errors="replace")
    process.send_signal(signal.SIGINT)
    with suppress(OSError):  # the terminal ends with its process
        while more := os.read(terminal, 65536):
            said += more.decode(errors="replace")
    os.close(terminal)
    assert process.wait() == 130
    assert "05 evaluation" in said and ": started" not in said
    assert "\x1b[?25l" in said and said.rindex("\x1b[?25h") > said.rindex("05 evaluation")
    assert said.rstrip().endswith("The same command goes on where this one was.")
