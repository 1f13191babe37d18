"""The pipeline on stand-in notebooks: order, resuming, cleaning up, failing, stopping."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import nbformat
import pandas as pd
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lib.download.image_record import ImageRecord
from lib.io.files import write_csv
from lib.io.manifest import Manifest
from lib.io.paths import PROJECT
from lib.workflow.locking import RunLocked, lock_run
from lib.workflow.outputs import BATCH_STEPS, FINAL_STEPS
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameters import Parameters
from lib.workflow.pipeline import run_pipeline
from lib.workflow.runner import Runner, Stage, StageError, end_processes, execute

STEPS = (*BATCH_STEPS, *FINAL_STEPS)


def write_notebook(path: Path, code: str, parameters: str = "SEED = 0") -> Path:
    """Write a notebook with a title, a parameters cell and one cell of code."""
    tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    cells = [new_markdown_cell(f"# What about {path.stem}?"), tagged, new_code_cell(code)]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


class StandIn(Runner):
    """Notes the order of stages and makes their files, without any notebook."""

    def __init__(self, data_dir: Path, fail: str = "", counts: dict | None = None) -> None:
        super().__init__()
        self.data_dir, self.fail, self.ran = data_dir, fail, []
        self.counts = {"cache_hits": 1, "cache_misses": 2, "notes": ["hm"]} | (counts or {})

    def prepare(self, stage: Stage) -> None:
        """Do nothing: no process is started."""

    def open_writers(self) -> Executor:
        """Write pages in this process."""
        return ThreadPoolExecutor(1)

    def run(self, stage: Stage) -> float:
        """Make what the stage promises, or fail as asked."""
        self.ran.append(stage.name)
        if stage.name == self.fail:
            raise StageError(f"{stage.name} failed: as the test asked")
        for path in (*stage.makes, stage.counts, stage.target):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
        stage.counts.write_text(json.dumps(self.counts))
        nbformat.write(nbformat.read(stage.source, as_version=4), stage.target)
        self._make_tables(stage)
        return 0.5

    def _make_tables(self, stage: Stage) -> None:
        batch = stage.parameters["BATCH"]
        if stage.name.startswith("01"):
            name, sha256, size = self._make_image(batch)
            rows = [("ok", "", name, size), ("failed", "not found: 404", "", 0)]
            table = pd.DataFrame(rows, columns=["status", "reason", "path", "bytes"])
            facts = {"sha256": sha256, "mtime_ns": 0}
            effort = {"source": "network", "attempts": 1, "seconds": time.monotonic()}
            table.assign(**facts, **effort).to_parquet(stage.makes[0])
        if stage.name.startswith("03"):
            row = {"status": "ok", "reason": "", "words": 3, "engine": "e", "version": "1"}
            pd.DataFrame([row | {"seconds": time.monotonic()}]).to_parquet(stage.makes[1])

    def _make_image(self, batch: int) -> tuple[str, str, int]:
        """Make an image that counts as downloaded; give its path, digest and size."""
        content = f"pixels {batch}".encode()
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"images/{sha256[:2]}/{sha256}.jpg"
        with contextlib.closing(ImageRecord(self.data_dir / "images")) as record:
            record.remember({}, [name])
        (self.data_dir / name).parent.mkdir(exist_ok=True)
        (self.data_dir / name).write_bytes(content)
        return name, sha256, len(content)


@pytest.fixture(autouse=True)
def no_run_page(monkeypatch):
    """Leave out the pages of runs, which no test here looks at."""
    monkeypatch.setattr("lib.workflow.pipeline.write_page", lambda run_dir: None)


@pytest.fixture
def parameters(tmp_path):
    """A run of four links in two batches."""
    rows = [f"{n},https://example.com/{n}.jpg,1,width" for n in range(4)]
    table = tmp_path / "test.csv"
    table.write_text("\n".join(["index,image_link,group_id,entity_name", *rows]) + "\n")
    return Parameters.model_construct(
        TRAIN_CSV="",
        TEST_CSV=str(table),
        RUN_DIR=str(tmp_path / "run"),
        DATA_DIR=str(tmp_path / "data"),
        MAX_ROWS=0,
        CACHE_SIZE="",
        BATCH_SIZE=2,
        SEED=0,
    )


@pytest.fixture
def notebooks(tmp_path):
    """A folder with the five notebooks, which do nothing."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for step in STEPS:
        write_notebook(folder / f"{step}.ipynb", "pass", "SEED = 0\nBATCH = 0")
    return folder


def read_record(parameters):
    """Read the record of the run."""
    return json.loads((Path(parameters.RUN_DIR) / "run.json").read_text())


def test_run_goes_through_all_stages_in_order(parameters, notebooks, tmp_path):
    """Each batch is read after it is fetched, and the last two notebooks run once, at the end."""
    runner = StandIn(tmp_path / "data")
    run_pipeline(parameters, notebooks, runner)
    ran = runner.ran
    assert ran[0] == "01_download-00000"
    assert ran[-2:] == ["04_extraction", "05_evaluation"]
    assert set(ran[1:4]) == {"01_download-00001", "02_features-00000", "03_ocr-00000"}
    assert len(ran) == 8


def test_run_is_recorded(parameters, notebooks, tmp_path):
    """run.json holds counts, cache, failures by reason, notes, times, versions and the commit."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    record = read_record(parameters)
    assert record["status"] == "finished"
    assert record["counts"]["samples"] == record["counts"]["links"] == 4
    assert record["counts"]["images"] == 2
    assert record["cache"] == {"hits": 8, "misses": 16}
    assert record["failures"] == [{"step": "download", "reason": "not found", "count": 2}]
    assert record["notes"] == ["hm"]
    assert record["versions"]["engines"] == {"e": "1"}
    assert {"commit", "dirty"} == set(record["git"])
    assert [stage["name"] for stage in record["stages"]][-1] == "05_evaluation"


def test_interrupted_run_goes_on(parameters, notebooks, tmp_path):
    """After a failure only what is missing is done."""
    with pytest.raises(StageError):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", fail="04_extraction"))
    assert read_record(parameters)["status"] == "failed"
    second = StandIn(tmp_path / "data")
    run_pipeline(parameters, notebooks, second)
    assert second.ran == ["04_extraction", "05_evaluation"]
    assert read_record(parameters)["stages"][0]["reused"]


def test_nothing_changed_nothing_runs(parameters, notebooks, tmp_path):
    """A finished run started again does no work, and its record says what was reused."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    again = StandIn(tmp_path / "data")
    run_pipeline(parameters, notebooks, again)
    record = read_record(parameters)
    assert again.ran == []
    assert all(stage["reused"] for stage in record["stages"]) and len(record["stages"]) == 8
    assert record["cache"] == {"hits": 0, "misses": 0}
    assert record["status"] == "finished" and record["counts"]["images"] == 2


def find_image(parameters):
    """Find the image of the second batch."""
    images = Path(parameters.DATA_DIR).glob("images/*/*.jpg")
    return next(path for path in images if path.read_bytes() == b"pixels 1")


def lose_image(parameters, monkeypatch):
    """Lose an image file."""
    find_image(parameters).unlink()


def change_image(parameters, monkeypatch):
    """Change an image file to another of the same size."""
    path = find_image(parameters)
    path.write_text("PIXELS 1")
    os.utime(path, (time.time() + 9, time.time() + 9))


def reach_host(parameters, monkeypatch):
    """Let a host answer that a notebook had to do without."""
    monkeypatch.setattr("lib.workflow.plan._answers", bool)


@pytest.mark.parametrize(
    ("counts", "change", "redone"),
    [
        ({}, lose_image, ["01_download-00001"]),  # it makes the same table: the rest holds
        ({}, change_image, ["01_download-00001"]),  # likewise, as the stand-in does not look
        ({"failures": 1}, None, ["01", "01", "02", "02", "03", "03"]),  # tried again, to no avail
        ({"missed": "example.com"}, None, []),  # it still does not answer
        ({"missed": "example.com"}, reach_host, ["01", "01", "02", "02", "03", "03", "04", "05"]),
    ],
)
def test_what_may_be_better_now_is_done_again(
    parameters, notebooks, tmp_path, monkeypatch, counts, change, redone
):
    """Lost files and failures are tried again; what follows runs only if something came of it."""
    monkeypatch.setattr("lib.workflow.plan._answers", lambda host: False)
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", counts=counts))
    if change:
        change(parameters, monkeypatch)
    again = StandIn(tmp_path / "data")
    run_pipeline(parameters, notebooks, again)
    width = len(redone[0]) if redone else 0
    assert sorted(name[:width] for name in again.ran) == redone


def test_ocr_setting_changes_ocr_only(parameters, notebooks, tmp_path):
    """Another engine runs 03 again, and what follows only if it read something else."""
    write_notebook(notebooks / "03_ocr.ipynb", "pass", "OCR_ENGINES = []\nBATCH = 0")
    run_pipeline(
        parameters.model_copy(update={"OCR_ENGINES": ["a"]}), notebooks, StandIn(tmp_path / "data")
    )
    again = StandIn(tmp_path / "data")
    run_pipeline(parameters.model_copy(update={"OCR_ENGINES": ["b"]}), notebooks, again)
    assert sorted(again.ran) == ["03_ocr-00000", "03_ocr-00001"]


def test_results_not_come_to_are_removed(parameters, notebooks, tmp_path):
    """A run that fails early leaves no predictions of an earlier one."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    lose_image(parameters, None)
    with pytest.raises(StageError):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", fail="01_download-00001"))
    assert not (tmp_path / "run/predictions.csv").exists()
    assert not (tmp_path / "run/metrics.json").exists()


def change_seed(parameters, notebooks):
    """Change a parameter of all notebooks."""
    return parameters.model_copy(update={"SEED": 1})


def change_ocr_notebook(parameters, notebooks):
    """Change one notebook's code."""
    write_notebook(notebooks / "03_ocr.ipynb", "1 + 1", "SEED = 0\nBATCH = 0")


def change_table(parameters, notebooks):
    """Change the content of the sample table, not its name."""
    path = Path(parameters.TEST_CSV)
    path.write_text(path.read_text().replace("width", "depth"))


def lose_features(parameters, notebooks):
    """Lose a file that a finished stage had made."""
    (Path(parameters.RUN_DIR) / "tables/features/part-00001.npy").unlink()


@pytest.mark.parametrize(
    ("change", "redone"),
    [
        (change_seed, {"01", "02", "03", "04", "05"}),  # every notebook knows SEED
        (change_ocr_notebook, {"03", "04", "05"}),  # only the stage and what follows
        (change_table, {"01", "02", "03", "04", "05"}),  # everything comes from the table
        (lose_features, {"02", "04", "05"}),  # a mark without its files counts for nothing
    ],
)
def test_changes_are_done_again(parameters, notebooks, tmp_path, change, redone):
    """An interrupted run goes on only from stages whose inputs are the same."""
    with pytest.raises(StageError):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", fail="04_extraction"))
    parameters = change(parameters, notebooks) or parameters
    runner = StandIn(tmp_path / "data")
    run_pipeline(parameters, notebooks, runner)
    assert {name[:2] for name in runner.ran} == redone


class Preparing(StandIn):
    """Notes which stages are prepared, and discarded since."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.prepared, self.discarded = [], []

    def prepare(self, stage: Stage) -> None:
        """Note the stage."""
        self.prepared.append(stage.name)

    def discard(self, name: str) -> None:
        """Note the stage."""
        self.discarded.append(name)


def test_stages_prepared_in_vain_are_discarded(parameters, notebooks, tmp_path):
    """Where a download gives the same images again, what was prepared to read them is ended."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    (tmp_path / "run/stages/01_download-00000.done").unlink()
    runner = Preparing(tmp_path / "data")
    run_pipeline(parameters, notebooks, runner)
    assert runner.ran == ["01_download-00000"]
    assert runner.prepared == ["02_features-00000", "03_ocr-00000"]
    assert set(runner.prepared) <= set(runner.discarded)


def test_failure_leaves_no_stale_result(parameters, notebooks, tmp_path):
    """When a run fails, an earlier run's predictions do not pass for its own."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    parameters = parameters.model_copy(update={"SEED": 1})
    with pytest.raises(StageError):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", fail="03_ocr-00001"))
    assert not (tmp_path / "run/predictions.csv").exists()
    assert "as the test asked" in read_record(parameters)["error"]


class Giving(StandIn):
    """Gives answers in a format, as 04 does beside its other files."""

    kind = "csv"

    def run(self, stage: Stage) -> float:
        """Make what the stage promises and, for 04, the answers."""
        seconds = super().run(stage)
        if stage.name == "04_extraction":
            write_csv(pd.DataFrame(), stage.target.parents[1] / f"answers.{self.kind}")
        return seconds


def test_another_format_leaves_no_old_answers(parameters, notebooks, tmp_path):
    """Answers of an earlier run in another format do not pass for this run's."""
    run_pipeline(parameters, notebooks, Giving(tmp_path / "data"))
    assert (tmp_path / "run/answers.csv").is_file()
    runner = Giving(tmp_path / "data")
    runner.kind = "parquet"
    run_pipeline(parameters.model_copy(update={"SEED": 1}), notebooks, runner)
    assert [path.name for path in (tmp_path / "run").glob("answers.*")] == ["answers.parquet"]


def test_own_files_named_like_answers_stay(parameters, notebooks, tmp_path):
    """A person's file is not moved where a run would only write in another format."""
    own = tmp_path / "run/products.xlsx"
    for seed in (0, 1, 2):
        run_pipeline(
            parameters.model_copy(update={"SEED": seed}), notebooks, Giving(tmp_path / "data")
        )
        if seed == 0:
            own.write_text("mine")
    assert own.read_text() == "mine"


def test_lost_answers_are_given_again(parameters, notebooks, tmp_path):
    """Whoever deletes a file of answers gets it back, whatever its format."""
    run_pipeline(parameters, notebooks, Giving(tmp_path / "data"))
    (tmp_path / "run/answers.csv").unlink()
    again = Giving(tmp_path / "data")
    run_pipeline(parameters, notebooks, again)
    assert again.ran == ["04_extraction"]
    assert (tmp_path / "run/answers.csv").is_file()


def test_fewer_batches_leave_no_old_part(parameters, notebooks, tmp_path):
    """Parts of batches that no longer exist are removed, or their rows would come twice."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    parameters = parameters.model_copy(update={"BATCH_SIZE": 4})
    half = Manifest(tmp_path / "run").new_temporary(
        tmp_path / "run/tables/words/part-00000.parquet"
    )
    half.touch()
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    parts = sorted(path.name for path in (tmp_path / "run/tables").glob("*/part-*.parquet"))
    assert parts == ["part-00000.parquet"] * 6
    assert not list((tmp_path / "run/tables/words").glob(".*"))
    assert not list((tmp_path / "run/notebooks").glob("*-00001.*"))


def test_images_are_deleted_when_read(parameters, notebooks, tmp_path):
    """Without KEEP_IMAGES no downloaded file stays, and files of other folders do."""
    own = tmp_path / "own.jpg"
    own.write_text("pixels")
    run_pipeline(
        parameters.model_copy(update={"KEEP_IMAGES": False}), notebooks, StandIn(tmp_path / "data")
    )
    assert not list((tmp_path / "data/images").rglob("*.jpg"))
    assert own.exists()


def test_deleted_images_are_fetched_again(parameters, notebooks, tmp_path):
    """A finished download whose batch must be read again is redone: its files may be gone."""
    parameters = parameters.model_copy(update={"KEEP_IMAGES": False})
    with pytest.raises(StageError):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", fail="04_extraction"))
    change_ocr_notebook(parameters, notebooks)
    runner = StandIn(tmp_path / "data")
    run_pipeline(parameters, notebooks, runner)
    assert {name[:2] for name in runner.ran} == {"01", "03", "04", "05"}


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_sheet_too_small_is_found_before_the_work(
    parameters, notebooks, tmp_path, monkeypatch, kind
):
    """Excel's bound on rows is known before the run; other formats have none."""
    parameters = parameters.model_copy(update={"ANSWERS_FORMAT": kind})
    for bound, has_room in ((4, True), (3, kind != "xlsx")):
        monkeypatch.setattr("lib.workflow.preflight.MOST_SHEET_ROWS", bound)
        runner = StandIn(tmp_path / f"data{bound}")
        changed = parameters.model_copy(update={"RUN_DIR": str(tmp_path / f"run{bound}")})
        if has_room:
            run_pipeline(changed, notebooks, runner)
            continue
        with pytest.raises(ParameterError, match="there are 4 answers to give: choose csv"):
            run_pipeline(changed, notebooks, runner)
        assert not (tmp_path / "run3").exists() and runner.ran == []


def test_bad_table_is_found_before_the_work(parameters, notebooks, tmp_path):
    """A table without its columns is an error before anything runs."""
    Path(parameters.TEST_CSV).write_text("index,photo\n1,a.jpg\n")
    runner = StandIn(tmp_path / "data")
    with pytest.raises(ParameterError, match="lacks image_link"):
        run_pipeline(parameters, notebooks, runner)
    assert not runner.ran


def test_log_says_what_the_table_is(parameters, notebooks, tmp_path, caplog):
    """Form and bad rows of a table stand in the log before the first stage."""
    caplog.set_level("INFO", "lib")
    table = Path(parameters.TEST_CSV)
    table.write_text(table.read_text() + ",,,\n")
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    log = (tmp_path / "run/run.log").read_text()
    said = [
        "test.csv: comma, UTF-8, 5 rows",
        "line 6: the row is empty",
        "01_download-00000: started",
    ]
    places = [log.index(text) for text in said]
    assert places == sorted(places)


@pytest.mark.parametrize("change", [{"COLUMNS": {"group_id": "index"}}, {"QUESTIONS": ["depth"]}])
def test_other_questions_are_other_data(parameters, notebooks, tmp_path, change):
    """How a table is read is part of what every stage depends on."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    runner = StandIn(tmp_path / "data")
    run_pipeline(parameters.model_copy(update=change), notebooks, runner)
    assert {name[:2] for name in runner.ran} == {"01", "02", "03", "04", "05"}


def test_second_run_in_one_folder_leaves(parameters, notebooks, tmp_path):
    """While one run has the folder, another leaves at once and says so."""
    with lock_run(tmp_path / "run"), pytest.raises(RunLocked, match="Another run"):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))


def test_one_run_of_a_series_at_a_time(parameters, notebooks, tmp_path):
    """Runs whose folders differ in their start only do not run beside each other."""
    parameters = parameters.model_copy(update={"RUN_DIR": str(tmp_path / "night-2026-01-02")})
    runner = StandIn(tmp_path / "data")
    with lock_run(tmp_path / "night-2026-01-01"), pytest.raises(RunLocked, match="--wait"):
        run_pipeline(parameters, notebooks, runner)
    assert not (tmp_path / "night-2026-01-02").exists()
    with lock_run(tmp_path / "other-2026-01-01"):
        run_pipeline(parameters, notebooks, runner)


def test_run_waits_for_another(parameters, notebooks, tmp_path):
    """With timeout a run begins when the other one ends."""
    runner, ended = StandIn(tmp_path / "data"), []

    def hold():
        with lock_run(tmp_path / "run"):
            held.set()
            time.sleep(2)
            ended.append(list(runner.ran))

    held = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    run_pipeline(parameters, notebooks, runner, timeout=60)
    thread.join()
    assert ended == [[]]  # nothing had run while the other one had the folder
    assert len(runner.ran) == 8


def test_page_of_all_runs_is_renewed(parameters, notebooks, tmp_path):
    """Finished and failed runs are on the page beside their folders."""
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    parameters = parameters.model_copy(update={"RUN_DIR": str(tmp_path / "bad")})
    with pytest.raises(StageError):
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data", fail="03_ocr-00001"))
    text = (tmp_path / "index.html").read_text()
    assert "run/index.html" in text
    assert "bad/index.html" in text
    assert "as the test asked" in text


def test_old_runs_are_deleted(parameters, notebooks, tmp_path):
    """With KEEP_RUNS only the newest runs of the series stay."""
    parameters = parameters.model_copy(update={"KEEP_RUNS": 1})
    for day in (1, 2):
        parameters = parameters.model_copy(
            update={"RUN_DIR": str(tmp_path / f"night-2026-01-0{day}")}
        )
        run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    assert [path.name for path in tmp_path.glob("night*")] == ["night-2026-01-02"]


def make_stage(folder: Path, code: str, **parameters: object) -> Stage:
    """Make a stage that runs one cell of code."""
    source = write_notebook(folder / "source.ipynb", code)
    return Stage(source, folder / "out" / "source.ipynb", folder / "counts.json", parameters)


def test_notebook_gets_its_parameters(tmp_path):
    """A notebook runs in the project's folder, with the parameters it was given."""
    made = tmp_path / "made.txt"
    code = f"from pathlib import Path\nPath({str(made)!r}).write_text(f'{{SEED}} {{Path.cwd()}}')"
    assert Runner().run(make_stage(tmp_path, code, SEED=7)) > 0
    assert made.read_text() == f"7 {PROJECT}"
    assert not list((tmp_path / "out").glob("*.log"))


def test_failing_notebook_is_kept_and_explained(tmp_path):
    """The failing cell's error is in the message, and the executed copy is there."""
    stage = make_stage(tmp_path, "deep = 1\nraise ValueError('no such fish')")
    with pytest.raises(StageError, match="no such fish") as error:
        Runner().run(stage)
    assert "deep = 1" in str(error.value)
    assert str(stage.target) in str(error.value)
    assert "no such fish" in stage.target.read_text()


def test_killed_kernel_is_explained(tmp_path):
    """A kernel that is killed, as for lack of memory, ends the stage with a word on it."""
    stage = make_stage(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(StageError, match="kernel died"):
        Runner().run(stage)


def test_killed_kernel_is_started_once_more(tmp_path, caplog):
    """A kernel that is killed once costs only time."""
    flag = str(tmp_path / "flag")
    code = f"""
import os, pathlib, signal
if not os.path.exists({flag!r}):
    pathlib.Path({flag!r}).touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    Runner().run(make_stage(tmp_path, code))
    assert "started once more" in caplog.text


@pytest.mark.parametrize(
    ("failures", "message", "starts"),
    [
        (2, "Kernel died before replying to kernel_info", 3),
        (9, "Kernel died before replying to kernel_info", 3),
        (9, "out of fish", 1),
    ],
    ids=["twice", "always", "something else"],
)
def test_kernel_that_does_not_start(tmp_path, monkeypatch, failures, message, starts):
    """A kernel that lost its port to another is started again, but not for ever."""
    calls = []

    def fail_at_first(*args, **kwargs):
        calls.append(args)
        if len(calls) <= failures:
            raise RuntimeError(message)

    monkeypatch.setattr("papermill.execute_notebook", fail_at_first)
    with contextlib.nullcontext() if failures < starts else pytest.raises(RuntimeError):
        execute(make_stage(tmp_path, "1"), tmp_path / "copy.ipynb")
    assert len(calls) == starts


def test_dead_process_is_explained(tmp_path):
    """A process that ends without a word is reported with its exit code and its last words."""
    stage = Stage(tmp_path / "none.ipynb", tmp_path / "x.ipynb", tmp_path / "x.json", {})
    with pytest.raises(StageError, match=r"code 1\n(.|\n)*No such file"):
        Runner().run(stage)


def test_stop_ends_everything(tmp_path):
    """Stopping ends the notebook's process, its kernel and what the kernel started."""
    pids = tmp_path / "pids.txt"
    code = (
        "import os, pathlib, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{child.pid}} ')\n"
        "time.sleep(60)"
    )
    runner, errors = Runner(), []
    stage = make_stage(tmp_path, code)
    thread = threading.Thread(target=run_and_note, args=(runner, stage, errors))
    thread.start()
    wait_for(lambda: pids.exists() and pids.read_text().endswith(" "))
    runner.stop()
    thread.join(timeout=10)
    assert errors
    assert not any(psutil.pid_exists(int(pid)) for pid in pids.read_text().split())
    with pytest.raises(StageError, match="stopped"):
        runner.run(stage)


def run_and_note(runner: Runner, stage: Stage, errors: list[StageError]) -> None:
    """Run a stage and keep the error it ends with."""
    try:
        runner.run(stage)
    except StageError as error:
        errors.append(error)


def wait_for(is_true, seconds: float = 60.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def listen_to_interrupts() -> None:
    """Let a new process hear Ctrl-C; a shell's background jobs pass on that they ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_end_processes_takes_descendants():
    """Ending a process ends the processes it started."""
    code = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: psutil.Process(process.pid).children())
    child = psutil.Process(process.pid).children()[0]
    end_processes([process.pid, os.getpid() + 10**7])  # the second does not exist
    process.wait(timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


class BrokenWriters(ThreadPoolExecutor):
    """Stands in for a process that was killed."""

    def submit(self, *_: object) -> Future:
        """Refuse all work, as a broken pool does."""
        raise BrokenExecutor


def test_a_killed_writer_does_not_end_the_run(parameters, notebooks, tmp_path, monkeypatch, caplog):
    """Pages are then written in the main process; runs that cannot be pruned are left."""
    monkeypatch.setattr(StandIn, "open_writers", lambda runner: BrokenWriters(1))
    monkeypatch.setattr("lib.workflow.pipeline.prune_runs", Mock(side_effect=OSError("stale")))
    run_pipeline(parameters, notebooks, StandIn(tmp_path / "data"))
    assert read_record(parameters)["status"] == "finished"
    assert (tmp_path / "index.html").is_file() and "not deleted: stale" in caplog.text
