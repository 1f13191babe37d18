"""Read images with PP-OCR: choose scales and reading directions, and reread doubtful numbers."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lib.ocr.crops import cut_strip, measure_quad, reading_turns, to_quad, turn_quad, widen_quad
from lib.ocr.merging import OVERLAP, overlap
from lib.ocr.page import Word
from lib.ocr.ppocr_networks import STRIP_HEIGHT, Detector, Recogniser, networks_version

REVISION: int = 3
"""Increased when this engine's code changes what is read, so that cached pages become stale."""

SETTINGS: dict[str, object] = {
    "model": "PP-OCRv6 small",
    # A side is that of the square with the image's area, in pixels.
    "small_picture": 800,  # images with a smaller side are enlarged for the first pass
    "enlarged_side": 960,  # to this side,
    "most_enlarged": 2.0,  # but at most this many times
    "first_share": 0.6,  # larger images are scaled by this for the first pass, to a side of
    "first_least": 720,  # at least this
    "first_most": 960,  # and at most this
    "closer_side": 1280,  # of the closer pass; 0 for none
    "small_print": 12,  # pixels; boxes lower than this in the first pass call for a closer one
    "longest_side": 2000,  # pixels; no pass exceeds this
    "threshold": 0.3,
    "box_threshold": 0.5,
    "unclip": 1.6,
    "squeeze": 1.0,  # share of a long strip's width that the recogniser sees
    "min_confidence": 0.5,
    "doubt": 0.9,  # confidence below which a line with digits is read again, 0 for never
    # The crops it is then read in: margin in line heights, and share of the line's width.
    "views": ((-0.08, 1.0), (0.05, 1.0), (0.15, 1.0), (0.3, 1.0), (0.0, 1.2)),
}
PREFERENCE: float = 0.03
"""Lead in confidence that a less likely direction needs: `60` upside down reads `09`."""

DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Line:
    """The text read from one line, and its corners (4, 2), which begin where the text begins."""

    text: str
    confidence: float
    corners: np.ndarray
    source: str

    def to_word(self) -> Word:
        """Convert the line to the type that all engines share."""
        confidence = round(self.confidence, 4)
        return Word(self.text.strip(), confidence, to_quad(self.corners), self.source)


def name_version() -> str:
    """Name the versions of models and code, which the settings do not cover."""
    return f"{networks_version()} r{REVISION}"


def load_reader(settings: dict[str, object]) -> Callable[[np.ndarray], list[Word]]:
    """Return the function that reads an image with these settings."""
    return Reader(settings).read_words


class Reader:
    """The loaded networks, which read any number of images; one per process.

    Args:
        settings: Values for all keys of `SETTINGS`.
    """

    def __init__(self, settings: dict[str, object]) -> None:
        cv2.setNumThreads(1)
        self.settings = dict(settings)
        self.detector = Detector(settings)
        self.recogniser = Recogniser()
        self._reserve_memory()

    def read_words(self, image: np.ndarray) -> list[Word]:
        """Read an image.

        Args:
            image: RGB pixels (height, width, 3), uint8.

        Returns:
            Lines from the top down, in pixels of the image; corners in reading direction.
        """
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        lines = self._read_places(pixels, self._find_places(pixels))
        lines = self._read_again(pixels, lines)
        least = self.settings["min_confidence"]
        return [line.to_word() for line in lines if line.confidence >= least and line.text.strip()]

    def _reserve_memory(self) -> None:
        """Run the detector on an empty image of the largest size, to allocate all memory now.

        Memory that grows later looks like a leak to joblib, which then restarts the process.
        """
        side = max(self.settings[name] for name in ("enlarged_side", "first_most", "closer_side"))
        self.detector.find_lines(np.zeros((side, side, 3), np.uint8), 1.0)

    def _find_places(self, pixels: np.ndarray) -> list[tuple[np.ndarray, str]]:
        """Find lines in a first pass and, if that shows small print, in a closer one."""
        first, scale = self._look(pixels, self._first_side(pixels))
        small = [
            min(measure_quad(corners)) * scale < self.settings["small_print"] for corners in first
        ]
        if not any(small) or not self.settings["closer_side"]:
            return [(corners, "first") for corners in first]
        closer, _ = self._look(pixels, self.settings["closer_side"])
        large = [corners for corners, is_small in zip(first, small, strict=True) if not is_small]
        places = [(corners, "first") for corners in large]
        places += [(corners, "closer") for corners in closer if not is_covered(corners, large)]
        return places

    def _first_side(self, pixels: np.ndarray) -> float:
        known, side = self.settings, math.sqrt(pixels.shape[0] * pixels.shape[1])
        if side < known["small_picture"]:
            return min(known["enlarged_side"], known["most_enlarged"] * side)
        return min(max(known["first_share"] * side, known["first_least"]), known["first_most"])

    def _look(self, pixels: np.ndarray, side: int) -> tuple[np.ndarray, float]:
        scale = choose_scale(*pixels.shape[:2], side, self.settings["longest_side"])
        return self.detector.find_lines(pixels, scale), scale

    def _read_places(self, pixels: np.ndarray, places: list[tuple[np.ndarray, str]]) -> list[Line]:
        """Read each line in all directions it may run, and keep the most confident reading."""
        ways = [
            (index, turn_quad(corners, turn), source)
            for index, (corners, source) in enumerate(places)
            for turn in reading_turns(corners)
        ]
        readings = self._read_corners(pixels, [corners for _, corners, _ in ways])
        best: dict[int, Line] = {}
        for (index, corners, source), (text, confidence) in zip(ways, readings, strict=True):
            if index not in best or confidence > best[index].confidence + PREFERENCE:
                best[index] = Line(text, confidence, corners, source)
        return list(best.values())

    def _read_again(self, pixels: np.ndarray, lines: list[Line]) -> list[Line]:
        """Reread doubtful numbers in other crops; keep the best reading that loses no letters."""
        lines = list(lines)
        doubtful = [i for i, line in enumerate(lines) if self._is_doubtful(line)]
        for margin, share in self.settings["views"]:
            wider = [widen_quad(lines[i].corners, margin) for i in doubtful]
            readings = self._read_corners(pixels, wider, share)
            for i, (text, confidence) in zip(doubtful, readings, strict=True):
                if confidence > lines[i].confidence and is_as_long(text, lines[i].text):
                    lines[i] = replace(lines[i], text=text, confidence=confidence, source="again")
        return lines

    def _is_doubtful(self, line: Line) -> bool:
        return line.confidence < self.settings["doubt"] and bool(DIGIT.search(line.text))

    def _read_corners(
        self, pixels: np.ndarray, quads: list[np.ndarray], share: float = 1.0
    ) -> list[tuple[str, float]]:
        squeeze = self.settings["squeeze"] * share
        strips = [cut_strip(pixels, quad, STRIP_HEIGHT, squeeze) for quad in quads]
        return self.recogniser.read_strips(strips)


def is_as_long(text: str, other: str) -> bool:
    """Tell whether a text has digits and at least as many characters as another, without spaces.

    >>> is_as_long("20V X", "204 X"), is_as_long("21", '21"'), is_as_long("lOV", "1OV")
    (True, False, False)
    """
    return bool(DIGIT.search(text)) and len(text.replace(" ", "")) >= len(other.replace(" ", ""))


def choose_scale(height: int, width: int, side: int, longest: int) -> float:
    """Choose the scale at which an image has the area of a square.

    Args:
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        side: Side of the square in pixels.
        longest: No side becomes longer than this, in pixels.

    >>> choose_scale(1280, 1280, 640, 2000), choose_scale(320, 320, 640, 2000)
    (0.5, 2.0)
    >>> choose_scale(20_000, 40, 640, 2000), choose_scale(1, 1, 640, 2000)
    (0.1, 640.0)
    """
    return min(side / math.sqrt(height * width), longest / max(height, width))


def is_covered(corners: np.ndarray, others: list[np.ndarray]) -> bool:
    """Tell whether a box overlaps one of the others; all (4, 2)."""
    return any(overlap(corners, other) > OVERLAP for other in others)
