"""All five notebooks, end to end, on a dozen images of the shipped sample."""

import csv
import json
import shutil
from io import StringIO
from pathlib import Path

import pandas as pd
import papermill
import pytest

from lib.evaluation.outcomes import check_predictions
from lib.extraction.methods import METHODS, choose_rows
from lib.io.paths import PROJECT
from lib.reading.answering import answer_images, read
from lib.reading.images import ENGINE, open_images
from lib.tests.in_process import InProcess, run_notebook
from lib.workflow.outputs import BATCH_STEPS, FINAL_STEPS
from lib.workflow.parameters import Parameters
from lib.workflow.pipeline import run_pipeline

KNOWN_F1 = {  # of 23 test samples
    "first match (plain Tesseract)": 0.261,
    "rules (rapidocr)": 0.923,
    "learned (rapidocr)": 0.923,
}


def read_json(path):
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_file_is_there(run_dir):
    """Each notebook leaves what the next one and the reader need."""
    check_files(run_dir, batches=1)


def check_files(run_dir, batches):
    """Check that each notebook has left its files, for each batch or once."""
    steps = dict.fromkeys(BATCH_STEPS, range(batches)) | dict.fromkeys(FINAL_STEPS, (None,))
    for step, numbers in steps.items():
        for batch in numbers:
            stem = step if batch is None else f"{step}-{batch:05d}"
            made = [name.format(batch=batch) for name in (BATCH_STEPS | FINAL_STEPS)[step]]
            pages = [f"notebooks/{stem}.ipynb", f"notebooks/{stem}.html", f"stages/{stem}.json"]
            missing = [name for name in (*made, *pages) if not (run_dir / name).is_file()]
            assert missing == []
    assert (run_dir / "index.html").is_file()


def test_predictions_are_complete(run_dir, parameters):
    """One row a test sample, in order, in the challenge's form; a lost image is an empty row."""
    asked = pd.read_csv(parameters["TEST_CSV"], dtype=str, keep_default_na=False)
    found = pd.read_csv(run_dir / "predictions.csv", dtype=str, keep_default_na=False)
    check_predictions(found, asked)
    assert found.iloc[-1].tolist() == ["999999", ""]
    assert (found["prediction"] != "").sum() > len(found) / 3


def test_metrics_are_the_known_ones(run_dir):
    """The scores on these images are as before, give or take a sample; change them knowingly."""
    metrics = read_json(run_dir / "metrics.json")
    assert metrics["rows"] == "test"
    scores = {row["method"]: row["f1"] for row in metrics["ladder"]}
    assert scores == pytest.approx(KNOWN_F1, abs=0.08)
    assert metrics["f1"] == scores[metrics["method"]]
    low, high = metrics["intervals"]["f1"]
    assert low <= metrics["f1"] <= high


def test_record_tells_the_truth(run_dir, parameters):
    """run.json counts images and failures with their reason, and notes random weights."""
    record = read_json(run_dir / "run.json")
    assert record["status"] == "finished"
    assert record["counts"]["links"] == record["counts"]["images"] + 1
    assert record["counts"]["pages"] == record["counts"]["images"] * len(parameters["OCR_ENGINES"])
    assert [(row["step"], row["count"]) for row in record["failures"]] == [("download", 1)]
    assert any("random" in note for note in record["notes"])
    assert set(record["versions"]["engines"]) == set(parameters["OCR_ENGINES"])


def test_second_run_comes_from_the_cache(run_dir, parameters, tmp_path):
    """Nothing is computed twice, and in two batches the predictions are the same bytes."""
    changes = {"RUN_DIR": str(tmp_path / "again"), "BATCH_SIZE": 8}
    again = run_pipeline(Parameters.model_validate(parameters | changes), runner=InProcess())
    check_files(again, batches=2)
    assert (again / "predictions.csv").read_bytes() == (run_dir / "predictions.csv").read_bytes()
    record = read_json(again / "run.json")
    assert record["counts"]["batches"] == 2
    assert record["cache"]["misses"] == 0
    assert record["cache"]["hits"] >= record["counts"]["pages"]


def test_read_answers_as_the_run(run_dir, parameters):
    """`read` gives the answers and confidences of a run with the same parameters, on all images."""
    samples = pd.read_parquet(run_dir / "tables/samples.parquet")
    links = samples["image_link"].map(lambda link: f"{parameters['LOCAL_IMAGES']}/{link[7:]}")
    data_dir = Path(parameters["DATA_DIR"])
    decided = pd.read_parquet(run_dir / "tables/predictions.parquet")
    columns = ["prediction", "confidence", "decision", "runner_up"]
    with open_images(links.unique(), expand=False) as found:
        assert sum(not reason for reason in found.reasons) >= 10
        asked = samples.assign(image=links, position=pd.factorize(links)[0])
        for method in METHODS:
            expected = choose_rows(decided, method, ENGINE)[columns]
            answers = answer_images(found, asked, method, data_dir=data_dir)
            pd.testing.assert_frame_equal(answers[columns], expected, check_exact=True)


def test_read_of_one_image_answers_as_the_run(run_dir, parameters):
    """The rows of `answers.csv` are also those of an image that is read alone, by its path."""
    samples = pd.read_parquet(run_dir / "tables/samples.parquet")
    link = samples["image_link"].iloc[-2]
    own = samples[(samples["image_link"] == link) & (samples["split"] == "test")]
    table = pd.read_csv(run_dir / "answers.csv", dtype=str, keep_default_na=False)
    expected = table.set_index("index").loc[own["index"]].reset_index(drop=True)
    path = f"{parameters['LOCAL_IMAGES']}/{link[7:]}"
    answers = read(path, own["entity_name"].tolist(), data_dir=Path(parameters["DATA_DIR"]))
    assert answers["decision"].isin(["answered", "silent"]).all()
    written = StringIO(answers.to_csv(index=False))
    found = pd.read_csv(written, dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(found[expected.columns], expected)


def test_predictions_open_as_a_table(run_dir):
    """A plain CSV reader sees two columns."""
    with (run_dir / "predictions.csv").open(newline="") as file:
        assert {len(row) for row in csv.reader(file)} == {2}


def test_explore_runs_without_anybody(run_dir, parameters, tmp_path):
    """The notebook for looking by hand runs headless too, and writes no label unasked."""
    notebook = papermill.execute_notebook(
        PROJECT / "notebooks/explore.ipynb",
        tmp_path / "explore.ipynb",
        {"RUN_DIR": str(run_dir), "DATA_DIR": parameters["DATA_DIR"], "SAMPLE_ID": 3},
        cwd=PROJECT,
        progress_bar=False,
    )
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not Path(parameters["DATA_DIR"], "labels.csv").exists()


@pytest.mark.parametrize("folder", [False, True])
def test_explore_reads_photos(parameters, tmp_path, folder):
    """Without a run, the notebook explores an image, or those of a folder, by the same cells."""
    image = tmp_path / "photos/bag.png"
    image.parent.mkdir()
    shutil.copy(PROJECT / "data/sample/images/bag_test_1.png", image)
    asked = {"PHOTOS": str(image.parent if folder else image), "RUN_DIR": str(tmp_path / "none")}
    shown = run_notebook(
        PROJECT / "notebooks/explore.ipynb", asked | {"DATA_DIR": parameters["DATA_DIR"]}
    )
    said = "".join(shown)
    assert "Asked for width: **15.9 inch**" in said and "truth: not known" in said
