"""Tests of cross-validation: no row is answered by a model that knows its image or group."""

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest

from lib.extraction.learned import study, training
from lib.extraction.learned.features import FAMILIES, FEATURES
from lib.extraction.learned.model import THRESHOLD
from lib.extraction.learned.questions import digest
from lib.extraction.learned.study import (
    ABLATION,
    LEARNING,
    SIZES,
    answer_unseen,
    cross_answer,
    hide_family,
    share_clusters,
    study_model,
)
from lib.extraction.learned.training import Answers, fit_model
from lib.tests.labelled import make_numbers, pair_images, shrink

ROWS = make_numbers(90)


@pytest.fixture(scope="module")
def crossed():
    """The rows answered out of fold."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        return cross_answer(ROWS)


def precision_of(rows, answers):
    """Return the share of the stated answers whose best candidate is right."""
    return answers["learned"].mark_right(rows)[rows.stated].mean()


def make_memories():
    """Make rows whose only useful features name the image: to be remembered, not understood."""
    rows = make_numbers(90)
    random = np.random.default_rng(5)
    features = np.zeros_like(rows.features)
    own = random.normal(size=(len(rows.right), 20))  # differs from candidate to candidate
    features[:, :20] = own
    return replace(rows, features=features.astype(np.float32))


def test_features_that_name_the_row_do_not_help(monkeypatch):
    """A model that remembers each row answers no better than by chance where it is judged."""
    monkeypatch.setattr(training, "MIN_LEAF", 1)
    rows = make_memories()
    leaking = answer_unseen(rows, fit_model(rows))
    assert precision_of(rows, leaking) > 0.9
    assert precision_of(rows, cross_answer(rows)) < 0.5


@pytest.mark.parametrize("key", ["image", "group"])
def test_twins_do_not_help(monkeypatch, key):
    """What one row of an image or group tells of another one is not used, nor are its answers."""
    monkeypatch.setattr(training, "MIN_LEAF", 1)
    twins = pair_images(make_memories())
    strangers = replace(twins, image=make_numbers(90).image)
    joined = {"image": twins, "group": replace(strangers, group=twins.image)}[key]
    assert precision_of(strangers, cross_answer(strangers)) > 0.7
    assert precision_of(joined, cross_answer(joined)) < 0.5


def test_no_fit_sees_the_rows_that_it_is_judged_on(monkeypatch):
    """Trees, calibration and the decision's aim come from other images and groups."""
    rows = replace(
        ROWS, group=np.array([digest(f"g{i // 3}") for i in range(len(ROWS))], np.uint64)
    )
    seen, judged = [], []

    def fit(train, *args):
        seen.append({*train.image.tolist(), *train.group.tolist()})
        return fit_model(train, *args)

    def answer(asked, model):
        judged.append({*asked.image.tolist(), *asked.group.tolist()})
        return answer_unseen(asked, model)

    monkeypatch.setattr(study, "fit_model", fit)
    monkeypatch.setattr(study, "answer_unseen", answer)
    answers = cross_answer(rows)
    assert len(seen) == len(judged) == study.FOLDS
    assert not any(own & others for own, others in zip(judged, seen, strict=True))
    assert set.union(*judged) == {*rows.image.tolist(), *rows.group.tolist()}
    assert {len(own.chosen) for own in answers.values()} == {len(rows)}


def test_answers_are_in_the_order_of_the_rows(crossed):
    """Each row's answer stands at its place, the same again, and the signal is found."""
    assert precision_of(ROWS, crossed) > 0.8
    again = cross_answer(ROWS)
    for method, own in crossed.items():
        for one in fields(Answers):
            np.testing.assert_array_equal(getattr(own, one.name), getattr(again[method], one.name))


def test_too_few_rows_are_refused():
    """Below a cluster for each fold there is nothing to validate on."""
    few = ROWS.select(np.arange(4))
    for work in (cross_answer, study_model):
        with pytest.raises(ValueError, match="independent"):
            work(few)


def test_the_rules_answers_are_as_noted():
    """A row that the rules leave open is not answered, others with the noted candidate."""
    rows = replace(ROWS, rules=np.where(np.arange(len(ROWS)) < 9, -1, ROWS.rules))
    answers = cross_answer(rows)["rules"]
    assert not answers.answered[:9].any() and answers.answered[9:].all()
    assert answers.chosen.tolist() == rows.rules.tolist()
    assert not answers.mark_right(rows)[:9].any()


def test_both_methods_have_the_models_confidence(crossed):
    """Where they choose the same candidate they are as sure; only the model keeps silent."""
    rules, learned = crossed["rules"], crossed["learned"]
    same = rules.chosen == learned.chosen
    assert same.sum() > 0 and (rules.right <= learned.right).all()
    assert rules.right[same].tolist() == learned.right[same].tolist()
    assert rules.stated.tolist() == learned.stated.tolist()
    assert learned.answered.tolist() == (learned.right >= THRESHOLD).tolist()
    assert rules.answered.all() and not learned.answered.all()


@pytest.fixture(scope="module")
def studied():
    """A learning curve and an ablation of few trees."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        return study_model(ROWS)


def test_curve_grows_and_is_judged_on_others(studied):
    """Each point takes more rows, judged on the same rows, which it has not seen."""
    curve, _ = studied
    assert curve.columns.tolist() == LEARNING and len(curve) == len(SIZES)
    assert curve["rows"].is_monotonic_increasing and curve["rows"].is_unique
    assert curve["judged"].nunique() == 1
    assert curve["rows"].iloc[-1] + curve["judged"].iloc[-1] == len(ROWS)
    assert ((curve["low"] <= curve["f1"]) & (curve["f1"] <= curve["high"])).all()
    assert curve["f1"].iloc[-1] > 0.8


def test_ablation_leaves_out_each_family(studied):
    """The family that holds the signal is missed, others are not; the rules stand beside."""
    curve, parts = studied
    assert parts.columns.tolist() == ABLATION
    expected = ["learned", *(f"without {family}" for family in FAMILIES), "rules"]
    assert parts["method"].tolist() == expected
    scores = parts.set_index("method")["f1"]
    assert scores["learned"] == curve["f1"].iloc[-1]
    others = scores[[f"without {family}" for family in FAMILIES if family != "rules"]]
    assert scores["without rules"] < others.min() - 0.2
    assert (parts["samples"] == curve["judged"].iloc[0]).all()
    areas = parts[["roc_area_low", "roc_area", "roc_area_high"]].dropna()
    assert len(areas) > len(FAMILIES) / 2
    assert (areas.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_shares_grow_by_whole_clusters():
    """A share holds the smaller ones, and no cluster in part."""
    rows = replace(
        ROWS, group=np.array([digest(f"g{i // 3}") for i in range(len(ROWS))], np.uint64)
    )
    shares = [set(own.tolist()) for own in share_clusters(rows, 0)]
    assert [len(own) for own in shares] == pytest.approx(
        [size * len(rows) for size in SIZES], abs=3
    )
    for smaller, larger in itertools.pairwise(shares):
        assert smaller < larger
    assert all({i // 3 for i in own} == {i // 3 for i in range(90) if i in own} for own in shares)
    assert all(len(own) == 3 * len({i // 3 for i in own}) for own in shares)


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_family_is_blank_and_the_rest_is_kept(family):
    """The features of a family are 0 in every row, no other one is."""
    hidden = hide_family(ROWS, family)
    own = np.isin(FEATURES, FAMILIES[family])
    assert not hidden.features[:, own].any()
    np.testing.assert_array_equal(hidden.features[:, ~own], ROWS.features[:, ~own])
    assert ROWS.features[:, own].any()
