"""Load ResNet50 without its last layer, as a feature extractor."""

from __future__ import annotations

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torchvision.models import resnet50

from lib.features.networks import Network, Weights
from lib.features.torch_inference import choose_backend, choose_device, choose_precision
from lib.features.weights import load_weights

DIMENSIONS: int = 2048


def load_network(
    weights: str = "IMAGENET1K_V2", device: str = "auto", seed: int = 0, precision: str = "auto"
) -> Network:
    """Load ResNet50 without its last layer.

    Args:
        weights: A name of torchvision's weights, a `.pth` file, or `"random"`; see `load_weights`.
        device: See `torch_inference.choose_device`.
        seed: Seed of random weights.
        precision: See `torch_inference.choose_precision`.

    Raises:
        ValueError: The weights or the device do not exist or do not fit, or the device does not
            compute in that precision.
        FileNotFoundError: There is no such `.pth` file.
    """
    chosen = choose_device(device)
    resolved = choose_precision(chosen, precision)
    loaded = load_weights(weights, seed)
    model = fuse(_build_model(loaded).eval())  # convolution and batch norm in one step
    backend = choose_backend(model, chosen, resolved)
    recipe = (load_network, (weights, device, seed, resolved))  # not "auto", which may differ there
    return Network(backend, loaded, str(chosen), DIMENSIONS, recipe)


def _build_model(weights: Weights) -> nn.Module:
    """Load parameters into a ResNet50, ignoring those of the last layer."""
    with torch.device("meta"):  # allocate no parameters that are replaced at once
        model: nn.Module = resnet50(weights=None)
    model.fc = nn.Identity()  # (N, 2048) instead of 1,000 classes
    state = {name: value for name, value in weights.state.items() if not name.startswith("fc.")}
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ValueError(f"WEIGHTS {weights.name} do not fit ResNet50: {error}") from error
    return model
