"""Turn images into vectors with frozen networks, and cache the vectors."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from joblib import Memory

from lib.features.computing import BATCH_SIZE, Computed, Recipe, compute_features
from lib.features.networks import Floats, Network
from lib.features.networks import Recipe as NetworkRecipe
from lib.features.preparation import Array, Failure, Prepare
from lib.io.cache import make_anew, recall
from lib.parallel import InternalError, try_item

Vector = Floats
Key = tuple[str, str, str]
NO_CACHE = Memory(None, verbose=0)


class NotEmbedded(LookupError):
    """The cache holds no vector for this image."""


@dataclass(frozen=True)
class Embeddings:
    """The vectors of many images.

    Attributes:
        sha256: The images, one per row, in the order given.
        values: (N, dimensions of the network) float32.
        failures: sha256 -> reason, for the images that could not be opened or run.
        hits: Vectors taken from the cache.
        misses: Vectors computed.
    """

    sha256: tuple[str, ...]
    values: Floats = field(repr=False)
    failures: dict[str, str]
    hits: int
    misses: int


class VectorFeature:
    """The vectors of a network.

    Args:
        network: The network.
        memory: The cache; `Memory(None)` for none.
    """

    work = "computing vectors"

    def __init__(self, network: Network, memory: Memory) -> None:
        self._network = network
        self._keep = memory.cache(keep_vector, ignore=["vector"], verbose=0)
        self._is_whole = functools.partial(is_vector, dimensions=network.dimensions)

    @property
    def prepare(self) -> Prepare:
        """Return how the network wants its images."""
        return self._network.weights.prepare

    @property
    def recipe(self) -> Recipe:
        """Return how another machine makes this."""
        return load_on_worker, (self._network.recipe, self._network.key)

    def recall(self, sha256: str) -> Array | None:
        """Return an image's vector from the cache."""
        found = recall(self._keep, self._is_whole, sha256, *self._network.key)
        return None if found is None else found[0]

    def compute(self, prepared: list[Array]) -> list[Array | Failure]:
        """Run a batch; if it fails, run its images one by one, so that only the bad one fails."""
        backend = self._network.backend  # not guarded: without it no image has a vector
        vectors = try_item(backend.run, [image.astype(np.uint8, copy=False) for image in prepared])
        if not isinstance(vectors, InternalError):
            return list(map(_check_vector, vectors))
        if len(prepared) == 1:
            return [vectors]
        return [found for image in prepared for found in self.compute([image])]

    def keep(self, sha256: str, value: Array) -> Array:
        """Store an image's vector."""
        return make_anew(self._keep, sha256, *self._network.key, value)


def embed_images(
    images: Mapping[str, str | Path],
    network: Network,
    memory: Memory,
    batch_size: int = BATCH_SIZE,
    cluster: str = "",
    names: Mapping[str, str] | None = None,
    workers: int = 0,
) -> Embeddings:
    """Turn images into vectors of one network; see `read_features`.

    Args:
        images: sha256 -> file, each content once.
        network: From `load_network`.
        memory: The cache; `Memory(None)` for none.
        batch_size: Images prepared and, on a GPU, run together.
        cluster: See `compute_features`.
        names: See `compute_features`.
        workers: Processes that open images, 0 for one a core.

    Raises:
        ClusterError: The cluster cannot be reached.
        StageFault: All images ended in the same internal error.

    Returns:
        The vectors in the order of `images`; an image that cannot be opened or run is a failure
        with its reason and does not affect the others.
    """
    features = [VectorFeature(network, memory)]
    (found,) = compute_features(images, features, workers, cluster, names, batch_size)
    return stack_vectors(found, network)


def stack_vectors(found: Computed, network: Network) -> Embeddings:
    """Stack the vectors of images."""
    values = np.empty((len(found.values), network.dimensions), np.float32)
    for row, vector in enumerate(found.values.values()):
        values[row] = vector
    sha256, misses = tuple(found.values), len(found.values) - found.hits
    return Embeddings(sha256, values, found.failures, found.hits, misses)


def is_vector(value: object, dimensions: int) -> bool:
    """Tell whether a cached value is a valid vector of a network, as from `keep_vector`."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == np.float16
        and value.shape == (dimensions,)
        and bool(np.isfinite(value).all())
    )


def keep_vector(
    sha256: str, weights: str, precision: str, version: str, vector: Vector | None = None
) -> npt.NDArray[np.float16]:
    """Return an image's vector; wrapped by a cache that ignores `vector`, store it.

    Args:
        sha256: Hash of the image's file.
        weights: Key of the network's weights.
        precision: Precision of the arithmetic.
        version: Version of what prepares images.
        vector: (2048,), or `None` to ask the cache.

    Returns:
        (2048,) float16.

    Raises:
        NotEmbedded: There is no vector, given or cached.
    """
    if vector is None:
        raise NotEmbedded(f"No vector of {sha256} by {weights} in the cache; compute it.")
    return vector.astype(np.float16)


def _check_vector(vector: Vector) -> Vector | str:
    """Return a vector, or why it cannot be kept: one bad value would spoil all statistics."""
    fits = bool((np.abs(vector) <= np.finfo(np.float16).max).all())
    return vector if fits else "the network's numbers are not finite, or too large for float16"


@functools.cache
def load_on_worker(recipe: NetworkRecipe, key: Key) -> VectorFeature:
    """Load a network on a worker of a cluster, once.

    Args:
        recipe: The function that loads the network, and its arguments.
        key: Key of the caller's network.

    Raises:
        ValueError: The network on this worker is another one.
    """
    load, arguments = recipe
    network = load(*arguments)
    if network.key != key:
        raise ValueError(f"this worker has the network {network.key}; expected {key}")
    return VectorFeature(network, NO_CACHE)
