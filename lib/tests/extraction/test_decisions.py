"""Tests of deciding what happens to each answer."""

import math

import numpy as np
import pandas as pd
import pytest

from lib.evaluation import Promise
from lib.extraction.answers import NO_IMAGE
from lib.extraction.decisions import decide_answers, explain_failures, withhold_reviewed

LOST = "internal error: KeyError: 'broken'"


def promise(threshold):
    """Promise a precision with this threshold, None if there is no such."""
    return Promise(0.95, threshold, 0.5, 0.97, 0.95, 100, 100.0, 100)


def answer(prediction, probability, stated, reason="net weight (line)", *, own=True):
    """Make the row of one answer."""
    return pd.DataFrame(
        {
            "prediction": [prediction],
            "probability": [probability],
            "stated": [stated],
            "reason": [reason],
            "answers": [own],
            "runner_up": ["7.0 gram"],
        }
    )


CASES = [  # answer, threshold (0: no promise; None: none can be kept), decision, confidence, why
    (answer("5.0 gram", 0.9, 0.95), 0, "answered", 0.9, "as sure as it is right"),
    (answer("5.0 gram", 0.1, 0.95), 0, "answered", 0.1, "no promise, so it is given"),
    (answer("", 0.3, 0.4), 0, "silent", 0.6, "as sure as nothing is stated"),
    (answer("", 0.3, 1.0), 0, "silent", 0.0, "silent, and an answer is surely stated"),
    (answer("", 0.0, math.nan, NO_IMAGE.reason), 0, "failed", 0.0, "no image"),
    (answer("", 0.0, math.nan, LOST), 0, "failed", 0.0, "an error of ours"),
    (answer("", 0.0, 0.2, LOST), 0, "failed", 0.0, "an error after the estimate"),
    (answer("5.0 gram", 0.8, 0.95), 0.8, "answered", 0.8, "at the threshold"),
    (answer("5.0 gram", 0.79, 0.95), 0.8, "review", 0.79, "below it"),
    (answer("5.0 gram", 1.0, 1.0), None, "review", 1.0, "no threshold keeps the promise"),
    (answer("", 0.3, 0.4), None, "silent", 0.6, "silence needs no review"),
    (answer("", 0.0, 0.2, LOST), None, "failed", 0.0, "nor does a failure"),
    (answer("5.0 gram", 0.1, 0.9, own=False), 0.8, "answered", 0.1, "not the run's own answer"),
    (answer("5.0 gram", math.nan, math.nan), 0, "answered", math.nan, "a method that knows none"),
    (answer("", math.nan, math.nan), 0, "silent", math.nan, "silent without knowing how surely"),
]


@pytest.mark.parametrize(("answers", "threshold", "decision", "confidence", "why"), CASES)
def test_each_answer_has_a_decision(answers, threshold, decision, confidence, why):
    """Given, silent, left to a reviewer or failed, each with its confidence."""
    decided = decide_answers(answers, None if threshold == 0 else promise(threshold))
    assert decided["decision"].tolist() == [decision], why
    assert decided["confidence"].tolist() == pytest.approx([confidence], nan_ok=True), why
    assert decided[answers.columns.tolist()].equals(answers)


def test_reviewed_answers_are_withheld():
    """They are proposed to the reviewer in the runner-up's place; all others stay."""
    rows = [answer("5.0 gram", 0.9, 1.0), answer("6.0 gram", 0.1, 1.0), answer("", 0.1, 0.1)]
    held = withhold_reviewed(decide_answers(pd.concat(rows, ignore_index=True), promise(0.5)))
    assert held["prediction"].tolist() == ["5.0 gram", "", ""]
    assert held["runner_up"].tolist() == ["7.0 gram", "6.0 gram", "7.0 gram"]
    assert held["next_runner_up"].tolist() == ["", "7.0 gram", ""]
    assert held["decision"].tolist() == ["answered", "review", "silent"]


def test_a_lower_threshold_gives_more_answers():
    """Answers are given from the surest down, and none is lost on the way."""
    sure = np.linspace(0, 1, 21)
    rows = pd.concat([answer("5.0 gram", value, 1.0) for value in sure], ignore_index=True)
    given = []
    for threshold in (0.2, 0.5, 0.9, 1.0):
        decided = decide_answers(rows, promise(threshold))
        kept = decided["confidence"][decided["decision"] == "answered"]
        assert kept.min() >= threshold
        assert set(decided["decision"]) == {"answered", "review"}
        given.append(len(kept))
    assert given == sorted(given, reverse=True) and given[-1] == 1


@pytest.mark.parametrize(
    ("problem", "fetched", "read", "reason", "told"),
    [
        ("", "", "", "nearest", "nearest"),  # an answer keeps its reason
        ("line 3: no link", None, None, NO_IMAGE.reason, "line 3: no link"),
        ("line 3: no link", "HTTP 404", None, "nearest", "line 3: no link"),  # another row's link
        ("", "HTTP 404", None, NO_IMAGE.reason, "HTTP 404"),
        ("", "", "it hung", NO_IMAGE.reason, f"{NO_IMAGE.reason}: it hung"),
        ("", "", None, NO_IMAGE.reason, NO_IMAGE.reason),  # nobody knows
        ("", "", "it hung", LOST, LOST),
    ],
)
def test_failed_rows_say_why(problem, fetched, read, reason, told):
    """A failed row has the reason of its line, its link or its page; the others keep theirs."""
    samples = pd.DataFrame(
        {"sample_id": [7, 3], "image_link": ["b", "a"], "problem": ["line 9: twice", problem]}
    )
    images = pd.DataFrame({"link": ["c", "a"], "reason": ["HTTP 500", fetched]})
    pages = pd.DataFrame(
        {"sha256": ["A", "A", "C"], "engine": ["e", "other", "e"], "reason": [read, "no", "no"]}
    )
    lacks = [fetched is not None, read is not None]
    decided = pd.DataFrame(
        {"sample_id": [3, 7], "sha256": ["A", "B"], "engine": "e", "reason": [reason, "x"]},
        index=[5, 2],
    )
    parts = (images.iloc[: 1 + lacks[0]], pages.iloc[1 - lacks[1] :])
    explained = explain_failures(decided, samples, *parts)
    assert explained["reason"].to_dict() == {5: told, 2: "line 9: twice"}


def test_rows_of_a_run_without_any_keep_their_form():
    """Empty tables give an empty one."""
    empty = {name: pd.DataFrame(columns=columns, dtype=str) for name, columns in {
        "decided": ["sample_id", "sha256", "engine", "reason"],
        "samples": ["sample_id", "image_link", "problem"],
        "images": ["link", "reason"],
        "pages": ["sha256", "engine", "reason"],
    }.items()}  # fmt: skip
    assert explain_failures(**empty).columns.tolist() == ["sample_id", "sha256", "engine", "reason"]
