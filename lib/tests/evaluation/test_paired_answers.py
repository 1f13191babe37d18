"""Answers of two runs side by side: what is the same question, and what cannot be compared."""

import pandas as pd
import pytest

from lib.evaluation.paired_answers import (
    NotComparableError,
    check_truth,
    pair_answers,
    read_answers,
)
from lib.evaluation.scored_predictions import find_scored_predictions
from lib.tests.past_runs import RIGHT, TRUTH, WORSE, write_run


def pair(tmp_path, **second):
    """Pair the answers of a usual run and of one with changes."""
    first = read_answers(write_run(tmp_path / "first"))
    return pair_answers(first, read_answers(write_run(tmp_path / "second", **second)))


def test_same_questions_are_paired(tmp_path):
    """Each question stands once, with what both runs said."""
    pairs = pair(tmp_path, answers=WORSE)
    assert pairs["prediction_before"].tolist() == RIGHT
    assert pairs["prediction_after"].tolist() == WORSE
    assert pairs["has_truth"].all()


@pytest.mark.parametrize(
    ("changes", "paired"),
    [
        ({"answers": RIGHT[:9], "truth": TRUTH[:9]}, 9),  # fewer rows
        ({"group_id": "7"}, 30),  # a group is no part of the question
        ({"image_link": "other.jpg"}, 0),  # other images
        ({"split": "train"}, 0),  # an index counts within its table
        ({"entity_name": "width"}, 10),  # other questions about the same images
        ({"truth": None}, 30),  # an unlabelled table asks the same
    ],
)
def test_what_is_the_same_question(tmp_path, changes, paired):
    """A question is a row of a table, its image and its entity."""
    assert len(pair(tmp_path, **changes)) == paired


def test_repeated_question_is_paired_once(tmp_path):
    """Of rows with the same index, image and entity the first was asked, and counts."""
    answers = read_answers(write_run(tmp_path / "first"))
    twice = pd.concat([answers, answers[:3].assign(prediction="")])
    pairs = pair_answers(twice, twice)
    assert pairs["prediction_after"].tolist() == answers["prediction"].tolist()


def test_truth_is_known_to_both(tmp_path):
    """Without a truth on one side nothing is judged."""
    assert not pair(tmp_path, truth=None)["has_truth"].any()


@pytest.mark.parametrize(
    ("truth", "fits"),
    [
        (TRUTH, True),
        (["1 Inch", *TRUTH[1:]], True),  # written differently
        (None, True),  # not known is no contradiction
        (["7.0 inch", *TRUTH[1:]], False),
        (["", *TRUTH[1:]], False),  # "not stated" is a truth too
    ],
)
def test_tables_must_agree(tmp_path, truth, fits):
    """Runs whose tables disagree about the truth are not compared, and a sample is named."""
    pairs = pair(tmp_path, truth=truth)
    if fits:
        check_truth(pairs, "first", "second")
        return
    with pytest.raises(NotComparableError, match=r"1 of them .* test index 0: '1.0 inch' and"):
        check_truth(pairs, "first", "second")


def test_run_without_answers(tmp_path):
    """A failed run and damaged answers are told apart."""
    failed = write_run(tmp_path / "failed", status="failed")
    with pytest.raises(NotComparableError, match="did not get so far"):
        read_answers(failed)
    damaged = write_run(tmp_path / "damaged")
    find_scored_predictions(damaged).write_bytes(b"PAR1 rubbish")
    with pytest.raises(NotComparableError, match="cannot be read"):
        read_answers(damaged)
