"""Many images read in processes and cached: what is read again, and what a failure costs."""

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from joblib import Memory
from PIL import Image

from lib.io.images import ImageError
from lib.ocr.engines import ENGINES, default_settings
from lib.ocr.page import Page
from lib.ocr.page_table import PAGE_COLUMNS, tabulate_pages
from lib.ocr.reading import (
    ReadResult,
    find_unread,
    read_page,
    read_pages,
)
from lib.tests.in_process import list_files
from lib.tests.stand_in import draw_text, read_name

ENGINE = "tesseract_plain"
PLAIN = default_settings(ENGINE)


@pytest.fixture
def read(tmp_path):
    """Read images by name with the stand-in; the calls it got are in `read.calls()`."""
    memory = Memory(tmp_path / "cache", verbose=0)

    def read(*names, settings=PLAIN, workers=1, engine=ENGINE):
        images = {name[0] * 64: tmp_path / name for name in names}
        return read_pages(images, engine, settings, memory, workers, 2.0, read_name)

    calls = tmp_path / "calls.txt"
    read.calls = lambda: calls.read_text().split() if calls.exists() else []
    return read


def save(image, path: Path) -> str:
    """Save an image and return its content's hash."""
    Image.fromarray(image).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_second_run_reads_nothing_again(read):
    """All pages of the first run come out of the cache, with the seconds they took."""
    first = read("a", "b")
    second = read("a", "b", "c")
    assert (first.hits, first.misses) == (0, 2)
    assert (second.hits, second.misses) == (2, 1)
    assert second.pages.keys() == {"a" * 64, "b" * 64, "c" * 64}
    assert read.calls() == ["a", "b", "c"]
    assert second.seconds["a" * 64] >= 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"settings": replace(PLAIN, language="deu")}, "another setting"),
        ({"settings": replace(PLAIN, precision="bfloat16")}, "another precision"),
        ({"engine": "rapidocr"}, "another engine"),
    ],
)
def test_a_change_reads_anew(read, change, reason):
    """Whatever changes the answer is part of the key."""
    read("a")
    assert read("a", **change).misses == 1, reason
    assert read("a").hits == 1, "the first is still there"


def test_a_new_version_reads_anew(read, monkeypatch):
    """An upgraded engine does not serve the old one's pages."""
    read("a")
    monkeypatch.setattr("lib.ocr.tesseract.REVISION", 99)
    assert read("a").misses == 1


def test_a_moved_file_is_a_hit(tmp_path):
    """The content's hash is the key, not the path."""
    memory = Memory(tmp_path / "cache", verbose=0)
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        images = {"a" * 64: tmp_path / folder / "a"}
        reading = read_pages(images, ENGINE, PLAIN, memory, 1, 2.0, read_name)
    assert reading.hits == 1


def test_a_damaged_entry_is_read_again(read, tmp_path):
    """A broken file in the cache costs one reading."""
    read("a", "b")
    (entry, _) = sorted((tmp_path / "cache").rglob("output.pkl"))
    entry.write_bytes(b"broken")
    again = read("a", "b")
    assert (again.hits, again.misses, len(again.pages)) == (1, 1, 2)


def test_bad_images_cost_themselves_only(read):
    """A broken engine, a hang and a death are rows with a reason, and are tried again next time."""
    names = ("a", "break", "c", "kill", "hang", "z")
    reading = read(*names, workers=2)
    assert reading.pages.keys() == {name * 64 for name in "acz"}
    assert reading.failures == {
        "b" * 64: "internal error: RuntimeError: the engine broke",
        "k" * 64: "the process working on it died",
        "h" * 64: "took longer than 2 s and was stopped",
    }
    assert sorted(read.calls()) == ["a", "c", "z"]
    assert read("a", "break", "c").misses == 1


def test_unread_images_are_found(tmp_path):
    """An image is unread by other engines and settings; asking changes nothing, even stale code."""
    sha256 = save(draw_text(("12 cm", 20, 20, 40)), tmp_path / "a.png")
    memory = Memory(tmp_path / "cache", verbose=0)
    read_pages({sha256: tmp_path / "a.png"}, ENGINE, PLAIN, memory)
    next((tmp_path / "cache").rglob("func_code.py")).write_text("# first line: 1\nother = 1")
    before = list_files(tmp_path)
    assert find_unread([sha256, "b" * 64], ENGINE, PLAIN, memory) == ["b" * 64]
    assert find_unread([sha256], "tesseract", PLAIN, memory) == [sha256]
    assert find_unread([sha256], ENGINE, PLAIN, Memory(None)) == [sha256]
    assert list_files(tmp_path) == before


def test_no_cache_reads_always(tmp_path):
    """A memory without a place is transparent."""
    images = {"a" * 64: tmp_path / "a"}
    for _ in range(2):
        reading = read_pages(images, ENGINE, PLAIN, Memory(None), 1, 2.0, read_name)
        assert (reading.hits, reading.misses, len(reading.pages)) == (0, 1, 1)


def test_no_images_is_an_empty_reading(tmp_path):
    """An empty batch gives empty tables of the types that a full one has."""
    table = tabulate_pages(read_pages({}, ENGINE, PLAIN, Memory(None), 2))
    full = tabulate_pages(ReadResult(ENGINE, "1", {"a": Page(1, 1, ENGINE)}, {}, {"a": 0.1}))
    assert list(table.columns) == list(PAGE_COLUMNS) and table.empty
    assert table.dtypes.equals(full.dtypes)


def test_table_has_a_row_for_each_image(read):
    """Failed images are rows too, with their reason."""
    table = tabulate_pages(read("a", "break")).set_index("sha256")
    assert table.loc["a" * 64, ["width", "height", "words", "status"]].tolist() == [10, 20, 1, "ok"]
    assert table.loc["b" * 64, ["words", "status"]].tolist() == [0, "failed"]
    assert table["reason"].tolist() == ["", "internal error: RuntimeError: the engine broke"]
    assert set(table["version"]) == {PLAIN.name_version()}


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_read_a_page(engine, tmp_path):
    """Each engine reads a drawn label into a small page in pixels of the image."""
    path = tmp_path / "label.png"
    sha256 = save(draw_text(("Weight 12.5 kg", 80, 90, 40)), path)
    settings = default_settings(engine, "float32")
    page = read_page(sha256, engine, settings.name_version(), settings, path)
    assert (page.width, page.height, page.engine) == (640, 480, engine)
    assert "12.5" in " ".join(word.text for word in page.words)
    assert pickle.loads(pickle.dumps(page)) == page
    assert len(pickle.dumps(page)) < 2_000


def test_a_text_file_is_an_image_error(tmp_path):
    """A file that is no image fails before an engine sees it."""
    path = tmp_path / "photo.jpg"
    path.write_text("403 Forbidden")
    with pytest.raises(ImageError, match="not an image"):
        read_page("0" * 64, ENGINE, "1", PLAIN, path)


def test_an_unknown_engine_is_an_error():
    """The message lists the known ones."""
    with pytest.raises(ValueError, match=r"unknown OCR engine 'easyocr'; choose from rapidocr, "):
        default_settings("easyocr")
