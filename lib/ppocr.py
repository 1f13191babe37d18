"""PP-OCR on pictures: where to look closer, which way text runs, and the lines that come of it."""

import re
from dataclasses import dataclass

import cv2
import numpy as np

from lib.crops import cut_strip, measure_quad, reading_turns, to_quad, turn_quad, widen_quad
from lib.merging import merge_words, overlap
from lib.page import Word
from lib.ppocr_nets import STRIP_HEIGHT, Detector, Recogniser, networks_version

REVISION: int = 1
"""Counted up when the code of this engine changes what is read, so that caches are read anew."""

SETTINGS: dict[str, object] = {
    "model": "PP-OCRv6 small",
    "first_side": 640,  # pixels of the first look: of the square with the picture's area
    "closer_side": 1120,  # of the closer look; 0 for none
    "small_print": 12,  # pixels; lines lower than this in the first look call for a closer one
    "longest_side": 2000,  # pixels no look exceeds
    "threshold": 0.3,
    "box_threshold": 0.5,
    "unclip": 1.6,
    "min_confidence": 0.5,
    "doubt": 0.9,  # confidence below which a line with digits is read again, 0 for never
    "margin": 0.15,  # of a line's height, added around it for the second reading
}
DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Line:
    """A reading of one line, and the corners (4, 2) that begin where its text does."""

    text: str
    confidence: float
    corners: np.ndarray
    source: str

    def to_word(self) -> Word:
        """Give it the form all engines share."""
        confidence = round(self.confidence, 4)
        return Word(self.text.strip(), confidence, to_quad(self.corners), self.source)


def ppocr_version() -> str:
    """Name all that is in the code rather than in the settings."""
    return f"{networks_version()} r{REVISION}"


class Reader:
    """The loaded networks, which read any number of pictures; one per process.

    Args:
        settings: As `SETTINGS`.
    """

    def __init__(self, settings: dict[str, object]) -> None:
        cv2.setNumThreads(1)
        self.settings = settings
        self.detector = Detector(settings)
        self.recogniser = Recogniser()

    def read_words(self, image: np.ndarray) -> list[Word]:
        """Read a picture.

        Args:
            image: Colours (height, width, 3), uint8, red first.

        Returns:
            Lines in pixels of the picture, from the top, in reading direction.
        """
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        lines = [
            self.read_line(pixels, corners, source) for corners, source in self.find_lines(pixels)
        ]
        return [line.to_word() for line in lines if line]
