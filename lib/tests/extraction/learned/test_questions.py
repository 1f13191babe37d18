"""Tests of questions and of labelled rows: what is right, joined, selected, stored."""

from dataclasses import fields, replace

import numpy as np
import pytest

from lib.extraction.learned.questions import (
    MAY_BE_EMPTY,
    NOTHING,
    QUESTION_FIELDS,
    SOURCES,
    LabelledRows,
    find_measures,
    join_rows,
    make_question,
    make_rows,
    read_rows,
    write_rows,
)
from lib.extraction.scan import scan_page
from lib.quantities import Quantity
from lib.tests.drawing import page, word
from lib.tests.labelled import label_questions, make_numbers, make_questions, scan_label

DUAL = scan_page(page(word("12 fl oz (355 ml)", 0, 0), word("5 ml", 0, 60)))
ROWS = label_questions(range(6))


def check_same(one, other):
    """Check that two tables of labelled rows are the same."""
    for field in fields(LabelledRows):
        first, second = getattr(one, field.name), getattr(other, field.name)
        assert first.dtype == second.dtype, field.name
        np.testing.assert_array_equal(first, second, err_msg=field.name)


@pytest.mark.parametrize(
    ("scan", "entity", "count", "reason"),
    [
        (None, "width", 0, "no image"),
        (scan_page(page()), "width", 0, "no word on it"),
        (DUAL, "width", 0, "no length on it"),
        (DUAL, "item_volume", 3, "three volumes"),
    ],
)
def test_question_has_a_row_for_each_candidate(scan, entity, count, reason):
    """Candidates, features, measures and scores are as many."""
    question = make_question(scan, entity, "image", "group")
    parts = (question.candidates, question.features, question.measures, question.scores)
    assert [len(part) for part in parts] == [count] * 4, reason
    assert (question.image, question.group) == ("image", "group")


def test_unknown_entity_is_refused():
    """A question that the challenge does not ask is an error, not an empty row."""
    with pytest.raises(ValueError, match="colour"):
        make_question(DUAL, "colour")


def test_reprints_have_one_measure():
    """The same volume in two units is one, another one is not."""
    question = make_question(DUAL, "item_volume")
    assert find_measures(question.candidates).tolist() == [0, 0, 2]


TRUTHS = [  # accepted answers, stated, required, right candidates, reason
    ([], False, False, [], "nothing is stated"),
    (["355.0 millilitre"], True, True, [], "the conversion is answered as its first print"),
    (["12.0 fluid ounce"], True, True, [0, 1], "any print of it is right"),
    (["12 Fluid  Ounce "], True, True, [0, 1], "written in another way"),
    (["5.0 millilitre", "12.0 fluid ounce"], True, True, [0, 1, 2], "two answers are accepted"),
    (["5.0 millilitre", MAY_BE_EMPTY], True, False, [2], "and so is silence"),
    ([MAY_BE_EMPTY], False, False, [], "nothing but silence"),
    (["", "5.0 millilitre"], True, True, [2], "an empty answer says nothing"),
    (["7.0 millilitre"], True, True, [], "stated, but not read"),
    (["no quantity"], True, True, [], "a truth that nothing can equal"),
]


@pytest.mark.parametrize(("accepted", "stated", "required", "right", "reason"), TRUTHS)
def test_truths_tell_what_is_right(accepted, stated, required, right, reason):
    """From the accepted answers follow what is stated, needed and right."""
    rows = make_rows([make_question(DUAL, "item_volume")], [accepted], ["dev"])
    assert (rows.stated.tolist(), rows.required.tolist()) == ([stated], [required]), reason
    assert np.flatnonzero(rows.right).tolist() == right, reason


def test_rows_of_nothing():
    """No question makes an empty table, which can be used as any other."""
    rows = make_rows([], [], [])
    assert len(rows) == 0 and rows.starts.tolist() == [0] and len(rows.clusters) == 0
    check_same(join_rows(rows, ROWS), ROWS)
    check_same(join_rows(ROWS, rows), ROWS)
    check_same(ROWS.select(np.arange(0)), rows)


def test_rules_are_noted():
    """The rules' choice is an index into the question's own candidates."""
    questions = [*make_questions([1]), make_question(scan_page(page()), "width")]
    rows = make_rows(questions, [[], [], []], ["dev"] * 3)
    assert rows.rules.tolist() == [1, 0, NOTHING]


def test_candidate_that_cannot_be_printed_is_wrong():
    """A fault of the parser costs its candidate, not all labelled rows."""
    question = make_question(DUAL, "item_volume")
    broken = replace(question.candidates[2], quantity=Quantity(float("inf"), "parsec"))
    scored = replace(question.scored, candidates=(*question.candidates[:2], broken))
    question = replace(question, scored=scored)
    rows = make_rows([question], [["12.0 fluid ounce", "5.0 millilitre"]], ["dev"])
    assert rows.right.tolist() == [True, True, False]


def test_unknown_set_of_labels_is_refused():
    """Each set has a weight, so it must be one of those."""
    with pytest.raises(ValueError, match="nobody's"):
        make_rows(make_questions([1]), [[], []], ["nobody's"] * 2)


def test_weights_are_those_of_the_sets():
    """Disputable labels count less, the user's own more."""
    rows = make_rows(make_questions([1]), [[], []], ["labelled", "user"])
    assert rows.weights.tolist() == [SOURCES["labelled"], SOURCES["user"]]
    assert SOURCES["labelled"] < SOURCES["dev"] < SOURCES["user"]


def test_rows_hold_neither_text_nor_names():
    """What the project ships of labelled images are numbers."""
    assert {getattr(ROWS, one.name).dtype.kind for one in fields(LabelledRows)} <= set("bfiu")


def test_parts_are_the_whole():
    """Selected rows keep their candidates; the parts joined are all rows."""
    first, second = ROWS.select(np.arange(0, 5)), ROWS.select(np.arange(5, len(ROWS)))
    assert (len(first), len(second)) == (5, len(ROWS) - 5)
    check_same(join_rows(first, second), ROWS)


@pytest.mark.parametrize("place", range(len(ROWS)))
def test_a_row_alone_keeps_its_candidates(place):
    """Whichever row is selected, its own candidates come with it."""
    one = ROWS.select(np.array([place]))
    start, end = ROWS.starts[place : place + 2]
    assert one.starts.tolist() == [0, end - start]
    np.testing.assert_array_equal(one.features, ROWS.features[start:end])
    assert {name: getattr(one, name)[0] for name in QUESTION_FIELDS} == {
        name: getattr(ROWS, name)[place] for name in QUESTION_FIELDS
    }


def test_the_first_label_of_a_question_counts():
    """A user's label replaces the shipped one of the same image and entity, and no other."""
    question = make_questions([1])[0]
    other = make_question(question.scan, "maximum_weight_recommendation", question.image)
    own = make_rows([question], [["1.0 gram"]], ["user"])
    shipped = make_rows([question, other], [["101.0 gram"], ["101.0 gram"]], ["dev", "dev"])
    joined = join_rows(own, shipped)
    sources = list(SOURCES)
    assert [sources[i] for i in joined.source] == ["user", "dev"]
    assert joined.question.tolist() == [0, 0, 1, 1]
    assert joined.right.tolist() == [False, False, False, True]


CLUSTERS = [  # images, groups, who belongs together
    (["a", "b", "c"], ["", "", ""], [0, 1, 2], "an unknown group is shared with nobody"),
    (["a", "b", "c"], ["g", "g", "h"], [0, 0, 1], "one group"),
    (["a", "a", "c"], ["g", "h", ""], [0, 0, 1], "one image in two groups"),
    (["a", "b", "b", "c"], ["g", "g", "h", "h"], [0, 0, 0, 0], "through others"),
]


@pytest.mark.parametrize(("images", "groups", "expected", "reason"), CLUSTERS)
def test_clusters_join_images_and_groups(images, groups, expected, reason):
    """Questions that share an image or a group are in one cluster, and no others."""
    pairs = zip(images, groups, strict=True)
    questions = [make_question(scan_label(1), "item_weight", *pair) for pair in pairs]
    rows = make_rows(questions, [[]] * len(questions), ["dev"] * len(questions))
    clusters = rows.clusters
    pairs = np.equal.outer(clusters, clusters).tolist()
    assert pairs == np.equal.outer(expected, expected).tolist(), reason


def test_stored_rows_are_the_same(tmp_path):
    """All arrays come back as they were, and the same rows make the same bytes."""
    for name in ("one.npz", "other.npz"):
        write_rows(ROWS, tmp_path / "new folder" / name)
    check_same(read_rows(tmp_path / "new folder/one.npz"), ROWS)
    one, other = (
        (tmp_path / "new folder" / name).read_bytes() for name in ("one.npz", "other.npz")
    )
    assert one == other


def test_rows_of_other_features_are_refused(tmp_path, monkeypatch):
    """Rows whose columns mean something else must be made again."""
    path = tmp_path / "rows.npz"
    with monkeypatch.context() as patch:
        patch.setattr("lib.extraction.learned.questions.FEATURES", ("another",))
        write_rows(make_numbers(5), path)
    with pytest.raises(ValueError, match=f"{path} holds the features of another version"):
        read_rows(path)


@pytest.mark.parametrize("content", [b"", b"noise" * 99, b"PK\x03\x04 cut off"])
def test_damaged_rows_are_refused(content, tmp_path):
    """One line names the file, whatever is in it."""
    path = tmp_path / "rows.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{path} is damaged, or no file") as caught:
        read_rows(path)
    assert "\n" not in str(caught.value)


def test_missing_rows_are_missing(tmp_path):
    """A file that is not there is not called damaged."""
    with pytest.raises(FileNotFoundError):
        read_rows(tmp_path / "rows.npz")
