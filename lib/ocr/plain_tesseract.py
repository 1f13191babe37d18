"""Tesseract as it comes, in one plain pass: the text that the first-match baseline works on."""

from collections.abc import Callable

import numpy as np

from lib.ocr import tesseract
from lib.ocr.page import Word

SETTINGS: dict[str, object] = {"language": "eng"}


def name_version() -> str:
    """Name the program's version.

    Raises:
        EngineError: There is no Tesseract.
    """
    return tesseract.name_version()


def load_reader(settings: dict[str, object]) -> Callable[[np.ndarray], list[Word]]:
    """Give the function that reads a picture with these settings."""
    return lambda image: read_words(image, settings)


def read_words(image: np.ndarray, settings: dict[str, object]) -> list[Word]:
    """Read a picture as `pytesseract.image_to_data(image)` does, nothing else.

    Args:
        image: Colours (height, width, 3), uint8.
        settings: As `SETTINGS`.

    Returns:
        Words in the engine's order.

    Raises:
        EngineError: There is no Tesseract, it failed, or took longer than its time.
    """
    return tesseract.run_tesseract(image, settings, "first")
