"""A run's tables joined and scored, and images opened for its galleries."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.evaluation.scored_predictions import (
    find_scored_predictions,
    headline_rows,
    mark_truth,
    read_scored_predictions,
    wide_outcomes,
)
from lib.io.files import write_table
from lib.reports.plots.gallery import CORNERS, show_predictions
from lib.reports.plots.images import open_small
from lib.reports.plots.style import BLUE, RED

SAMPLES = pd.DataFrame(
    {
        "sample_id": range(4),
        "index": ["0", "1", "0", "1"],
        "image_link": ["a", "b", "c", "d"],
        "group_id": "1",
        "entity_name": "width",
        "entity_value": ["1.0 inch", "2.0 inch", "3.0 inch", ""],
        "split": ["train", "train", "test", "test"],
    }
)
IMAGES = pd.DataFrame(
    {
        "link": ["a", "b", "c", "d"],
        "path": ["a.png", "", "c.png", "d.png"],
        "sha256": ["A", "", "C", "D"],
        "status": ["ok", "failed", "ok", "ok"],
    }
)
PAGES = pd.DataFrame(
    {
        "sha256": ["A", "C", "C", "D"],
        "engine": ["rapidocr", "rapidocr", "tesseract", "rapidocr"],
        "status": ["ok", "failed", "ok", "ok"],
    }
)
PREDICTIONS = pd.DataFrame(
    {
        "sample_id": range(4),
        "engine": "rapidocr",
        "method": "rules",
        "prediction": ["1.0 inch", "", "", "4.0 inch"],
        "probability": [0.9, np.nan, np.nan, 0.6],
        "reason": "because",
        "answers": True,
        **{name: [2.0, np.nan, np.nan, 4.0] for name in CORNERS},
    }
)


def _write(run_dir, samples=SAMPLES, predictions=PREDICTIONS):
    tables = run_dir / "tables"
    write_table(samples, tables / "samples.parquet")
    write_table(IMAGES, tables / "images/part-00000.parquet")
    write_table(PAGES, tables / "pages/part-00000.parquet")
    write_table(predictions, tables / "predictions.parquet")
    return run_dir


def test_read_scored(tmp_path):
    """Each sample gets its outcome, its image and the stage that lost it."""
    scored = read_scored_predictions(_write(tmp_path))
    assert scored["outcome"].tolist() == ["right", "missed", "missed", "answered where empty"]
    losses = ["right", "not downloaded", "not read", "answered where empty"]
    assert scored["loss"].tolist() == losses
    assert scored["image"].tolist() == ["A", "b", "C", "D"]  # the link where there is no content
    assert scored["path"].tolist() == ["a.png", "", "c.png", "d.png"]


@pytest.mark.parametrize(
    "predictions", [PREDICTIONS.drop(columns="engine"), PREDICTIONS.assign(engine=None)]
)
def test_pages_of_any_engine(tmp_path, predictions):
    """Where predictions name no engine, a page of any of them counts as read."""
    scored = read_scored_predictions(_write(tmp_path, predictions=predictions))
    assert scored["loss"][2] == "missed"


def test_columns_of_both_tables(tmp_path):
    """Predictions may repeat columns of the samples."""
    repeated = PREDICTIONS.assign(entity_name="width", split="train")
    assert "entity_name" in read_scored_predictions(_write(tmp_path, predictions=repeated))


@pytest.mark.parametrize(
    ("values", "known", "headline"),
    [
        (["1 inch", "", "2 inch", ""], [True] * 4, [2, 3]),  # both known: test
        (["1 inch", "", "", ""], [True, True, False, False], [0, 1]),  # train only
        (["", "", "2 inch", ""], [False, False, True, True], [2, 3]),  # test only
        (["", "", "", ""], [False] * 4, []),  # nothing is known
    ],
)
def test_truth_known(tmp_path, values, known, headline):
    """A split is judged where its truth is known, the test rows first."""
    samples = SAMPLES.assign(entity_value=values)
    assert mark_truth(samples)["has_truth"].tolist() == known
    scored = read_scored_predictions(_write(tmp_path, samples))
    assert headline_rows(scored)["sample_id"].tolist() == headline
    assert (scored["outcome"] == "truth not known").tolist() == [not value for value in known]


def test_truth_mark_is_kept():
    """A mark of the sample table counts, though all values are empty."""
    marked = SAMPLES.assign(entity_value="", has_truth=True)
    assert mark_truth(marked)["has_truth"].all()


@pytest.mark.parametrize(
    ("file", "notebook"),
    [
        ("samples.parquet", "01_download.ipynb"),
        ("images/part-00000.parquet", "01_download.ipynb"),
        ("pages/part-00000.parquet", "03_ocr.ipynb"),
        ("predictions.parquet", "04_extraction.ipynb"),
    ],
)
def test_missing_file_names_the_notebook(tmp_path, file, notebook):
    """A missing table says which notebook makes it."""
    (_write(tmp_path) / "tables" / file).unlink()
    with pytest.raises(FileNotFoundError, match=notebook):
        read_scored_predictions(tmp_path)


def test_wide_outcomes(tmp_path):
    """Methods stand side by side in the order of the predictions."""
    both = pd.concat([PREDICTIONS, PREDICTIONS.assign(method="a", prediction="")])
    scored = read_scored_predictions(_write(tmp_path, predictions=both))
    table = wide_outcomes(scored, pd.Series([0, 3]))
    assert table.columns.tolist() == ["rules", "a"]
    assert table["a"].tolist() == ["missed", "rightly empty"]


def test_show_predictions(tmp_path):
    """Images come small with their word's box; lost ones are grey, and errors are red."""
    Image.new("RGB", (960, 480)).save(tmp_path / "a.png")
    rows = read_scored_predictions(_write(tmp_path))
    first, second, *_ = show_predictions(rows, tmp_path, side=480)
    assert first.pixels.shape == (240, 480, 3)
    assert first.quad[0] == (1.0, 1.0)
    assert "truth: 1.0 inch" in first.title
    assert (first.colour, second.colour) == (BLUE, RED)
    assert second.quad is None
    assert open_small(tmp_path / "gone.png", 10)[0].shape == (10, 10, 3)


def test_tables_of_old_runs_are_found(tmp_path):
    """A run of version 0.1 has its own name for the table; the new name comes first."""
    names = ["scored_predictions.parquet", "verdicts.parquet"]
    found = []
    for name in reversed(names):
        write_table(pd.DataFrame({"index": []}), tmp_path / "tables" / name)
        found.append(find_scored_predictions(tmp_path).name)
    assert found == names[::-1]
    assert find_scored_predictions(tmp_path / "nothing").name == names[0]
