"""Scores of the rules and a model on sets of labels, and what a card tells of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.extraction.learned.questions import SOURCES
from lib.extraction.learned.scores import (
    DIFFERENCE,
    MIN_COUNTED,
    MIN_WRONG,
    describe_scores,
    score_sets,
    score_table,
    tabulate_outcomes,
    take_given,
)
from lib.extraction.learned.training import Answers
from lib.quantities import ENTITIES
from lib.tests.labelled import CANDIDATES, make_numbers

COUNT = 200
SETS = ["dev", "statements"]


@pytest.fixture(scope="module")
def rows():
    """Rows of two sets; in the second, two share an image and half ask for the first entity."""
    numbers = make_numbers(COUNT)
    is_second = np.arange(COUNT) >= COUNT // 2
    source = np.where(is_second, list(SOURCES).index("statements"), list(SOURCES).index("dev"))
    image = numbers.image[np.where(is_second, np.arange(COUNT) // 2 * 2, np.arange(COUNT))]
    entity = np.where(is_second & (numbers.entity < 4), 0, numbers.entity)
    return replace(numbers, source=source.astype(np.int8), image=image, entity=entity)


@pytest.fixture(scope="module")
def answers(rows):
    """The rules answer as noted; the model is silent where nothing is stated."""
    right = rows.right.reshape(-1, CANDIDATES).argmax(axis=1)
    sure = np.linspace(0.5, 1.0, COUNT)
    silent = np.where(rows.stated, sure, 0.2)
    chosen = np.where(np.arange(COUNT) % 10 == 4, (right + 1) % CANDIDATES, right)
    return {
        "rules": Answers(rows.rules.astype(np.int64), sure, sure, np.ones(COUNT, bool)),
        "learned": Answers(chosen, silent, silent, rows.stated),
    }


def test_outcomes_follow_the_challenge():
    """Right, wrong, invented, missed, rightly silent, and silent where that is accepted too."""
    rows = make_numbers(6)  # the first and the fourth state nothing
    right = rows.right.reshape(-1, CANDIDATES).argmax(axis=1)
    required = rows.required & (np.arange(6) != 5)
    rows = replace(rows, required=required)
    answers = Answers(
        chosen=np.array([0, right[1], (right[2] + 1) % 3, 0, right[4], right[5]]),
        right=np.linspace(0, 1, 6),
        stated=np.ones(6),
        answered=np.array([False, True, True, True, False, False]),
    )
    table = tabulate_outcomes(rows, answers)
    assert table["outcome"].tolist() == [
        "rightly empty", "right", "wrong value", "wrong value", "missed", "rightly empty",
    ]  # fmt: skip
    assert table["entity"].tolist() == list(ENTITIES[:6])
    assert table["probability"].tolist() == answers.right.tolist()
    assert set(table["set"]) == {"dev"}
    assert table["image"].tolist() == rows.image.tolist()
    scores = score_table(table)
    assert (scores["tp"], scores["fp"], scores["fn"], scores["tn"]) == (1, 2, 1, 2)


def test_given_answers_are_taken(rows, answers):
    """Silence has no confidence to be judged, whether it is right or not."""
    table = tabulate_outcomes(rows, answers["learned"])
    assert take_given(table).index.tolist() == np.flatnonzero(rows.stated).tolist()


def test_each_set_is_scored_by_itself(rows, answers):
    """Methods stand side by side for each set, and the difference of their F1, paired."""
    table = score_sets(rows, answers)
    whole = table[table["entity"].isna()].set_index(["set", "method"])
    methods = ("rules", "learned", DIFFERENCE)
    assert sorted(whole.index) == sorted((one, name) for one in SETS for name in methods)
    for one in SETS:
        scores = whole.loc[one]
        own = np.flatnonzero(np.array(list(SOURCES))[rows.source] == one)
        alone = tabulate_outcomes(rows, answers["learned"]).iloc[own]
        for name, value in score_table(alone).items():
            assert scores.loc["learned", name] == pytest.approx(value, abs=1e-6), name
        gap = scores.loc["learned", "f1"] - scores.loc["rules", "f1"]
        assert scores.loc[DIFFERENCE, "f1"] == pytest.approx(gap, abs=2e-6)
        assert 0 < scores.loc[DIFFERENCE, "low"] < gap < scores.loc[DIFFERENCE, "high"]


def test_entities_add_up_to_their_set(rows, answers):
    """Each row of a set counts in one entity."""
    table = score_sets(rows, answers)
    parts = table.dropna(subset="entity").groupby(["set", "method"])
    whole = table[table["entity"].isna()].set_index(["set", "method"])
    for kind in ("samples", "tp", "fp", "fn", "tn"):
        sums = parts[kind].sum()
        assert sums.to_dict() == whole.loc[sums.index, kind].to_dict()


def test_card_tells_only_what_is_known(rows, answers):
    """Scores of the model by set and, where enough answers count, by entity; no empty cells."""
    card = describe_scores(score_sets(rows, answers))
    assert [one["set"] for one in card["scores"]] == [one["set"] for one in card["gaps"]] == SETS
    counts = [one["tp"] + one["fp"] + one["fn"] for one in card["entities"]]
    assert min(counts) >= MIN_COUNTED
    assert [(one["set"], one["entity"]) for one in card["entities"]] == [
        ("statements", ENTITIES[0])
    ]
    every = [value for part in card.values() for one in part for value in one.values()]
    assert all(pd.notna(value) for value in every)


@pytest.mark.parametrize(
    ("wrong", "known"),
    [
        (0, False),  # there is no area
        (MIN_WRONG - 1, False),  # its interval would be far too narrow
        (MIN_WRONG, True),
    ],
)
def test_area_takes_wrong_answers(rows, answers, wrong, known):
    """Without wrong answers enough the card holds no ROC area, but the other measures."""
    right = rows.right.reshape(-1, CANDIDATES).argmax(axis=1)
    right[np.flatnonzero(rows.stated)[:wrong]] += 1
    few = replace(answers["learned"], chosen=right % CANDIDATES)
    first, _ = describe_scores(score_sets(rows, answers | {"learned": few}))["scores"]
    assert first["fp"] == wrong and ("roc_area" in first) == ("roc_area_low" in first) == known
    assert {"surest_80", "calibration_error"} < set(first)
