"""Run a network on the CPU with OpenVINO."""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np
import openvino

from lib.features.networks import Floats, Weights
from lib.io import Pixels

SETTINGS: dict[str, object] = {
    "PERFORMANCE_HINT": "THROUGHPUT",  # about one image per core, not all cores on each image
    "ENABLE_CPU_PINNING": False,  # OCR runs at the same time
}
TYPES: dict[str, openvino.Type] = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}


class OpenVinoBackend:
    """A network that OpenVINO runs, several images at once, each in a request of its own.

    Args:
        model: One image (1, 3, H, W) float32 to its vector (1, D).
        weights: Its weights, which say how levels become floats.
        precision: `"float32"` or `"bfloat16"`.
    """

    def __init__(self, model: openvino.Model, weights: Weights, precision: str) -> None:
        settings = SETTINGS | {"INFERENCE_PRECISION_HINT": TYPES[precision]}
        network = openvino.Core().compile_model(_accept_pixels(model, weights), "CPU", settings)
        count = network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [network.create_infer_request() for _ in range(count)]

    def run(self, images: list[Pixels]) -> Floats:
        """Run images, RGB (H, W, 3) uint8 each, and return their vectors, (N, D) float32."""
        # In turns, without OpenVINO's queue, whose callbacks into Python sometimes deadlock.
        vectors: list[Floats] = []
        busy: deque[openvino.InferRequest] = deque()
        for image, request in zip(images, itertools.cycle(self._requests), strict=False):
            if len(busy) == len(self._requests):
                vectors.append(_await_vector(busy.popleft()))
            request.start_async([image[None]])
            busy.append(request)
        vectors += map(_await_vector, busy)
        return np.array(vectors)


def _accept_pixels(model: openvino.Model, weights: Weights) -> openvino.Model:
    """Let a model take RGB pixels (1, H, W, 3), uint8."""
    steps = openvino.preprocess.PrePostProcessor(model)
    pixels = steps.input()
    pixels.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    pixels.model().set_layout(openvino.Layout("NCHW"))
    levels = pixels.preprocess().convert_element_type(openvino.Type.f32)
    levels.mean(list(weights.mean)).scale(list(weights.deviation))
    return steps.build()


def _await_vector(request: openvino.InferRequest) -> Floats:
    request.wait()
    return np.array(request.get_output_tensor().data[0])  # a copy: the request is reused
