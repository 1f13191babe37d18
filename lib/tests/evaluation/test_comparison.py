"""Two runs compared: which way answers went, scores on the same images, the exact test."""

import json
from math import comb

import pytest

from lib.evaluation.comparison import compare_runs
from lib.evaluation.paired_answers import NotComparableError
from lib.io.files import write_json
from lib.tests.past_runs import RIGHT, TRUTH, WORSE, write_run


def compare(tmp_path, before, after, truth=TRUTH):
    """Compare two runs with these answers."""
    first = write_run(tmp_path / "first", before, truth)
    return compare_runs(first, write_run(tmp_path / "second", after, truth))


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ("1.0 inch", "1 Inch", None),  # the same answer, written differently
        ("9.0 inch", "1.0 inch", "now right"),
        ("", "1.0 inch", "now right"),
        ("1.0 inch", "", "no longer right"),
        ("9.0 inch", "8.0 inch", "wrong before and after"),
        ("9.0 inch", "", "wrong before and after"),  # a miss for a wrong value
    ],
)
def test_ways_with_truth(tmp_path, before, after, way):
    """With a truth each changed answer went to right, from right, or from wrong to wrong."""
    found = compare(tmp_path, [before, *RIGHT[1:]], [after, *RIGHT[1:]])
    assert found.changed["way"].tolist() == ([way] if way else [])
    assert (found.gained, found.lost) == (way == "now right", way == "no longer right")


@pytest.mark.parametrize(
    ("before", "after", "gained"),
    [("3.0 inch", "", 1), ("", "3.0 inch", -1)],
)
def test_silence_can_be_right(tmp_path, before, after, gained):
    """Where the image does not say, no answer is right."""
    found = compare(tmp_path, [*RIGHT[:2], before], [*RIGHT[:2], after], TRUTH[:3])
    assert found.gained - found.lost == gained


def test_ways_without_truth(tmp_path):
    """Without a truth it is only said which answers changed, those that are gone first."""
    found = compare(tmp_path, RIGHT, WORSE, truth=None)
    assert not found.judged
    assert found.scores == []
    assert found.changed["index"].tolist() == ["1", "0", "2"]
    ways = ["no longer answered", "answered differently", "answered now"]
    assert found.changed["way"].tolist() == ways
    assert list(found.by_entity) == ["entity", "samples", "changed"]


def test_scores_are_those_of_the_runs(tmp_path):
    """Both runs' scores and bounds equal their metrics.json; the difference is paired."""
    found = compare(tmp_path, RIGHT, WORSE)
    for score in found.scores:
        for name, interval in (("first", score.before), ("second", score.after)):
            metrics = json.loads((tmp_path / name / "metrics.json").read_text())
            key = score.name.lower()
            assert interval.value == metrics[key]
            assert [interval.low, interval.high] == metrics["intervals"][key]
        gap = score.difference
        assert gap.value == score.after.value - score.before.value
        assert gap.low <= gap.value <= gap.high <= 0


@pytest.mark.parametrize("gained", [0, 1, 4])
@pytest.mark.parametrize("lost", [0, 1, 6])
def test_exact_test(tmp_path, gained, lost):
    """The p-value is twice the binomial tail of the samples that only one run gets right."""
    truth = ["1.0 inch"] * len(RIGHT)
    before = ["9.0 inch"] * gained + ["1.0 inch"] * (len(RIGHT) - gained)
    after = ["1.0 inch"] * (len(RIGHT) - lost) + ["9.0 inch"] * lost
    parted = gained + lost
    tail = sum(comb(parted, k) for k in range(min(gained, lost) + 1)) / 2**parted
    assert compare(tmp_path, before, after, truth).p_value == pytest.approx(min(1, 2 * tail))


def test_entities_add_up(tmp_path):
    """The table by entity holds each sample and each change once."""
    found = compare(tmp_path, RIGHT, WORSE)
    assert found.by_entity["entity"].tolist() == ["item_weight", "width", "depth"]
    assert found.by_entity["samples"].sum() == len(RIGHT)
    assert found.by_entity["changed"].tolist() == [0, 2, 1]
    assert found.by_entity["lost"].sum() == found.lost == 3


def test_shared_samples_are_compared(tmp_path):
    """Runs on different tables are compared on the samples they share."""
    first = write_run(tmp_path / "first", RIGHT[:12], TRUTH[:12])
    found = compare_runs(first, write_run(tmp_path / "second", WORSE))
    assert (found.shared, found.asked, len(found.pairs)) == (12, (12, 30), 12)


def test_nothing_shared(tmp_path):
    """Runs that share no sample are refused, with the number of samples of each."""
    first = write_run(tmp_path / "first")
    second = write_run(tmp_path / "second", image_link="other.jpg")
    with pytest.raises(NotComparableError, match=r"30.* share no sample"):
        compare_runs(first, second)


def test_test_rows_are_judged(tmp_path):
    """Where test rows have a truth, the comparison is about them, as the headline is."""
    split = ["train"] * 10 + ["test"] * 20
    runs = [write_run(tmp_path / name, RIGHT, split=split) for name in ("first", "second")]
    found = compare_runs(*runs)
    assert (found.rows, len(found.pairs), found.shared) == ("test", 20, 30)


def test_settings_that_differ(tmp_path):
    """Parameters, commit and versions that differ are listed, the folder is not."""
    first, second = (write_run(tmp_path / name) for name in ("first", "second"))
    assert compare_runs(first, second).settings == []
    record = json.loads((second / "run.json").read_text())
    record["parameters"]["METHOD"] = "learned"
    record["git"]["commit"] = "def"
    record["versions"]["engines"] = {"tesseract": "9"}
    write_json(record, second / "run.json")
    changed = [("METHOD", "rules", "learned"), ("commit", "abc", "def"), ("tesseract", None, "9")]
    assert compare_runs(first, second).settings == changed


def test_edited_code_is_always_listed(tmp_path):
    """Changes after a commit may differ from run to run, so the commit is listed."""
    runs = [write_run(tmp_path / name) for name in ("first", "second")]
    for path in (run / "run.json" for run in runs):
        record = json.loads(path.read_text())
        write_json(record | {"git": {"commit": "abc", "dirty": True}}, path)
    assert compare_runs(*runs).settings == [("commit", "abc, with changes", "abc, with changes")]
