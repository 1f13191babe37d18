"""A run says how far it is until it ends, whatever happens to the folder or the terminal."""

import json
import logging
import time
from pathlib import Path

import pytest

from lib.io.run_dir import LOG_VARIABLE, RUN_LOG, end_log, log_to
from lib.parallel import PROGRESS_VARIABLE
from lib.tests.workflow.test_pipeline import StandIn
from lib.tests.workflow.test_pipeline import notebooks as notebooks
from lib.tests.workflow.test_pipeline import parameters as parameters
from lib.workflow import heartbeat
from lib.workflow.heartbeat import ProgressKeeper
from lib.workflow.pipeline import run_pipeline
from lib.workflow.progress import HEAD, Step, describe_progress, find_progress, read_progress
from lib.workflow.runner import StageError


class Reporting(StandIn):
    """Stages that report as notebooks do, and note how far the run is meanwhile."""

    def run(self, stage):
        """Report half of the work, look at the run's folder, and finish."""
        folder = Path(self.environment[PROGRESS_VARIABLE])
        report = {"stage": stage.name, "total": 2, "done": 1, "known": 0, "seconds": 1.0}
        report |= {"failures": {"not found": 1}}
        if stage.batch is not None:
            (folder / f"{stage.name}.a.json").write_text(json.dumps(report))
        found = find_progress(stage.target.parents[1])
        self.seen = {**getattr(self, "seen", {}), stage.name: found}
        return super().run(stage)


def test_run_says_how_far_it_is(parameters, notebooks, tmp_path):
    """Each stage is seen while it runs, finished ones count whole, and nothing stays at the end."""
    shown = []
    runner = Reporting(tmp_path / "data")
    run_dir = run_pipeline(parameters, notebooks, runner, show=shown.append)
    first, last = runner.seen["01_download-00000"], runner.seen["05_evaluation"]
    assert first.steps[0].running == {"01_download-00000": 2} and first.steps[0].waiting == 1
    assert (first.steps[0].done, first.steps[0].total) == (1, 4)
    assert [step.done for step in last.steps] == [4, 4, 4, 4, 0]
    assert last.steps[0].failures == {"not found": 2} and last.steps[0].new == 2
    assert all(step.is_done for step in shown[-1].steps)
    assert not [path for path in run_dir.iterdir() if path.name.startswith(".progress")]
    assert find_progress(run_dir) is None


def test_reused_stages_count_as_done(parameters, notebooks, tmp_path):
    """A second run begins with what the first has done, in no time."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    runner, shown = Reporting(tmp_path / "data"), []
    run_pipeline(parameters, notebooks, runner, show=shown.append)
    assert all(step.is_done and step.done == step.total for step in shown[-1].steps)
    assert shown[-1].steps[1].seconds == 0


def test_failed_run_leaves_no_progress(parameters, notebooks, tmp_path):
    """A run that fails says so in its record; its progress goes."""
    with pytest.raises(StageError):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", fail="03_ocr-00001"))
    assert find_progress(Path(parameters.RUN_DIR)) is None


def break_terminal(progress):
    """Stand in for a terminal that has gone."""
    raise OSError("no terminal")


def test_terminal_that_goes_costs_no_run(parameters, notebooks, tmp_path):
    """A run ends well although its bars cannot be drawn any more."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"), show=break_terminal)
    assert json.loads((tmp_path / "run/run.json").read_text())["status"] == "finished"


def test_notebooks_log_where_the_run_does(parameters, notebooks, tmp_path):
    """What a notebook logs goes to the run's file, and to the one that its user named."""
    handler = log_to(tmp_path / "mine.log")
    runner = StandIn(tmp_path / "data")
    run_dir = run_pipeline(parameters, notebooks, runner)
    end_log(handler)
    logs = [str(tmp_path / "mine.log"), str(run_dir / RUN_LOG)]
    assert runner.environment[LOG_VARIABLE].splitlines() == logs


@pytest.fixture
def keeper(tmp_path):
    """The keeper of a run of one notebook."""
    step = Step(name="03_ocr", unit="images", total=10, works=1, waiting=1)
    return ProgressKeeper(tmp_path, tmp_path, [step])


def test_signs_of_life(keeper, tmp_path):
    """Each sign of life replaces the file with a later time and what the machine has."""
    first = json.loads((tmp_path / HEAD).read_text())
    time.sleep(0.01)
    keeper.beat()
    second = json.loads((tmp_path / HEAD).read_text())
    assert second["beat"] > first["beat"] and second["started"] == first["started"]
    assert second["usage"]["memory"] > 10**7 and second["usage"]["free"] > 0
    assert [path.name for path in tmp_path.iterdir()] == [HEAD]


def test_full_disk_does_not_end_a_run(keeper, tmp_path):
    """A sign of life that cannot be written is left out."""
    (tmp_path / f"{HEAD}.part").mkdir()
    keeper.begin("03_ocr-00000", 10)
    assert keeper.read().running == ["03_ocr-00000"]


def test_disk_that_does_not_answer_does_not_end_a_run(keeper, monkeypatch):
    """A file server that fails for a moment costs a sign of life, not the run."""

    def fail(folder):
        raise OSError("stale file handle")

    monkeypatch.setattr("shutil.disk_usage", fail)
    keeper.begin("03_ocr-00000", 10)
    assert keeper.read().running == ["03_ocr-00000"]


def test_end_of_a_stage_is_seen_at_once(keeper, tmp_path, monkeypatch):
    """Another process never finds a stage that has lost its work and is not done yet."""
    keeper.begin("03_ocr-00000", 10)
    work = {"stage": "03_ocr-00000", "total": 10, "done": 10, "known": 0, "seconds": 1.0}
    (tmp_path / "03_ocr-00000.a.json").write_text(json.dumps(work | {"failures": {}}))
    seen, unlink = [], Path.unlink

    def look(path, **options):
        unlink(path, **options)
        seen.append(read_progress(tmp_path).steps[0].done)

    monkeypatch.setattr(Path, "unlink", look)
    keeper.end("03_ocr-00000")
    assert seen == [10]


def test_line_goes_to_the_log(parameters, notebooks, tmp_path, monkeypatch, caplog):
    """Where no terminal shows bars, a line says how far the run is, again and again."""
    monkeypatch.setattr(heartbeat, "LOOK", 0.01)
    monkeypatch.setattr(heartbeat, "LINE", 0.02)
    with caplog.at_level(logging.INFO):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    lines = [line for line in caplog.messages if line.startswith("progress: ")]
    assert lines and all("failed; memory" in line for line in lines)
    assert "progress: " in (tmp_path / "run/run.log").read_text()


def test_a_long_run_is_described(keeper):
    """What is not begun is not mentioned."""
    assert describe_progress(keeper.read()).startswith("none failed; memory")
