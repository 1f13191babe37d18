"""Read images with PP-OCR: choose scales and reading directions, and reread doubtful numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import cv2
from cv2.typing import MatLike

from lib.ocr.crops import cut_strip, measure_quad, reading_turns, to_quad, turn_quad, widen_quad
from lib.ocr.engines import Pixels, ReadWords, Settings
from lib.ocr.merging import OVERLAP, overlap
from lib.ocr.page import Corners, Word
from lib.ocr.ppocr_networks import (
    DETECTOR,
    RECOGNISER,
    STRIP_HEIGHT,
    Detector,
    DetectorNetwork,
    Recogniser,
    RecogniserNetwork,
    networks_version,
)

REVISION: int = 4
"""Increased when this engine's code changes what is read, so that cached pages become stale."""

DIRECTION_LEAD: float = 0.03
"""Lead in confidence that a less likely direction needs: `60` upside down reads `09`."""

DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class PpocrSettings(Settings):
    """Settings of PP-OCR. The side of an image is that of the square with its area, in pixels."""

    precision: str = "float32"
    """Arithmetic of the networks, `"float32"`, `"bfloat16"` or, on a GPU, `"float16"`."""
    device: str = "cpu"
    """Where the networks run, `"cpu"` or `"cuda"`."""
    small_side: int = 800
    """Images with a smaller side are enlarged for the first pass,"""
    enlarged_side: int = 960
    """to this side,"""
    max_enlargement: float = 2.0
    """but at most this many times."""
    first_scale: float = 0.6
    """Larger images are scaled by this for the first pass,"""
    first_min_side: int = 720
    """to a side of at least this"""
    first_max_side: int = 960
    """and at most this."""
    closer_side: int = 1280
    """Side of the closer pass, 0 for none."""
    small_text: float = 12
    """Pixels; boxes lower than this in the first pass call for a closer one."""
    max_side: int = 2000
    """Pixels; no pass exceeds this in either direction."""
    pixel_threshold: float = 0.3
    """Probability from which the detector takes a pixel for text."""
    box_threshold: float = 0.5
    """Mean probability from which it takes a box for text."""
    few_lines: int = 10
    """An image with no more lines is searched for fainter ones, at lower thresholds,"""
    blank_lines: int = 1
    """and in a closer pass if it has no more than this."""
    unclip: float = 1.6
    """Distance by which its shrunken boxes are widened, in area over perimeter."""
    squeeze: float = 1.0
    """Share of a long strip's width that the recogniser sees."""
    min_confidence: float = 0.5
    """Lines of a lower confidence are dropped."""
    reread_below: float = 0.9
    """Confidence below which a line with digits is read again, 0 for never."""
    reread_crops: tuple[tuple[float, float], ...] = (
        *((-0.08, 1.0), (0.05, 1.0), (0.15, 1.0), (0.3, 1.0), (0.0, 1.2)),
    )
    """The crops it is then read in: margin in line heights, and share of the line's width."""

    def name_version(self) -> str:
        """Name the versions of models and code, the device if it is none, and the precision."""
        if self.device == "cpu":
            return f"{networks_version('openvino')} r{REVISION} {self.precision}"
        return f"{networks_version('torch')} r{REVISION} {self.device} {self.precision}"

    def load_reader(self) -> ReadWords:
        """Load the networks and return the function that reads an image with these settings."""
        settings = self.resolve(self.precision, self.device)  # fails where this processor lacks it
        return Reader(settings, *load_networks(settings)).read_words

    def resolve(self, precision: str, device: str) -> PpocrSettings:
        """Return these settings for a device, with what a value of PRECISION means there.

        A GPU takes float32 unless told otherwise: in float16, 4 of 219 lines with digits on 60
        photos are read differently, in float32 none.
        """
        if device != "cpu":
            precision = "float32" if precision == "auto" else precision
            return replace(self, device=device, precision=precision)
        from lib.ocr.openvino_networks import choose_precision

        return replace(self, precision=choose_precision(precision))


DEFAULT = PpocrSettings()
FAST = PpocrSettings(
    enlarged_side=840, first_max_side=820, squeeze=0.85, closer_side=0, reread_below=0.0
)


@dataclass(frozen=True)
class Line:
    """The text read from one line, and its corners (4, 2), which begin where the text begins."""

    text: str
    confidence: float
    corners: Corners
    source: str

    def to_word(self) -> Word:
        """Convert the line to the type that all engines share."""
        confidence = round(self.confidence, 4)
        return Word(self.text.strip(), confidence, to_quad(self.corners), self.source)


def load_networks(settings: PpocrSettings) -> tuple[DetectorNetwork, RecogniserNetwork, str]:
    """Load the networks, or what asks the process for them that has the GPU.

    Returns:
        Detector, recogniser, and the letters that this knows, one a line.
    """
    if settings.device == "cpu":
        from lib.ocr.openvino_networks import OpenVinoDetector, OpenVinoRecogniser

        recogniser = OpenVinoRecogniser(RECOGNISER, settings.precision)
        return OpenVinoDetector(DETECTOR, settings.precision), recogniser, recogniser.letters
    from lib.ocr.gpu.remote import find_client

    client = find_client(settings.device, settings.precision)
    letters = client.read_letters(RECOGNISER)
    return client.use_detector(DETECTOR), client.use_recogniser(RECOGNISER), letters


class Reader:
    """The loaded networks, which read any number of images; one per process.

    Args:
        settings: How to read.
        detector: As from `load_networks`, like the next two.
        recogniser: The network that reads.
        letters: Those that it knows.
    """

    def __init__(
        self,
        settings: PpocrSettings,
        detector: DetectorNetwork,
        recogniser: RecogniserNetwork,
        letters: str,
    ) -> None:
        cv2.setNumThreads(1)
        self.settings = settings
        self.detector = Detector(
            detector,
            settings.pixel_threshold,
            settings.box_threshold,
            settings.unclip,
            settings.few_lines,
        )
        self.recogniser = Recogniser(recogniser, letters)

    def read_words(self, image: Pixels) -> list[Word]:
        """Read an image.

        Args:
            image: RGB pixels (height, width, 3), uint8.

        Returns:
            Lines from the top down, in pixels of the image; corners in reading direction.
        """
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        lines = self._read_lines(pixels, self._find_lines(pixels))
        lines = self._read_again(pixels, lines)
        least = self.settings.min_confidence
        return [line.to_word() for line in lines if line.confidence >= least and line.text.strip()]

    def _find_lines(self, pixels: MatLike) -> list[tuple[Corners, str]]:
        """Find lines in a first pass and, if that shows small print, in a closer one."""
        first, scale = self._run_detector(pixels, self._first_side(pixels))
        small = [min(measure_quad(line)) * scale < self.settings.small_text for line in first]
        is_blank = len(first) <= self.settings.blank_lines
        if not (any(small) or is_blank) or not self.settings.closer_side:
            return [(line, "first") for line in first]
        closer, _ = self._run_detector(pixels, self.settings.closer_side)
        large = [line for line, is_small in zip(first, small, strict=True) if not is_small]
        found = [(line, "first") for line in large]
        return found + [(line, "closer") for line in closer if not is_covered(line, large)]

    def _first_side(self, pixels: MatLike) -> float:
        known, side = self.settings, math.sqrt(pixels.shape[0] * pixels.shape[1])
        if side < known.small_side:
            return min(known.enlarged_side, known.max_enlargement * side)
        return min(max(known.first_scale * side, known.first_min_side), known.first_max_side)

    def _run_detector(self, pixels: MatLike, side: float) -> tuple[Corners, float]:
        height, width, _ = pixels.shape
        scale = scale_to_area(height, width, side, self.settings.max_side)
        return self.detector.find_lines(pixels, scale), scale

    def _read_lines(self, pixels: MatLike, found: list[tuple[Corners, str]]) -> list[Line]:
        """Read each line in all directions it may run, and keep the most confident reading."""
        ways = [
            (index, turn_quad(corners, turn), source)
            for index, (corners, source) in enumerate(found)
            for turn in reading_turns(corners)
        ]
        readings = self._read_corners(pixels, [corners for _, corners, _ in ways])
        best: dict[int, Line] = {}
        for (index, corners, source), (text, confidence) in zip(ways, readings, strict=True):
            if index not in best or confidence > best[index].confidence + DIRECTION_LEAD:
                best[index] = Line(text, confidence, corners, source)
        return list(best.values())

    def _read_again(self, pixels: MatLike, lines: list[Line]) -> list[Line]:
        """Reread doubtful numbers in other crops; keep the best reading that loses no letters."""
        lines = list(lines)
        doubtful = [i for i, line in enumerate(lines) if self._is_doubtful(line)]
        for margin, share in self.settings.reread_crops:
            wider = [widen_quad(lines[i].corners, margin) for i in doubtful]
            readings = self._read_corners(pixels, wider, share)
            for i, (text, confidence) in zip(doubtful, readings, strict=True):
                if confidence > lines[i].confidence and is_as_long(text, lines[i].text):
                    lines[i] = replace(lines[i], text=text, confidence=confidence, source="again")
        return lines

    def _is_doubtful(self, line: Line) -> bool:
        return line.confidence < self.settings.reread_below and bool(DIGIT.search(line.text))

    def _read_corners(
        self, pixels: MatLike, quads: list[Corners], share: float = 1.0
    ) -> list[tuple[str, float]]:
        squeeze = self.settings.squeeze * share
        strips = [cut_strip(pixels, quad, STRIP_HEIGHT, squeeze) for quad in quads]
        return self.recogniser.read_strips(strips)


def is_as_long(text: str, other: str) -> bool:
    """Tell whether a text has digits and at least as many characters as another, without spaces.

    >>> is_as_long("20V X", "204 X"), is_as_long("21", '21"'), is_as_long("lOV", "1OV")
    (True, False, False)
    """
    return bool(DIGIT.search(text)) and len(text.replace(" ", "")) >= len(other.replace(" ", ""))


def scale_to_area(height: int, width: int, side: float, longest: int) -> float:
    """Choose the scale at which an image has the area of a square.

    Args:
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        side: Side of the square in pixels.
        longest: No side becomes longer than this, in pixels.

    >>> scale_to_area(1280, 1280, 640, 2000), scale_to_area(320, 320, 640, 2000)
    (0.5, 2.0)
    >>> scale_to_area(20_000, 40, 640, 2000), scale_to_area(1, 1, 640, 2000)
    (0.1, 640.0)
    """
    return min(side / math.sqrt(height * width), longest / max(height, width))


def is_covered(corners: Corners, others: list[Corners]) -> bool:
    """Tell whether a box overlaps one of the others; all (4, 2)."""
    return any(overlap(corners, other) > OVERLAP for other in others)
