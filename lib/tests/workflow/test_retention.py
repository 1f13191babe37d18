"""Series of runs: which folders belong together, and which are deleted."""

import json
import shutil

import pytest

from lib.io.files import write_json
from lib.io.manifest import NAME, Manifest
from lib.tests.past_runs import write_run
from lib.workflow.retention import prune_runs


@pytest.fixture
def reports(tmp_path):
    """Five nights, the oldest first, beside a run by hand."""
    for day in range(1, 6):
        name, started = f"nightly-2026-01-0{day}", f"2026-01-0{day}T02:00:00+00:00"
        write_run(tmp_path / name, started=started)
    write_run(tmp_path / "by_hand", started="2025-01-01T02:00:00+00:00")
    return tmp_path


def nights(reports):
    """List the nights that are left."""
    return [path.name[-1] for path in sorted(reports.glob("nightly-2026*"))]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (0, ["1", "2", "3", "4", "5"]),  # all
        (9, ["1", "2", "3", "4", "5"]),  # more than there are
        (2, ["4", "5"]),
        (1, ["5"]),  # only this one
    ],
)
def test_oldest_go(reports, keep, left):
    """The newest runs of a series stay, and what is not of the series is not touched."""
    deleted = prune_runs(reports / "nightly-2026-01-05", keep)
    assert nights(reports) == left
    assert len(deleted) == 5 - len(left)
    assert (reports / "by_hand").is_dir()


def rename(folder):
    """Rename a run, as somebody does who wants to keep it."""
    folder.rename(folder.with_name("nightly-2026-01-01-good"))


def lose_record(folder):
    """Lose what says that the folder is a run's."""
    (folder / "run.json").unlink()


def damage_record(folder):
    """Damage what says that the folder is a run's."""
    (folder / "run.json").write_bytes(b"\xff")


def replace_by_link(folder):
    """Move a run to another disk and link to it."""
    shutil.move(folder, folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere")


def copy_other_run(folder):
    """Put a copy of another run in its place."""
    shutil.rmtree(folder)
    shutil.copytree(folder.parent / "by_hand", folder)


@pytest.mark.parametrize(
    "change", [rename, lose_record, damage_record, replace_by_link, copy_other_run]
)
def test_foreign_folders_stay(reports, change):
    """Only folders that a run made itself, and that still have their name, are deleted."""
    change(reports / "nightly-2026-01-01")
    before = {path.name for path in reports.iterdir()}
    prune_runs(reports / "nightly-2026-01-05", 1)
    gone = before - {path.name for path in reports.iterdir()}
    assert gone == {f"nightly-2026-01-0{day}" for day in (2, 3, 4)}


@pytest.mark.parametrize("has_manifest", [True, False])
def test_files_of_somebody_stay(reports, caplog, has_manifest):
    """Of an old run only what it wrote goes; its folder stays with the rest, which is said."""
    old = reports / "nightly-2026-01-01"
    if not has_manifest:  # the version before kept none: what its record names is the run's
        (old / NAME).unlink()
    (old / "labels.csv").write_text("mine")
    (old / "tables/part-00007.csv").write_text("mine")
    (old / "predictions.csv").write_text("corrected by hand")
    with caplog.at_level("INFO"):
        prune_runs(reports / "nightly-2026-01-05", 4)
    left = sorted(path.name for path in old.rglob("*") if path.is_file())
    named = [] if has_manifest else ["metrics.json", "scored_predictions.parquet"]
    assert left == sorted(["labels.csv", "part-00007.csv", "predictions.csv", *named])
    assert f"files that it did not write stay in {old}" in caplog.text


def test_newest_finished_stays(reports):
    """However many nights fail, the last good one is kept."""
    for day in (3, 4, 5):
        path = reports / f"nightly-2026-01-0{day}" / "run.json"
        write_json(json.loads(path.read_text()) | {"status": "failed"}, path)
    prune_runs(reports / "nightly-2026-01-05", 2)
    assert nights(reports) == ["2", "4", "5"]


def test_run_without_series_deletes_nothing(reports):
    """A run whose name has no start in it has no older ones."""
    assert prune_runs(reports / "by_hand", 1) == []
    assert len(nights(reports)) == 5


def test_undeletable_run_is_logged(reports, caplog, monkeypatch):
    """A folder that cannot be deleted is told and does not stop the rest."""

    def refuse(manifest):
        if manifest.run_dir.name.endswith("3"):
            raise PermissionError("not yours")
        delete(manifest)

    delete = Manifest.delete_files
    monkeypatch.setattr(Manifest, "delete_files", refuse)
    prune_runs(reports / "nightly-2026-01-05", 1)
    assert nights(reports) == ["3", "5"]
    assert "not yours" in caplog.text
