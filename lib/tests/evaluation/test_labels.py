"""Corrected truths in a file."""

import pandas as pd
import pytest

from lib.evaluation.labels import append_label
from lib.io.samples import read_samples

ROW = {
    "index": "7",
    "image_link": "images/a, b.jpg",
    "group_id": "3",
    "entity_name": "width",
    "entity_value": "9.0 inch",
    "prediction": "8.0 inch",
}


def test_file_is_a_train_table(tmp_path):
    """Labels are appended under one heading, and a run reads them as its truths."""
    path = tmp_path / "new/labels.csv"
    append_label(path, ROW, "12.5 centimetre")
    append_label(path, ROW | {"index": "8"}, "")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert table["index"].tolist() == ["7", "8"]
    samples = read_samples(path, "")
    assert samples["entity_value"].tolist() == ["12.5 centimetre", ""]
    assert samples["image_link"].iloc[0] == "images/a, b.jpg"


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
        append_label(tmp_path / "labels.csv", ROW, value)
    assert not (tmp_path / "labels.csv").exists()
