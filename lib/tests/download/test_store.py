"""Image folders: what is ours is known by record, and nothing else is touched."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from lib.download.fetch import fetch_images
from lib.download.image_files import Body, LinkResult
from lib.download.image_record import MARKER, STORED
from lib.download.store import DAY, ImageStore, StoreError, check_store, delete_downloaded
from lib.download.writers import WriterPool
from lib.tests.drawing import make_image

IMAGE = make_image()
SHA256 = hashlib.sha256(IMAGE).hexdigest()
PLACE = f"images/{SHA256[:2]}/{SHA256}.jpg"
LINK = "https://m.example/1.jpg"


@pytest.fixture(autouse=True)
def own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep images in the own thread: a process takes longer to start than a whole test."""
    monkeypatch.setattr("lib.download.store.WriterPool", partial(WriterPool, processes=0))


def store_body(data_dir: Path, data: bytes = IMAGE) -> LinkResult:
    """Keep what a link gave, as a download does."""
    with closing(ImageStore(data_dir)) as store:
        found = store.add([Body(LINK, data, hashlib.sha256(data).hexdigest())])[0]
        assert isinstance(found, LinkResult)
        store.remember({LINK: found})
    return found


def recall(data_dir: Path) -> list[str]:
    """List the links that are known."""
    with closing(ImageStore(data_dir)) as store:
        return list(store.find([LINK]))


def list_contents(folder: Path) -> dict[str, bytes | str]:
    """Take a folder's contents by path; links are what they point to, pipes are themselves."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "no file"
        for path in folder.rglob("*")
    }


def make_record(path: Path, columns: str, *rows: tuple) -> None:
    """Make a database with a table of links, all of it in the write-ahead log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name("elsewhere")
    with closing(sqlite3.connect(hidden)) as record:
        record.execute("PRAGMA journal_mode = WAL")
        record.execute(f"CREATE TABLE links ({columns})")
        places = ", ".join("?" * len(columns.split(", ")))
        record.executemany(f"INSERT INTO links VALUES ({places})", rows)
        record.commit()
        for end in ("", "-wal"):  # as a kill leaves them
            path.with_name(path.name + end).write_bytes(Path(f"{hidden}{end}").read_bytes())
    hidden.unlink()


COLUMNS = ", ".join(["link TEXT PRIMARY KEY", *list(STORED)[1:]])
# what somebody may have in the way, why this row
FOREIGN: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: (folder / "links.sqlite").write_text("my links\n"), "a text"),
    (lambda folder: (folder / "links.sqlite").touch(), "an empty file"),
    (lambda folder: (folder / "links.sqlite").mkdir(), "a folder"),
    (lambda folder: os.mkfifo(folder / "links.sqlite"), "a pipe"),
    (lambda folder: (folder / "links.sqlite").symlink_to("links.sqlite"), "a circle"),
    (lambda folder: (folder / "links.sqlite-wal").write_text("mine"), "a name that SQLite uses"),
    (lambda folder: (folder / "unfinished").write_text("mine"), "a file instead of a folder"),
    (lambda folder: make_record(folder / "links.sqlite", "link, title"), "another's database"),
    (lambda folder: (folder.rmdir(), folder.write_text("mine")), "a file instead of all"),
]


@pytest.mark.parametrize(("put", "why"), FOREIGN, ids=[why for _, why in FOREIGN])
def test_somebody_elses_record_is_refused(
    put: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    """What stands where our files must is told in one line, before anything is written."""
    (tmp_path / "images").mkdir()
    put(tmp_path / "images")
    before = list_contents(tmp_path)
    with pytest.raises(StoreError, match=r"DATA_DIR .* name another DATA_DIR\.$"):
        ImageStore(tmp_path)
    assert "\n" not in check_store(tmp_path)
    delete_downloaded(tmp_path, ["images/unfinished"])
    assert list_contents(tmp_path) == before, why


def test_record_of_the_version_before_is_adopted(tmp_path: Path) -> None:
    """Its links are known; of the files, those it downloaded are ours, and no others."""
    own, theirs = tmp_path / PLACE, tmp_path / "images/a.jpg"
    own.parent.mkdir(parents=True)
    for path in (own, theirs):
        path.write_bytes(IMAGE)
    facts = (SHA256, len(IMAGE), 40, 40, "ok", "")
    rows = [(LINK, PLACE, *facts), (f"file:{theirs}:9:9", "images/a.jpg", *facts)]
    make_record(tmp_path / "images/links.sqlite", COLUMNS, *rows)
    assert check_store(tmp_path) == "" and not (tmp_path / "images" / MARKER).exists()
    assert recall(tmp_path) == [LINK] and (tmp_path / "images" / MARKER).exists()
    delete_downloaded(tmp_path, [PLACE, "images/a.jpg"])
    assert not own.exists() and theirs.exists()


def cut(path: Path) -> None:
    """Keep the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_pages(path: Path) -> None:
    """Damage the inside of a database, so that only reading it all shows it."""
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * 4096 + data[8192:])


# how a record is damaged, whether its links are lost
DAMAGES: list[tuple[str, Callable[[Path], object], bool]] = [
    ("deleted", lambda path: path.unlink(), True),
    ("emptied", lambda path: path.write_bytes(b""), True),
    ("cut", cut, True),
    ("garbage", lambda path: path.write_bytes(b"rubbish" * 1000), True),
    ("pages", spoil_pages, True),
    ("another's", lambda path: (path.unlink(), make_record(path, "link, title")), True),
    ("an odd row", lambda path: edit(path, "UPDATE links SET bytes = 'x', path = NULL"), True),
    ("no text", lambda path: edit(path, "UPDATE links SET reason = CAST(x'ff' AS TEXT)"), False),
    ("a lost table", lambda path: edit(path, "DROP TABLE unfinished"), False),
    ("another log", lambda path: Path(f"{path}-wal").write_bytes(b"rubbish" * 999), False),
]


def edit(path: Path, statement: str) -> None:
    """Change a record behind our back."""
    with closing(sqlite3.connect(path)) as record:
        record.execute(statement)
        record.commit()


@pytest.mark.parametrize(("name", "damage", "lost"), DAMAGES, ids=[name for name, *_ in DAMAGES])
def test_damaged_record_costs_only_time(
    name: str,
    damage: Callable[[Path], object],
    lost: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A new record begins; what was there is kept under a name with the time, and one line says."""
    store_body(tmp_path)
    path = tmp_path / "images/links.sqlite"
    damage(path)
    content = path.read_bytes() if path.exists() else b""
    assert check_store(tmp_path) == ""
    assert recall(tmp_path) == ([] if lost else [LINK])
    aside = list(path.parent.glob("links.sqlite.*T*"))
    if name in ("cut", "garbage", "pages", "another's"):
        kept = aside[0].read_bytes()  # SQLite moves what is in the log into the file as it closes
        assert kept == content or name == "another's"
        assert [record.getMessage().count(aside[0].name) for record in caplog.records] == [1]
    else:
        assert not aside and len(caplog.records) == (name == "another log")
    assert store_body(tmp_path).status == "ok" and recall(tmp_path) == [LINK]


def test_only_what_we_downloaded_is_deleted(tmp_path: Path) -> None:
    """A file is deleted if we wrote it and nobody changed it, by whichever path it is named."""
    others = [make_image(seed) for seed in (1, 2, 3)]
    changed, absolute, ours = [store_body(tmp_path, data).path for data in (*others[:2], IMAGE)]
    theirs = tmp_path / "images/a.jpg"
    theirs.write_bytes(others[2])
    alike = tmp_path / "images" / "ab" / f"{hashlib.sha256(others[2]).hexdigest()}.jpg"
    alike.parent.mkdir()
    alike.write_bytes(others[2])
    (tmp_path / changed).write_bytes(b"better now")
    before = list_contents(tmp_path)
    named = [ours, tmp_path / absolute, changed, theirs, alike, "../x.jpg", "/etc/passwd"]
    delete_downloaded(tmp_path, named)
    after = list_contents(tmp_path)
    assert before.keys() - after.keys() == {ours, absolute}
    (tmp_path / ours).write_bytes(IMAGE)  # put back by somebody
    delete_downloaded(tmp_path, named)
    assert (tmp_path / ours).exists() and after.items() <= list_contents(tmp_path).items()


def test_a_file_in_the_way_is_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never overwritten, however often; the log names it."""
    path = tmp_path / PLACE
    path.parent.mkdir(parents=True)
    for number in range(3):
        path.write_bytes(b"mine" + bytes([number]) * (len(IMAGE) - 4))
        assert store_body(tmp_path).status == "ok"
        assert path.read_bytes() == IMAGE
    aside = sorted(path.parent.glob("*.jpg.*"))
    assert sorted(file.read_bytes()[4] for file in aside) == [0, 1, 2]
    assert aside[0].name.startswith(f"{path.name}.{datetime.now():%Y-%m-%d}T")
    assert [sum(file.name in line for line in caplog.messages) for file in aside][1:] == [1, 1]
    delete_downloaded(tmp_path, [PLACE, *aside])
    assert not path.exists() and len(list(path.parent.iterdir())) == 3


def test_a_file_that_was_right_before_is_not_ours(tmp_path: Path) -> None:
    """Where the very image lies already it is used, and not deleted."""
    path = tmp_path / PLACE
    path.parent.mkdir(parents=True)
    path.write_bytes(IMAGE)
    assert store_body(tmp_path).path == PLACE
    delete_downloaded(tmp_path, [PLACE])
    assert path.read_bytes() == IMAGE


def test_a_place_that_cannot_be_written_to_fails_its_link(tmp_path: Path) -> None:
    """Somebody's file with the name of one of our folders stays, and the link says why."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / SHA256[:2]).write_text("mine")
    assert store_body(tmp_path).reason == "cannot be stored: Not a directory"
    assert (tmp_path / "images" / SHA256[:2]).read_text() == "mine"


def test_only_our_own_temporary_files_are_removed(tmp_path: Path) -> None:
    """They lie in a recorded folder older than a day; names like ours elsewhere prove nothing."""
    unfinished = tmp_path / "images/unfinished"
    killed = [ImageStore(tmp_path) for _ in range(3)]
    old, young, shared = (store._unfinished for store in killed)
    token = "0123456789abcdef" * 2
    stays = [unfinished / token, unfinished / ("f" * 32) / token, shared / "notes.txt", young / "0"]
    for path in (old / token, shared / token, *stays):
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
    for path in (old, shared, *stays):
        os.utime(path, (0, os.path.getmtime(tmp_path) - 2 * DAY))
    store_body(tmp_path)
    assert {path for path in unfinished.rglob("*") if path.is_file()} == set(stays)
    assert not old.exists()
    for store in killed:
        store._record.close()


NAMES = [
    *("a.jpg", "links.txt", "links.sqlite.bak", "unfinished/x.jpg", "ab/shoe.jpg", ".hidden"),
    *("part-00001.parquet", "sub/links.sqlite", f"{'e' * 64}.jpg", "ünïcode ☃.png", "a b.jpg"),
    *(f"{'0' * 32}", f"unfinished/{'0' * 32}", f"ee/{'e' * 64}.jpg", "x.jpg.2026-11-27T2210"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give somebody's folder with images and other files of all names."""
    folder = tmp_path / "mine"
    for number, name in enumerate([*NAMES, *(f"images/{name}" for name in NAMES)]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_image(number))
        os.utime(path, (0, 0))  # as in archives
    yield folder


@pytest.mark.parametrize("local_images", ["", ".", "images"])
def test_a_folder_of_somebodys_is_left_as_it_was(folder: Path, local_images: str) -> None:
    """Given as data folder, as folder of images, or as both: each file is the same after all."""
    before = list_contents(folder)
    links = ["images/a.jpg", "a.jpg", "ab/shoe.jpg", f"ee/{'e' * 64}.jpg", "lost.jpg"]
    table = pd.DataFrame({"link": links, "folder": str(folder)})
    for _ in range(2):
        images = fetch_images(table, folder, folder / local_images if local_images else "")
        assert images["status"].tolist() == ["ok"] * 4 + ["failed"]
        assert (images["mtime_ns"] == 0).tolist() == (images["path"] == "").tolist()
        store_body(folder)
        delete_downloaded(folder, [*images["path"], PLACE, *before])
        after = list_contents(folder)
        assert {name: after.get(name) for name in before} == before
        assert not (folder / PLACE).exists()
