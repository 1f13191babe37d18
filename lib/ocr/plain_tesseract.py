"""Read images with Tesseract's defaults in one pass, as input of the first-match baseline."""

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
    """Return the function that reads an image with these settings."""
    return lambda image: read_words(image, settings)


def read_words(image: np.ndarray, settings: dict[str, object]) -> list[Word]:
    """Read an image exactly as `pytesseract.image_to_data(image)` does.

    Args:
        image: RGB pixels (height, width, 3), uint8.
        settings: Values for all keys of `SETTINGS`.

    Returns:
        Words in the engine's order.

    Raises:
        EngineError: Tesseract is missing, failed or timed out.
    """
    return tesseract.run_tesseract(image, settings, "first")
