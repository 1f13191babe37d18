"""The cache of slow steps: damage, sharing, size, and what it says of itself."""

import json
import logging
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from joblib import memory
from PIL import Image

from lib import __main__ as program
from lib.cache import clear_cache, measure_cache, note_use, open_cache, prune_cache, recall
from lib.features import keep_vector
from lib.ocr import engine_version, read_pages
from lib.strokes import read_all_strokes
from lib.tests.stand_in import draw_text, read_name

NAMES = ("a", "b", "c")
VECTOR_KEY = ("random (seed 0)", "float32", "0.1")


def read(data_dir: Path, workers: int = 1):
    """Read three pictures with a stand-in for an engine."""
    images = {name * 64: data_dir / name for name in NAMES}
    return read_pages(images, "tesseract_plain", {}, open_cache(data_dir), workers, 20.0, read_name)


def fill(data_dir: Path) -> dict:
    """Read the three pictures in this process, which is quicker, and give their pages."""
    cached = open_cache(data_dir).cache(read_name, ignore=["path"])
    engine = "tesseract_plain"
    calls = {name * 64: (engine, engine_version(engine), {}, data_dir / name) for name in NAMES}
    return {sha256: cached(sha256, *call) for sha256, call in calls.items()}


def first_entry(data_dir: Path, file: str = "output.pkl") -> Path:
    """Find a file of the first entry in the cache."""
    return sorted((data_dir / "cache").rglob(file))[0]


def cut(path: Path, share: float) -> None:
    """Cut a file short."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def flip(path: Path) -> None:
    """Flip a bit in the middle of a file, as a bad disk does."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def blank(path: Path) -> None:
    """Fill a file with zeros, as some file systems do after a power cut."""
    path.write_bytes(bytes(path.stat().st_size))


DAMAGES = {
    "empty": lambda path: cut(path, 0),  # the disk was full
    "half": lambda path: cut(path, 0.5),  # the machine went down
    "short of its end": lambda path: cut(path, 0.9),  # likewise, nearly done
    "flipped bit": flip,  # without a checksum most of these give a wrong value
    "zeros": blank,
    "garbage": lambda path: path.write_bytes(b"garbage"),  # no pickle
    "long garbage": lambda path: path.write_bytes(b"\x80\x04\x8d" + b"\xff" * 99),  # MemoryError
    "another type's name": lambda path: path.write_bytes(b"cno_such_module\nPage\n."),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_page_is_read_again(tmp_path, caplog, damage):
    """A damaged page is read again with a warning; the others are hits; then all are."""
    whole = fill(tmp_path)
    damage(first_entry(tmp_path))
    again = read(tmp_path)
    assert (again.hits, again.misses) == (2, 1)
    assert again.pages == whole
    assert "is damaged" in caplog.text and "made again" in caplog.text
    assert read(tmp_path).hits == 3


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_vector_is_noticed(tmp_path, caplog, damage):
    """A damaged vector is not taken for a whole one."""
    keep = open_cache(tmp_path).cache(keep_vector, ignore=["vector"], verbose=0)
    vector = np.random.default_rng(0).random(2048).astype(np.float16)
    keep("a" * 64, *VECTOR_KEY, vector)
    assert (recall(keep, "a" * 64, *VECTOR_KEY)[0] == vector).all()
    damage(first_entry(tmp_path))
    assert recall(keep, "a" * 64, *VECTOR_KEY) is None
    assert "is damaged" in caplog.text
    assert recall(keep, "a" * 64, *VECTOR_KEY) is None, "the damaged file is gone"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_strokes_are_found_again(tmp_path, caplog, damage):
    """Strokes, which joblib recalls by itself, are found again with its warning."""
    Image.fromarray(draw_text(("H", 80, 10, 400))).save(tmp_path / "a.png")
    files, cache = {"a" * 64: tmp_path / "a.png"}, open_cache(tmp_path)
    whole = read_all_strokes(files, cache, 1)["a" * 64]
    damage(first_entry(tmp_path))
    assert (read_all_strokes(files, cache, 1)["a" * 64] == whole).all() and len(whole)
    assert "Exception while loading results" in caplog.text


@pytest.mark.parametrize(
    ("file", "content", "hits"),
    [
        ("metadata.json", b"{", 3),  # only the seconds are lost
        ("metadata.json", b"", 3),
        ("func_code.py", b"", 0),  # joblib cannot know for which code the entries are
    ],
)
def test_damage_beside_the_entries(tmp_path, file, content, hits):
    """What lies beside the entries may be damaged too; it costs time at most."""
    memory._FUNCTION_HASHES.clear()  # as in a new process, here and below
    whole = fill(tmp_path)
    first_entry(tmp_path, file).write_bytes(content)
    memory._FUNCTION_HASHES.clear()
    again = read(tmp_path)
    assert (again.hits, again.pages) == (hits, whole)
    assert read(tmp_path).hits == 3


def test_lost_entry_is_read_again(tmp_path, caplog):
    """An entry that somebody removed is a miss, no damage."""
    fill(tmp_path)
    first_entry(tmp_path).unlink()
    assert read(tmp_path).misses == 1
    assert "damaged" not in caplog.text


def read_and_tell(data_dir: Path, sender) -> None:
    """Fill the cache again and again in a process of its own, and empty it now and then."""
    cached = open_cache(data_dir).cache(read_name, ignore=["path"])
    for turn in range(20):
        pages = fill(data_dir)
        for sha256 in pages:
            recall(cached, sha256, "tesseract_plain", "1", {}, data_dir)
        if turn % 4 == 0:
            clear_cache(data_dir)  # the worst that a neighbour can do
    sender.send(pages)


def test_two_runs_share_a_cache(tmp_path):
    """Two runs that write, read and clear one cache at once both get all their pages."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe(duplex=False) for _ in range(2)]
    runs = [context.Process(target=read_and_tell, args=(tmp_path, sender)) for _, sender in pipes]
    for run in runs:
        run.start()
    told = [receiver.recv() for receiver, _ in pipes if receiver.poll(60)]
    for run in runs:
        run.join()
    assert told == [fill(tmp_path)] * 2


def test_pruning_removes_what_was_used_longest_ago(tmp_path):
    """Entries go in the order of their last use, until the rest fits."""
    fill(tmp_path)
    entries = sorted((tmp_path / "cache").rglob("output.pkl"))
    for age, entry in enumerate(entries):
        os.utime(entry, (1e9 - age, 1e9))
    size = sum(path.stat().st_size for path in entries[0].parent.iterdir())
    assert prune_cache(tmp_path, "1G") == 0
    assert prune_cache(tmp_path, f"{1.5 * size / 1024:.3f}K") == 2
    assert [entry.exists() for entry in entries] == [True, False, False]
    assert prune_cache(tmp_path, "0K") == 1


@pytest.mark.parametrize("size", ["", "5", "20 GB", "-1G", "all"])
def test_wrong_sizes_are_refused(tmp_path, size):
    """A size that joblib would take for something else is an error, and nothing is removed."""
    fill(tmp_path)
    with pytest.raises(ValueError, match="expected a number with K, M or G"):
        prune_cache(tmp_path, size)
    assert read(tmp_path).hits == 3


def test_measure_counts_by_stage(tmp_path):
    """Entries, size and uses of each notebook, of other functions, of all; no torn lines."""
    fill(tmp_path)
    note_use(tmp_path, "03_ocr", 7, 3)
    note_use(tmp_path, "03_ocr", 1, 0)
    with (tmp_path / "cache/uses.csv").open("a") as file:
        file.write("03_ocr,9")
    table = measure_cache(tmp_path).set_index("stage")
    assert table.loc["03_ocr", ["hits", "misses"]].tolist() == [8, 3]
    assert table.loc["read_name", "entries"] == 3 and table.loc["read_name", "megabytes"] > 0
    assert table.loc["02_features", "entries"] == 0
    assert table.loc["all", "entries"] == 3


def test_command_shows_prunes_and_clears(tmp_path, capsys):
    """`python -m lib cache` says what there is, after removing what was asked for."""
    fill(tmp_path)
    place = ["cache", "--data-dir", str(tmp_path)]
    assert program.main(place) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()][-1] == ["all", "3"]
    assert program.main([*place, "--prune", "0K"]) == 0
    assert capsys.readouterr().out.startswith("3 entries removed.")
    note_use(tmp_path, "03_ocr", 1, 1)
    assert program.main([*place, "--clear"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "0", "0.0", "0", "0"]
    with pytest.raises(SystemExit):
        program.main([*place, "--prune", "5"])


def test_looking_at_nothing_makes_no_folder(tmp_path):
    """A folder without a cache holds no entries, and stays as it is."""
    assert measure_cache(tmp_path / "none")["entries"].sum() == 0
    assert not (tmp_path / "none").exists()


def test_entries_of_earlier_versions_are_still_read(tmp_path):
    """Entries written before there was a checksum serve as they are."""
    from joblib import Memory

    images = {name * 64: tmp_path / name for name in NAMES}
    plain = Memory(tmp_path / "cache", verbose=0)
    read_pages(images, "tesseract_plain", {}, plain, 1, 20.0, read_name)
    assert read(tmp_path).hits == 3
    assert json.loads(first_entry(tmp_path, "metadata.json").read_text())["duration"] >= 0


def test_warning_names_the_picture(tmp_path, caplog):
    """Who wants to know which picture was read again finds its hash."""
    fill(tmp_path)
    first_entry(tmp_path).write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        read(tmp_path)
    assert any(name * 64 in caplog.text for name in NAMES)
