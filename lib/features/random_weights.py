"""Make the random weights of ResNet50 that torchvision would make, without torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lib.features.networks import Floats, State

BLOCKS: tuple[int, ...] = (3, 4, 6, 3)
"""Blocks of each of the four layers (He et al., 2015, table 1)."""
WIDEN: int = 4  # output channels of a block, as a multiple of its inner ones
LAST_LAYER: int = 2048 * 1000 + 1000  # parameters, of which a feature extractor has no need


class Convolution(NamedTuple):
    """A convolution and the batch norm behind it, by their names in torchvision."""

    name: str
    norm: str
    shape: tuple[int, int, int, int]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all its parameters, by their names."""
        shapes: dict[str, tuple[int, ...]] = {f"{self.name}.weight": self.shape}
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{self.norm}.{name}"] = self.shape[:1]
        return shapes


def list_convolutions() -> Iterator[Convolution]:
    """List the convolutions of ResNet50 in torchvision's order."""
    yield Convolution("conv1", "bn1", (64, 3, 7, 7))
    channels = 64
    for layer, blocks in enumerate(BLOCKS):
        inner = 64 << layer
        for number in range(blocks):
            block = f"layer{layer + 1}.{number}."
            yield Convolution(f"{block}conv1", f"{block}bn1", (inner, channels, 1, 1))
            yield Convolution(f"{block}conv2", f"{block}bn2", (inner, inner, 3, 3))
            yield Convolution(f"{block}conv3", f"{block}bn3", (WIDEN * inner, inner, 1, 1))
            if not number:
                names = f"{block}downsample.0", f"{block}downsample.1"
                yield Convolution(*names, (WIDEN * inner, channels, 1, 1))
            channels = WIDEN * inner


def make_random_state(seed: int) -> State:
    """Make the initial weights of a training, up to a rounding those of `torch.manual_seed(seed)`.

    He et al., "Delving deep into rectifiers", 2015: normal, by the number of outputs. Batch norms
    change nothing.
    """
    random = np.random.MT19937()
    random._legacy_seeding(seed & 0xFFFFFFFF)  # as torch seeds the same generator
    convolutions = list(list_convolutions())
    sizes = [math.prod(one.shape) for one in convolutions]
    random.random_raw(sum(sizes) + LAST_LAYER, output=False)  # torch initialises twice
    state: State = {}
    for one, size in zip(convolutions, sizes, strict=True):
        for name, shape in one.shapes.items():
            is_one = name.endswith((".weight", ".running_var"))
            state[name] = np.full(shape, is_one, np.float32)
        spread = np.float32(math.sqrt(2 / (one.shape[0] * one.shape[2] * one.shape[3])))
        state[f"{one.name}.weight"] = spread * _draw_normal(random, size).reshape(one.shape)
    return state


def _draw_normal(random: np.random.MT19937, size: int) -> Floats:
    """Draw standard normal numbers as torch does: Box and Muller's way, sixteen at a time."""
    bits: npt.NDArray[np.uint64] = random.random_raw(size)
    uniform = ((bits & 0xFFFFFF).astype(np.float32) / np.float32(1 << 24)).reshape(-1, 2, 8)
    radius = np.sqrt(-2 * np.log(1 - uniform[:, 0]))
    angle = np.float32(2 * math.pi) * uniform[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
