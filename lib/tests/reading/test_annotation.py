"""Annotated images: outlines where the answers are, labels inside, no file overwritten."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageColor

from lib.reading.annotation import COLORS, check_target, draw_answers, save_annotated
from lib.reading.sources import Source

CORNERS = "40 50 90 50 90 70 40 70"


def make_answers(*rows):
    """Make rows of answers: entity, prediction, corners."""
    return pd.DataFrame(rows, columns=["entity_name", "prediction", "corners"])


@pytest.fixture
def blank(tmp_path):
    """A white image."""
    Image.new("RGB", (200, 100), "white").save(tmp_path / "blank.png")
    return tmp_path / "blank.png"


def test_outline_and_label(blank):
    """Words that answered are outlined; two questions that one text answers share a label."""
    one = make_answers(("width", "5.0 inch", CORNERS), ("height", "", ""))
    both = make_answers(("width", "5.0 inch", CORNERS), ("depth", "5.0 inch", CORNERS))
    first, second = (np.asarray(draw_answers(blank, answers)) for answers in (one, both))
    color = ImageColor.getrgb(COLORS[0])
    for pixels in (first, second):
        assert tuple(pixels[50, 60]) == tuple(pixels[70, 60]) == color
        assert tuple(pixels[60, 65]) == (255, 255, 255)  # the words stay readable
        assert ((pixels[:50] == color).all(axis=2)).sum() > 500  # the label above
    assert (first[:50] == color).all(axis=2).sum() < (second[:50] == color).all(axis=2).sum()
    assert (np.asarray(draw_answers(blank, make_answers(("height", "", "")))) == 255).all()


@pytest.mark.parametrize("corners", ["0 0 20 0 20 9 0 9", "190 90 199 90 199 99 190 99"])
def test_label_stays_inside(blank, corners):
    """A label at the edge is moved in, so that all of it can be read."""
    pixels = np.asarray(draw_answers(blank, make_answers(("width", "5.0 inch", corners))))
    is_label = (pixels == ImageColor.getrgb(COLORS[0])).all(axis=2)
    rows, columns = np.flatnonzero(is_label.any(axis=1)), np.flatnonzero(is_label.any(axis=0))
    assert np.ptp(rows) > 20 and np.ptp(columns) > 60


@pytest.mark.parametrize(
    ("below", "reason"),
    [("40 80 90 80 90 95 40 95", "a row below"), ("45 75 95 75 95 92 45 92", "nearly the same")],
)
def test_label_covers_no_answer(blank, below, reason):
    """A label leaves free what is outlined for another question, and its label."""
    alone = ("width", "5.0 inch", CORNERS)
    rows = (alone, ("height", "7.0 inch", below))
    pixels = np.asarray(draw_answers(blank, make_answers(*rows)))
    for row, color in zip(rows, COLORS, strict=False):
        left, top, right, bottom = (int(row[2].split()[at]) for at in (0, 1, 4, 5))
        inside = pixels[top + 3 : bottom - 3, left + 3 : right - 3]
        assert (inside == 255).all(), reason
        single = np.asarray(draw_answers(blank, make_answers(("width", *row[1:]))))
        assert (pixels == ImageColor.getrgb(color)).all(axis=2).sum() > 0.9 * (
            single == ImageColor.getrgb(COLORS[0])
        ).all(axis=2).sum(), reason


def save(tmp_path, target, *names):
    """Save answers on white images, and name the files made."""
    sources = []
    for number, name in enumerate(names):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (200, 100), "white").save(path)
        sources.append(Source(name, path if name != "lost" else None))
    reasons = ["no such file" if name == "lost" else "" for name in names]
    found = SimpleNamespace(sources=sources, reasons=reasons)
    asked = pd.DataFrame({"position": range(len(names))})
    answers = make_answers(*[("width", "5.0 inch", CORNERS)] * len(names))
    return save_annotated(found, asked, answers, target)


def test_one_file(tmp_path):
    """One image goes to the file that was named, in its suffix's format."""
    assert save(tmp_path, tmp_path / "out.jpg", "a.png") == [tmp_path / "out.jpg"]
    assert Image.open(tmp_path / "out.jpg").format == "JPEG"


def test_folder(tmp_path):
    """Several go into a folder, which is made; names do not collide, failures make no file."""
    made = save(tmp_path, tmp_path / "out", "x/a.png", "y/a.jpg", "lost", "-")
    assert [path.name for path in made] == ["a.png", "a-2.png", "-.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in made
    )


@pytest.mark.parametrize("names", [("x/a.png",), ("x/a.png", "x/b.jpg")])
def test_folder_of_the_images(tmp_path, names):
    """Annotated images are put beside images of the same name, never in their place."""
    (tmp_path / "x").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "x" / name).write_bytes(b"another image")
    made = save(tmp_path, tmp_path / "x", *names)
    again = save(tmp_path, tmp_path / "x", *names)
    expected = ["a-2.png", "b-2.png"][: len(names)]
    assert [path.name for path in made] == expected
    assert [path.name for path in again] == [name.replace("2", "3") for name in expected]
    assert (tmp_path / "x/b.png").read_bytes() == b"another image"


def test_file_that_is_the_image_itself(tmp_path):
    """The only image of a folder is not overwritten either, under whatever name."""
    (tmp_path / "link.png").symlink_to("0.png")  # 0.png is what `save` reads
    for target in ("0.png", "link.png"):
        with pytest.raises(FileExistsError, match="is the image itself; name another"):
            save(tmp_path, tmp_path / target, "folder")


@pytest.mark.parametrize(
    ("target", "named", "problem"),
    [
        ("out.png", ["a.png"], ""),
        ("out", ["a.png"], ""),  # a folder
        ("out.png", ["a.png", "b.png"], ""),  # a folder, too, whatever its name
        ("out.xyz", ["a.png"], "no suffix of an image"),
        ("blank.png", ["blank.png"], "is the image itself"),
        ("blank.png/out.png", ["a.png"], "cannot be written"),
        ("blank.png", ["a.png", "b.png"], "cannot be written"),  # a file where a folder must be
    ],
)
def test_targets(blank, monkeypatch, target, named, problem):
    """What cannot be written is said before anything is read."""
    monkeypatch.chdir(blank.parent)
    said = check_target(blank.parent / target, named)
    assert (problem in said) if problem else said == ""
    assert [path.name for path in blank.parent.iterdir()] == ["blank.png"]
