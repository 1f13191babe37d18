"""Run PP-OCR's networks on this machine's processor with OpenVINO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino
from openvino import Type

from lib.ocr.engines import EngineError, Pixels
from lib.ocr.openvino_graph import cut_last_layer, simplify_detector, take_pixels
from lib.ocr.ppocr_networks import Chances, Heat, Letters
from lib.parallel import has_bfloat16

PRECISIONS: dict[str, Type] = {"float32": Type.f32, "bfloat16": Type.bf16}
STEPS: int = 64  # whose letters are found together, in 75 kB each
# One thread, as images are distributed over processes.
CPU: dict[str, object] = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "PERFORMANCE_HINT": "LATENCY",
    "ENABLE_CPU_PINNING": False,  # several processes would be pinned to the same core
}


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


class OpenVinoDetector:
    """A network that finds text.

    Args:
        path: Its ONNX file.
        precision: `"float32"` or `"bfloat16"`.
    """

    def __init__(self, path: Path, precision: str) -> None:
        self._network = _compile(take_pixels(simplify_detector(_read_model(path))), precision)

    def __call__(self, pixels: Pixels) -> Heat:
        """Return the probability of text (1, 1, H, W) on BGR pixels (1, H, W, 3), uint8."""
        self._network.infer([pixels], share_inputs=True)
        heat: Heat = self._network.get_output_tensor().data
        return heat


class OpenVinoRecogniser:
    """A network that reads strips; arguments as for `OpenVinoDetector`.

    Its last layer, over thousands of letters, is computed here, for all strips together: OpenVINO
    would fetch 9 MB of weights for each, and normalise the chances of all letters at all steps.
    """

    def __init__(self, path: Path, precision: str) -> None:
        network, self._weights, self._bias = cut_last_layer(take_pixels(_read_model(path)))
        self._network = _compile(network, precision)
        self._scores = np.empty((STEPS, len(self._bias)), np.float32)

    def __call__(self, batches: Sequence[Pixels]) -> Iterator[tuple[Chances, Letters]]:
        """Yield chance and number of the best letter at each step, both (N, T).

        Args:
            batches: BGR pixels (N, 48, W, 3) each, uint8.
        """
        if not batches:
            return
        hidden = [self._compute_hidden(pixels) for pixels in batches]  # (N, T, D) each
        steps = np.concatenate([one.reshape(-1, one.shape[-1]) for one in hidden])
        parts = [self._read_steps(steps[i : i + STEPS]) for i in range(0, len(steps), STEPS)]
        found = [np.concatenate(one) for one in zip(*parts, strict=True)]
        ends = np.cumsum([one.shape[0] * one.shape[1] for one in hidden])[:-1]
        for one, chances, letters in zip(hidden, *(np.split(f, ends) for f in found), strict=True):
            yield chances.reshape(one.shape[:2]), letters.reshape(one.shape[:2])

    def _compute_hidden(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        self._network.infer([pixels], share_inputs=True)
        return np.array(self._network.get_output_tensor().data)

    def _read_steps(self, hidden: npt.NDArray[np.float32]) -> tuple[Chances, Letters]:
        scores = np.matmul(hidden, self._weights, out=self._scores[: len(hidden)])
        scores += self._bias
        return find_best_letters(scores)


def find_best_letters(scores: npt.NDArray[np.float32]) -> tuple[Chances, Letters]:
    """Find the best letter at each step, and its chance (softmax), which is 0 where it is a blank.

    Args:
        scores: (T, letters), the first of which is the blank.

    Returns:
        Chances and letters, both (T,).
    """
    letters = scores.argmax(-1).astype(np.int32)
    chances = np.zeros(letters.shape, np.float32)
    seen = scores[letters != 0]  # (M, letters)
    seen -= seen.max(-1, keepdims=True)
    chances[letters != 0] = 1 / np.exp(seen, out=seen).sum(-1)
    return chances, letters


def _read_model(path: Path) -> openvino.Model:
    return openvino.Core().read_model(path)


def _compile(model: openvino.Model, precision: str) -> openvino.InferRequest:
    settings = CPU | {"INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
    return openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
