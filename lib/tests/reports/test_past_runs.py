"""Runs found and read: order, damaged and foreign folders, names, the summary line."""

import json

import pytest

from lib.io.files import write_json
from lib.reports.past_runs import (
    find_newest,
    find_previous,
    find_run,
    list_runs,
    read_headline,
    read_run,
    summarise_run,
)
from lib.tests.past_runs import RIGHT, TRUTH, WORSE, write_run

METRICS = {
    **{"f1": 0.8123, "precision": 0.9, "recall": 0.7, "rows": "test", "method": "rules"},
    "intervals": {"f1": [0.75, 0.86]},
    "counts": {"judged": 1234},
}


def test_newest_first(tmp_path):
    """Runs are listed by their start, whatever their names."""
    for name, day in (("b", 2), ("a", 1), ("c", 3)):
        write_run(tmp_path / name, started=f"2026-01-0{day}T02:00:00+00:00")
    assert [run.name for run in list_runs(tmp_path)[0]] == ["c", "b", "a"]


def test_newest_finished_run(tmp_path):
    """Failed and unscored runs are passed over; without any other, the message names the folder."""
    for name, day, status in (("old", 1, "finished"), ("new", 2, "finished"), ("bad", 3, "failed")):
        write_run(tmp_path / name, started=f"2026-01-0{day}T02:00:00+00:00", status=status)
    assert find_newest(tmp_path).name == "new"
    (tmp_path / "new/tables/scored_predictions.parquet").unlink()
    assert find_newest(tmp_path).name == "old"
    with pytest.raises(FileNotFoundError, match="no finished run"):
        find_newest(tmp_path / "old")


def spoil(folder, **changes):
    """Change what the record of a run says."""
    record = json.loads((folder / "run.json").read_text())
    write_json(record | changes, folder / "run.json")


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda folder: (folder / "run.json").write_bytes(bytes(range(256))),  # no text
        lambda folder: (folder / "run.json").write_text('{"run": '),  # cut off
        lambda folder: (folder / "run.json").write_text(""),
        lambda folder: (folder / "run.json").write_text("[1, 2]"),  # of another program
        lambda folder: (folder / "run.json").write_text('{"run": "x", "status": "fine"}'),
        lambda folder: spoil(folder, started="yesterday"),
        lambda folder: spoil(folder, started=5),
        lambda folder: spoil(folder, counts=None),
        lambda folder: spoil(folder, counts={"links": 3}),  # without samples
        lambda folder: spoil(folder, failures=[{"reason": "x"}]),
        lambda folder: spoil(folder, seconds="long"),
        lambda folder: (folder / "metrics.json").write_bytes(b"\xff\xfe"),
        lambda folder: (folder / "metrics.json").write_text('{"f1": "high"}'),
        lambda folder: (folder / "metrics.json").write_text('{"f1": 0.5}'),
    ],
)
def test_damaged_run_is_named(tmp_path, spoilt):
    """A damaged run is told with the reason and does not hide the others."""
    write_run(tmp_path / "good")
    spoilt(write_run(tmp_path / "bad"))
    runs, unreadable = list_runs(tmp_path)
    assert [run.name for run in runs] == ["good"]
    assert list(unreadable) == ["bad"]
    assert unreadable["bad"]


def test_foreign_folders_are_left_out(tmp_path):
    """Folders without a run.json, files, and links to a neighbour are no runs."""
    write_run(tmp_path / "good")
    (tmp_path / "mine").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "latest").symlink_to("good")
    (tmp_path / "broken").symlink_to("nowhere")
    runs, unreadable = list_runs(tmp_path)
    assert [run.name for run in runs] == ["good"]
    assert unreadable == {}


def test_find_run(tmp_path):
    """A run is named by its folder's name or path; a misspelt one gets the closest."""
    folder = write_run(tmp_path / "nightly-1")
    assert find_run("nightly-1", tmp_path) == folder
    assert find_run(str(folder), tmp_path / "elsewhere") == folder
    with pytest.raises(FileNotFoundError, match="did you mean nightly-1"):
        find_run("nigthly-1", tmp_path)


def test_previous_is_on_the_same_data(tmp_path):
    """Only an earlier run with answers about the same tables counts as the one before."""
    days = (f"2026-01-0{day}T02:00:00+00:00" for day in range(1, 6))
    write_run(tmp_path / "same", started=next(days))
    write_run(tmp_path / "other", started=next(days), group_id="2")
    write_run(tmp_path / "failed", started=next(days), status="failed")
    write_run(tmp_path / "last", WORSE, started=next(days))
    runs, _ = list_runs(tmp_path)
    assert find_previous(runs[0], runs).name == "same"
    assert find_previous(runs[-1], runs) is None


def test_data_is_content(tmp_path):
    """A copy of a table is the same data; another table or another number of rows is not."""
    first = read_run(write_run(tmp_path / "a" / "first"))
    copy = read_run(write_run(tmp_path / "b" / "copy"))
    changed = read_run(write_run(tmp_path / "b" / "changed", group_id="2"))
    assert first.data == copy.data != changed.data


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "run x: finished, F1 1.000 (1.000 to 1.000) on 30 of 30 samples, 0 failures, "),
        ({"truth": None}, "run x: finished, no truth for 30 samples, 0 failures, "),
        ({"status": "failed"}, "run x: failed, 30 samples, 0 failures, "),
        ({"answers": RIGHT[:6], "truth": TRUTH[:6]}, "run x: finished, F1 1.000 (1.000 to 1.000)"),
    ],
)
def test_summary_line(tmp_path, changes, said):
    """A run is summed up in one line that ends with its page."""
    line = summarise_run(read_run(write_run(tmp_path / "x", **changes)))
    assert line.startswith(said)
    assert line.endswith(f"s, {tmp_path / 'x' / 'index.html'}")
    assert "\n" not in line


def test_headline_needs_a_truth():
    """Without any truth the F1 is not a number, and there is no headline."""
    assert read_headline({}) is None
    assert read_headline(METRICS | {"f1": float("nan")}) is None
    headline = read_headline(METRICS)
    assert (headline.f1.low, headline.samples, headline.method) == (0.75, 1234, "rules")
