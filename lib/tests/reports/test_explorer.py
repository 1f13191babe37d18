"""The widgets for looking by hand, used as a person would."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.extraction.scan import scan_page
from lib.reports.explorer import ALL, Explorer, ImageTables, RunTables, list_candidates
from lib.tests.drawing import page, word


@pytest.fixture
def explorer(run_dir, parameters, tmp_path):
    """Widgets over a real run."""
    data_dir = Path(parameters["DATA_DIR"])
    tables = RunTables(run_dir, parameters["OCR_ENGINES"][0])
    return Explorer(tables, data_dir, tmp_path / "labels.csv")


def list_ids(explorer):
    """List the samples that are offered."""
    return [value for _, value in explorer.samples.options]


def test_all_samples_are_offered_first(explorer):
    """Without a filter every sample is listed, and the first is shown with its image."""
    assert list_ids(explorer) == explorer.run.predictions["sample_id"].tolist()
    assert explorer.sample_id == explorer.samples.value == 0
    assert bytes(explorer.image.value).startswith(b"\x89PNG")
    assert "<table" in explorer.tables.value


def test_filters_narrow_the_list(explorer):
    """Entity and outcome together; what is shown is always one of the list."""
    predictions = explorer.run.predictions
    entity = predictions["entity_name"].iloc[-1]
    explorer.entity.value = entity
    assert list_ids(explorer) == predictions.index[predictions["entity_name"] == entity].tolist()
    explorer.outcome.value = "right"
    wanted = (predictions["entity_name"] == entity) & (predictions["outcome"] == "right")
    assert list_ids(explorer) == predictions.index[wanted].tolist()
    assert explorer.sample_id in list_ids(explorer)


@pytest.mark.parametrize(
    ("column", "part"),
    [
        ("image_link", slice(-12, None)),  # the end of a link
        ("prediction", slice(None)),  # an answer
        ("index", slice(None)),  # the row's own name
    ],
)
def test_search_finds_what_a_row_says(explorer, column, part):
    """A piece of a row, in any case, finds that row."""
    predictions = explorer.run.predictions
    row = predictions[predictions["prediction"] != ""].iloc[-1]
    explorer.search.value = row[column][part].upper()
    assert row["sample_id"] in list_ids(explorer)


def test_search_reads_the_images(explorer):
    """A word that stands on an image finds all questions about it, and no others'."""
    words = explorer.run.words
    text = words.loc[words["text"].str.len().idxmax()]
    explorer.search.value = text["text"]
    found = explorer.run.predictions.loc[list_ids(explorer)]
    assert text["sha256"] in set(found["sha256"])
    assert len(found) < len(explorer.run.predictions)


def test_nothing_found_is_no_error(explorer):
    """A search without a hit empties the list; the last sample stays in view."""
    explorer.search.value = "no such text anywhere"
    assert list_ids(explorer) == []
    assert explorer.found.value.startswith("0 samples")
    explorer.search.value = ""
    assert explorer.entity.value == ALL and list_ids(explorer)


def test_lost_image_says_so(explorer):
    """A sample whose image was not downloaded is shown without one."""
    predictions = explorer.run.predictions
    explorer.show(int(predictions.loc[~predictions["downloaded"], "sample_id"].iloc[0]))
    assert explorer.image.value == b""
    assert "not downloaded" in explorer.tables.value


def test_truth_is_corrected(explorer):
    """A right form is saved with its row; a wrong one is explained and not saved."""
    explorer.show(int(explorer.run.predictions.query("entity_name == 'width'").index[0]))
    explorer.truth.value = "12 volt"
    explorer.save.click()
    assert "not allowed for width" in explorer.saved.value
    assert not explorer.labels.exists()
    explorer.truth.value = " 12.0 inch "
    explorer.save.click()
    saved = pd.read_csv(explorer.labels, dtype=str).iloc[0]
    row = explorer.run.predictions.loc[explorer.sample_id]
    assert saved["entity_value"] == "12.0 inch"
    for name in ("image_link", "entity_name", "sha256"):
        assert saved[name] == row[name]
    assert (saved["prediction"] if isinstance(saved["prediction"], str) else "") == row[
        "prediction"
    ]


def test_grammar_is_tried(explorer):
    """A text typed in shows what the grammar reads in it, markup taken as text."""
    explorer.text.value = "<b>6 x 250 ml</b>"
    assert "250.0 millilitre" in explorer.parsed.value
    assert "<b>" not in explorer.parsed.value


def test_unfinished_run_is_named(tmp_path):
    """A folder without results says what it should have been."""
    with pytest.raises(FileNotFoundError, match="must be a finished run"):
        Explorer(RunTables(tmp_path, "rapidocr"), tmp_path, tmp_path / "labels.csv")


def test_best_candidate_comes_first_with_its_keywords():
    """The table orders by score and shows what decided."""
    scan = scan_page(page(word("Gross weight 2 kg", 0, 0), word("Net weight 1.8 kg", 0, 40)))
    table = list_candidates(scan, "item_weight")
    assert table["quantity"].tolist() == ["1.8 kilogram", "2.0 kilogram"]
    assert table["keywords"].tolist() == ["net weight (line)", "gross weight (line)"]


def test_no_candidates_make_an_empty_table():
    """Nothing to choose from is a table without rows."""
    assert list_candidates(scan_page(page()), "width").empty


@pytest.fixture
def photos():
    """Two questions about an image that was read, one about an image that was not."""
    answers = pd.DataFrame(
        {
            "image": ["cup.png", "cup.png", "lost.png"],
            "entity_name": ["width", "height", "width"],
            "prediction": ["5.0 centimetre", "", ""],
            "confidence": [0.9, 0.8, np.nan],
            "decision": ["answered", "silent", "failed"],
            "reason": ["named width", "no candidate", "no image"],
            "runner_up": "",
        }
    )
    files = pd.DataFrame({"sha256": ["a", "a", ""], "path": ["cup.png", "cup.png", "None"]})
    scans = {"a": scan_page(page(word("Width 5 cm", 10, 10)))}
    return ImageTables(answers, files.set_axis([0, 0, 1]), scans)


def test_photos_are_explored_like_a_run(photos, tmp_path):
    """Images that no run has read are listed, searched, shown and labelled by the same widgets."""
    Image.new("RGB", (200, 60), "white").save(tmp_path / "cup.png")
    explorer = Explorer(photos, tmp_path, tmp_path / "labels.csv")
    assert list_ids(explorer) == [0, 1, 2]
    assert bytes(explorer.image.value).startswith(b"\x89PNG")
    assert "5.0 centimetre" in explorer.answer.value and "not known" in explorer.answer.value
    explorer.search.value = "WIDTH 5"  # on the image
    assert list_ids(explorer) == [0, 1]
    explorer.search.value, explorer.outcome.value = "", "failed"
    assert list_ids(explorer) == [2]
    assert "not downloaded or not read" in explorer.tables.value
    explorer.outcome.value = "silent"
    explorer.truth.value = "7.5 centimetre"
    explorer.save.click()
    labels = pd.read_csv(tmp_path / "labels.csv", dtype=str, keep_default_na=False)
    assert labels[["image_link", "entity_name", "entity_value"]].to_numpy().tolist() == [
        ["cup.png", "height", "7.5 centimetre"]
    ]
