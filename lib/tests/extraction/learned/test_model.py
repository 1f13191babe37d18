"""Tests of the model: probabilities, the decision, who may vote, and how it is stored."""

import json
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

from lib.extraction.learned.answering import SHIPPED_ROWS
from lib.extraction.learned.forest import Forest
from lib.extraction.learned.model import (
    ARRAYS,
    MAX_DRIFT,
    SHIPPED,
    UNSEEN,
    Calibration,
    choose_print,
    describe_votes,
    find_distance,
    log_odds,
    logistic,
    pool_votes,
    read_model,
    write_model,
)
from lib.extraction.learned.questions import NO_FEATURES, NOTHING, digest, make_question, read_rows
from lib.extraction.scan import scan_page
from lib.tests.drawing import page
from lib.tests.labelled import answer_label, answer_questions, make_questions

QUESTIONS = make_questions(range(60, 70), "unseen ")  # their images are in no model
NOWHERE = make_question(scan_page(page()), "width")
MAX_SIZE = 5_000_000  # bytes that the project ships of each


def check_same(one, other, questions=QUESTIONS):
    """Check that two models think the same of the questions."""
    pairs = zip(one.estimate(questions), other.estimate(questions), strict=True)
    for first, second in pairs:
        np.testing.assert_array_equal(first.right, second.right)
        assert (first.stated, first.fold) == (second.stated, second.fold)


def test_probabilities_are_probabilities(model):
    """Each lies in 0-1, one for each candidate and one for the question."""
    estimates = model.estimate([*QUESTIONS, NOWHERE])
    assert [len(one.right) for one in estimates] == [len(q.candidates) for q in QUESTIONS] + [0]
    values = np.concatenate([np.append(one.right, one.stated) for one in estimates])
    assert ((values >= 0) & (values <= 1)).all()


def test_unseen_questions_are_answered(model):
    """Net weight and depth are found, and nothing where nothing is stated."""
    found = [choice.prediction for choice in answer_questions(QUESTIONS, model)]
    assert found[0::2] == [answer_label(number) for number in range(60, 70)]


def test_batches_change_nothing(model):
    """A question is thought of alike, alone or among others."""
    for question, estimate in zip(QUESTIONS, model.estimate(QUESTIONS), strict=True):
        alone = model.estimate([question])[0]
        np.testing.assert_array_equal(alone.right, estimate.right)
        assert alone.stated == estimate.stated


FOLDS = [
    ("label 3", "labels 1", True, "image and group are known"),
    ("label 3", "", True, "the image in another group"),
    ("another", "labels 1", True, "another image of the group"),
    ("another", "others", False, "neither is known"),
    ("", "", False, "no name is no name"),
]


@pytest.mark.parametrize(("image", "group", "known", "reason"), FOLDS)
def test_fold_is_found_by_image_or_group(model, image, group, known, reason):
    """All names of one cluster have one fold, others have none."""
    expected = model.find_fold("label 2", "") if known else UNSEEN
    assert model.find_fold(image, group) == expected, reason
    assert model.find_fold("label 2", "") != UNSEEN


def test_names_beyond_the_last_are_unknown(model):
    """The search does not end on a neighbour's name, nor behind the end of the list."""
    for kept in (model.names[:0], model.names[:1]):
        some = replace(model, names=kept, folds=model.folds[: len(kept)])
        assert {some.find_fold(f"unseen {i}", "") for i in range(50)} == {UNSEEN}


def test_reprints_share_the_best_vote():
    """Candidates of one measure are as likely as the likeliest of them."""
    pooled = pool_votes(np.array([0.1, 0.8, 0.3]), np.array([0, 0, 2]))
    assert pooled.tolist() == [0.8, 0.8, 0.3]
    assert pool_votes(np.empty(0), np.empty(0, np.int16)).tolist() == []


def test_of_one_measure_the_best_print_answers():
    """The measure with the greatest vote wins, and of its prints the rules' favourite."""
    votes, measures = np.array([0.9, 0.2, 0.9]), np.array([0, 1, 0], np.int16)
    assert choose_print(votes, measures, (1.0, 9.0, 2.0), NOTHING) == 2
    assert choose_print(votes, measures, (2.0, 9.0, 1.0), 1) == 0  # that is another value
    assert choose_print(votes, measures, (2.0, 9.0, 1.0), 2) == 2  # the rules' own print


def test_votes_are_described_by_the_best_two_values():
    """Reprints of the best are no rival; no candidate is told from one without a vote."""
    described = describe_votes(np.array([0.6, 0.6, 0.3]), np.array([0, 0, 2], np.int16), 2)
    assert described[:3] == [1.0, 0.6, 0.3]
    assert described[5:] == [0, 0, 1, 0, 0, 0, 0, 0]
    nothing = describe_votes(np.empty(0), np.empty(0, np.int16), 0)
    assert nothing[0] == 0 and len(nothing) == len(described)


def test_certain_votes_stay_finite():
    """Neither 0 nor 1 becomes infinite on the way to a probability."""
    odds = log_odds(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(odds).all() and odds[1] == 0
    assert (np.diff(logistic(odds)) > 0).all()
    calibration = Calibration((2.0, -1.0), (0.0,) * 14)
    assert (np.diff(calibration.estimate_right(np.linspace(0, 1, 9))) >= 0).all()


def test_distance_is_that_of_scipy():
    """The largest gap between the shares up to a value, ties and unequal sizes included."""
    random = np.random.default_rng(0)
    for sizes in ((1, 1), (5, 300), (40, 40)):
        one, other = (random.integers(0, 9, size).astype(np.float32) for size in sizes)
        assert find_distance(one, other) == pytest.approx(ks_2samp(one, other).statistic)


def test_drift_tells_unlike_candidates(model):
    """The model's own candidates do not drift, like ones a little, others much."""
    like = np.concatenate([question.features for question in QUESTIONS])
    assert model.measure_drift(model.sample) == 0
    assert 0 < model.measure_drift(like) < MAX_DRIFT
    assert model.measure_drift(model.sample + 1000) == 1
    assert model.measure_drift(NO_FEATURES) is None


def test_stored_model_is_the_same(model, tmp_path):
    """Digest, card, coefficients and estimates come back; the same model makes the same bytes."""
    paths = [tmp_path / "new folder" / name for name in ("one.npz", "other.npz")]
    for path in paths:
        write_model(model, path)
    read = read_model(paths[0])
    assert (read.digest(), read.card, read.calibration) == (
        model.digest(), model.card, model.calibration,
    )  # fmt: skip
    check_same(read, model, [*QUESTIONS, *make_questions(range(5))])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_digest_names_all_of_a_model(model):
    """Two models that differ in anything have different digests."""
    slope = replace(model.calibration, answer=(9.0, 9.0))
    stated = replace(model.calibration, stated=(0.0,) * 14)
    others = [
        replace(model, card={"rows": 121}),
        replace(model, calibration=stated),
        replace(model, calibration=slope),
        replace(model, forest=replace(model.forest, value=1 - model.forest.value)),
        replace(model, folds=model.folds[::-1]),
        replace(model, right=~model.right),
    ]
    assert len({one.digest() for one in [model, *others]}) == len(others) + 1


def test_model_that_cannot_be_written_leaves_the_old_one(model, tmp_path, monkeypatch):
    """A disk that fills up while a model is written costs the new one alone."""
    path = tmp_path / "model.npz"
    write_model(model, path)

    def fill_up(file, **arrays):
        file.write(b"half a model")
        raise OSError("No space left on device")

    monkeypatch.setattr("lib.extraction.learned.model.np.savez", fill_up)
    with pytest.raises(OSError, match="No space"):
        write_model(replace(model, card={}), path)
    assert read_model(path).digest() == model.digest()
    assert [found.name for found in tmp_path.iterdir()] == ["model.npz"]


def change(path, **changes):
    """Write the arrays of a model again, some of them changed; None leaves one out."""
    with np.load(path) as arrays:
        found = {name: arrays[name] for name in arrays.files} | changes
    with path.open("wb") as file:
        np.savez(file, **{name: value for name, value in found.items() if value is not None})


def describe(path, **changes):
    """Change what a model's file says of the model."""
    with np.load(path) as arrays:
        described = json.loads(str(arrays["described"])) | changes
    change(path, described=np.array(json.dumps(described)))


def replace_bytes(path, content):
    """Write something else in the place of a model."""
    path.write_bytes(content)


def save_one(path):
    """Write a single array, as `np.save` does."""
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


DAMAGE = [
    (lambda path: replace_bytes(path, b""), "empty"),
    (lambda path: replace_bytes(path, np.random.default_rng(0).bytes(5000)), "random bytes"),
    (lambda path: replace_bytes(path, b"index,prediction\n1,3 gram\n"), "a text"),
    (lambda path: replace_bytes(path, pickle.dumps({"model": 1})), "a pickle"),
    (lambda path: replace_bytes(path, b"PK\x05\x06" + bytes(18)), "an empty zip"),
    (save_one, "a single array"),
    (lambda path: change(path, described=None), "a zip of other arrays"),
    (lambda path: change(path, described=np.array("no JSON")), "a description that is none"),
    (lambda path: change(path, described=np.array("[1]")), "a description of another kind"),
    (lambda path: change(path, described=np.array({"a": 1})), "a pickle inside"),
    (lambda path: change(path, names=None), "no names"),
    (lambda path: change(path, **{"forest.value": None}), "no leaves"),
    (lambda path: describe(path, calibration={}), "no coefficients"),
    (lambda path: describe(path, calibration=None), "coefficients of another kind"),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("damage", "reason"), DAMAGE)
def test_damaged_and_foreign_files_are_refused(model, damage, reason, tmp_path):
    """One line names the file and says what to do, whatever is in it."""
    path = tmp_path / "model.npz"
    write_model(model, path)
    damage(path)
    with pytest.raises(ValueError, match=f"^{path} is damaged, or no file of this") as caught:
        read_model(path)
    assert "\n" not in str(caught.value), reason


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.5, 0.9, 0.999])
def test_truncated_model_is_refused(model, share, tmp_path):
    """A copy that was cut off anywhere is no model."""
    path = tmp_path / "model.npz"
    write_model(model, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=f"^{path} is damaged"):
        read_model(path)


def test_flipped_bits_change_nothing_or_are_refused(model, tmp_path):
    """A model that is read has the digest of the one that was written."""
    path = tmp_path / "model.npz"
    write_model(model, path)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in random.integers(0, len(whole), 200):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            assert read_model(path).digest() == model.digest()
        except ValueError as error:
            assert str(error).startswith(f"{path} is")
            refused += 1
    assert refused > 150


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 0}, "an older form"),
        ({"format": "9"}, "a newer form"),
        ({"features": ["score"]}, "other features"),
        ({"features": []}, "no features"),
    ],
)
def test_model_of_another_version_is_refused(model, changes, reason, tmp_path):
    """It is told from a damaged one, for it must be fitted again."""
    path = tmp_path / "model.npz"
    write_model(model, path)
    describe(path, **changes)
    with pytest.raises(ValueError, match=f"^{path} is a model of another version; fit it again$"):
        read_model(path)


def test_missing_model_is_missing(tmp_path):
    """A file that is not there is not called damaged; a folder is no model."""
    with pytest.raises(FileNotFoundError, match=r"model\.npz"):
        read_model(tmp_path / "model.npz")
    with pytest.raises(ValueError, match=f"^{tmp_path} is damaged"):
        read_model(tmp_path)


def test_every_array_is_stored():
    """The file's names are those of the dataclasses."""
    known = {one.name for one in fields(Forest)} | set(ARRAYS)
    assert not known & {"described", "forest", "calibration", "card"}


def test_the_shipped_model_answers():
    """The files that come with the project are small, and read a plain label and drawing."""
    shipped = read_model()
    assert SHIPPED.stat().st_size < MAX_SIZE and SHIPPED_ROWS.stat().st_size < MAX_SIZE
    asked = make_questions([1])
    answers = [choice.prediction for choice in answer_questions(asked, shipped)]
    assert answers == ["101.0 gram", "6.0 centimetre"]
    assert shipped.find_fold("label 1", "labels 0") == UNSEEN


def test_the_shipped_rows_are_those_of_the_model():
    """The model was fitted on the rows that come with it, and knows each image of them."""
    shipped, rows = read_model(), read_rows(SHIPPED_ROWS)
    assert set(rows.image.tolist()) <= set(shipped.names.tolist())
    assert digest("") not in shipped.names
