"""Estimate the probability that an image shows a round object, as deep as wide, such as a cup."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from lib.features.vectors import Floats
from lib.io import PROJECT

DEFAULT: Path = PROJECT / "lib/models/roundness.json"


@dataclass(frozen=True)
class Roundness:
    """A logistic regression fitted on the shape vectors of images.

    Attributes:
        weights: (1280,), one per dimension of the vector.
        offset: Added to their weighted sum.
        network: Key of the network whose vectors it was fitted on.
    """

    weights: npt.NDArray[np.float64] = field(repr=False)
    offset: float
    network: str

    def estimate(self, vectors: Floats) -> npt.NDArray[np.float64]:
        """Return the probability that each image shows a round object.

        Args:
            vectors: (N, 1280), from the network of `load_shape_network`.

        Returns:
            (N,) 0-1.

        Raises:
            ValueError: The vectors have another length.
        """
        if vectors.shape[1:] != self.weights.shape:
            raise ValueError(
                f"vectors of shape {vectors.shape}; expected (N, {len(self.weights)}), those of "
                f"{self.network}"
            )
        return np.asarray(expit(vectors @ self.weights + self.offset), np.float64)


@cache
def read_roundness(path: Path = DEFAULT) -> Roundness:
    """Read a regression that `lib.dev.fit_models` wrote, by default the shipped one.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        weights, offset = np.array(content["weights"], float), float(content["offset"])
        return Roundness(weights, offset, str(content["network"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} holds no roundness ({error!r}); make it by lib.dev.fit_models"
        ) from error
