"""Run torch's networks on the CPU, later with OpenVINO, or on a GPU."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Sequence

import numpy as np
import openvino
import torch
from torch import nn

from lib.features.inference import OpenVinoBackend
from lib.features.networks import Backend, Floats
from lib.parallel import InternalError, has_bfloat16, try_item

LOG = logging.getLogger(__name__)

CPU = torch.device("cpu")
COMPILE_AFTER: int = 500
"""Images after which a network is compiled. Compiling takes 2 to 5 seconds; then, on two cores with
AVX2, ResNet50 takes 0.74 of the time of torch's batches of 32."""


class TorchBackend:
    """A network that torch runs, all images of a batch at once.

    Args:
        model: Images (N, C, H, W) to vectors (N, D).
        device: The torch device.
        precision: Arithmetic, as from `choose_precision`.
    """

    def __init__(self, model: nn.Module, device: torch.device, precision: str) -> None:
        self.precision = precision
        self._device = device
        self._type: torch.dtype = getattr(torch, precision)
        self.model = model.eval().to(device, self._type).to(memory_format=torch.channels_last)

    def run(self, images: list[Floats]) -> Floats:
        """Run images, (C, H, W) float32 each, and return their vectors, (N, D) float32."""
        batch = torch.from_numpy(np.stack(images))
        batch = batch.to(self._device, self._type, memory_format=torch.channels_last)
        with torch.inference_mode():
            vectors: Floats = self.model(batch).float().cpu().numpy()
        return vectors


class CpuBackend:
    """A network on all cores of this machine, compiled once it has seen many images.

    Args:
        model: Images (N, C, H, W) to vectors (N, D).
        precision: `"float32"` or `"bfloat16"`.
        compile_after: Images after which it is compiled.
    """

    def __init__(
        self, model: nn.Module, precision: str, compile_after: int = COMPILE_AFTER
    ) -> None:
        self.precision = precision
        self._backend: Backend = TorchBackend(model, CPU, precision)
        self._left: float = compile_after

    def run(self, images: list[Floats]) -> Floats:
        """Run images, (C, H, W) float32 each, and return their vectors, (N, D) float32."""
        if self._left <= 0 and isinstance(self._backend, TorchBackend):
            self._compile(self._backend.model.float(), images[0].shape)
        self._left -= len(images)
        return self._backend.run(images)

    def _compile(self, model: nn.Module, shape: Sequence[int]) -> None:
        """Compile the network; if that fails, go on with torch, so that no image fails."""
        compiled = try_item(_compile_model, model, shape, self.precision)
        if isinstance(compiled, InternalError):
            LOG.warning("OpenVINO cannot compile the network, torch runs it: %s", compiled.reason)
            self._backend, self._left = TorchBackend(model, CPU, self.precision), math.inf
        else:
            self._backend = compiled


def _compile_model(model: nn.Module, shape: Sequence[int], precision: str) -> OpenVinoBackend:
    """Compile a network for images of one shape, (C, H, W)."""
    with warnings.catch_warnings():  # tracing is deprecated, but OpenVINO still uses it
        warnings.simplefilter("ignore", FutureWarning)
        traced = openvino.convert_model(model, example_input=torch.zeros(1, *shape))
    traced.reshape([1, *shape])
    return OpenVinoBackend(traced, precision)


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
    found = torch.device(device)
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ValueError(f"DEVICE is {device!r}, but there are {count} CUDA devices, from cuda:0.")
    return found


def choose_precision(device: torch.device, precision: str = "auto") -> str:
    """Choose the arithmetic of a network.

    Args:
        device: The torch device.
        precision: `"float32"`, `"bfloat16"`, `"float16"` (CUDA) or `"auto"`: bfloat16 where the
            device computes in it, and float32 elsewhere.

    Raises:
        ValueError: The name is unknown, or the device does not compute in that precision.
    """
    on_cuda = device.type == "cuda"
    is_able = torch.cuda.is_bf16_supported(including_emulation=False) if on_cuda else has_bfloat16()
    native = {"float32": True, "bfloat16": is_able, "float16": on_cuda}
    if precision == "auto":
        return "bfloat16" if is_able else "float32"
    if not native.get(precision):
        known = ", ".join(name for name, is_native in native.items() if is_native)
        raise ValueError(f"PRECISION is {precision!r}; on {device} expected auto, {known}.")
    return precision


def choose_backend(
    model: nn.Module, device: torch.device, precision: str
) -> CpuBackend | TorchBackend:
    """Load a network onto a device; see `TorchBackend` for the arguments."""
    if device.type == "cpu":
        return CpuBackend(model, precision)
    return TorchBackend(model, device, precision)
