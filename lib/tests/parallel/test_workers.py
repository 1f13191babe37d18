"""Work in processes: errors, crashes and hangs cost their item only."""

import logging
import os
import subprocess
import sys

import psutil
import pytest

from lib.io.paths import PROJECT
from lib.parallel.item_errors import StageFault, report_internal_errors
from lib.parallel.worker_process import DEFAULTS
from lib.parallel.workers import run_each
from lib.tests.stand_in import OddError, halve

LIMIT = 2.0


def run(numbers: list[int], workers: int) -> dict:
    """Work through numbers, each under its own name."""
    return dict(run_each(halve, {str(n): (n,) for n in numbers}, workers, LIMIT, (OddError,)))


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_deaths_and_hangs_cost_their_item_only(workers):
    """All other items have their values; those three have a reason."""
    numbers = [2, 4, 666, 6, 777, 8, 9, 13, 10]
    outcomes = run(numbers, workers)
    assert {name: outcome.value for name, outcome in outcomes.items() if not outcome.reason} == {
        "2": 1, "4": 2, "6": 3, "8": 4, "10": 5,
    }  # fmt: skip
    assert outcomes["9"].reason == "OddError: 9 is odd" and not outcomes["9"].error
    assert outcomes["13"].reason == "internal error: KeyError: 'unlucky'"
    assert "in halve" in outcomes["13"].error.traceback
    assert outcomes["666"].reason == "the process working on it died"
    assert outcomes["777"].reason == "took longer than 2 s and was stopped"
    assert outcomes["777"].seconds >= LIMIT


def test_nothing_to_do_starts_no_process():
    """No items, no outcomes, at once."""
    assert run([], 2) == {}


def test_internal_errors_are_reported_by_name(caplog):
    """The log names an item by link and sample, with the traceback that came from the process."""
    outcomes = run([2, 13], 1)
    with caplog.at_level(logging.ERROR):
        errors = {"13": outcomes["13"].error}
        report_internal_errors("halving", errors, 2, {"13": "x.org/13.jpg (sample 7)"})
    assert caplog.messages[0].startswith("x.org/13.jpg (sample 7): internal error: KeyError")
    assert "in halve" in caplog.messages[0]


def test_a_fault_of_all_items_is_no_item_s():
    """Where every item meets the same error the stage fails."""
    errors = dict.fromkeys("abcde", run([13], 1)["13"].error)
    with pytest.raises(StageFault, match="halving: all 5 items"):
        report_internal_errors("halving", errors, 5)


def is_running(process: psutil.Process) -> bool:
    """Tell whether a process still does something."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_script_is_not_run_again(tmp_path):
    """A script needs no guard: processes do not import the main module."""
    script = tmp_path / "script.py"
    script.write_text(
        "from lib.parallel import run_each\n"
        "from lib.tests.stand_in import halve\n"
        "print(sum(result.value for _, result in run_each(halve, {'2': (2,), '4': (4,)}, 2, 60)))"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    command = [sys.executable, str(script)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("3\n", "")


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_end_with_their_parent(workers):
    """After SIGKILL of the main process, in the middle of items, all its processes end."""
    command = [sys.executable, "-m", "lib.tests.stand_in", str(workers)]
    main = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert [main.stdout.readline() for _ in range(workers)] == ["working\n"] * workers
    started = psutil.Process(main.pid).children(recursive=True)
    assert len(started) == workers, "and no trackers of resources"
    main.kill()
    main.communicate(timeout=5)  # the workers hold its output open
    psutil.wait_procs(started, timeout=5)
    assert not [process for process in started if is_running(process)]


@pytest.mark.parametrize("own", ["", "glibc.malloc.arena_max=1"])
def test_processes_keep_memory_in_large_pages_unless_told_otherwise(own, monkeypatch):
    """The settings of the C library's memory are ours, or those of the environment."""
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if own:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    [(_, outcome)] = run_each(os.getenv, {"it": ("GLIBC_TUNABLES",)}, 1, LIMIT)
    assert outcome.value == (own or DEFAULTS["GLIBC_TUNABLES"])
