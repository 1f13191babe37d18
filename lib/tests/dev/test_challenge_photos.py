"""Tests of reading labelled images: tables of all forms, tags, and images that are not there."""

from types import SimpleNamespace

import pandas as pd
import pytest
from joblib import Memory

from lib.dev import challenge_photos
from lib.dev.challenge_photos import read_labelled_images, read_labels, read_tags
from lib.extraction.learned import MAY_BE_EMPTY
from lib.io.manifest import digest_file
from lib.tests.drawing import make_image

LABELLED = "image_file,group_id,entity_name,entity_value,curated_value\n"
CHECKED = "image_file,group_id,entity_name,answer,accept\n"

ROWS = [  # header, row, accepted answers, reason
    (CHECKED, "a.jpg,g,width,5.0 inch,", ["5.0 inch"], "one answer"),
    (CHECKED, "a.jpg,g,width,,", [MAY_BE_EMPTY], "none is stated"),
    (CHECKED, "a.jpg,g,width,5.0 inch,12.7 centimetre", ["12.7 centimetre", "5.0 inch"], "two"),
    (CHECKED, "a.jpg,g,width,5.0 inch,EMPTY", ["5.0 inch", MAY_BE_EMPTY], "silence is accepted"),
    (CHECKED, "a.jpg,g,width,a,b | c|", ["a", "b", "c"], "spaces and an empty part"),
    (CHECKED, "a.jpg,g,width,,5.0 inch", ["5.0 inch", MAY_BE_EMPTY], "silence first"),
    (LABELLED, "a.jpg,g,width,5.0 inch,", ["5.0 inch"], "the official label"),
    (LABELLED, "a.jpg,g,width,5.0 inch,6.0 inch", ["6.0 inch"], "checked by eye"),
    (LABELLED, "a.jpg,g,width,5.0 inch,NA", [MAY_BE_EMPTY], "not on the image"),
]


@pytest.mark.parametrize(("header", "row", "truths", "reason"), ROWS)
def test_labels_of_all_forms(header, row, truths, reason, tmp_path):
    """Each row has its accepted answers, and MAY_BE_EMPTY where no answer is accepted."""
    path = tmp_path / "labels.csv"
    path.write_text(header + row + "\n")
    labels = read_labels("dev", path)
    assert sorted(labels["truths"].iloc[0]) == sorted(truths), reason
    assert labels["path"].iloc[0] == tmp_path / "images/a.jpg"
    assert labels[["source", "group_id", "entity_name"]].iloc[0].tolist() == ["dev", "g", "width"]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Two tables that share an image under two names; one image is missing, one has no table."""
    for name, seed in (("one/images/a.jpg", 0), ("one/images/b.jpg", 1), ("two/images/c.jpg", 0)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(make_image(seed))
    rows = ["a.jpg,g,width,5.0 inch,", "b.jpg,h,width,,", "lost.jpg,i,width,,"]
    (tmp_path / "one/dev.csv").write_text("\n".join([CHECKED.strip(), *rows]) + "\n")
    (tmp_path / "two/dev.csv").write_text(CHECKED + "c.jpg,k,depth,,\n")
    names = {"dev": "one/dev.csv", "other": "two/dev.csv", "labelled": "none.csv"}
    tables = {source: tmp_path / name for source, name in names.items()}
    monkeypatch.setattr(challenge_photos, "TABLES", tables)
    (tmp_path / "tags.csv").write_text("image_file,round\na.jpg,1\nb.jpg,2\nelsewhere.jpg,0\n")
    monkeypatch.setattr(challenge_photos, "TAGS", tmp_path / "tags.csv")
    monkeypatch.setattr(challenge_photos, "load_shape_network", lambda: None)
    monkeypatch.setattr(challenge_photos, "embed_images", embed)
    monkeypatch.setattr(challenge_photos, "read_texts", lambda paths, memory: ({}, {}))
    return tmp_path


def embed(paths, network, memory):
    """Stand in for a network: each image has the same vector."""
    return SimpleNamespace(sha256=list(paths), values=[(1.0, 2.0)] * len(paths))


def test_images_are_known_by_their_content(folder):
    """The same image under two names is one, and joins the groups of both."""
    labelled = read_labelled_images(Memory(None))
    samples = labelled.samples
    assert samples["entity_name"].tolist() == ["width", "width", "depth"]
    assert samples["source"].tolist() == ["dev", "dev", "other"]
    one, other = (digest_file(folder / f"one/images/{name}.jpg") for name in "ab")
    assert samples["sha256"].tolist() == [one, other, one]
    clusters = samples["cluster"].tolist()
    assert clusters[0] == clusters[2] != clusters[1]
    assert set(labelled.shapes) == {one, other}


def test_undecided_tags_are_left_out(folder):
    """A product is round or not; what cannot be told teaches nothing."""
    paths = {"sha a": folder / "one/images/a.jpg", "sha b": folder / "one/images/b.jpg"}
    vectors = dict.fromkeys(paths, (1.0,))
    pd.testing.assert_series_equal(read_tags(paths, vectors), pd.Series({"sha a": 1}))
    assert read_tags(paths, {}).empty
