"""Images as users name them: each becomes a file, or a row with its reason."""

import io
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lib.download
from lib.io import open_image
from lib.reading.sources import find_sources
from lib.tests.drawing import make_image


@pytest.fixture
def folder(tmp_path):
    """A folder as people have them: images in folders, notes, and what programs hide in it."""
    names = ["b.JPG", "a.png", "deep/c.webp", ".trash/d.jpg", ".e.jpg", "notes.txt", "f.jpg.part"]
    for name in names:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_image())
    (tmp_path / "photos/album.jpg").mkdir()
    (tmp_path / "none").mkdir()
    return tmp_path


def find(*named, **options):
    """Find sources, and say of each its name, whether it has content, and its reason."""
    with ExitStack() as stack:
        return [
            (one.name, bool(one.sha256), one.reason)
            for one in find_sources(named, stack, **options)
        ]


@pytest.mark.parametrize(
    ("name", "found", "reason"),
    [
        ("photos/a.png", ["photos/a.png"], ""),
        ("photos/notes.txt", ["photos/notes.txt"], ""),  # named, so it is tried
        ("photos", ["photos/a.png", "photos/b.JPG", "photos/deep/c.webp"], ""),
        ("none", ["none"], "the folder holds no image"),
        ("gone.jpg", ["gone.jpg"], "cannot read gone.jpg: No such file or directory"),
        ("C:\\cup.jpg", ["C:\\cup.jpg"], "No such file"),  # a disk is no link
        ("x" * 5000, ["x" * 5000], "File name too long"),
        ("nul\0.jpg", ["nul\0.jpg"], "null byte"),
        ("~nobody_here/a.jpg", ["~nobody_here/a.jpg"], "no home folder is known"),
        ("/dev/null", ["/dev/null"], "not a regular file"),
        ("bad\udcff.jpg", ["bad\ufffd.jpg"], "No such file"),  # printable all the same
    ],
)
def test_names(folder, monkeypatch, name, found, reason):
    """A file stands for itself, a folder for the images in it; others have a reason."""
    monkeypatch.chdir(folder)
    sources = find(name)
    assert [source[0] for source in sources] == found
    assert all(reason in why and has_content == (not reason) for _, has_content, why in sources)


def test_folder_that_a_table_names(folder, monkeypatch):
    """In a table a folder is no image, since a row asks about one."""
    monkeypatch.chdir(folder)
    assert find("photos", expand=False) == [("photos", False, "cannot read photos: Is a directory")]


def test_links_are_fetched_together(tmp_path, monkeypatch):
    """All links are fetched in one go; files are left as they are, nothing stays."""
    calls = []

    def fetch(links, data_dir):
        calls.append(links["link"].tolist())
        (data_dir / "1.jpg").write_bytes(make_image())
        rows = [("http://x/1.jpg", "1.jpg", ""), ("s3://x/2.jpg", "", "cannot be fetched")]
        return pd.DataFrame(rows, columns=["link", "path", "reason"])

    monkeypatch.setattr(lib.download, "fetch_images", fetch, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = tmp_path / "own.jpg"
    own.write_bytes(make_image())
    assert find("http://x/1.jpg", own, "s3://x/2.jpg") == [
        ("http://x/1.jpg", True, ""),
        (str(own), True, ""),
        ("s3://x/2.jpg", False, "cannot be fetched"),
    ]
    assert calls == [["http://x/1.jpg", "s3://x/2.jpg"]]
    assert list(tmp_path.iterdir()) == [own]


def test_standard_input(monkeypatch):
    """`-` is what comes through the pipe; nothing may come."""
    for content, reason in ((make_image(), ""), (b"", "")):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        assert find("-") == [("standard input", True, reason)]


def test_files_need_no_temporary_folder(folder, monkeypatch):
    """Where only files are named, none is made, so that a full disk is no trouble."""
    monkeypatch.setattr("lib.reading.sources.TemporaryDirectory", None)
    assert len(find(folder / "photos")) == 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "F"])
def test_image_in_memory(mode):
    """Whatever its mode, an image of this process looks as if it were read from a file."""
    shades = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    image = Image.fromarray(shades)
    if mode in ("I;16", "F"):
        image = Image.fromarray(shades[..., 0].astype(np.uint16 if mode == "I;16" else np.float32))
    image = image.convert(mode) if mode not in ("I;16", "F") else image
    with ExitStack() as stack:
        (source,) = find_sources([image], stack)
        assert source.name == "image" and not source.reason
        seen = open_image(source.path)
    assert seen.shape == (20, 30, 3)
    if mode in ("RGB", "L", "CMYK"):
        assert (seen == np.asarray(image.convert("RGB"))).all()


def test_turned_image_in_memory():
    """An image that its camera turned is turned back, as in a file."""
    image = Image.new("RGB", (30, 20))
    buffer = io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(buffer, "JPEG", exif=exif)
    with ExitStack() as stack:
        (source,) = find_sources([Image.open(buffer)], stack)
        assert open_image(source.path).shape == (30, 20, 3)
