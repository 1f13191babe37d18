"""The outcome of each sample, the score, and the official format check."""

import importlib.util

import numpy as np
import pandas as pd
import pytest

from lib.evaluation import outcomes
from lib.evaluation.outcomes import (
    LOSSES,
    OUTCOMES,
    Outcomes,
    check_predictions,
    confuse_units,
    count_losses,
    count_outcomes,
    exact_match_f1,
    name_losses,
    name_outcome,
    name_outcomes,
    normalise_answer,
    precision,
    read_units,
    recall,
)
from lib.io.paths import PHOTOS, PROJECT
from lib.quantities.units import ENTITY_UNITS
from lib.tests.breaking import break_at

SCORER = PROJECT.parent / "shared/tools/score.py"


@pytest.mark.parametrize(
    ("truth", "prediction", "outcome"),
    [
        ("12.0 inch", "12.0 inch", "right"),
        ("15 gram", "15.0 gram", "right"),  # numbers are compared, not letters
        ("0.709 gram", "0.7090 gram", "right"),  # trailing zeros say nothing
        ("12.0 fluid ounce", "12.0 fluid  ounce", "right"),  # nor do spaces
        ("12.0 inch", "13.0 inch", "wrong value"),
        ("12.0 inch", "12.0 centimetre", "wrong unit"),
        ("12.0 inch", "30.48 centimetre", "wrong value"),  # the same length, but not the answer
        ("1.0 fluid ounce", "1.0 ounce", "wrong unit"),  # a unit is all its words
        ("[100.0, 240.0] volt", "100.0 volt", "wrong value"),  # a truth that cannot be met
        ("", "12.0 inch", "answered where empty"),
        (None, "12.0 inch", "answered where empty"),  # missing is empty
        ("12.0 inch", "", "missed"),
        ("12.0 inch", float("nan"), "missed"),  # as pandas reads an empty cell
        ("", "", "rightly empty"),
        ("  ", "", "rightly empty"),  # blanks are nothing
    ],
)
def test_name_outcome(truth, prediction, outcome):
    """Each case of truth and prediction has its name."""
    assert name_outcome(truth, prediction) == outcome


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1000000.0 gram", "1e+06 gram"),  # large numbers are equal to themselves however printed
        ("0.00001 ton", "0 ton"),  # four decimals count
        ("1.23456789 volt", "1.2346 volt"),
        ("-5 volt", "-5 volt"),  # no answer, so left as it is
    ],
)
def test_normalise_answer(text, printed):
    """Numbers are compared at four decimals and six figures."""
    assert normalise_answer(text) == printed


@pytest.mark.parametrize(
    ("outcomes", "p", "r", "f1"),
    [
        (Outcomes(), 0, 0, 0),  # nothing at all
        (Outcomes(tn=5), 0, 0, 0),  # silence earns nothing
        (Outcomes(tp=4), 1, 1, 1),
        (Outcomes(tp=1, fp=1), 0.5, 1, 2 / 3),  # a wrong value is no false negative
        (Outcomes(tp=1, fn=1), 1, 0.5, 2 / 3),
        (Outcomes(tp=3, fp=1, fn=2, tn=9), 0.75, 0.6, 2 / 3),
    ],
)
def test_scores(outcomes, p, r, f1):
    """The three scores follow the challenge's rule."""
    assert precision(outcomes) == pytest.approx(p)
    assert recall(outcomes) == pytest.approx(r)
    assert exact_match_f1(outcomes) == pytest.approx(f1)


def test_scores_of_arrays():
    """Arrays of counts give arrays of scores, 0 where nothing was counted."""
    counts = Outcomes(*np.array([[2, 0], [1, 0], [1, 0], [0, 3]]))
    assert exact_match_f1(counts) == pytest.approx([2 / 3, 0])


def test_name_outcomes_counts():
    """Named outcomes of a table add up to the challenge's four counts."""
    truth = pd.Series(["1 volt", "1 volt", "1 volt", "", "", "2 watt"])
    prediction = pd.Series(["1.0 volt", "2 volt", "", "1 volt", "", "2 kilowatt"])
    names = name_outcomes(truth, prediction)
    assert set(names) == set(OUTCOMES)
    assert count_outcomes(names) == Outcomes(tp=1, fp=3, fn=1, tn=1)


def test_name_losses():
    """A miss without an image or without text is laid on the stage that lost it."""
    names = pd.Series(["missed", "missed", "missed", "right", "rightly empty"])
    downloaded = pd.Series([False, True, True, True, False])
    read = pd.Series([False, False, True, True, False])
    losses = name_losses(names, downloaded, read)
    assert losses.tolist() == ["not downloaded", "not read", "missed", "right", "rightly empty"]
    counts = count_losses(losses)
    assert tuple(counts.index) == LOSSES
    assert counts.sum() == len(names)


def test_confuse_units():
    """Only samples with a true and a predicted unit are counted, true units in rows."""
    truth = pd.Series(["1 inch", "1 inch", "", "3 foot", "1 to 2 inch"])
    prediction = pd.Series(["1 inch", "1 foot", "1 inch", "", "1 inch"])
    table = confuse_units(truth, prediction)
    assert table.loc["inch", ["foot", "inch"]].tolist() == [1, 1]
    assert table.to_numpy().sum() == 2
    nothing = pd.Series([], dtype=str)
    assert confuse_units(nothing, nothing).empty


SAMPLES = pd.DataFrame({"index": ["7", "9"], "entity_name": ["width", "voltage"]})


def test_check_predictions_passes():
    """Answers in the official form and empty ones pass, with an index of numbers too."""
    check_predictions(pd.DataFrame({"index": [7, 9], "prediction": ["1.5 inch", ""]}), SAMPLES)


@pytest.mark.parametrize(
    ("index", "prediction", "message"),
    [
        (["7"], ["1 inch"], "1 predictions for 2 samples"),  # a row is missing
        (["9", "7"], ["", ""], "Row 0 has index 9; expected 7"),  # order
        (["7", "9"], ["", "5 inch"], "Row 1 .index 9.*'inch' is not allowed for voltage"),
        (["7", "9"], ["1e3 inch", ""], "Row 0 .*is not a number"),  # an exponent
        (["7", "9"], ["1,5 inch", ""], "is not a number"),  # a decimal comma
        (["7", "9"], ["1-2 inch", ""], "is not a number"),  # a range
        (["7", "9"], ["1.5inch", ""], "is not a number"),  # no space
        (["7", "9"], [None, ""], "is not text"),
        (["7", "9"], [" ", ""], "is not a number"),  # blank is not empty
        (["7", "9"], ["1 Inch", ""], "'Inch' is not allowed"),  # units are lower case
    ],
)
def test_check_predictions_fails(index, prediction, message):
    """A table the challenge would refuse is refused, naming the row."""
    frame = pd.DataFrame({"index": index, "prediction": prediction})
    with pytest.raises(ValueError, match=message):
        check_predictions(frame, SAMPLES)


def test_check_predictions_lacks_column():
    """A table without predictions is refused."""
    with pytest.raises(ValueError, match="lack"):
        check_predictions(SAMPLES, SAMPLES)


@pytest.mark.challenge
@pytest.mark.skipif(not SCORER.is_file(), reason="the challenge's scorer is not here")
@pytest.mark.skipif(not (PHOTOS / "dev.csv").is_file(), reason="CHALLENGE_PHOTOS is not set")
def test_agrees_with_scorer():
    """Random predictions get the same score from the independent scorer, entity by entity."""
    spec = importlib.util.spec_from_file_location("score", SCORER)
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    rows = pd.read_csv(PHOTOS / "labelled.csv", dtype=str, keep_default_na=False)
    predicted = _predict_at_random(rows)
    said = dict(zip(rows["index"], predicted, strict=True))
    expected = scorer.score(said, rows.drop(columns="curated_value").to_dict("records"))
    names = name_outcomes(rows["entity_value"], predicted)
    for entity, wanted in expected["by_entity"].items():
        _compare(count_outcomes(names[rows["entity_name"] == entity]), wanted)
    _compare(count_outcomes(names), expected)


def _compare(counts, wanted):
    assert [counts.tp, counts.fp, counts.fn, counts.tn] == [
        wanted.get(name, 0) for name in ("TP", "FP", "FN", "TN")
    ]
    assert exact_match_f1(counts) == pytest.approx(wanted["f1"], abs=5e-5)


def _predict_at_random(rows):
    """Predict the truth, another print of it, another value, another unit, or nothing."""
    random = np.random.default_rng(0)
    said = []
    for truth, entity in zip(rows["entity_value"], rows["entity_name"], strict=True):
        value, _, unit = truth.partition(" ")
        other = random.choice(sorted(ENTITY_UNITS[entity]))
        choices = [truth, f"{value}0 {unit}", f"{random.uniform(0, 9):.5f} {unit}", ""]
        said.append(random.choice([*choices, f"{value} {other}"]))
    return pd.Series(said, index=rows.index)


def test_answer_that_breaks_has_no_unit(monkeypatch, caplog):
    """An error that nobody foresaw costs one answer its unit."""
    break_at(monkeypatch, "lib.evaluation.outcomes.read_unit", "2 volt")
    units = read_units(pd.Series(["1 inch", "2 volt", "3 watt"]))
    assert units.tolist() == ["inch", "", "watt"]
    assert "2 volt" in caplog.messages[0].splitlines()[0]


def test_stated_and_silent_questions_are_counted_apart():
    """An answer where nothing is stated is counted by itself, and `all` sums the entities."""
    named = [
        ("width", outcomes.RIGHT),
        ("width", outcomes.WRONG_UNIT),
        ("width", outcomes.INVENTED),
        ("width", outcomes.EMPTY),
        ("depth", outcomes.MISSED),
    ]
    table = outcomes.count_stated(pd.DataFrame(named, columns=["entity_name", "outcome"]))
    table = table.set_index("entity_name")
    assert list(table.index) == ["width", "depth", "all"]
    columns = ["stated", "right", "wrong", "missed", "not_stated", "answered"]
    assert table.loc["width", columns].tolist() == [2, 1, 1, 0, 2, 1]
    assert table.loc["depth", columns].tolist() == [1, 0, 0, 1, 0, 0]
    assert table.loc["all", columns].tolist() == [3, 1, 1, 1, 2, 1]
    assert table.loc["all", "share"] == 0.5 and np.isnan(table.loc["depth", "share"])


def test_no_question_has_no_stated_answer():
    """A run without truths has an empty table."""
    table = outcomes.count_stated(pd.DataFrame({"entity_name": [], "outcome": []}, dtype=str))
    assert table.empty
