"""Read images with PP-OCR: choose scales and reading directions, and reread doubtful numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from cv2.typing import MatLike

from lib.ocr.crops import cut_strip, measure_quad, reading_turns, to_quad, turn_quad, widen_quad
from lib.ocr.engines import Pixels, ReadWords, Settings
from lib.ocr.merging import OVERLAP, overlap
from lib.ocr.page import Corners, Word
from lib.ocr.ppocr_networks import (
    DETECTOR,
    SMALL,
    SMALL_LETTERS,
    STRIP_HEIGHT,
    TINY,
    TINY_LETTERS,
    Detector,
    DetectorNetwork,
    Recogniser,
    RecogniserNetwork,
    networks_version,
)
from lib.ocr.text_regions import (
    Margins,
    Rectangles,
    find_texture,
    measure_canvas,
    merge,
    widen,
)
from lib.quantities import find_units, parse_quantities

REVISION: int = 6
"""Increased when this engine's code changes what is read, so that cached pages become stale."""

DIRECTION_LEAD: float = 0.03
"""Lead in confidence that a less likely direction needs: `60` upside down reads `09`."""

CLOSER_MARGINS = Margins(pixels=16, along=2)
TEXTURE_MARGINS = Margins(pixels=12, along=1)
"""Around small print that the first pass found, and around fine texture, which may be some."""

DIGIT = re.compile(r"\d")
MIXED = re.compile(r"[^\W\d_]\d|\d[^\W\d_]")
LONG_TEXT, LONG_RARE = 15, 20
"""Characters of a line from which digits alone, such as those of an address, are no reason to read
it with the small recogniser, and to read it again; on dev.csv and statements.csv no answer of 3,776
changes, and the small one reads a tenth less."""
HOPELESS: float = 0.4  # a line of a lower confidence is not read again
CERTAIN: float = 0.95  # nor one that has reached this


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
    trusted: float = 0.95
    """Confidence of the tiny recogniser from which a line without a number is not read again,"""
    trusted_number: float = 0.997
    """and from which no line is: in 900 such lines with digits on 783 images the small one reads
    another number 8 times, all of them dates and times; in the 367 from 0.99 to here, 6 times."""
    direction_doubt: float = 0.15
    """Lead in confidence up to which the small one tries a line's other directions, too."""
    closer_side: int = 1280
    """Side of the closer pass, 0 for none;"""
    most_parts: float = 0.8
    """share of the image from which it searches all of it, not only the parts with small print."""
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
        return Reader(settings, load_networks(settings)).read_words

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


@dataclass(frozen=True)
class Networks:
    """Functions that run PP-OCR's networks.

    Attributes:
        find: The detector.
        read: The small recogniser.
        glance: The tiny one, which takes a fifth of its time.
    """

    find: DetectorNetwork
    read: RecogniserNetwork
    glance: RecogniserNetwork


def load_networks(settings: PpocrSettings) -> Networks:
    """Load the networks, or what asks the process for them that has the GPU."""
    if settings.device == "cpu":
        from lib.ocr.openvino_networks import OpenVinoDetector, OpenVinoRecogniser

        read, glance = (OpenVinoRecogniser(file, settings.precision) for file in (SMALL, TINY))
        return Networks(OpenVinoDetector(DETECTOR, settings.precision), read, glance)
    from lib.ocr.gpu.remote import find_client

    client = find_client(settings.device, settings.precision)
    return Networks(client.use_detector(DETECTOR), *map(client.use_recogniser, (SMALL, TINY)))


class Reader:
    """The loaded networks, which read any number of images; one per process.

    The tiny recogniser reads every line, the small one only those that may hold a number and those
    that the tiny one is not sure of: on 783 labelled images no answer differs.

    Args:
        settings: How to read.
        networks: As from `load_networks`.
    """

    def __init__(self, settings: PpocrSettings, networks: Networks) -> None:
        cv2.setNumThreads(1)
        self.settings = settings
        self.detector = Detector(
            networks.find,
            settings.pixel_threshold,
            settings.box_threshold,
            settings.unclip,
            settings.few_lines,
        )
        self.recogniser = Recogniser(networks.read, SMALL_LETTERS)
        self.glancing_recogniser = Recogniser(networks.glance, TINY_LETTERS)

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
        scale = self._choose_scale(pixels, self._first_side(pixels))
        first = self.detector.find_lines(pixels, scale)
        small = [min(measure_quad(line)) * scale < self.settings.small_text for line in first]
        is_blank = len(first) <= self.settings.blank_lines
        if not (any(small) or is_blank) or not self.settings.closer_side:
            return [(line, "first") for line in first]
        closer_scale = self._choose_scale(pixels, self.settings.closer_side)
        parts = None if is_blank else self._find_parts(pixels, first[small], scale, closer_scale)
        closer = self.detector.find_lines(pixels, closer_scale, parts)
        large = [line for line, is_small in zip(first, small, strict=True) if not is_small]
        found = [(line, "first") for line in large]
        return found + [(line, "closer") for line in closer if not is_covered(line, large)]

    def _find_parts(
        self, pixels: MatLike, small: Corners, scale: float, closer_scale: float
    ) -> Rectangles | None:
        """Find the parts of an image that may hold small print; `None` if that is most of it.

        Args:
            pixels: The image.
            small: Small print that the first pass found, (N, 4, 2).
            scale: Scale of that pass.
            closer_scale: Scale of the closer one.
        """
        known = np.hstack([small.min(1), small.max(1)])
        found = widen(known, CLOSER_MARGINS, closer_scale)
        texture = widen(find_texture(pixels, scale), TEXTURE_MARGINS, closer_scale)
        height, width = pixels.shape[:2]
        parts = merge(np.vstack([found, texture]), width, height)
        most = self.settings.most_parts * closer_scale**2 * height * width
        return parts if 0 < measure_canvas(parts, closer_scale) < most else None

    def _choose_scale(self, pixels: MatLike, side: float) -> float:
        height, width = pixels.shape[:2]
        return scale_to_area(height, width, side, self.settings.max_side)

    def _first_side(self, pixels: MatLike) -> float:
        known, side = self.settings, math.sqrt(pixels.shape[0] * pixels.shape[1])
        if side < known.small_side:
            return min(known.enlarged_side, known.max_enlargement * side)
        return min(max(known.first_scale * side, known.first_min_side), known.first_max_side)

    def _read_lines(self, pixels: MatLike, found: list[tuple[Corners, str]]) -> list[Line]:
        """Read each line in all directions it may run, and keep the most confident reading."""
        ways = [
            (index, turn_quad(corners, turn), source)
            for index, (corners, source) in enumerate(found)
            for turn in reading_turns(corners)
        ]
        first = self._read_ways(pixels, ways, self.glancing_recogniser)
        best = keep_best(first)
        second = [
            (index, line.corners, line.source)
            for index, line in first
            if self._needs_second(best[index]) and self._may_win(line, best[index])
        ]
        return list((best | keep_best(self._read_ways(pixels, second, self.recogniser))).values())

    def _needs_second(self, line: Line) -> bool:
        """Tell whether what the tiny recogniser read must be read by the small one."""
        known = self.settings
        return line.confidence < known.trusted or (
            line.confidence < known.trusted_number and may_hold_number(line.text, LONG_TEXT)
        )

    def _may_win(self, line: Line, best: Line) -> bool:
        return line.confidence > best.confidence - self.settings.direction_doubt

    def _read_ways(
        self, pixels: MatLike, ways: Sequence[tuple[int, Corners, str]], recogniser: Recogniser
    ) -> list[tuple[int, Line]]:
        readings = self._read_corners(pixels, [corners for _, corners, _ in ways], recogniser)
        return [
            (index, Line(text, confidence, corners, source))
            for (index, corners, source), (text, confidence) in zip(ways, readings, strict=True)
        ]

    def _read_again(self, pixels: MatLike, lines: list[Line]) -> list[Line]:
        """Reread doubtful numbers in other crops; keep the best reading that loses no letters."""
        lines = list(lines)
        doubtful = [i for i, line in enumerate(lines) if self._is_doubtful(line)]
        for margin, share in self.settings.reread_crops:
            doubtful = [i for i in doubtful if lines[i].confidence < CERTAIN]
            wider = [widen_quad(lines[i].corners, margin) for i in doubtful]
            readings = self._read_corners(pixels, wider, self.recogniser, share)
            for i, (text, confidence) in zip(doubtful, readings, strict=True):
                if confidence > lines[i].confidence and is_as_long(text, lines[i].text):
                    lines[i] = replace(lines[i], text=text, confidence=confidence, source="again")
        return lines

    def _is_doubtful(self, line: Line) -> bool:
        is_between = HOPELESS <= line.confidence < self.settings.reread_below
        return is_between and may_hold_number(line.text, LONG_RARE)

    def _read_corners(
        self, pixels: MatLike, quads: list[Corners], recogniser: Recogniser, share: float = 1.0
    ) -> list[tuple[str, float]]:
        squeeze = self.settings.squeeze * share
        strips = [cut_strip(pixels, quad, STRIP_HEIGHT, squeeze) for quad in quads]
        return recogniser.read_strips(strips)


def keep_best(readings: Iterable[tuple[int, Line]]) -> dict[int, Line]:
    """Keep the most confident reading of each line, in doubt in the likelier direction."""
    best: dict[int, Line] = {}
    for index, line in readings:
        if index not in best or line.confidence > best[index].confidence + DIRECTION_LEAD:
            best[index] = line
    return best


def may_hold_number(text: str, long: int) -> bool:
    """Tell whether a line may state a measurement: it has digits and, if long, a quantity or unit.

    Args:
        text: What was read.
        long: Number of characters from which digits alone do not suffice.

    >>> may_hold_number("12", 15), may_hold_number("WIDTH", 15)
    (True, False)
    >>> may_hold_number("Call 0800 - 1013 - 916", 15), may_hold_number("our PD24ow Cable now", 15)
    (False, True)
    """
    if len(text) < long or not DIGIT.search(text):
        return bool(DIGIT.search(text))
    return bool(MIXED.search(text) or parse_quantities(text) or find_units(text))


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
