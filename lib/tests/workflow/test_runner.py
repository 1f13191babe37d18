"""Tests of stages whose processes are started before their turn."""

import importlib

import pytest

from lib.io.run_dir import LOG_VARIABLE
from lib.tests.workflow.test_pipeline import make_stage
from lib.workflow.outputs import BATCH_STEPS, FINAL_STEPS
from lib.workflow.pipeline import update_runs
from lib.workflow.runner import PRELOADED, Runner

NOTE = "from pathlib import Path\nimport os\nPath({!r}).write_text(str(os.getppid()))"


@pytest.mark.parametrize("name", sorted({name for names in PRELOADED.values() for name in names}))
def test_preloaded_modules_exist(name):
    """What kernels import before their turn can be imported."""
    assert importlib.import_module(name)


def test_preloaded_steps_exist():
    """Modules are named for notebooks that a run has."""
    assert PRELOADED.keys() <= {*BATCH_STEPS, *FINAL_STEPS}


def test_prepared_stage_runs_in_its_process(tmp_path):
    """The kernel's parent is the process that was started before."""
    runner = Runner()
    stage = make_stage(tmp_path, NOTE.format(str(tmp_path / "parent")))
    runner.prepare(stage)
    (prepared,) = [started.process.pid for started in runner._prepared.values()]
    assert runner.run(stage) > 0
    assert int((tmp_path / "parent").read_text()) == prepared
    assert not runner._prepared


def test_stop_ends_prepared_stages(tmp_path):
    """Stopping a run ends what it has prepared, and prepares no more."""
    runner = Runner()
    runner.prepare(make_stage(tmp_path, "1"))
    (started,) = runner._prepared.values()
    runner.stop()
    started.process.join(20)
    assert started.process.exitcode is not None
    runner.prepare(make_stage(tmp_path, "1"))
    assert not runner._prepared


def test_writer_logs_to_the_run(tmp_path):
    """What is logged while pages are written stands in the run's log."""
    runner = Runner({LOG_VARIABLE: str(tmp_path / "run.log")})
    (tmp_path / "index.html").write_text("mine")
    with runner.open_writers() as writers:
        writers.submit(update_runs, tmp_path).result()
    assert "left as it is" in (tmp_path / "run.log").read_text()
