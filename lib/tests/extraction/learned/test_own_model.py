"""A model fitted on the user's labels and the shipped rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from lib.evaluation.labels import read_labels, save_labels
from lib.extraction.learned import own_model as module
from lib.extraction.learned.model import read_model
from lib.extraction.learned.own_model import cross_answer_both, fit_own_model, gather_rows
from lib.extraction.learned.questions import join_rows, write_rows
from lib.tests.labelled_run import ENTITY, make_shipped, tell_dose, tell_net, write_labelled_run


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """Fit few trees: what is tested does not depend on their number."""
    monkeypatch.setattr("lib.extraction.learned.training.TREES", 6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run over forty labels."""
    return write_labelled_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(autouse=True)
def shipped(monkeypatch, tmp_path):
    """Rows in place of the shipped ones, for which the net weight is right."""
    rows = make_shipped()
    write_rows(rows, tmp_path / "rows.npz")
    monkeypatch.setattr(module, "SHIPPED_ROWS", tmp_path / "rows.npz")
    return rows


def make_labels(tmp_path, tell=tell_dose, count=40, known=True, **changes):
    """Label the first images of the run; a tenth of them state nothing."""
    numbers = range(count)
    labels = pd.DataFrame(
        {
            "image_link": [f"images/{number}.jpg" for number in numbers],
            "group_id": [f"g{number // 2}" for number in numbers],
            "entity_name": ENTITY,
            "entity_value": ["" if number % 10 == 9 else tell(number) for number in numbers],
            "sha256": [f"sha{number}" if known else "" for number in numbers],
            "prediction": "",
        }
    ).assign(**changes)
    save_labels(tmp_path / "labels.csv", labels, by="ann")
    return read_labels(tmp_path / "labels.csv")


def test_habit_of_a_shop_is_learned(tmp_path, run):
    """Where the user's truth is the dose, not the net weight, the new model answers it."""
    fit = fit_own_model(make_labels(tmp_path), [run], tmp_path)
    total = fit.table.iloc[-1]
    assert total["entity"] == "all" and total["rows"] == fit.rows == 40
    assert total["f1_before"] < 0.2 < 0.8 < total["f1_after"]
    assert total["gained"] > 30 and total["lost"] == 0
    assert fit.gain.low > 0 and fit.path == tmp_path / "model.npz" and fit.path.is_file()
    assert fit.errors[1] < fit.errors[0] / 2
    assert "difference +0." in str(fit) and "Brier score" in str(fit)


def test_card_says_what_the_model_is(tmp_path, run):
    """Rows, names, dates, scores by set: in the file for programs, in the card for people."""
    fit = fit_own_model(make_labels(tmp_path), [run], tmp_path)
    card = read_model(fit.path).card
    assert card["rows"] == {"user": 40, "dev": 40} and card["labelled_by"] == ["ann"]
    assert [score["set"] for score in card["scores"]] == ["user", "dev"]
    assert all(score["low"] <= score["f1"] <= score["high"] for score in card["scores"])
    assert card["gain"]["level"] == 0.9
    text = (tmp_path / "model.md").read_text()
    _, header, body = text.split("---\n", 2)
    results = yaml.safe_load(header)["model-index"][0]["results"]
    assert [one["dataset"]["name"] for one in results] == ["user", "dev"]
    for part in ("Intended", "Out of scope", "| user | 40 |", "by ann, from 20", "90% interval"):
        assert part in body


@pytest.mark.parametrize(
    ("value", "low", "kept"),
    [
        (0.0, 0.0, True),  # nothing changes
        (0.01, -0.019, True),  # better, and at most a little worse
        (0.01, -0.02, False),  # it may be worse
        (-0.001, -0.001, False),  # worse
    ],
)
def test_model_that_may_be_worse_is_not_written(tmp_path, run, monkeypatch, value, low, kept):
    """The difference must be 0 or more, the lower end of its interval above -0.02."""
    compared = module.compare_fits

    def pretend(*values):
        table, gain = compared(*values)
        return table, replace(gain, value=value, low=low)

    monkeypatch.setattr(module, "compare_fits", pretend)
    fit = fit_own_model(make_labels(tmp_path), [run], tmp_path)
    assert (fit.path is not None) == kept
    assert (tmp_path / "model.npz").exists() == (tmp_path / "model.md").exists() == kept


def test_no_model_has_seen_the_rows_it_answers(tmp_path, run, shipped, monkeypatch):
    """Models that answer a fold know none of its images and groups, by whatever name."""
    own, _ = gather_rows(make_labels(tmp_path), [run])
    # Half of the user's images are shipped as well, and a shipped group is one of the user's.
    leak = replace(own.select(np.arange(20)), source=np.ones(20, np.int8))
    group = shipped.group.copy()
    group[5] = own.group[30]
    joined = join_rows(leak, replace(shipped, group=group))
    asked, fits = module.answer_unseen, []

    def check(rows, model):
        fits.append(model)
        assert not np.isin(np.concatenate([rows.image, rows.group]), model.names).any()
        return asked(rows, model)

    monkeypatch.setattr(module, "answer_unseen", check)
    before, after = cross_answer_both(own, joined)
    assert len(before.right) == len(after.right) == len(own) and len(fits) == 10


def test_answers_come_back_in_order(tmp_path, run, shipped):
    """Each row's answer is its own, though folds mix them."""
    own, _ = gather_rows(make_labels(tmp_path), [run])
    _, after = cross_answer_both(own, shipped)
    assert after.mark_right(own)[own.required].mean() > 0.8


def test_words_come_from_the_first_run_that_read_them(tmp_path, run):
    """Labels are found by sha256 or by link; images that no run has read are named."""
    labels = make_labels(tmp_path, known=False)
    other = write_labelled_run(tmp_path / "other", 45)
    new = labels.iloc[:1].assign(image_link="new.jpg", sha256="new")
    more = labels.iloc[:1].assign(image_link="images/44.jpg", sha256="")
    rows, unread = gather_rows(pd.concat([labels, new, more]), [run, other])
    assert len(rows) == 41 and unread == ["new.jpg"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 5}, "5 labelled rows are too few"),
        ({"entity_value": ""}, "None of the 40 labelled rows states an answer"),
        ({"group_id": "one"}, "only 1 of them are independent"),  # one product
        ({"sha256": [f"x{i}" for i in range(40)]}, "0 labelled rows are too few .* 40 labelled"),
    ],
)
def test_too_little_to_compare_is_an_error(tmp_path, run, changes, message):
    """The message counts what there is and says what to label; nothing is written."""
    labels = make_labels(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        fit_own_model(labels, [run], tmp_path)
    assert not (tmp_path / "model.npz").exists()


def test_labels_that_only_state_are_enough(tmp_path, run):
    """Rows without an answer come from the shipped rows."""
    labels = make_labels(tmp_path, entity_value=[tell_net(number) for number in range(40)])
    fit = fit_own_model(labels, [run], tmp_path)
    assert fit.rows == 40 and fit.gain.value >= 0


def test_damaged_record_is_named(tmp_path):
    """A run whose record names no engine cannot be read."""
    run = write_labelled_run(tmp_path / "run", 2)
    (run / "run.json").write_text("{")
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        gather_rows(make_labels(tmp_path, count=2), [run])
