"""The cache of slow steps: damage, sharing, size, and what it says of itself."""

import functools
import json
import logging
import multiprocessing
import os
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib import memory
from PIL import Image

from lib import __main__ as program
from lib.features.embedding import is_vector, keep_vector
from lib.features.stored_segments import read_all_line_segments
from lib.io import cache
from lib.io.cache import (
    FOLDER,
    CacheError,
    check_cache,
    clear_cache,
    measure_cache,
    note_use,
    open_cache,
    prune_cache,
    recall,
)
from lib.ocr.engines import default_settings
from lib.ocr.page import Box, Page, Word
from lib.ocr.reading import is_page, read_pages
from lib.tests.stand_in import draw_text, read_name, run_here

NAMES = ("a", "b", "c")
ENGINE = "tesseract_plain"
PLAIN = default_settings(ENGINE)
VECTOR_KEY = ("random (seed 0)", "float32", "0.1")
IS_PAGE = functools.partial(is_page, engine=ENGINE)
IS_VECTOR = functools.partial(is_vector, dimensions=2048)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Images are worked on here: what is tested is what the cache holds."""
    monkeypatch.setattr("lib.ocr.reading.run_each", run_here)


def read(data_dir: Path, workers: int = 1):
    """Read three images with a stand-in for an engine."""
    images = {name * 64: data_dir / name for name in NAMES}
    return read_pages(images, ENGINE, PLAIN, open_cache(data_dir), workers, 20.0, read_name)


def fill(data_dir: Path) -> dict:
    """Read the three images in this process, which is quicker, and give their pages."""
    cached = open_cache(data_dir).cache(read_name, ignore=["path"])
    calls = {name * 64: (ENGINE, PLAIN.name_version(), PLAIN, data_dir / name) for name in NAMES}
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
    assert (recall(keep, IS_VECTOR, "a" * 64, *VECTOR_KEY)[0] == vector).all()
    damage(first_entry(tmp_path))
    assert recall(keep, IS_VECTOR, "a" * 64, *VECTOR_KEY) is None
    assert recall(keep, IS_VECTOR, "a" * 64, *VECTOR_KEY) is None
    assert caplog.text.count("is damaged") == 1, "then the damaged file is gone"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_segments_are_found_again(tmp_path, caplog, damage):
    """Damaged line segments are found again with a warning, and stored."""
    Image.fromarray(draw_text(("H", 80, 10, 400))).save(tmp_path / "a.png")
    files, cache = {"a" * 64: tmp_path / "a.png"}, open_cache(tmp_path)
    whole = read_all_line_segments(files, cache)["a" * 64]
    damage(first_entry(tmp_path))
    for _ in range(2):
        assert (read_all_line_segments(files, cache)["a" * 64] == whole).all() and len(whole)
    assert caplog.text.count("is damaged") == 1


def make_word(**changes) -> Word:
    """Make a word that is whole but for some changes."""
    return Word(**{"text": "9 cm", "confidence": 0.9, "quad": Box(1, 2, 3, 4).quad} | changes)


def make_page(**changes) -> Page:
    """Make a page that is whole but for some changes."""
    return Page(**{"width": 10, "height": 20, "engine": ENGINE, "words": (make_word(),)} | changes)


WRONG_PAGES = {
    "nothing": None,
    "another function's": np.zeros(2048, np.float16),
    "text": "a page",
    "another engine's": make_page(engine="rapidocr"),
    "no width": make_page(width=0),
    "a broken height": make_page(height=20.0),
    "a list of words": make_page(words=[make_word()]),
    "no words": make_page(words=None),
    "words of another kind": make_page(words=("9 cm",)),
    "no text": make_page(words=(make_word(text=None),)),
    "bytes": make_page(words=(make_word(text=b"9 cm"),)),
    "no confidence": make_page(words=(make_word(confidence=None),)),
    "NaN": make_page(words=(make_word(confidence=np.nan),)),
    "three corners": make_page(words=(make_word(quad=((0.0, 0.0),) * 3),)),
    "corners of three numbers": make_page(words=(make_word(quad=((0.0, 0.0, 0.0),) * 4),)),
    "corners nowhere": make_page(words=(make_word(quad=((np.nan, 0.0),) * 4),)),
    "no corners": make_page(words=(make_word(quad=7),)),
}
WRONG_VECTORS = {
    "nothing": None,
    "another function's": make_page(),
    "a list": [0.0] * 2048,
    "another type": np.zeros(2048),
    "another network's": np.zeros(1280, np.float16),
    "two rows": np.zeros((2, 2048), np.float16),
    "NaN": np.full(2048, np.nan, np.float16),
    "no bounds": np.full(2048, np.inf, np.float16),
    "objects": np.full(2048, None),
}
WRONG_SEGMENTS = {
    "nothing": None,
    "another function's": make_page(),
    "another type": np.zeros((3, 4)),
    "another shape": np.zeros((3, 5), np.float32),
    "one number": np.float32(1),
    "a number as an array": np.array(1, np.float32),
    "a flat array": np.zeros(4, np.float32),
    "NaN": np.full((3, 4), np.nan, np.float32),
}


@pytest.mark.parametrize("value", WRONG_PAGES.values(), ids=WRONG_PAGES)
def test_wrong_page_is_read_again(tmp_path, caplog, value):
    """An entry that is whole but no such page is read again with one warning."""
    whole = fill(tmp_path)
    joblib.dump(value, first_entry(tmp_path), compress=("zlib", 1))
    again = read(tmp_path)
    assert (again.hits, again.misses, again.pages) == (2, 1, whole)
    assert caplog.text.count("made again") == 1
    assert read(tmp_path).hits == 3


@pytest.mark.parametrize("value", WRONG_VECTORS.values(), ids=WRONG_VECTORS)
def test_wrong_vector_is_noticed(tmp_path, caplog, value):
    """An entry that is whole but no such vector is removed with one warning."""
    keep = open_cache(tmp_path).cache(keep_vector, ignore=["vector"], verbose=0)
    keep("a" * 64, *VECTOR_KEY, np.zeros(2048))
    joblib.dump(value, first_entry(tmp_path), compress=("zlib", 1))
    for _ in range(2):
        assert recall(keep, IS_VECTOR, "a" * 64, *VECTOR_KEY) is None
    assert caplog.text.count("made again") == 1


@pytest.mark.parametrize("value", WRONG_SEGMENTS.values(), ids=WRONG_SEGMENTS)
def test_wrong_segments_are_found_again(tmp_path, caplog, value):
    """An entry that is whole but no line segments is made again with one warning."""
    Image.fromarray(draw_text(("H", 80, 10, 400))).save(tmp_path / "a.png")
    files, cache = {"a" * 64: tmp_path / "a.png"}, open_cache(tmp_path)
    whole = read_all_line_segments(files, cache)["a" * 64]
    joblib.dump(value, first_entry(tmp_path), compress=("zlib", 1))
    for _ in range(2):
        assert (read_all_line_segments(files, cache)["a" * 64] == whole).all()
    assert caplog.text.count("made again") == 1


def test_entry_that_cannot_be_removed_serves_nobody(tmp_path, monkeypatch):
    """A wrong entry in a folder that we may not change is not used either."""
    whole = fill(tmp_path)
    joblib.dump("a page", first_entry(tmp_path))
    monkeypatch.setattr("shutil.rmtree", lambda *args, **kwargs: None)
    assert read(tmp_path).pages == whole


@pytest.mark.parametrize(
    ("file", "content", "hits"),
    [
        ("metadata.json", b"{", 3),  # only the seconds are lost
        ("metadata.json", b"", 3),
        ("metadata.json", b'{"duration": "long"}', 3),
        ("metadata.json", b"[1]", 2),  # joblib expects pairs
        ("func_code.py", b"", 0),  # joblib cannot know for which code the entries are
        ("func_code.py", b"\xff\xfe garbage", 0),
        ("func_code.py", b"# first line: garbage", 0),
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
            recall(cached, IS_PAGE, sha256, ENGINE, "1", {}, data_dir)
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
    with (tmp_path / FOLDER / "uses.csv").open("ab") as file:
        file.write(b"\xff\xfe,1,1\n03_ocr,9")
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


def test_existing_cache_is_opened_as_it_is(tmp_path):
    """A cache that is there is opened, and neither folder nor file is made."""
    assert cache.open_existing_cache(tmp_path).location is None
    (tmp_path / FOLDER).mkdir(parents=True)
    assert cache.open_existing_cache(tmp_path).location is None
    assert not [*(tmp_path / FOLDER).iterdir()]
    fill(tmp_path)
    assert cache.open_existing_cache(tmp_path).location == tmp_path / FOLDER


def test_entries_of_earlier_versions_are_still_read(tmp_path):
    """Entries written before there was a checksum serve as they are."""
    from joblib import Memory

    images = {name * 64: tmp_path / name for name in NAMES}
    plain = Memory(tmp_path / FOLDER, verbose=0)
    read_pages(images, ENGINE, PLAIN, plain, 1, 20.0, read_name)
    assert read(tmp_path).hits == 3
    assert json.loads(first_entry(tmp_path, "metadata.json").read_text())["duration"] >= 0


def test_warning_names_the_image(tmp_path, caplog):
    """Who wants to know which image was read again finds its hash."""
    fill(tmp_path)
    first_entry(tmp_path).write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        read(tmp_path)
    assert any(name * 64 in caplog.text for name in NAMES)


THEIRS = (
    "notes.txt",  # beside the cache of ours
    "cache/joblib/their/function/0123456789abcdef0123456789abcdef/output.pkl",  # another cache
    f"{FOLDER}/invoice.pdf",
    f"{FOLDER}/0123456789abcdef0123456789abcdef/output.pkl",
    f"{FOLDER}/lib/0123456789abcdef0123456789abcdef/shoe-12345.png",
    f"{FOLDER}/lib/tests/stand_in/read_name/output.pkl",
    f"{FOLDER}/lib/tests/stand_in/read_name/holiday/output.pkl",
    "{entry}/photo.jpg",
    "{entry}/output.pkl.bak",
)
REMOVALS = {
    "clear": clear_cache,
    "prune": lambda data_dir: prune_cache(data_dir, "0K"),
}


@pytest.mark.parametrize("remove", REMOVALS.values(), ids=REMOVALS)
def test_files_of_others_stay(tmp_path, remove):
    """Whatever somebody keeps in and beside the cache stays as it is; our entries go."""
    fill(tmp_path)
    entry = first_entry(tmp_path).parent
    theirs = [tmp_path / name.format(entry=entry) for name in THEIRS]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    remove(tmp_path)
    assert [path.read_text() for path in theirs] == [path.name for path in theirs]
    assert measure_cache(tmp_path)["entries"].sum() == 0
    assert read(tmp_path).misses == 3


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes elsewhere")
@pytest.mark.parametrize(
    ("folder", "mode", "problem"),
    [
        ("cache", 0o777, "Everybody can write"),
        ("cache", 0o1777, ""),  # only its owner can replace what lies there, as in /tmp
        (FOLDER, 0o777, "Everybody can write"),
        (FOLDER, 0o757, "Everybody can write"),
        (FOLDER, 0o1777, "Everybody can write"),  # new entries can be added
        (FOLDER, 0o775, ""),
        (FOLDER, 0o700, ""),
    ],
)
def test_cache_that_everybody_can_write_to_is_refused(tmp_path, folder, mode, problem):
    """Entries run code: one line says what is wrong and what to do."""
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / folder).chmod(mode)
    found = check_cache(tmp_path)
    assert problem in found and bool(problem) == bool(found) and "\n" not in found
    if problem:
        with pytest.raises(CacheError, match="chmod -R o-w"):
            open_cache(tmp_path)


def test_check_writes_nothing(tmp_path):
    """A cache that is not there yet is well; a file in its place is told."""
    assert check_cache(tmp_path / "none") == "" and not list(tmp_path.iterdir())
    (tmp_path / "cache").write_text("mine")
    assert "is a file" in check_cache(tmp_path)
    assert (tmp_path / "cache").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="files have no such owners elsewhere")
def test_cache_of_another_user_is_warned_of_once(tmp_path, monkeypatch, caplog):
    """Somebody else's cache is used, with one warning that says what that means."""
    open_cache(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    cache._warn_of_owners.cache_clear()  # as in a new process
    for _ in range(3):
        open_cache(tmp_path)
    assert caplog.text.count("belongs to another user") == 1


@pytest.mark.skipif(os.name != "posix", reason="there is no umask elsewhere")
@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o077])
def test_own_cache_is_never_refused(tmp_path, mask):
    """What we make ourselves is closed to everybody else's writing, whatever the umask."""
    before = os.umask(mask)
    try:
        fill(tmp_path / "data")
        assert check_cache(tmp_path / "data") == ""
        assert os.umask(mask) == mask, "it stays as it was"
    finally:
        os.umask(before)
    inside = [path for path in (tmp_path / FOLDER).rglob("*") if path.stat().st_mode & 0o002]
    assert not inside or not (tmp_path / FOLDER).stat().st_mode & 0o001
