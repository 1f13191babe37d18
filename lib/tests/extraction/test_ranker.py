"""Tests of the fitted ranker: features, probabilities, thresholds, storing."""

import math

import numpy as np
import pytest

from lib.extraction.ranking.cross_fitting import rank_questions
from lib.extraction.ranking.features import describe_candidates, list_features
from lib.extraction.ranking.ranker import DEFAULT, Ranker, make_question, read_ranker, write_ranker
from lib.extraction.ranking.training import choose_thresholds, fit_ranker, split_folds
from lib.extraction.scan import scan_page
from lib.tests.breaking import break_at
from lib.tests.drawing import page, turned_word, word

RANDOM = np.random.default_rng(0)


def label(number):
    """Draw a label whose net weight, not its dose, answers; a third of them do not say."""
    dose, net = word(f"Dose {number % 7 + 1} g", 0, 0), word(f"Net weight {100 + number} g", 0, 40)
    silent = number % 3 == 0
    scan = scan_page(page(dose) if silent else page(dose, net))
    return make_question(scan, "item_weight", [] if silent else [f"{100 + number}.0 gram"])


def drawing(number):
    """Draw a width and a height; the thing is as deep as wide where it looks round."""
    roundness = 0.9 if number % 2 else 0.05
    lines = word(f"{number + 5} cm", 200, 350), turned_word(f"{number + 90} cm", 40, 220)
    segments = np.array([[80, 345, 360, 345], [60, 40, 60, 340]], np.float32)
    scan = scan_page(page(*lines), segments, roundness)
    return make_question(scan, "depth", [f"{number + 5}.0 centimetre"] if number % 2 else [])


LABELS = [label(number) for number in range(60)]
DRAWINGS = [drawing(number) for number in range(60)]
QUESTIONS = [*LABELS, *DRAWINGS]
CLUSTERS = np.arange(len(QUESTIONS))


@pytest.fixture(scope="module")
def ranker():
    """A ranker fitted on the first forty of each."""
    rows = [*range(40), *range(60, 100)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.extraction.ranking.training.TREES", 30)
        return fit_ranker([QUESTIONS[i] for i in rows], CLUSTERS[rows])


def test_traits_have_the_listed_columns():
    """Each candidate has a number for each trait, and all are numbers."""
    for question in (LABELS[1], DRAWINGS[1]):
        features = question.features
        assert features.shape == (len(question.candidates), len(list_features(question.entity)))
        assert np.isfinite(features).all()


def test_unknown_roundness_is_no_number_that_misleads():
    """Without a roundness, the features are those of a product that is not round."""
    scan = scan_page(page(word("5 cm", 0, 0)), roundness=math.nan)
    assert np.isfinite(describe_candidates(scan, "depth")).all()


def test_unseen_questions_are_answered(ranker):
    """The net weight is chosen, silence kept, and a round thing is as deep as wide."""
    rows = [*range(40, 60), *range(100, 120)]
    asked = [QUESTIONS[i] for i in rows]
    choices = rank_questions(asked, ranker)
    for question, choice in zip(asked, choices, strict=True):
        expected = {choice.prediction.replace(".0", "")} - {""}
        assert expected == set(question.truths), choice
    assert all(choice.reason for choice in choices)


def test_probabilities_are_probabilities(ranker):
    """Each lies in 0-1, one for each candidate; no candidate, no probability."""
    nothing = make_question(scan_page(page()), "width")
    estimates = ranker.estimate([*QUESTIONS, nothing])
    assert [len(part) for part in estimates[:-1]] == [len(q.candidates) for q in QUESTIONS]
    assert len(estimates[-1]) == 0
    values = np.concatenate(estimates)
    assert ((values >= 0) & (values <= 1)).all()


def test_silence_says_why(ranker):
    """No image, no candidate, too low a probability: each has its reason."""
    questions = [make_question(None, "width"), make_question(scan_page(page()), "width"), LABELS[0]]
    reasons = [choice.reason for choice in rank_questions(questions, ranker)]
    assert reasons[0] == "the image could not be read"
    assert reasons[1] == "no quantity in a fitting unit"
    assert "are needed" in reasons[2]


def test_any_print_of_the_right_measure_is_right():
    """`12 fl oz (355 ml)`: where one print is the truth, the other is no error."""
    scan = scan_page(page(word("12 fl oz (355 ml)", 0, 0), word("5 ml", 0, 60)))
    right = make_question(scan, "item_volume", ["355.0 millilitre"]).right
    assert right.tolist() == [True, True, False]


def test_thresholds_follow_the_labels():
    """Where unsure answers are wrong the threshold rises above them; where right, it falls."""
    sure = [np.array([0.4]), np.array([0.9])] * 10
    wrong = [
        make_question(LABELS[1].scan, "item_weight", truths) for truths in ([], ["101.0 gram"])
    ] * 10
    estimates = [np.resize(part, len(q.candidates)) for part, q in zip(sure, wrong, strict=True)]
    for part, question in zip(estimates, wrong, strict=True):
        part[:] = part.max() * np.array([0.1, 1.0])[: len(question.candidates)]
    assert choose_thresholds(wrong, estimates)["item_weight"] > 0.4


def test_folds_keep_clusters_together():
    """No cluster is on both sides; each row is judged once."""
    clusters = RANDOM.integers(0, 12, 100)
    seen = []
    for rows, others in split_folds(clusters, 5, 0):
        assert not set(clusters[rows]) & set(clusters[others])
        seen += rows.tolist()
    assert sorted(seen) == list(range(100))


def test_too_little_to_fit_is_an_error():
    """The message counts what there is and names the way out."""
    with pytest.raises(ValueError, match="longer train table"):
        fit_ranker(LABELS[:2], CLUSTERS[:2])


def test_stored_ranker_estimates_alike(ranker, tmp_path):
    """A stored ranker gives the same probabilities and thresholds."""
    write_ranker(ranker, tmp_path / "ranker.skops")
    read = read_ranker(tmp_path / "ranker.skops")
    assert read.thresholds == ranker.thresholds
    for one, other in zip(read.estimate(QUESTIONS), ranker.estimate(QUESTIONS), strict=True):
        assert one == pytest.approx(other)


def test_the_shipped_ranker_answers():
    """The ranker that comes with the project reads a plain label and a plain drawing."""
    shipped = read_ranker()
    assert isinstance(shipped, Ranker) and DEFAULT.stat().st_size < 2_000_000
    answers = [choice.prediction for choice in rank_questions([LABELS[1], DRAWINGS[1]], shipped)]
    assert answers == ["101.0 gram", "6.0 centimetre"]


def test_question_that_breaks_the_ranker_costs_only_itself(ranker, monkeypatch):
    """Where all in one go fails, each is asked alone; the others are answered as always."""
    asked = LABELS[1:4]
    before = [choice.prediction for choice in rank_questions(asked, ranker)]
    break_at(
        monkeypatch, "lib.extraction.ranking.ranker.Ranker.estimate", str(asked[1].candidates[0])
    )
    after = rank_questions(asked, ranker)
    assert [choice.prediction for choice in after] == [before[0], "", before[2]]
    assert after[1].reason == "internal error: KeyError: 'broken'"
