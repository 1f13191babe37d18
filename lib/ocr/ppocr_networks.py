"""Run PP-OCR's two networks on OpenVINO: one finds lines of text in an image, one reads them."""

import importlib.metadata
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import openvino
import rapidocr
from cv2.typing import MatLike
from openvino import Layout, Type, opset13
from openvino.preprocess import PrePostProcessor
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from lib.ocr.engines import EngineError
from lib.ocr.page import Corners
from lib.parallel import has_bfloat16

MODELS: Path = Path(rapidocr.__file__).parent / "models"
DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"

STRIP_HEIGHT: int = 48  # pixels; the recogniser's input
GRID: int = 32  # pixels; the detector's input sides are multiples of it
# OpenVINO prepares every new input shape anew (20-40 ms), so strips are padded to few widths. Only
# narrow ones are batched, which saves a fifth for two of 64 pixels and nothing for two of 192.
WIDTH_STEP, MIN_WIDTH, BATCH_WIDTH = 32, 64, 256  # pixels; the last for a whole batch
FAINTER: float = 0.6  # Share of the thresholds on an image with few lines.
PADDING: int = 127  # grey: zero once normalised, as in training

PRECISIONS: dict[str, Type] = {"float32": Type.f32, "bfloat16": Type.bf16}
# One thread, as images are distributed over processes.
CPU: dict[str, object] = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "PERFORMANCE_HINT": "LATENCY",
    "ENABLE_CPU_PINNING": False,  # several processes would be pinned to the same core
}


def networks_version() -> str:
    """Name the packages that hold the models and run them."""
    packages = ("rapidocr", "openvino")
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)


def choose_precision(precision: str) -> str:
    """Choose the arithmetic of the networks.

    Args:
        precision: `"float32"`, `"bfloat16"`, or another value for bfloat16 where the processor has
            it (0.58 times the time; 62 of 2,119 lines and 2 of 510 answers differ) and float32
            elsewhere.

    Raises:
        EngineError: The processor does not have that precision.
    """
    is_able = has_bfloat16()
    if precision == "bfloat16" and not is_able:
        raise EngineError("this processor does not compute in bfloat16; set PRECISION to float32")
    return "bfloat16" if is_able and precision != "float32" else "float32"


class Detector:
    """The network that finds lines of text.

    Args:
        pixel_threshold: Probability from which a pixel is taken for text, 0-1.
        box_threshold: Mean probability from which a box is taken for text, 0-1.
        unclip: How far the network's shrunken boxes are widened.
        few_lines: An image with no more lines is searched for fainter ones.
        precision: `"float32"` or `"bfloat16"`.
    """

    def __init__(
        self,
        pixel_threshold: float,
        box_threshold: float,
        unclip: float,
        few_lines: int,
        precision: str,
    ) -> None:
        self._network = _compile(_with_pixels_in(_read_model(DETECTOR)), precision)
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

    def find_lines(self, image: MatLike, scale: float) -> Corners:
        """Find lines in an image that is scaled first.

        Args:
            image: BGR pixels (height, width, 3), uint8.
            scale: Pixels of the network's input per pixel of the image.

        Returns:
            Corners (N, 4, 2) in pixels of the image, float32, clockwise from the top left; in
            rows from the top, each from the left.
        """
        height, width = image.shape[:2]
        seen = [max(GRID, round(side * scale / GRID) * GRID) for side in (width, height)]
        self._network.infer([cv2.resize(image, seen)[None]], share_inputs=True)
        heat = self._network.get_output_tensor().data  # (1, 1, H, W)
        boxes, _ = self._find_boxes(heat, (height, width))
        if len(boxes) <= self._few_lines:
            boxes, _ = self._find_faint_boxes(heat, (height, width))
        return sort_lines(np.asarray(boxes, np.float32).reshape(-1, 4, 2))


def sort_lines(boxes: Corners) -> Corners:
    """Sort boxes (N, 4, 2) into rows from the top, each row from the left."""
    order = np.argsort(boxes[:, 0, 1], kind="stable")
    tops = boxes[order, 0, 1]
    rows = np.cumsum(np.diff(tops, prepend=tops[:1]) >= 10)  # 10 pixels, as in PP-OCR
    return boxes[order][np.lexsort((boxes[order, 0, 0], rows))]


class Recogniser:
    """The network that reads strips of text.

    Args:
        precision: `"float32"` or `"bfloat16"`.
    """

    def __init__(self, precision: str) -> None:
        model = _read_model(RECOGNISER)
        letters = model.get_rt_info()["framework"]["character"].value.splitlines()
        self._letters = ["", *letters, " "]
        self._network = _compile(_with_best_letters_out(_with_pixels_in(model)), precision)

    def read_strips(self, strips: list[MatLike]) -> list[tuple[str, float]]:
        """Read each strip.

        Args:
            strips: BGR pixels (`STRIP_HEIGHT`, any width, 3) each, uint8.

        Returns:
            Text and confidence (0-1) of each.
        """
        readings: list[tuple[str, float]] = [("", 0.0)] * len(strips)
        for batch, width in plan_batches([strip.shape[1] for strip in strips]):
            pixels = np.full((len(batch), STRIP_HEIGHT, width, 3), PADDING, np.uint8)
            for row, index in zip(pixels, batch, strict=True):
                row[:, : strips[index].shape[1]] = strips[index]
            self._network.infer([pixels], share_inputs=True)
            chances, letters = (self._network.get_output_tensor(i).data[..., 0] for i in (0, 1))
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


def _read_model(name: str) -> openvino.Model:
    return openvino.Core().read_model(MODELS / name)


def _compile(model: openvino.Model, precision: str) -> openvino.InferRequest:
    settings = CPU | {"INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
    return openvino.Core().compile_model(model, "CPU", settings).create_infer_request()


def _with_pixels_in(model: openvino.Model) -> openvino.Model:
    """Make a network take pixels (N, H, W, 3), uint8, and normalise them itself."""
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    steps.input().model().set_layout(Layout("NCHW"))
    steps.input().preprocess().convert_element_type(Type.f32).mean([127.5] * 3).scale([127.5] * 3)
    return steps.build()


def _with_best_letters_out(model: openvino.Model) -> openvino.Model:
    """Make the recogniser return the best letter at each step instead of 18,710 probabilities."""
    chances = model.get_results()[0].input_value(0)  # (N, T, 18710)
    one = opset13.constant(np.int64(1))
    best = opset13.topk(chances, one, axis=2, mode="max", sort="none", index_element_type="i32")
    return openvino.Model([best.output(0), best.output(1)], model.get_parameters(), "recogniser")
