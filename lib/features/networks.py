"""Define what every network is here: weights, and a backend that turns images into vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from lib.features.preparation import Prepare
from lib.io import Pixels

Floats = npt.NDArray[np.float32]
State: TypeAlias = dict[str, Floats]
"""A network's parameters, by their names in torch."""
Levels: TypeAlias = tuple[float, float, float]
"""One number for each of red, green and blue, in levels from 0 to 255."""


class Backend(Protocol):
    """Something that runs a network."""

    def run(self, images: list[Pixels]) -> Floats:
        """Run images, RGB (H, W, 3) each, and return their vectors, (N, D)."""
        ...


@dataclass(frozen=True)
class Weights:
    """A network's parameters and where they come from.

    Attributes:
        name: Readable name, such as `"IMAGENET1K_V2"`, `"mine.pth"` or `"random (seed 0)"`.
        key: Identifies these parameters in the cache.
        read: Reads or makes them.
        prepare: Resizes and crops an image as these weights expect.
        mean: Subtracted from the levels of an image.
        deviation: The levels are then divided by it.
        note: What a reader must know if they are not the requested ones, else `""`.
        missed: Host that the requested ones could not be downloaded from, else `""`.
    """

    name: str
    key: str
    read: Callable[[], State] = field(repr=False)
    prepare: Prepare
    mean: Levels
    deviation: Levels
    note: str = ""
    missed: str = ""

    @property
    def are_random(self) -> bool:
        """Tell whether these weights are random, never trained."""
        return self.key.startswith("random")


@dataclass(frozen=True)
class Network:
    """A network without its last layer, which is loaded when it is first run.

    Attributes:
        load: Loads what turns images into vectors.
        weights: Its parameters.
        device: Where it runs, such as `"cpu"`.
        precision: Of its arithmetic, such as `"bfloat16"`.
        dimensions: Length of its vectors.
        version: Of what prepares images.
        recipe: Function that makes it, and its arguments, for other machines.
    """

    load: Callable[[Network], Backend] = field(repr=False)
    weights: Weights
    device: str
    precision: str
    dimensions: int
    version: str
    recipe: Recipe

    @cached_property
    def backend(self) -> Backend:
        """Return what turns images into vectors.

        Raises:
            ValueError: The weights do not fit the network.
        """
        return self.load(self)

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what determines the vectors: weights, precision, and what prepares images."""
        return self.weights.key, self.precision, self.version


Recipe = tuple[Callable[..., Network], tuple[str | int, ...]]
