"""Load ResNet50 without its last layer, as a feature extractor."""

from __future__ import annotations

import numpy as np
import openvino
from openvino import opset1, opset13

from lib.features.devices import choose_device, choose_precision
from lib.features.inference import OpenVinoBackend
from lib.features.layers import convolve, fuse
from lib.features.networks import Backend, Network, State
from lib.features.preparation import PREPARED_WITH, SIDE
from lib.features.random_weights import BLOCKS
from lib.features.weights import load_weights

DIMENSIONS: int = 2048
EPSILON: float = 1e-5  # of the batch norms


def load_network(
    weights: str = "IMAGENET1K_V2", device: str = "auto", seed: int = 0, precision: str = "auto"
) -> Network:
    """Load ResNet50 without its last layer; its parameters are read when it is first run.

    Args:
        weights: A name of torchvision's weights, a `.pth` file, or `"random"`; see `load_weights`.
        device: See `choose_device`.
        seed: Seed of random weights.
        precision: See `choose_precision`.

    Raises:
        ValueError: The weights or the device do not exist, or the device does not compute in that
            precision.
        FileNotFoundError: There is no such `.pth` file.
    """
    chosen = choose_device(device)
    resolved = choose_precision(chosen, precision)
    kind = (chosen, resolved, DIMENSIONS, PREPARED_WITH)
    recipe = (load_network, (weights, device, seed, resolved))  # not "auto", which may differ there
    return Network(_load_backend, load_weights(weights, seed), *kind, recipe)


def _load_backend(network: Network) -> Backend:
    """Load the network onto its device; torch is imported for a GPU only."""
    if network.device == "cpu":
        model = build_model(network.weights.read())
        return OpenVinoBackend(model, network.weights, network.precision)
    from lib.features.torch_inference import load_on_gpu

    return load_on_gpu(network)


def build_model(state: State) -> openvino.Model:
    """Build the network from its parameters in OpenVINO's operations.

    Args:
        state: Parameters by their names in torchvision's ResNet50.

    Returns:
        A model of one image (1, 3, 224, 224) float32 whose output is (1, 2048).
    """
    image = opset13.parameter([1, 3, SIDE, SIDE], np.float32)
    values = opset13.relu(_convolve(image, state, "conv1", "bn1", 2))
    window = ([2, 2], [1, 1], [1, 1], [3, 3])  # strides, padding, size
    values = opset1.max_pool(values, *window)  # later ones return places, too
    for layer, blocks in enumerate(BLOCKS):
        for number in range(blocks):
            stride = 2 if layer and not number else 1
            values = _run_block(values, state, f"layer{layer + 1}.{number}.", stride)
    return openvino.Model([opset13.reduce_mean(values, [2, 3])], [image], "resnet50")


def _run_block(values: openvino.Node, state: State, block: str, stride: int) -> openvino.Node:
    """Add a bottleneck: fewer channels, convolve, more channels; add the input."""
    inner = opset13.relu(_convolve(values, state, f"{block}conv1", f"{block}bn1"))
    inner = opset13.relu(_convolve(inner, state, f"{block}conv2", f"{block}bn2", stride))
    inner = _convolve(inner, state, f"{block}conv3", f"{block}bn3")
    if f"{block}downsample.0.weight" in state:
        names = f"{block}downsample.0", f"{block}downsample.1"
        values = _convolve(values, state, *names, stride)
    return opset13.relu(opset13.add(values, inner))


def _convolve(
    values: openvino.Node, state: State, convolution: str, norm: str, stride: int = 1
) -> openvino.Node:
    """Add a convolution with its batch norm in one step."""
    kernel, offset = fuse(state, convolution, norm, EPSILON)
    return convolve(values, kernel, offset, stride, kernel.shape[2] // 2)
