"""Build networks from their parameters in OpenVINO's operations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import openvino
from openvino import opset13

from lib.features.networks import Floats


def fuse(
    state: Mapping[str, Floats], convolution: str, norm: str, epsilon: float
) -> tuple[Floats, Floats]:
    """Fold a batch norm into the kernel and an offset of the convolution before it.

    Args:
        state: Parameters by their names in torch.
        convolution: Name of the convolution, which has no offset.
        norm: Name of the batch norm.
        epsilon: Of the batch norm.
    """
    gain, bias, mean, variance = (
        state[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale: Floats = gain / np.sqrt(variance + np.float32(epsilon))
    return state[f"{convolution}.weight"] * scale[:, None, None, None], bias - mean * scale


def convolve(
    values: openvino.Node, kernel: Floats, offset: Floats, stride: int, padding: int | None = None
) -> openvino.Node:
    """Add a convolution and its offset.

    Args:
        values: (1, channels, H, W).
        kernel: (outputs, channels, h, w), or (channels, 1, h, w) for each channel its own.
        offset: (outputs,).
        stride: In pixels.
        padding: Pixels on each side; by default as many as keep the size, the odd one at the end.
    """
    sides, kind = [padding or 0] * 2, "same_upper" if padding is None else "explicit"
    where = ([stride] * 2, sides, sides, [1, 1], kind)
    if kernel.shape[1] < values.get_output_shape(0)[1]:  # each channel is a group
        values = opset13.group_convolution(values, kernel[:, None], *where)
    else:
        values = opset13.convolution(values, kernel, *where)
    return opset13.add(values, offset.reshape(1, -1, 1, 1))
