"""Pages laid out by hand and images of noise, for the tests."""

import io

import numpy as np
from PIL import Image

from lib.ocr.page import Box, Page, Quad, Word


def word(text: str, left: float, top: float, size: float = 10, source: str = "first") -> Word:
    """Make a level word whose letters are half as wide as high."""
    quad = Box(left, top, left + len(text) * size / 2, top + size).quad
    return Word(text, 0.9, quad, source)


def turned_word(text: str, left: float, bottom: float, size: float = 10) -> Word:
    """Make a word that reads upwards."""
    length = len(text) * size / 2
    quad: Quad = (
        (left, bottom),
        (left, bottom - length),
        (left + size, bottom - length),
        (left + size, bottom),
    )
    return Word(text, 0.9, quad)


def page(*words: Word, engine: str = "rapidocr") -> Page:
    """Make a page of 500 x 400 pixels."""
    return Page(500, 400, engine, words)


def make_image(seed: int = 0, kind: str = "JPEG", size: int = 40) -> bytes:
    """Make the bytes of a small image of noise."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size, size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()
