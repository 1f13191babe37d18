"""Run PP-OCR's networks on this machine's processor with OpenVINO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import openvino
from openvino import Layout, Type, opset13
from openvino.preprocess import PrePostProcessor

from lib.ocr.engines import EngineError, Pixels
from lib.ocr.ppocr_networks import Chances, Heat, Letters
from lib.parallel import has_bfloat16

PRECISIONS: dict[str, Type] = {"float32": Type.f32, "bfloat16": Type.bf16}
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
        self._network = _compile(_with_pixels_in(_read_model(path)), precision)

    def __call__(self, pixels: Pixels) -> Heat:
        """Return the probability of text (1, 1, H, W) on BGR pixels (1, H, W, 3), uint8."""
        self._network.infer([pixels], share_inputs=True)
        heat: Heat = self._network.get_output_tensor().data
        return heat


class OpenVinoRecogniser:
    """A network that reads strips; arguments as for `OpenVinoDetector`."""

    def __init__(self, path: Path, precision: str) -> None:
        model = _read_model(path)
        self.letters: str = model.get_rt_info()["framework"]["character"].value
        self._network = _compile(_with_best_letters_out(_with_pixels_in(model)), precision)

    def __call__(self, batches: Sequence[Pixels]) -> Iterator[tuple[Chances, Letters]]:
        """Yield chance and number of the best letter at each step, both (N, T).

        Args:
            batches: BGR pixels (N, 48, W, 3) each, uint8.
        """
        for pixels in batches:
            self._network.infer([pixels], share_inputs=True)
            chances, letters = (self._network.get_output_tensor(i).data[..., 0] for i in (0, 1))
            yield chances, letters


def _read_model(path: Path) -> openvino.Model:
    return openvino.Core().read_model(path)


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
