"""The rows of the search: which are kept, in which order, and as which values."""

import json

import numpy as np
import pandas as pd
import pytest

from lib.reports import answer_list
from lib.reports.answer_list import COLUMNS, list_answers

PREDICTIONS = pd.DataFrame(
    {
        "index": ["a", "b", "c", "d", "e"],
        "image_link": "x.jpg",
        "entity_name": "width",
        "prediction": ["1.0 inch", "", "2.0 inch", "3.0 inch", "4.0 inch"],
        "probability": [0.9, 0.1, 0.95, 0.4, np.nan],
        "outcome": ["right", "missed", "wrong value", "right", "truth not known"],
        "entity_value": ["1 inch", "5 inch", "1 inch", "3 inch", ""],
        "has_truth": [True, True, True, True, False],
    },
    index=[7, 3, 9, 1, 2],
)


def test_rows_are_plain_values():
    """Values go into JSON as they are; what is missing, or not known, is null."""
    listed = list_answers(PREDICTIONS)
    assert json.loads(json.dumps(listed, allow_nan=False)) == listed
    assert listed["columns"] == list(COLUMNS.values()) and listed["total"] == 5
    rows = pd.DataFrame(listed["rows"], columns=listed["columns"])
    assert rows["row"].tolist() == list("abcde")
    assert rows["truth"].tolist()[:2] == ["1 inch", "5 inch"] and pd.isna(rows["truth"][4])
    assert rows["confidence"].tolist()[:4] == [0.9, 0.1, 0.95, 0.4]
    assert listed["rows"][4][listed["columns"].index("confidence")] is None
    assert rows["because"].isna().all()


@pytest.mark.parametrize(
    ("most", "kept"),
    [
        (1, "c"),  # the wrong answer, though it is confident
        (2, "cd"),  # then the least confident one
        (4, "acde"),  # answers before silences
        (9, "abcde"),
    ],
)
def test_errors_and_doubts_are_kept_first(most, kept, monkeypatch):
    """Of too many rows the most telling ones stay, in the order of the table."""
    monkeypatch.setattr(answer_list, "MOST_ROWS", most)
    listed = list_answers(PREDICTIONS.reset_index(drop=True))
    assert [row[0] for row in listed["rows"]] == list(kept)
    assert listed["total"] == 5


def test_nothing_to_list():
    """A run without samples has an empty list."""
    assert list_answers(PREDICTIONS[:0])["rows"] == []
