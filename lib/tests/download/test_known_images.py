"""Where images would come from is told by the record of earlier runs, which is not touched."""

import contextlib
from pathlib import Path

import pandas as pd
import pytest

from lib.download.image_files import LinkResult
from lib.download.image_record import ImageRecord
from lib.download.jobs import make_job
from lib.download.known_images import find_known_images
from lib.tests.in_process import list_files

FETCHED, LOST, FAILED, NEW = (f"https://example.com/{name}.jpg" for name in "abcd")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with one image that was fetched, and records of others."""
    images = tmp_path / "data/images"
    with contextlib.closing(ImageRecord(images)) as record:
        (images / "a.jpg").write_bytes(b"1234")
        known = {"sha256": "a" * 64, "bytes": 4, "status": "ok"}
        outcomes = {
            FETCHED: LinkResult(FETCHED, path="images/a.jpg", **known),
            LOST: LinkResult(LOST, path="images/b.jpg", **known),
            FAILED: LinkResult(FAILED, status="failed", reason="not found: 404"),
        }
        record.remember(outcomes, [])
    return tmp_path / "data"


def find(links: list[str], data_dir: Path, local: str = "") -> dict[str, tuple[str, str]]:
    """Find the source and digest of each link's image."""
    table = pd.DataFrame({"link": links, "folder": str(data_dir.parent)})
    found = find_known_images(table, data_dir, local)
    assert found["link"].tolist() == links
    return {row.link: (row.source, row.sha256[:3]) for row in found.itertuples()}


def test_sources(data_dir: Path) -> None:
    """Fetched images that are still there are known; the rest is fetched, or cannot be."""
    (data_dir.parent / "here.jpg").touch()
    links = [FETCHED, LOST, FAILED, NEW, "here.jpg", "gone.jpg", "nothing://x"]
    before = list_files(data_dir)
    assert find(links, data_dir) == {
        FETCHED: ("record", "aaa"),
        LOST: ("network", ""),  # its file was deleted
        FAILED: ("network", ""),  # it is tried again
        NEW: ("network", ""),
        "here.jpg": ("local", ""),
        "gone.jpg": ("nowhere", ""),
        "nothing://x": ("nowhere", ""),
    }
    assert list_files(data_dir) == before


def test_local_image_that_was_seen(data_dir: Path) -> None:
    """A local image that an earlier run has checked is known by size and time."""
    (data_dir.parent / "d.jpg").write_bytes(b"12345")
    job = make_job(NEW, 0, "", data_dir.parent)
    path = (data_dir.parent / "d.jpg").as_posix()
    with contextlib.closing(ImageRecord(data_dir / "images")) as record:
        found = LinkResult(NEW, path=path, sha256="d" * 64, bytes=5, status="ok", source="local")
        record.remember({job.key: found}, [])
    assert find([NEW], data_dir, str(data_dir.parent)) == {NEW: ("local", "ddd")}


def test_no_or_damaged_record(data_dir: Path) -> None:
    """Without a record that can be read everything is to be fetched."""
    (data_dir / "images/links.sqlite").write_bytes(b"rubbish" * 1000)
    assert find([FETCHED], data_dir) == {FETCHED: ("network", "")}
    assert find([FETCHED], data_dir / "other") == {FETCHED: ("network", "")}
    assert not (data_dir / "other").exists()


def test_many_links(data_dir: Path) -> None:
    """More links than SQLite takes in one query are looked up."""
    links = [*(f"https://example.com/{number}.jpg" for number in range(1200)), FETCHED]
    found = find(links, data_dir)
    assert found[FETCHED] == ("record", "aaa") and len(found) == 1201
