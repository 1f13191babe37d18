"""Run networks on the CPU, with torch and later OpenVINO, or on a GPU."""

from __future__ import annotations

import itertools
import logging
import math
import warnings
from collections import deque
from collections.abc import Sequence

import numpy as np
import openvino
import torch
from torch import nn

from lib.parallel import InternalError, try_item

LOG = logging.getLogger(__name__)

SETTINGS: dict[str, object] = {
    "PERFORMANCE_HINT": "THROUGHPUT",  # about one image per core, not all cores on each image
    "ENABLE_CPU_PINNING": False,  # OCR runs at the same time
}
TYPES: dict[str, openvino.Type] = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}
COMPILE_AFTER: int = 500
"""Images after which a network is compiled. Compiling takes 2 to 5 seconds; then, on two cores with
AVX2, ResNet50 takes 0.74 and EfficientNet-Lite0 0.19 of the time of torch's batches of 32."""


class TorchBackend:
    """A network that torch runs, all images of a batch at once.

    Args:
        model: Images (N, C, H, W) to vectors (N, D).
        device: The torch device.
        precision: Precision of the arithmetic: `"float32"` or `"bfloat16"`.
    """

    def __init__(self, model: nn.Module, device: torch.device, precision: str) -> None:
        self.precision = precision
        self._place = {"device": device, "dtype": getattr(torch, precision)}
        self.model = model.eval().to(**self._place, memory_format=torch.channels_last)

    def run(self, pictures: list[torch.Tensor]) -> np.ndarray:
        """Run images, (C, H, W) float32 each, and return their vectors, (N, D) float32."""
        batch = torch.stack(pictures).to(**self._place, memory_format=torch.channels_last)
        with torch.inference_mode():
            return self.model(batch).float().cpu().numpy()


class CpuBackend:
    """A network on all cores of this machine, compiled once it has seen many images.

    Args:
        model: Images (N, C, H, W) to vectors (N, D).
        precision: As for `TorchBackend`.
        pays: Images after which it is compiled.
    """

    def __init__(self, model: nn.Module, precision: str, pays: int = COMPILE_AFTER) -> None:
        self.precision = precision
        self._network: TorchBackend | OpenVinoBackend = TorchBackend(
            model, torch.device("cpu"), precision
        )
        self._left: float = pays

    def run(self, pictures: list[torch.Tensor]) -> np.ndarray:
        """Run images, (C, H, W) float32 each, and return their vectors, (N, D) float32."""
        if self._left <= 0 and isinstance(self._network, TorchBackend):
            self._compile(self._network.model.float(), pictures[0].shape)
        self._left -= len(pictures)
        return self._network.run(pictures)

    def _compile(self, model: nn.Module, shape: Sequence[int]) -> None:
        """Compile the network; if that fails, go on with torch, so that no image fails."""
        compiled = try_item(OpenVinoBackend, model, shape, self.precision)
        if isinstance(compiled, InternalError):
            LOG.warning("OpenVINO cannot compile the network, torch runs it: %s", compiled.reason)
            compiled, self._left = (
                TorchBackend(model, torch.device("cpu"), self.precision),
                math.inf,
            )
        self._network = compiled


class OpenVinoBackend:
    """A network that OpenVINO runs, several images at once, each in a request of its own.

    Args:
        model: Images (N, C, H, W) float32 to vectors (N, D).
        shape: Shape of one image, (C, H, W).
        precision: As for `TorchBackend`.
    """

    def __init__(self, model: nn.Module, shape: Sequence[int], precision: str) -> None:
        with warnings.catch_warnings():  # tracing is deprecated, but OpenVINO still uses it
            warnings.simplefilter("ignore", FutureWarning)
            traced = openvino.convert_model(model, example_input=torch.zeros(1, *shape))
        traced.reshape([1, *shape])
        settings = SETTINGS | {"INFERENCE_PRECISION_HINT": TYPES[precision]}
        network = openvino.Core().compile_model(traced, "CPU", settings)
        count = network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [network.create_infer_request() for _ in range(count)]

    def run(self, pictures: list[torch.Tensor]) -> np.ndarray:
        """Run images, (C, H, W) float32 each, and return their vectors, (N, D) float32."""
        # In turns, without OpenVINO's queue, whose callbacks into Python sometimes deadlock.
        vectors: list[np.ndarray] = []
        busy: deque[openvino.InferRequest] = deque()
        for picture, request in zip(pictures, itertools.cycle(self._requests), strict=False):
            if len(busy) == len(self._requests):
                vectors.append(_await_vector(busy.popleft()))
            request.start_async([picture[None].numpy()])
            busy.append(request)
        vectors += map(_await_vector, busy)
        return np.array(vectors)


def _await_vector(request: openvino.InferRequest) -> np.ndarray:
    request.wait()
    return request.get_output_tensor().data[0].copy()  # the request is reused


def choose_device(device: str) -> torch.device:
    """Choose the device to compute on.

    Args:
        device: `"auto"` (CUDA where present), `"cpu"` or `"cuda"`.

    Raises:
        ValueError: The name is unknown, or CUDA is asked for and absent.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.partition(":")[0] not in {"cpu", "cuda"}:
        raise ValueError(f"DEVICE is {device!r}; expected auto, cpu or cuda.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"DEVICE is {device!r}, but torch finds no CUDA device; use auto or cpu.")
    place = torch.device(device)
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ValueError(f"DEVICE is {device!r}, but there are {count} CUDA devices, from cuda:0.")
    return place


def choose_precision(device: torch.device) -> str:
    """Choose `"bfloat16"` where the device computes in it, `"float32"` elsewhere.

    Emulated bfloat16 is ten times slower than float32.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if native else "float32"


def place_network(
    model: nn.Module, device: torch.device, precision: str
) -> CpuBackend | TorchBackend:
    """Wrap a network in the backend of a device; see `TorchBackend` for the arguments."""
    if device.type == "cpu":
        return CpuBackend(model, precision)
    return TorchBackend(model, device, precision)
