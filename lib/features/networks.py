"""Define what every network is here: weights, and a backend that turns images into vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from lib.io import Pixels

if TYPE_CHECKING:  # torch takes three seconds to import, and not every network needs it
    import torch

StateDict: TypeAlias = "Mapping[str, torch.Tensor]"
Floats = npt.NDArray[np.float32]
Transform = Callable[[Pixels], Floats]
"""Turns RGB pixels (H, W, 3), uint8, into a network's input, (3, 224, 224)."""


class Backend(Protocol):
    """Something that runs a network."""

    precision: str

    def run(self, images: list[Floats]) -> Floats:
        """Run images, (C, H, W) each, and return their vectors, (N, D)."""
        ...


@dataclass(frozen=True)
class Weights:
    """A network's parameters and where they come from.

    Attributes:
        name: Readable name, such as `"IMAGENET1K_V2"`, `"mine.pth"` or `"random (seed 0)"`.
        key: Identifies these parameters in the cache.
        transform: Resizes, crops and normalises an image as these weights expect.
        version: Version of the library that does so.
        state: The state dictionary of a network that torch runs.
        note: What a reader must know if they are not the requested ones, else `""`.
        missed: Host that the requested ones could not be downloaded from, else `""`.
    """

    name: str
    key: str
    transform: Transform
    version: str
    state: StateDict = field(default_factory=dict, repr=False)
    note: str = ""
    missed: str = ""

    @property
    def are_random(self) -> bool:
        """Tell whether these weights are random, never trained."""
        return self.key.startswith("random")


@dataclass(frozen=True)
class Network:
    """A network without its last layer, ready to run.

    Attributes:
        backend: Turns images (3, 224, 224) into vectors.
        weights: Its parameters.
        device: Where it runs, such as `"cpu"`.
        dimensions: Length of its vectors.
        recipe: Function that loads it, and its arguments, for other machines.
    """

    backend: Backend = field(repr=False)
    weights: Weights
    device: str
    dimensions: int
    recipe: Recipe

    @property
    def precision(self) -> str:
        """Return the precision of the arithmetic, such as `"bfloat16"`."""
        return self.backend.precision

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what determines the vectors: weights, precision, and what prepares images."""
        return self.weights.key, self.precision, self.weights.version


Recipe = tuple[Callable[..., Network], tuple[str | int, ...]]
