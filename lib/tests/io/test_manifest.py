"""The manifest of a run: what is the run's, what is moved aside, what stays, what is refused."""

import json
import logging
import os
from pathlib import Path

import pandas as pd
import pytest

from lib.io.files import list_parts, write_csv, write_json
from lib.io.manifest import HEADER, LOCK, NAME, Manifest, find_manifest
from lib.io.paths import PROJECT
from lib.io.run_dir import RunDirError, check_run_dir, claim_run_dir, is_run, open_run_dir
from lib.workflow.outputs import open_manifest

FOREIGN = b"somebody else's"
RECORD = {"run": "a", "status": "finished", "parameters": {}, "counts": {}}


@pytest.fixture
def manifest(tmp_path) -> Manifest:
    """The manifest of a new run."""
    return claim_run_dir(tmp_path / "run")


def list_files(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder but the manifest."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != NAME)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_own_file_is_replaced(manifest):
    """A file that the run wrote makes way for the next, without a trace."""
    for value in (1, 2):
        write_json({"value": value}, manifest.run_dir / "stages/a.json")
    assert list_files(manifest.run_dir) == {"stages/a.json": b'{\n  "value": 2\n}\n'}


@pytest.mark.parametrize(
    "place",
    [
        lambda path: path.write_bytes(FOREIGN),  # a file
        lambda path: path.mkdir(),  # a folder
        lambda path: path.symlink_to("nowhere"),  # a link that leads nowhere
    ],
)
def test_foreign_file_is_moved_aside_and_named(manifest, caplog, place):
    """Whatever lies where the run writes keeps its content under another name."""
    path = manifest.run_dir / "metrics.json"
    place(path)
    was_link = path.is_symlink()
    with caplog.at_level(logging.WARNING):
        write_json({}, path)
    (aside,) = manifest.run_dir.glob("metrics.json.20*")
    assert aside.is_symlink() == was_link
    assert aside.is_dir() or was_link or aside.read_bytes() == FOREIGN
    assert "metrics.json is not as this run wrote it" in caplog.text and aside.name in caplog.text
    assert path.read_text() == "{}\n"


def test_changed_file_is_moved_aside_each_time(manifest):
    """Two changes within a minute keep two copies."""
    path = manifest.run_dir / "a.csv"
    for content in (b"one", b"two"):
        write_csv(pd.DataFrame({"a": [1]}), path)
        path.write_bytes(content)
    write_csv(pd.DataFrame({"a": [1]}), path)
    copies = {aside.read_bytes() for aside in manifest.run_dir.glob("a.csv.20*")}
    assert copies == {b"one", b"two"}


@pytest.mark.parametrize("name", ["ü ß.json", "a\u2028b.json", "a\x85b.json", "a\nb.json"])
def test_names_with_line_breaks_are_the_runs(manifest, name):
    """Whatever a name holds, its file is known again; Unicode's line breaks end no record."""
    write_json({}, manifest.run_dir / name)
    assert Manifest(manifest.run_dir).owns(manifest.run_dir / name)


def test_file_in_the_way_of_a_folder(manifest):
    """A file named like a folder of the run is moved aside, too."""
    (manifest.run_dir / "tables").write_bytes(FOREIGN)
    write_json({}, manifest.run_dir / "tables/images/a.json")
    (aside,) = manifest.run_dir.glob("tables.20*")
    assert aside.read_bytes() == FOREIGN


def test_parts_of_others_are_not_read(manifest):
    """A table's part that the run did not write is none of its parts."""
    folder = manifest.run_dir / "tables/words"
    write_json({}, folder / "part-00000.parquet")
    (folder / "part-00001.parquet").write_bytes(FOREIGN)
    assert list_parts(folder, "03_ocr.ipynb") == [folder / "part-00000.parquet"]


def test_delete_spares_what_is_not_the_runs(manifest):
    """Deleting a run leaves changed and foreign files, and folders that hold any."""
    for name in ("a.json", "b/b.json", "c/c.json", "d/d.json"):
        write_json({}, manifest.run_dir / name)
    (manifest.run_dir / "b/b.json").write_bytes(FOREIGN)
    (manifest.run_dir / "c/mine-00001.json").write_bytes(FOREIGN)
    (manifest.run_dir / LOCK).touch()
    manifest.delete_files()
    assert list_files(manifest.run_dir) == {"b/b.json": FOREIGN, "c/mine-00001.json": FOREIGN}
    assert not (manifest.run_dir / "d").exists() and not (manifest.run_dir / NAME).exists()


def test_delete_takes_all_of_a_run(manifest):
    """Of a run that nobody touched nothing stays."""
    write_json({}, manifest.run_dir / "tables/a/b.json")
    manifest.delete_files()
    assert not manifest.run_dir.exists()


def test_only_recorded_temporary_files_are_removed(manifest):
    """What a killed run left half written goes; a hidden file of somebody stays."""
    half = manifest.new_temporary(manifest.run_dir / "words.parquet")
    half.write_bytes(b"half")
    folder = manifest.new_temporary(manifest.run_dir / "kernels")
    (folder / "a").mkdir(parents=True)
    (manifest.run_dir / ".words.0123456789abcdef.parquet").write_bytes(FOREIGN)
    write_json({}, manifest.run_dir / "a.json")
    manifest.remove_temporaries()
    files = list_files(manifest.run_dir)
    assert set(files) == {".words.0123456789abcdef.parquet", "a.json"}
    assert Manifest(manifest.run_dir).owns(manifest.run_dir / "a.json")


@pytest.mark.parametrize(
    ("damage", "owned"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), False),  # the last line is cut
        (lambda path: path.write_bytes(path.read_bytes() + b'\n{"path"'), True),  # a line begun
        (lambda path: path.write_bytes(path.read_bytes() + b"\n[1]\n\xff\n7"), True),  # no records
        (lambda path: path.write_bytes(b""), False),  # emptied
        (lambda path: path.write_bytes(os.urandom(500)), False),  # garbage
        (lambda path: path.unlink(), False),  # deleted
    ],
)
def test_damaged_manifest_makes_files_strangers_at_worst(manifest, damage, owned):
    """No damage makes an error, and none makes a foreign file the run's."""
    path = manifest.run_dir / "a.json"
    write_json({}, path)
    damage(manifest.run_dir / NAME)
    assert Manifest(manifest.run_dir).owns(path) == owned


@pytest.mark.parametrize("name", ["../victim", "/tmp/victim", "", 7, None])
def test_manifest_names_nothing_outside(tmp_path, name):
    """A manifest that somebody wrote by hand reaches no file outside its run."""
    (tmp_path / "victim").write_bytes(FOREIGN)
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    lines = [HEADER, {"temporary": name}, {"path": name, "sha256": "0" * 64}]
    (run_dir / NAME).write_text("\n".join(map(json.dumps, lines)))
    Manifest(run_dir).delete_files()
    assert (tmp_path / "victim").read_bytes() == FOREIGN


def make_folder(folder: Path, *names: str) -> Path:
    """Make a folder with files of some names."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FOREIGN)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda here: here / "new/er", ""),
        (lambda here: make_folder(here / "empty"), ""),
        (lambda here: make_folder(here / "shop", "shoe-12345.png"), "holds 'shoe-12345.png' and"),
        (lambda here: make_folder(here / "many", *"abcd"), "holds 'a', 'b' and 2 more and is no"),
        (lambda here: make_folder(here / "odd", "run.json"), "holds 'run.json'"),
        (lambda here: make_folder(here / "odd", NAME), "holds '.manifest.jsonl'"),
        (lambda here: make_folder(here / "odd", LOCK), "holds '.lock'"),  # a lock is empty
        (lambda here: make_folder(here, "file") / "file", "is a file"),
        (lambda here: claim_run_dir(here / "runs/a").run_dir.parent, "holds other runs ('a')"),
        (lambda here: claim_run_dir(here / "a").run_dir, ""),
        (lambda here: PROJECT, "is the project's own folder or one above it"),
        (lambda here: PROJECT / "lib/..", "is the project's own folder or one above it"),
        (lambda here: PROJECT.parent, "is the project's own folder or one above it"),
        (lambda here: Path("/"), "is the project's own folder or one above it"),
        (lambda here: PROJECT / "lib/new", "lies in the project's own files"),
        (lambda here: PROJECT / "data/images/new", "lies in the project's own files"),
        (lambda here: PROJECT / "reports", "is the folder that runs or images lie in"),
        (lambda here: PROJECT / "reports/new", ""),
    ],
)
def test_folders_of_others_are_refused(tmp_path, make, found):
    """A run takes a folder that is new, empty or a run's, and says why it takes no other."""
    folder = make(tmp_path)
    before = list_files(tmp_path)
    problem = check_run_dir(folder)
    assert found in problem and bool(problem) == bool(found) and "\n" not in problem
    if problem:
        with pytest.raises(RunDirError):
            claim_run_dir(folder)
    assert list_files(tmp_path) == before


def test_link_to_a_folder_is_that_folder(tmp_path):
    """A symlink changes nothing about what a folder holds."""
    make_folder(tmp_path / "shop", "a")
    (tmp_path / "link").symlink_to("shop")
    assert "is no run" in check_run_dir(tmp_path / "link")


def test_run_of_the_version_before_is_taken_over(tmp_path):
    """Its record names its files; those that were changed later, and all others, are not its."""
    run_dir = make_folder(tmp_path / "run", "stages/01_download-00000.json", "mine-00000.csv")
    record = {**RECORD, "stages": [{"name": "01_download-00000"}, {"name": "../../x"}, 7]}
    (run_dir / "run.json").write_text(json.dumps(record))
    late = make_folder(run_dir / "tables/images", "part-00000.parquet") / "part-00000.parquet"
    os.utime(late, (late.stat().st_mtime + 1000,) * 2)
    assert is_run(run_dir) and not check_run_dir(run_dir)
    manifest = open_manifest(run_dir)
    owned = {path.name for path in manifest.list_paths() if manifest.owns(path)}
    assert owned == {"01_download-00000.json", "run.json"}


def test_notebook_logs_where_the_pipeline_asks(tmp_path, monkeypatch):
    """A notebook's warnings reach the run's log; by itself it only claims the folder."""
    run_dir = open_run_dir(str(tmp_path / "run"))
    assert find_manifest(run_dir / "tables/a.parquet").run_dir == run_dir
    monkeypatch.setenv("PRODUCT_MEASUREMENTS_LOG", str(run_dir / "run.log"))
    open_run_dir(str(run_dir))
    logger = logging.getLogger("lib")
    handler = logger.handlers[-1]
    logging.getLogger("lib.anything").warning("look here")
    logger.removeHandler(handler)
    handler.close()
    assert "look here" in (run_dir / "run.log").read_text()
