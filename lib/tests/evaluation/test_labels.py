"""Corrected truths in a file."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from lib.evaluation.labels import (
    COLUMNS,
    are_labelled,
    find_user,
    read_labels,
    save_label,
    save_labels,
)
from lib.io.samples import read_samples

ROW = {
    "index": "7",
    "image_link": "images/a, b.jpg",
    "group_id": "3",
    "entity_name": "width",
    "entity_value": "9.0 inch",
    "prediction": "8.0 inch",
    "sha256": "ab" * 32,
}
LATER = "2999-01-01T00:00:00+00:00"


def test_file_is_a_train_table(tmp_path):
    """Labels stand under one heading, and a run reads them as its truths."""
    path = tmp_path / "new/labels.csv"
    save_label(path, ROW, "12.5 centimetre")
    save_label(path, ROW | {"entity_name": "height"}, "")
    assert list(pd.read_csv(path)) == list(COLUMNS)
    samples = read_samples(path, "")
    assert samples["entity_value"].tolist() == ["12.5 centimetre", ""]
    assert samples["image_link"].iloc[0] == "images/a, b.jpg"


def test_label_says_who_when_and_what_was_shown(tmp_path):
    """The time is in UTC and to the second; the name is the user's unless another is given."""
    path = tmp_path / "labels.csv"
    save_label(path, ROW, "1 inch", by="ann")
    save_label(path, ROW | {"entity_name": "depth"}, "1 inch")
    labels = read_labels(path)
    assert labels["labelled_by"].tolist() == ["ann", find_user()]
    assert labels["prediction"].tolist() == ["8.0 inch"] * 2
    at = datetime.fromisoformat(labels["labelled_at"][0])
    assert at.utcoffset() == timedelta(0) and at.microsecond == 0
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("change", "value", "rows", "earlier"),
    [
        ({}, "2.0 inch", 1, True),  # the same question, another truth
        ({}, "", 1, True),  # not stated is a label as well
        ({"image_link": "b.jpg"}, "2.0 inch", 1, True),  # a copy of the image at another link
        ({"sha256": ""}, "2.0 inch", 1, True),  # the link alone tells the image
        ({}, "1 inch", 1, False),  # said again: nothing is replaced
        ({"entity_name": "depth"}, "2.0 inch", 2, False),  # another question
        ({"sha256": "def"}, "2.0 inch", 2, False),  # the same relative link of another table
    ],
)
def test_later_label_replaces_an_earlier_one(tmp_path, change, value, rows, earlier):
    """Of one question about one image the last label counts, and the file keeps the earlier."""
    path = tmp_path / "labels.csv"
    save_label(path, ROW, "1.0 inch", by="ann")
    save_label(path, ROW | change, value, by="bob")
    labels = read_labels(path)
    assert len(labels) == rows
    assert labels["earlier"].iloc[-1].startswith("1.0 inch (ann, ") == earlier
    assert labels["entity_value"].iloc[-1] == ("1.0 inch" if value == "1 inch" else value)


def test_all_earlier_labels_are_kept(tmp_path):
    """A third label keeps both before it; one that is older by its time replaces nothing."""
    path = tmp_path / "labels.csv"
    for value in ("1.0 inch", "2.0 inch"):
        save_label(path, ROW, value, by="ann")
    row = pd.DataFrame([{name: ROW.get(name, "") for name in COLUMNS}])
    save_labels(path, row.assign(entity_value="3.0 inch", labelled_by="bob", labelled_at=LATER))
    old = row.assign(entity_value="4.0 inch", labelled_by="cy", labelled_at="2020-01-01T00:00:00")
    save_labels(path, old)
    labels = read_labels(path)
    assert labels["entity_value"].tolist() == ["3.0 inch"]
    said = [part.partition(" (")[0] for part in labels["earlier"][0].split("; ")]
    assert sorted(said) == ["1.0 inch", "2.0 inch", "4.0 inch"]


def test_labels_of_several_processes_are_all_kept(tmp_path):
    """Who saves while another does waits for it."""
    rows = [ROW | {"sha256": str(i), "image_link": f"{i}.jpg"} for i in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda row: save_label(tmp_path / "l.csv", row, "1.0 inch"), rows))
    assert len(read_labels(tmp_path / "l.csv")) == 20


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("12.5", "not a number, a space and a unit"),  # the unit is missing
        ("12 watt", "not allowed for width"),  # a unit of another entity
        ("12.5cm", "not a number, a space and a unit"),  # not the official form
    ],
)
def test_wrong_form_is_refused(tmp_path, value, reason):
    """What no run could be right about is not written."""
    with pytest.raises(ValueError, match=reason):
        save_label(tmp_path / "labels.csv", ROW, value)
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",  # emptied
        b"index,entity_value\n1,2 inch\n",  # another table
        b"\xff\xfe\x00",  # no text
        b'a,"b\n1,2',  # cut off
    ],
)
def test_foreign_file_is_left_alone(tmp_path, content):
    """A file that is no file of labels is not overwritten, and the message names it."""
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"labels\.csv"):
        save_label(path, ROW, "1.0 inch")
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("link", "sha256", "entity", "known"),
    [
        ("a.jpg", "one", "width", True),  # the same question
        ("b.jpg", "one", "width", True),  # another link to the image
        ("a.jpg", "", "width", False),  # the label is about an image
        ("c.jpg", "two", "width", True),  # labelled before the image was known
        ("a.jpg", "one", "depth", False),  # another question
        ("d.jpg", "three", "width", False),  # another image
    ],
)
def test_labelled_questions_are_known(link, sha256, entity, known):
    """A question is labelled if its link or its image is."""
    columns = ["image_link", "sha256", "entity_name"]
    labels = pd.DataFrame([["a.jpg", "one", "width"], ["c.jpg", "", "width"]], columns=columns)
    rows = pd.DataFrame([[link, sha256, entity]], columns=columns)
    assert are_labelled(rows, labels).tolist() == [known]
    assert are_labelled(rows, labels[:0]).tolist() == [False]
