"""Turn images into vectors with frozen networks, and cache the vectors."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from joblib import Memory

from lib.features.networks import Floats, Network, Recipe, Transform
from lib.io import ImageError, Pixels, open_image
from lib.io.cache import make_anew, recall
from lib.parallel import (
    InternalError,
    report_internal_errors,
    run_on_cluster,
    show_progress,
    try_item,
)

BATCH_SIZE: int = 32
"""Images prepared together; torch, on the CPU or a GPU, also runs them together."""

LIMIT: float = 600.0  # timeout of a batch on a cluster, in seconds

Vector = Floats
Failure = str | InternalError
ImageFile = tuple[str, str | Path]
"""The sha256 of an image, and its file."""
Batch = tuple[dict[str, Vector], dict[str, Failure]]
"""Vectors and failures by sha256."""


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


def embed_images(
    images: Mapping[str, str | Path],
    network: Network,
    memory: Memory,
    batch_size: int = BATCH_SIZE,
    cluster: str = "",
    names: Mapping[str, str] | None = None,
) -> Embeddings:
    """Turn images into vectors, computing only those that are not cached.

    Args:
        images: sha256 -> file, each content once.
        network: From `load_network`.
        memory: The cache; `Memory(None)` for none.
        batch_size: Images per forward pass.
        cluster: Address of a Dask scheduler whose workers see the same files; `""` for this
            machine.
        names: Link and sample of each image, for the log, by its sha256.

    Raises:
        ClusterError: The cluster cannot be reached.
        StageFault: All images ended in the same internal error.

    Returns:
        The vectors in the order of `images`; an image that cannot be opened or run is a failure
        with its reason and does not affect the others.
    """
    keep = memory.cache(keep_vector, ignore=["vector"], verbose=0)
    is_whole = functools.partial(is_vector, dimensions=network.dimensions)
    known = {sha256: recall(keep, is_whole, sha256, *network.key) for sha256 in images}
    vectors = {sha256: found[0] for sha256, found in known.items() if found is not None}
    hits = len(vectors)
    failures: dict[str, Failure] = {}
    missing = [(sha256, path) for sha256, path in images.items() if sha256 not in vectors]
    computing = (
        _compute_on_cluster(missing, network, batch_size, cluster)
        if cluster
        else _compute(missing, network, batch_size)
    )
    with show_progress(len(images), "image", network.key[0], hits) as progress:
        for computed, failed in computing:
            failures |= failed
            for sha256, vector in computed.items():
                vectors[sha256] = make_anew(keep, sha256, *network.key, vector)
                progress.count()
            for failure in failed.values():
                progress.count(failure if isinstance(failure, str) else failure.reason)
    reasons = _report(failures, names, len(images))
    found = tuple(sha256 for sha256 in images if sha256 in vectors)
    values = np.empty((len(found), network.dimensions), np.float32)
    for row, sha256 in enumerate(found):
        values[row] = vectors[sha256]
    return Embeddings(found, values, reasons, hits, len(found) - hits)


def _report(
    failures: Mapping[str, Failure], names: Mapping[str, str] | None, images: int
) -> dict[str, str]:
    """Report the internal errors among failures, and return the reason of each failure."""
    errors = {sha256: one for sha256, one in failures.items() if isinstance(one, InternalError)}
    report_internal_errors("computing features", errors, images, names)
    return {sha256: one if isinstance(one, str) else one.reason for sha256, one in failures.items()}


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
        version: Version of torchvision, whose transforms prepare the image.
        vector: (2048,), or `None` to ask the cache.

    Returns:
        (2048,) float16.

    Raises:
        NotEmbedded: There is no vector, given or cached.
    """
    if vector is None:
        raise NotEmbedded(f"No vector of {sha256} by {weights} in the cache; compute it.")
    return vector.astype(np.float16)


def _compute(missing: list[ImageFile], network: Network, batch_size: int) -> Iterator[Batch]:
    """Compute batches of vectors and of failures while the next batch is decoded."""
    batches = [missing[start : start + batch_size] for start in range(0, len(missing), batch_size)]
    for results in _prepare_batches(batches, network.weights.transform):
        opened = {sha: found for sha, found in results.items() if isinstance(found, np.ndarray)}
        ended = {**results, **_run_network(opened, network)}
        vectors = {sha: found for sha, found in ended.items() if isinstance(found, np.ndarray)}
        yield vectors, {sha: found for sha, found in ended.items() if isinstance(found, Failure)}


def _run_network(images: dict[str, Floats], network: Network) -> dict[str, Vector | Failure]:
    """Run a batch; if it fails, run its images one by one, so that only the bad one fails."""
    if not images:
        return {}
    vectors = try_item(network.backend.run, list(images.values()))
    if not isinstance(vectors, InternalError):
        return dict(zip(images, map(_check_vector, vectors), strict=True))
    if len(images) == 1:
        return dict.fromkeys(images, vectors)
    alone = [_run_network({sha256: image}, network) for sha256, image in images.items()]
    return {sha256: found for one in alone for sha256, found in one.items()}


def _check_vector(vector: Vector) -> Vector | str:
    """Return a vector, or why it cannot be kept: one bad value would spoil all statistics."""
    fits = bool((np.abs(vector) <= np.finfo(np.float16).max).all())
    return vector if fits else "the network's numbers are not finite, or too large for float16"


def _compute_on_cluster(
    missing: list[ImageFile], network: Network, batch_size: int, cluster: str
) -> Iterator[Batch]:
    """Compute batches on a cluster; if one fails, compute its images one by one."""
    starts = range(0, len(missing), batch_size)
    batches = {str(start): missing[start : start + batch_size] for start in starts}
    calls = {name: (batch, network.recipe, network.key) for name, batch in batches.items()}
    again: list[ImageFile] = []
    for name, outcome in run_on_cluster(embed_on_worker, calls, cluster, LIMIT):
        if not outcome.reason:
            yield outcome.value
        elif batch_size > 1:
            again += batches[name]
        else:
            yield {}, {batches[name][0][0]: outcome.error or outcome.reason}
    if again:
        yield from _compute_on_cluster(again, network, 1, cluster)


def embed_on_worker(files: list[ImageFile], recipe: Recipe, key: tuple[str, str, str]) -> Batch:
    """Compute one batch on a worker, which loads the network once.

    Args:
        files: sha256 and file of each image.
        recipe: The function that loads the network, and its arguments.
        key: Key of the caller's network.

    Raises:
        ValueError: The network on this worker is another one.
    """
    network = _load_once(*recipe)
    if network.key != key:
        raise ValueError(f"this worker has the network {network.key}; expected {key}")
    return next(_compute(files, network, len(files)))


@functools.cache
def _load_once(load: Callable[..., Network], arguments: tuple[str | int, ...]) -> Network:
    return load(*arguments)


def _prepare_batches(
    batches: Sequence[Sequence[ImageFile]], transform: Transform
) -> Iterator[dict[str, Floats | Failure]]:
    """Open and transform images in threads, one batch ahead of the one yielded."""
    ahead: deque[dict[str, Future[Floats | Failure]]] = deque()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for batch in batches:
            tasks = {sha: pool.submit(try_item, _prepare, path, transform) for sha, path in batch}
            ahead.append(tasks)
            if len(ahead) > 1:
                yield _gather(ahead.popleft())
        while ahead:
            yield _gather(ahead.popleft())


def _gather(
    futures: dict[str, Future[Floats | Failure]],
) -> dict[str, Floats | Failure]:
    return {sha256: future.result() for sha256, future in futures.items()}


def _prepare(path: str | Path, transform: Transform) -> Floats | str:
    """Open one image and transform it, (3, 224, 224) float32, or return why not."""
    try:
        pixels = open_image(path)  # (H, W, 3)
    except ImageError as error:
        return str(error)
    return transform(_trim(pixels))


def _trim(pixels: Pixels) -> Pixels:
    """Crop the ends of a very long image, of which the transform keeps only the middle square.

    The transform first enlarges the short side to over 200 pixels, gigabytes for a very thin image.
    """
    limit = 8 * min(pixels.shape[:2])
    top, left = (max(0, (side - limit) // 2) for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + limit, left : left + limit])
