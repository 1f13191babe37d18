"""What a run would do is foreseen without writing anything, and it is what the run then does."""

import json
import math
from pathlib import Path

import pytest

from lib import __main__ as program
from lib.commands import run
from lib.io.files import read_json, write_json
from lib.tests.workflow.test_pipeline import StandIn
from lib.tests.workflow.test_pipeline import no_run_page as no_run_page
from lib.tests.workflow.test_pipeline import notebooks as notebooks
from lib.tests.workflow.test_pipeline import parameters as parameters
from lib.workflow import forecast
from lib.workflow.forecast import Rate, describe_forecast, foresee
from lib.workflow.parameter_file import ParameterError
from lib.workflow.pipeline import run_pipeline

ALL = 8  # stages of two batches


@pytest.fixture
def asked(parameters):
    """Parameters with what only the forecast looks at."""
    more = {"OCR_ENGINES": ["tesseract_plain"], "LOCAL_IMAGES": "", "PRECISION": "auto"}
    more |= {"DEVICE": "auto", "CLUSTER": ""}
    return parameters.model_copy(update=more)


def take_snapshot(folder: Path) -> dict[Path, tuple]:
    """Note size and times of everything below a folder, which even a removed file would change."""
    found = {path: path.stat() for path in [folder, *folder.rglob("*")]}
    return {path: (state.st_size, state.st_mtime_ns) for path, state in found.items()}


def test_new_run(asked, notebooks, tmp_path):
    """A new run does everything; no folder is made for the forecast."""
    before = take_snapshot(tmp_path)
    found = foresee(asked, notebooks)
    assert take_snapshot(tmp_path) == before
    assert len(found.again) == ALL and {*found.again.values()} == {"it has no result yet"}
    assert (found.images, found.fetched, found.unread) == (4, 4, {"tesseract_plain": 4})
    assert found.seconds is None and found.disk.keys() == {asked.RUN_DIR, asked.DATA_DIR}
    assert "Time: unknown" in "\n".join(describe_forecast(found))


def test_finished_run(asked, notebooks, tmp_path):
    """A finished run has nothing to do, and its files stay as they are to the nanosecond."""
    run_pipeline(asked, notebooks, StandIn(tmp_path / "data"))
    before = take_snapshot(tmp_path)
    found = foresee(asked, notebooks)
    assert take_snapshot(tmp_path) == before
    assert (found.again, found.reused, found.fetched, found.seconds) == ({}, ALL, 0, 0)
    assert describe_forecast(found)[0] == "run: 0 notebooks to run, 8 results are valid."


def change_table(place):
    """Change a row of the table."""
    table = place / "test.csv"
    table.write_text(table.read_text().replace("width", "height"))


def change_notebook(place):
    """Change a notebook's code."""
    path = place / "notebooks/03_ocr.ipynb"
    path.write_text(path.read_text().replace("pass", "True"))


def forget_failures(place):
    """Leave what a complete run leaves of a stage with failures."""
    (place / "run/stages/03_ocr-00000.done").unlink()


def break_result(place):
    """Damage a result."""
    (place / "run/tables/pages/part-00000.parquet").write_text("damaged")


def lose_image(place):
    """Delete a downloaded image."""
    next((place / "data/images").glob("*/*.jpg")).unlink()


def lose_mark(place):
    """Interrupt a stage."""
    (place / "run/stages/03_ocr-00000.done").unlink()
    (place / "run/stages/03_ocr-00000.json").unlink()


AGAIN = "unless {} gives the same result again"
CHANGES = [
    (change_table, "01_download-00000", "the tables have changed", ALL),
    (change_notebook, "03_ocr-00000", "the code, its pins, the notebook", 4),
    (forget_failures, "03_ocr-00000", "failed items are tried again", 3),
    (break_result, "03_ocr-00000", "tables/pages/part-00000.parquet is missing or was changed", 3),
    (lose_image, "01_download-00000", "image files are missing or were changed", 5),
    (lose_mark, "03_ocr-00000", "it has no result yet", 3),
    (lose_mark, "05_evaluation", AGAIN.format("03_ocr-00000"), 3),  # what follows may stay
]


@pytest.mark.parametrize(("change", "stage", "reason", "count"), CHANGES)
def test_reasons(asked, notebooks, tmp_path, change, stage, reason, count):
    """Each cause is named, with the stages it reaches, and the run then begins with these."""
    run_pipeline(asked, notebooks, StandIn(tmp_path / "data"))
    change(tmp_path)
    found = foresee(asked, notebooks)
    assert found.again[stage].startswith(reason) and len(found.again) == count
    again = StandIn(tmp_path / "data")
    run_pipeline(asked, notebooks, again)
    assert {*again.ran} <= {*found.again} and next(iter(found.again)) == again.ran[0]


def test_changed_parameter_is_named(asked, notebooks, tmp_path):
    """Only the parameters that a notebook knows make it run again."""
    run_pipeline(asked, notebooks, StandIn(tmp_path / "data"))
    found = foresee(asked.model_copy(update={"SEED": 7, "MAX_ROWS": 0}), notebooks)
    assert {*found.again.values()} == {"SEED changed"}


def test_time_follows_from_earlier_runs(asked, notebooks, tmp_path):
    """The rates are those of finished runs beside it that read with the same engines."""
    run_pipeline(asked, notebooks, StandIn(tmp_path / "data"))
    record = read_json(tmp_path / "run/run.json")
    engines = {"OCR_ENGINES": asked.OCR_ENGINES}
    write_json(record | {"parameters": record["parameters"] | engines}, tmp_path / "run/run.json")
    seconds = {"01_download": 10.0, "02_features": 13.0, "03_ocr": 18.0, "04_extraction": 9.0}
    for row in record["stages"]:
        step = row["name"].partition("-")[0]
        row |= {"seconds": seconds.get(step, 5.0), "fetched": 2, "cache_misses": 2}
    write_json(record | {"parameters": record["parameters"] | engines}, tmp_path / "run/run.json")
    later = asked.model_copy(update={"RUN_DIR": str(tmp_path / "later"), "SEED": 1})
    found = foresee(later, notebooks)
    # 01 once alone, then 03, which takes longest, in each batch, then 04 and 05.
    assert found.seconds == pytest.approx(10 + 2 * 18 + 9 + 5)
    assert found.basis.startswith("run of 20")
    other = later.model_copy(update={"OCR_ENGINES": ["tesseract"]})
    assert foresee(other, notebooks).seconds is None


@pytest.mark.parametrize(
    ("rows", "rate"),
    [
        ([(0, 5.0), (100, 25.0)], Rate(5, 0.2)),  # a run from the cache tells the start
        ([(100, 30.0)], Rate(8, 0.22)),  # else it is a usual one
        ([(10, 3.0)], Rate(3, 0)),  # a quick machine
    ],
)
def test_rate_is_start_and_items(rows, rate):
    """A small run's start is not taken for the time of its images."""
    assert forecast.fit_rate(rows) == rate


def test_unknown_rate_is_said():
    """A notebook that never had anything new tells nothing of how long new items take."""
    rate = forecast.fit_rate([(0, 5.0)])
    assert rate.foresee(0) == 5 and math.isnan(rate.foresee(1))


def test_refused_like_the_run(asked, notebooks, tmp_path, monkeypatch):
    """What the run would refuse is refused, in the same words."""
    with pytest.raises(ParameterError, match="lacks"):
        (tmp_path / "empty.csv").write_text("a\n1\n")
        foresee(asked.model_copy(update={"TEST_CSV": str(tmp_path / "empty.csv")}), notebooks)
    monkeypatch.setattr("lib.workflow.disk_space._free", lambda folder: 7)
    with pytest.raises(ParameterError, match=r"has 0 .* free"):
        foresee(asked, notebooks)


@pytest.fixture
def command(tmp_path):
    """The command line of a dry run over one link."""
    table = tmp_path / "test.csv"
    table.write_text("index,image_link,group_id,entity_name\n1,a.jpg,1,width\n")
    given = {"TRAIN_CSV": "", "TEST_CSV": str(table), "RUN_DIR": str(tmp_path / "new/run")}
    given |= {"DATA_DIR": str(tmp_path / "data"), "OCR_ENGINES": ["tesseract_plain"]}
    write_json(given, tmp_path / "p.yaml")
    return ["run", str(tmp_path / "p.yaml"), "--dry-run"]


def test_command_writes_nothing(capsys, tmp_path, command):
    """`run --dry-run` prints what would be done, leaves no folder, and ends with 0."""
    before = take_snapshot(tmp_path)
    assert program.main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "run: 5 notebooks to run, 0 results are valid."
    assert lines[-1] == "Nothing was written." and "Fetch: 0 of 1 images" in lines
    assert program.main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["again"].keys() >= {"01_download-00000"}
    assert program.main([*command, "--json", "-p", "DATA_DIR", str(tmp_path / "test.csv/x")]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["status"] == "refused" and "DATA_DIR" in said.err
    assert take_snapshot(tmp_path) == before


def test_forecast_is_no_run(monkeypatch, command):
    """`--dry-run` never reaches the pipeline."""
    monkeypatch.setattr(run, "run_pipeline", lambda *_, **__: pytest.fail("it runs"))
    assert program.main(command) == 0
