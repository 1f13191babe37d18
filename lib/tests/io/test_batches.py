"""A batch's images as the next notebooks open them, and the tables and counts that one saves."""

import json

import pandas as pd
import pytest

from lib.io.batches import open_batch, save_counts, save_tables
from lib.parallel.item_errors import InternalError, report_internal_errors

SAMPLES = pd.DataFrame(
    {
        "image_link": ["a.jpg", "b.jpg", "a.jpg", "copy.jpg", "lost.jpg", "later.jpg"],
        "split": ["train", "train", "test", "test", "test", "test"],
        "index": ["0", "1", "7", "8", "9", "10"],
    }
)
LINKS = pd.DataFrame(
    {
        "link": ["a.jpg", "b.jpg", "copy.jpg", "lost.jpg"],
        "sha256": ["aa", "bb", "aa", ""],
        "path": ["images/aa.jpg", "images/bb.jpg", "images/aa.jpg", ""],
        "status": ["ok", "ok", "ok", "failed"],
    }
)


@pytest.fixture
def batch(tmp_path):
    """A batch of four links and two images; the run has a sample in another batch."""
    save_tables(tmp_path, samples=SAMPLES)
    save_tables(tmp_path, 3, images=LINKS)
    return open_batch(tmp_path, tmp_path / "data", 3)


def test_batch_holds_each_image_once(batch, tmp_path):
    """An image with two links is one row with one file; a failed link has none."""
    assert batch.links == 4
    assert batch.images["link"].to_dict() == {"aa": "a.jpg", "bb": "b.jpg"}
    assert batch.files["aa"] == tmp_path / "data/images/aa.jpg"
    assert list(batch.files) == ["aa", "bb"]


def test_batch_names_an_image_after_its_first_sample(batch):
    """A message about an image names the link and a row of the table."""
    assert batch.names == {"aa": "a.jpg (train sample 0)", "bb": "b.jpg (train sample 1)"}


def test_batch_holds_the_samples_of_its_images(batch):
    """Samples come with image and path, also those of a second link; others are left out."""
    assert batch.samples["index"].tolist() == ["0", "1", "7", "8"]
    assert batch.samples["image"].tolist() == ["aa", "bb", "aa", "aa"]
    assert batch.samples["path"].tolist()[3] == "images/aa.jpg"


def test_missing_batch_names_the_notebook(batch, tmp_path):
    """The error says which notebook makes the batch."""
    with pytest.raises(FileNotFoundError, match=r"part-00004.*01_download\.ipynb"):
        open_batch(tmp_path, tmp_path, 4)


def test_tables_of_a_batch_are_parts(tmp_path):
    """A table of the whole run is a file, one of a batch a part in a folder."""
    save_tables(tmp_path, one=LINKS, two=SAMPLES)
    save_tables(tmp_path, 12, one=LINKS)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet")}
    assert found == {"tables/one.parquet", "tables/two.parquet", "tables/one/part-00012.parquet"}
    assert pd.read_parquet(tmp_path / "tables/one.parquet").equals(LINKS)


@pytest.mark.parametrize(("batch", "name"), [(None, "03_ocr"), (0, "03_ocr-00000")])
def test_counts_hold_internal_errors(tmp_path, batch, name):
    """The counts of a notebook end with the errors that it met since the last counts."""
    error = InternalError("KeyError", "broken", "")
    report_internal_errors("reading", {"a.jpg": error}, 2)
    save_counts(tmp_path, "03_ocr", batch, hits=1)
    found = json.loads((tmp_path / f"stages/{name}.json").read_text())
    assert found == {"hits": 1, "internal_errors": {error.reason: 1}}
