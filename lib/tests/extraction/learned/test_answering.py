"""Tests of answering a run's samples: by which model, and who may vote on what."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.evaluation import Promise
from lib.extraction.answers import answer_samples, choose_by_rules
from lib.extraction.learned import answering, training
from lib.extraction.learned.answering import (
    answer_by_model,
    find_train_rows,
    label_rows,
    label_train_rows,
    measure_drift,
    open_model,
    promise_precision,
    read_study,
    select_rows,
    study_own_model,
)
from lib.extraction.learned.model import UNSEEN, read_model, write_model
from lib.extraction.learned.questions import (
    SOURCES,
    digest,
    join_rows,
    make_question,
    make_rows,
    write_rows,
)
from lib.extraction.learned.study import ABLATION, LEARNING
from lib.extraction.learned.training import fit_model
from lib.extraction.scan import scan_page
from lib.io import OWN_MODEL, write_table
from lib.parallel.item_errors import StageFault
from lib.tests.breaking import break_at
from lib.tests.drawing import page, word
from lib.tests.labelled import (
    FOLDS,
    answer_questions,
    label_questions,
    make_questions,
    make_samples,
)

SAMPLES, SCANS = make_samples(range(30))
SHIPPED_ROWS = label_questions(range(20, 50), prefix="shipped ")
BREAKS = "lib.extraction.learned.questions.describe_candidates"


@pytest.fixture(autouse=True)
def _shipped(monkeypatch, tmp_path, model):
    """Let forty rows be enough; put a small model and a few rows in the place of the shipped."""
    write_model(replace(model, card={"name": "shipped"}), tmp_path / "shipped.npz")
    write_rows(SHIPPED_ROWS, tmp_path / "rows.npz")
    monkeypatch.setattr(answering, "SHIPPED", tmp_path / "shipped.npz")
    monkeypatch.setattr(answering, "SHIPPED_ROWS", tmp_path / "rows.npz")
    monkeypatch.setattr(answering, "MIN_TRAIN_ROWS", 40)


@pytest.fixture
def data_dir(tmp_path, model):
    """A folder of data with the user's own model, and another model beside it."""
    folder = tmp_path / "data"
    write_model(replace(model, card={"name": "own"}), folder / OWN_MODEL)
    write_model(replace(model, card={"name": "named"}), folder / "named.npz")
    return folder


def test_few_train_rows_are_answered_by_the_shipped_model(tmp_path):
    """Nothing is fitted on them."""
    few = SAMPLES[:39]
    assert open_model("", tmp_path, label_train_rows(few, SCANS)).card == {"name": "shipped"}


def test_users_model_comes_before_the_shipped_one(data_dir):
    """A model that the user has fitted is used without being asked for."""
    assert open_model("", data_dir, label_train_rows(SAMPLES[:39], SCANS)).card == {"name": "own"}


@pytest.mark.parametrize("rows", [0, 39, len(SAMPLES)])
def test_named_model_comes_before_all(data_dir, rows):
    """A model that is named is used, whatever else there is."""
    name = str(data_dir / "named.npz")
    assert open_model(name, data_dir, label_train_rows(SAMPLES[:rows], SCANS)).card == {
        "name": "named"
    }


def test_named_model_must_be_there(data_dir):
    """No other model answers for one that is missing or damaged."""
    with pytest.raises(FileNotFoundError):
        open_model(str(data_dir / "none.npz"), data_dir, label_train_rows(SAMPLES, SCANS))
    (data_dir / "named.npz").write_bytes(b"")
    with pytest.raises(ValueError, match="damaged"):
        open_model(str(data_dir / "named.npz"), data_dir, label_train_rows(SAMPLES, SCANS))


def test_damaged_model_of_the_user_is_not_passed_over(data_dir):
    """The shipped one would answer otherwise than the user expects."""
    (data_dir / OWN_MODEL).write_bytes(b"noise")
    with pytest.raises(ValueError, match=OWN_MODEL):
        open_model("", data_dir, label_train_rows(SAMPLES[:39], SCANS))


def test_enough_train_rows_make_their_own_model(data_dir):
    """It is fitted on them and the shipped rows, and answers each by trees that do not know it."""
    unseen, scans = make_samples(range(60, 66), "test")
    unseen["sample_id"] += 100
    asked = pd.concat([SAMPLES, unseen], ignore_index=True)
    model = open_model("", data_dir, label_train_rows(asked, SCANS | scans))
    assert model.card == {}
    names = set(model.names.tolist())
    assert names == {
        digest(name)
        for name in (*SAMPLES["sha256"], *SAMPLES["group_id"])
    } | set(SHIPPED_ROWS.image.tolist()) | set(SHIPPED_ROWS.group.tolist())  # fmt: skip
    answers = answer_by_model(asked, SCANS | scans, model)["learned"]
    own, others = answers[: len(SAMPLES)], answers[len(SAMPLES) :]
    assert (others["fold"] == UNSEEN).all()
    assert set(own["fold"]) == set(range(FOLDS))
    assert own["fold"].groupby(SAMPLES["group_id"]).nunique().eq(1).all()
    assert own["sample_id"].tolist() == SAMPLES["sample_id"].tolist()
    right = answers["prediction"] == asked["entity_value"]
    assert right[: len(SAMPLES)].mean() > 0.8 and right[len(SAMPLES) :].mean() > 0.8


NO_LABELS = [
    ({"split": "test"}, "rows of the test table"),
    ({"has_truth": False}, "rows without a truth"),
    ({"sha256": "unread"}, "images that were not read"),
]


@pytest.mark.parametrize(("changes", "reason"), NO_LABELS)
def test_other_rows_are_not_fitted_on(changes, reason):
    """Only train rows with a truth and a readable image teach anything."""
    half = np.arange(len(SAMPLES)) % 2 == 0
    mixed = SAMPLES.copy()
    mixed.loc[half, list(changes)] = list(changes.values())
    assert find_train_rows(mixed, SCANS).tolist() == np.flatnonzero(~half).tolist(), reason


def test_a_long_train_table_is_cut_at_random(monkeypatch):
    """So many rows are fitted on at most, in their order, and others with another seed."""
    monkeypatch.setattr(answering, "MAX_TRAIN_ROWS", 10)
    rows = np.arange(5, 60)
    chosen = select_rows(rows, 0)
    assert len(set(chosen)) == 10 and set(chosen) <= set(rows)
    assert (np.diff(chosen) > 0).all()
    assert chosen.tolist() != select_rows(rows, 1).tolist()
    assert select_rows(rows[:7], 0).tolist() == rows[:7].tolist()


def test_rows_too_alike_are_answered_by_a_stored_model(tmp_path, caplog):
    """Where no model can be fitted, a stored one answers, and the log says why."""
    nothing = SHIPPED_ROWS.select(np.arange(0))
    write_rows(nothing, tmp_path / "rows.npz")
    model = open_model("", tmp_path, label_train_rows(SAMPLES.assign(group_id="g"), SCANS))
    assert model.card == {"name": "shipped"}
    assert "only 1 of them are independent" in caplog.text
    assert "A stored model answers." in caplog.text


def test_own_label_replaces_the_shipped_one(tmp_path):
    """Where both label a question, the run's truth counts."""
    write_rows(label_questions(range(30)), tmp_path / "rows.npz")
    wrong = SAMPLES.assign(entity_value="77.0 gram")
    rows = label_train_rows(wrong, SCANS)
    assert len(rows) == len(SAMPLES)
    assert {list(SOURCES)[i] for i in rows.source} == {"user"}
    assert not rows.right.any() and rows.stated.all()


def remember(numbers, prefix=""):
    """Label questions so that nothing but having seen their image or group helps to answer them.

    All pages are alike but for their numbers, and a random one of three weights is right.
    """
    random = np.random.default_rng(0)
    questions, truths = [], []
    for number in numbers:
        lines = [word(f"{value} g", 0, 40 * i) for i, value in enumerate(random.integers(9, 99, 3))]
        scan = scan_page(page(*lines))
        names = f"{prefix}image {number}", f"{prefix}group {number}"
        questions.append(make_question(scan, "item_weight", *names))
        right = questions[-1].candidates[random.integers(0, len(questions[-1].candidates))]
        truths.append([str(right.quantity)] if number % 4 else [])
    return questions, truths


def count_right(questions, truths, model):
    """Count the questions with an answer whose likeliest candidate is that answer."""
    estimates = model.estimate(questions)
    best = [
        str(question.candidates[estimate.right.argmax()].quantity)
        for question, estimate in zip(questions, estimates, strict=True)
    ]
    return np.mean([own == [said] for own, said in zip(truths, best, strict=True) if own])


LEAKS = [
    ("image {}", "group {}", "the same image and group"),
    ("image {}", "", "the same image, its group not known"),
    ("image {}", "another group {}", "the same image in another group"),
    ("another image {}", "group {}", "another image of the group"),
]


@pytest.mark.parametrize(("image", "group", "reason"), LEAKS)
def test_planted_leak_is_caught(image, group, reason, monkeypatch):
    """Labels that can only be remembered are not, under whatever name an image comes back."""
    monkeypatch.setattr(training, "MIN_LEAF", 1)
    monkeypatch.setattr(training, "TREES", 15)
    questions, truths = remember(range(100))
    model = fit_model(make_rows(questions, truths, ["dev"] * 100))
    again = [
        replace(question, image=image.format(number), group=group.format(number))
        for number, question in enumerate(questions)
    ]
    blind = replace(model, names=model.names[:0], folds=model.folds[:0])
    assert count_right(again, truths, blind) > 0.9, reason  # what a leak would look like
    assert count_right(again, truths, model) < 0.6, reason


def test_image_of_the_shipped_rows_is_known_by_its_content(data_dir):
    """A test image that the shipped rows hold is answered by trees that have not seen it."""
    leak, scans = make_samples([60], "test")
    rows = join_rows(SHIPPED_ROWS, label_questions([60], prefix=""))
    write_rows(rows, data_dir.parent / "rows.npz")
    leak = leak.assign(image_link="elsewhere/under another name.png", group_id="another group")
    asked = pd.concat([SAMPLES, leak.assign(sample_id=[100, 101])], ignore_index=True)
    answers = answer_by_model(
        asked, SCANS | scans, open_model("", data_dir, label_train_rows(asked, SCANS | scans))
    )
    assert (answers["learned"]["fold"][-2:] != UNSEEN).all()


def test_broken_page_costs_only_its_rows(monkeypatch, caplog, tmp_path):
    """A page that breaks while rows are made teaches nothing, and is answered with nothing."""
    whole = label_rows(SAMPLES, SCANS)
    break_at(monkeypatch, BREAKS, "Net weight 105 g")
    rows = label_rows(SAMPLES, SCANS)
    assert len(rows) == len(whole) - 1
    kept = whole.image != digest("label 5")
    assert rows.image.tolist() == whole.image[kept].tolist()
    model = open_model("", tmp_path, label_train_rows(SAMPLES, SCANS))
    assert model.card == {} and digest("label 5") not in model.names
    caplog.clear()
    answers = answer_by_model(SAMPLES, SCANS, model)["learned"]
    is_broken = answers["reason"].str.startswith("internal error")
    assert SAMPLES["sha256"][is_broken].tolist() == ["label 5"]
    assert answers["prediction"][is_broken].tolist() == [""]
    assert (answers["prediction"] != "").sum() > 25
    assert caplog.messages[0].startswith("label 5.jpg (train sample 10): internal error: KeyError")


def test_question_that_breaks_the_model_costs_only_itself(model, monkeypatch):
    """Where all in one go fails, each is asked alone; the others are answered as always."""
    asked = make_questions([1, 2])
    before = [choice.prediction for choice in answer_questions(asked, model)]
    break_at(monkeypatch, "lib.extraction.learned.model.Model.estimate", "Net weight 102 g")
    after = answer_questions(asked, model)
    assert [choice.prediction for choice in after] == [*before[:2], "", before[3]]
    assert after[2].reason == "internal error: KeyError: 'broken'"


@pytest.mark.parametrize("rows", [[3], range(len(SAMPLES))], ids=["one row", "all rows"])
@pytest.mark.parametrize("entity", ["colour", ""], ids=["an unknown question", "an empty row"])
def test_row_that_cannot_be_asked_is_no_internal_error(model, caplog, entity, rows):
    """A row of the table without a question of ours has no answer; the others keep theirs."""
    samples = SAMPLES.copy()
    samples.loc[list(rows), "entity_name"] = entity
    answers = answer_by_model(samples, SCANS, model)["rules"]
    expected = answer_by_model(SAMPLES, SCANS, model)["rules"]["prediction"]
    expected[list(rows)] = ""
    assert answers["prediction"].tolist() == expected.tolist()
    assert not answers["reason"].str.startswith("internal error").any()
    assert not caplog.messages


def test_fault_of_all_rows_ends_the_stage(model, monkeypatch):
    """Where every sample meets the same error it is not theirs."""
    break_at(monkeypatch, BREAKS, "")
    with pytest.raises(StageFault, match="all 60 items"):
        answer_by_model(SAMPLES, SCANS, model)


def test_order_and_batches_change_nothing(model, monkeypatch):
    """Each sample has the same answer wherever it stands in the table."""
    expected = answer_by_model(SAMPLES, SCANS, model)
    monkeypatch.setattr("lib.extraction.page_scans.BATCH_SIZE", 7)
    mixed = SAMPLES.sample(frac=1, random_state=0)
    for method, found in answer_by_model(mixed, SCANS, model).items():
        assert found["sample_id"].tolist() == mixed["sample_id"].tolist()
        back = found.sort_values("sample_id", ignore_index=True)
        pd.testing.assert_frame_equal(back, expected[method])


def test_no_samples_make_an_empty_table(model):
    """An empty table has the columns of a full one."""
    empty, full = (answer_by_model(SAMPLES[:rows], SCANS, model) for rows in (0, 9))
    for method in ("rules", "learned"):
        assert len(empty[method]) == 0
        assert empty[method].dtypes.to_dict() == full[method].dtypes.to_dict()


def test_rules_answer_as_always_and_the_model_says_how_surely(model):
    """The rules' answers do not change; their probability is the model's."""
    found = answer_by_model(SAMPLES, SCANS, model)
    alone = answer_samples(SAMPLES, SCANS, choose_by_rules)
    rules, learned = found["rules"], found["learned"]
    own = ["sample_id", "sha256", "prediction", "reason", "runner_up", "surface", "x1", "y3"]
    pd.testing.assert_frame_equal(rules[own], alone[own])
    assert rules["stated"].tolist() == learned["stated"].tolist()
    same = rules["prediction"] == learned["prediction"]
    assert same.sum() > 30
    assert rules["probability"][same].tolist() == learned["probability"][same].tolist()
    assert (rules["fold"] == learned["fold"]).all()


def test_silence_says_why(model):
    """No image, no candidate, too low a probability: each has its reason."""
    questions = [
        make_question(None, "width"),
        make_question(scan_page(page()), "width"),
        *make_questions([60], "unseen "),
    ]
    choices = answer_questions(questions, model)
    assert [choice.prediction for choice in choices] == [""] * 4
    assert [choice.reason for choice in choices[:2]] == [
        "the image could not be read", "no quantity in a fitting unit",
    ]  # fmt: skip
    assert choices[2].reason.startswith("5.0 gram is right with a probability of ")
    assert choices[2].runner_up == "5.0 gram"
    assert np.isnan(choices[0].stated) and 0 <= choices[1].stated <= 1


def test_answer_tells_where_it_was_read_and_what_came_next(model):
    """The first print answers, the rival value is the runner-up with its own probability."""
    scan = scan_page(page(word("Dose 5 ml", 0, 0), word("Net weight 6.1 oz (173 g)", 0, 40)))
    choice = answer_questions([make_question(scan, "item_weight")], model)[0]
    assert choice.prediction == "6.1 ounce"
    assert choice.candidate.placed.mention.surface == "6.1 oz"
    assert choice.runner_up == "" and choice.runner_up_probability == 0
    label = make_questions([61], "unseen ")[0]
    choice = answer_questions([label], model)[0]
    assert (choice.prediction, choice.runner_up) == ("161.0 gram", "6.0 gram")
    assert choice.runner_up_probability < choice.probability


def make_promises(model, count, source):
    """Give a model so many answers of which none was wrong."""
    return replace(
        model,
        confidence=np.linspace(0.5, 1, count).astype(np.float32),
        right=np.ones(count, bool),
        cluster=np.arange(count, dtype=np.int32),
        source=np.full(count, list(SOURCES).index(source), np.int8),
    )


@pytest.mark.parametrize(
    ("count", "source", "kept", "reason"),
    [
        (400, "dev", True, "enough trusted labels"),
        (400, "user", True, "the user's own count as well"),
        (20, "dev", False, "too few"),
        (400, "labelled", False, "disputable labels prove nothing"),
        (0, "dev", False, "no answer at all"),
    ],
)
def test_promise_rests_on_trusted_labels(model, count, source, kept, reason):
    """A threshold comes from trusted answers alone, and is missing where they are too few."""
    promise = promise_precision(make_promises(model, count, source), 0.95)
    assert isinstance(promise, Promise)
    assert (promise.threshold is not None) == kept, reason
    assert promise.rows == (count if source in ("dev", "user") else 0)


def test_drift_is_that_of_the_candidates(model, monkeypatch):
    """All samples are compared, or random ones of many; without one nothing is known."""
    features = np.concatenate([question.features for question in make_questions(range(30))])
    whole = measure_drift(SAMPLES, SCANS, model)
    assert whole == model.measure_drift(features)
    assert measure_drift(SAMPLES[:0], SCANS, model) is None
    assert measure_drift(SAMPLES.assign(sha256=""), SCANS, model) is None
    monkeypatch.setattr(answering, "DRIFT_ROWS", 20)
    assert measure_drift(SAMPLES, SCANS, model) == measure_drift(SAMPLES, SCANS, model) != whole
    assert measure_drift(SAMPLES, SCANS, model, seed=1) != measure_drift(SAMPLES, SCANS, model)


def test_few_rows_are_not_studied():
    """Below the rows that a fit takes there is nothing to say, in tables of the right form."""
    curve, parts = study_own_model(label_train_rows(SAMPLES[:39], SCANS))
    assert (curve.columns.tolist(), parts.columns.tolist()) == (LEARNING, ABLATION)
    assert curve.empty and parts.empty


def test_rows_too_alike_are_not_studied(tmp_path, caplog):
    """Where no model can be fitted, the log says why there is no curve."""
    write_rows(SHIPPED_ROWS.select(np.arange(0)), tmp_path / "rows.npz")
    curve, parts = study_own_model(label_train_rows(SAMPLES.assign(group_id="g"), SCANS))
    assert curve.empty and parts.empty
    assert "There is no learning curve." in caplog.text


def test_own_rows_are_studied(caplog):
    """Enough train rows give a learning curve of them and the shipped ones."""
    with caplog.at_level(logging.WARNING):
        curve, parts = study_own_model(label_train_rows(SAMPLES, SCANS))
    whole = len(SAMPLES) + len(SHIPPED_ROWS)
    assert curve["rows"].iloc[-1] + curve["judged"].iloc[-1] == whole
    assert len(parts) and not caplog.messages


@pytest.mark.parametrize(
    ("own", "whose"),
    [
        (1, "fitted in this run"),
        (0, "comes with the project"),  # too few train rows leave empty tables
        (None, "comes with the project"),  # an unfinished run has none
    ],
)
def test_study_is_of_the_model_that_counts(own, whose, tmp_path):
    """A run's own study is read where there is one, else that of the shipped model."""
    for name, columns in (("learning_curve", LEARNING), ("ablation", ABLATION)):
        if own is not None:
            table = pd.DataFrame([[0.5] * len(columns)] * own, columns=columns)
            write_table(table, tmp_path / f"tables/{name}.parquet")
    said, curve, parts = read_study(tmp_path)
    assert whose in said
    assert (curve.columns.tolist(), parts.columns.tolist()) == (LEARNING, ABLATION)
    assert (curve["f1"] == 0.5).all() == bool(own) and len(parts)


def test_shipped_model_is_the_default(tmp_path):
    """What comes with the project is what `read_model` reads."""
    assert (
        open_model("", tmp_path, label_train_rows(SAMPLES[:0], {})).digest()
        == read_model(answering.SHIPPED).digest()
    )


def test_answers_at_the_threshold_stay(model):
    """A run's answers are as sure as the labelled ones that the threshold comes from."""
    sure = np.float32(0.996077)
    labelled = replace(make_promises(model, 400, "dev"), confidence=np.full(400, sure))
    labelled = replace(labelled, right=np.ones(400, bool))
    assert promise_precision(labelled, 0.99).threshold <= 0.996077
