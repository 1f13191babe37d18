"""Tests of fitting: the same from the same rows, honest about what it has seen, and tough."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.tree import ExtraTreeClassifier
from threadpoolctl import threadpool_limits

from lib.extraction.learned import training
from lib.extraction.learned.features import FEATURES
from lib.extraction.learned.model import UNSEEN
from lib.extraction.learned.questions import NOTHING, QUESTION_FIELDS, SOURCES, digest
from lib.extraction.learned.scores import score_table, tabulate_outcomes
from lib.extraction.learned.study import answer_unseen
from lib.extraction.learned.training import (
    answer_rows,
    calibrate,
    choose_rows,
    deal_folds,
    fit_forest,
    fit_logistic,
    fit_model,
    make_forests,
    vote,
)
from lib.tests.labelled import CANDIDATES, FOLDS, make_numbers, pair_images

ROWS = make_numbers()
AGAIN = """
from pytest import MonkeyPatch
from lib.extraction.learned.training import fit_model
from lib.tests.labelled import make_numbers, shrink
with MonkeyPatch.context() as patch:
    shrink(patch)
    print(fit_model(make_numbers()).digest())
"""


def precision_of(rows, answers):
    """Return the share of the stated answers whose best candidate is right."""
    return answers["learned"].mark_right(rows)[rows.stated].mean()


def test_fit_is_deterministic():
    """The same rows make the same model, with any number of threads; another seed another one."""
    digests = set()
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            digests.add(fit_model(ROWS).digest())
    assert len(digests) == 1
    assert fit_model(ROWS, seed=1).digest() not in digests


def test_fit_is_the_same_in_another_process():
    """Neither hash seed nor threads of a process are in the model."""
    done = subprocess.run(
        [sys.executable, "-c", AGAIN],
        env={"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == fit_model(ROWS).digest()


def test_calibration_keeps_the_order_of_votes():
    """The candidate with the most votes stays the likeliest, even where more votes are worse."""
    is_even = ROWS.question % 2 == 0
    votes = np.where(is_even, np.where(ROWS.right, 0.6, 0.5), np.where(ROWS.right, 0.1, 0.9))
    few, many = calibrate(ROWS, votes).estimate_right(np.array([0.1, 0.9]))
    assert few < many


SHARES = [  # trees of a fold, least candidates in a leaf, extremely randomised trees, reason
    (30, 8, 15, "as shipped"),
    (5, 1, 2, "an odd number, and leaves that cannot be smaller"),
]


@pytest.mark.parametrize(("trees", "leaf", "extra", "reason"), SHARES)
def test_half_the_trees_of_a_fold_split_at_random(trees, leaf, extra, reason, monkeypatch):
    """A fold has all of its trees, half of each kind, and all of them can be fitted."""
    monkeypatch.setattr(training, "TREES", trees)
    monkeypatch.setattr(training, "MIN_LEAF", leaf)
    fitted = [forest.fit(ROWS.features, ROWS.right) for forest in make_forests(0)]
    kinds = [isinstance(tree, ExtraTreeClassifier) for one in fitted for tree in one.estimators_]
    assert (len(kinds), sum(kinds)) == (trees, extra), reason


def test_labels_are_learned():
    """A feature that tells right from wrong is found, and the probabilities follow it."""
    model = fit_model(ROWS)
    others = make_numbers(seed=1)
    answers = answer_unseen(others, model)["learned"]
    assert answers.mark_right(others)[others.stated].mean() > 0.8  # 0.33 by chance
    right = answers.mark_right(others)
    assert answers.right[right].mean() > answers.right[~right].mean() + 0.3
    assert answers.stated[others.stated].mean() > answers.stated[~others.stated].mean() + 0.3
    assert score_table(tabulate_outcomes(others, answers))["f1"] > 0.8


def test_folds_keep_clusters_together():
    """Each row is in one fold, with all that share its image or group; folds are about equal."""
    clusters = np.random.default_rng(0).integers(0, 30, 200).astype(np.int32)
    folds = deal_folds(clusters, 5, 0)
    assert {len(set(folds[clusters == one])) for one in clusters} == {1}
    assert np.bincount(folds, minlength=5).min() > 20


def test_names_have_the_folds_of_their_rows():
    """The model knows each image and group, and which trees have not seen it."""
    model = fit_model(ROWS)
    folds = deal_folds(ROWS.clusters, FOLDS, 0)
    known = dict(zip(model.names.tolist(), model.folds.tolist(), strict=True))
    assert {known[image] for image in ROWS.image.tolist()} == set(range(FOLDS))
    for names in (ROWS.image, ROWS.group):
        assert [known[name] for name in names.tolist()] == folds.tolist()
    assert (np.diff(model.names.astype(object)) > 0).all() and 0 not in known


def test_own_rows_are_answered_by_trees_that_have_not_seen_them(monkeypatch):
    """Where labels can only be remembered, out-of-fold answers know nothing and own ones all."""
    monkeypatch.setattr("lib.extraction.learned.training.MIN_LEAF", 1)
    rows = make_numbers(150, noise=0)
    random = np.random.default_rng(2).normal(size=rows.features.shape)
    rows = replace(rows, features=random.astype(np.float32))
    folds = deal_folds(rows.clusters, FOLDS, 0)
    forest = fit_forest(rows, folds, 0)
    calibration = fit_model(rows).calibration
    honest = answer_rows(rows, forest, calibration, folds)
    leaking = answer_rows(rows, forest, calibration, np.full(len(rows), UNSEEN, np.int8))
    assert precision_of(rows, leaking) > 0.9
    assert precision_of(rows, honest) < 0.5


def test_images_of_several_questions_are_not_remembered(monkeypatch):
    """What was learned from one question about an image does not help with its others."""
    monkeypatch.setattr("lib.extraction.learned.training.MIN_LEAF", 1)
    rows = make_numbers(150)
    random = np.random.default_rng(2).normal(size=rows.features.shape)
    rows = pair_images(replace(rows, features=random.astype(np.float32)))
    honest, strangers = rows, replace(rows, image=make_numbers(150, seed=0).image)
    found = []
    for one in (honest, strangers):
        folds = deal_folds(one.clusters, FOLDS, 0)
        forest, calibration = fit_forest(one, folds, 0), fit_model(one).calibration
        found.append(precision_of(one, answer_rows(one, forest, calibration, folds)))
    assert found[0] < 0.5 < 0.7 < found[1]


def keep(rows, count):
    """Keep the first rows."""
    return rows.select(np.arange(count))


def share_group(rows):
    """Put all images into one group."""
    return replace(rows, group=np.full(len(rows), digest("g"), np.uint64))


def label_all(rows, right):
    """Let every candidate be right, or none."""
    stated = np.full(len(rows), right)
    return replace(rows, right=np.full(len(rows.right), right), stated=stated, required=stated)


def state_all(rows):
    """Keep the rows whose image states an answer."""
    return rows.select(np.flatnonzero(rows.stated))


def drop_candidates(rows):
    """Leave out all candidates."""
    nothing = {"question": 0, "measure": 0, "right": 0, "score": 0, "features": 0}
    return replace(rows, **{name: getattr(rows, name)[:0] for name in nothing})


POOR = [
    (keep(ROWS, 0), "only 0 of them are independent", "no row"),
    (keep(ROWS, 4), "only 4 of them are independent", "a row less than folds"),
    (share_group(ROWS), "only 1 of them are independent", "one group"),
    (label_all(ROWS, right=False), "0 of .* are right answers", "no candidate is right"),
    (label_all(ROWS, right=True), "are right answers", "every candidate is right"),
    (drop_candidates(ROWS), "0 of 0 candidates", "no page has a candidate"),
    (state_all(ROWS), "have the same outcome", "every image states an answer"),
]


@pytest.mark.parametrize(("rows", "said", "reason"), POOR)
def test_labels_that_teach_nothing_are_refused(rows, said, reason):
    """One line says what the labels lack and what to label."""
    with pytest.raises(ValueError, match=said) as caught:
        fit_model(rows)
    assert "\n" not in str(caught.value) and "Label" in str(caught.value), reason


def hide(rows, name):
    """Set a feature to the same value in all rows."""
    features = rows.features.copy()
    features[:, FEATURES.index(name)] = 7.0
    return replace(rows, features=features)


def contradict(rows):
    """Label each image twice, as it is and the other way round."""
    double = rows.select(np.arange(len(rows)))
    return replace(double, right=np.where(np.arange(len(rows.right)) % 2, rows.right, ~rows.right))


TOUGH = [
    (hide(ROWS, "confidence"), "a constant feature"),
    (replace(ROWS, features=np.zeros_like(ROWS.features)), "nothing but constant features"),
    (contradict(ROWS), "labels that contradict each other"),
    (replace(ROWS, entity=np.zeros(len(ROWS), np.int8)), "one entity"),
    (replace(ROWS, group=np.zeros(len(ROWS), np.uint64)), "no group"),
    (replace(ROWS, measure=np.zeros_like(ROWS.measure)), "all candidates print the same"),
    (replace(ROWS, source=np.full(len(ROWS), 4, np.int8)), "no label that is trusted"),
    (keep(ROWS, 12), "a dozen rows"),
]


@pytest.mark.parametrize(("rows", "reason"), TOUGH)
def test_odd_labels_do_not_break_a_fit(rows, reason):
    """A model comes out, whose probabilities are probabilities."""
    model = fit_model(rows)
    answers = answer_rows(
        rows, model.forest, model.calibration, deal_folds(rows.clusters, FOLDS, 0)
    )["learned"]
    for values in (answers.right, answers.stated):
        assert ((values >= 0) & (values <= 1)).all(), reason


@pytest.mark.parametrize("count", range(5, 10))
def test_a_handful_of_rows_fits_or_is_refused(count):
    """A few rows make a model or one line, never anything else."""
    try:
        model = fit_model(keep(ROWS, count))
    except ValueError as error:
        assert "Label" in str(error)
    else:
        assert len(model.names) == 2 * count


def test_rows_without_a_candidate_are_silent():
    """They are answered with nothing, and their answer may still be stated."""
    first = ROWS.question > 0
    names = ("question", "measure", "right", "score", "features")
    rows = replace(ROWS, **{name: getattr(ROWS, name)[first] for name in names})
    folds = deal_folds(rows.clusters, FOLDS, 0)
    forest = fit_forest(rows, folds, 0)
    votes = vote(rows, forest, folds)
    assert choose_rows(rows, votes)[0] == NOTHING
    answers = answer_rows(rows, forest, calibrate(rows, votes), folds)["learned"]
    assert (answers.right[0], answers.answered[0]) == (0, False)
    assert not answers.mark_right(rows)[0]


def test_trusted_labels_outvote_the_others():
    """One trusted label counts more than two disputable ones that say otherwise."""
    times = 3
    both = np.repeat(np.arange(len(ROWS)), times)
    places = (ROWS.starts[both][:, None] + np.arange(CANDIDATES)).ravel()
    score = ROWS.score.reshape(-1, CANDIDATES)
    lowest = (score == score.min(axis=1, keepdims=True)) & ROWS.stated[:, None]
    is_doubted = np.arange(times * len(ROWS)) % times > 0
    rows = replace(
        ROWS,
        **{name: getattr(ROWS, name)[both] for name in QUESTION_FIELDS},
        **{name: getattr(ROWS, name)[places] for name in ("measure", "score", "features")},
        question=np.repeat(np.arange(len(both), dtype=np.int32), CANDIDATES),
        right=np.where(is_doubted.repeat(CANDIDATES), lowest.ravel()[places], ROWS.right[places]),
    )
    doubted = replace(rows, source=np.where(is_doubted, list(SOURCES).index("labelled"), 1))
    found = []
    for one in (doubted, rows):
        unseen = make_numbers(seed=3)
        answers = answer_unseen(unseen, fit_model(one))["learned"]
        found.append(answers.mark_right(unseen)[unseen.stated].mean())
    assert found[0] > 0.7 > 0.5 > found[1]


def test_coefficients_weigh_their_rows():
    """Rows of weight 0 might as well be missing."""
    random = np.random.default_rng(0)
    features, truths = random.normal(size=(200, 2)), random.random(200) < 0.5
    weights = (np.arange(200) < 100).astype(float)
    some = fit_logistic(features[:100], truths[:100], weights[:100])
    assert fit_logistic(features, truths, weights) == pytest.approx(some, abs=0.002)


def test_answers_are_kept_for_promises():
    """The model holds what it answered out of fold: confidence, whether right, cluster and set."""
    model = fit_model(ROWS, card={"made": "here"})
    answers = answer_rows(
        ROWS, model.forest, model.calibration, deal_folds(ROWS.clusters, FOLDS, 0)
    )["learned"]
    given = answers.answered
    assert model.confidence == pytest.approx(answers.right[given])
    assert model.right.tolist() == answers.mark_right(ROWS)[given].tolist()
    assert model.cluster.tolist() == ROWS.clusters[given].tolist()
    assert model.source.tolist() == ROWS.source[given].tolist()
    assert model.card == {"made": "here"}
