"""Pictures turned into vectors by frozen networks."""

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torchvision
from joblib import Memory

from lib.features.networks import Network
from lib.io import ImageError, make_anew, open_image, recall
from lib.parallel import InternalError, report_internal_errors, run_on_cluster, try_item

BATCH_SIZE: int = 32
"""Pictures prepared together; a GPU, or torch, runs them together too."""

LIMIT: float = 600.0  # seconds that a batch may take on a cluster


Failure = str | InternalError


class NotEmbedded(LookupError):
    """The cache holds no vector for this picture."""


@dataclass(frozen=True)
class Embeddings:
    """The vectors of many pictures.

    Attributes:
        sha256: The pictures, one a row, in the order given.
        values: (N, dimensions of the network) float32.
        failures: sha256 -> reason, for the pictures that could not be opened or run.
        hits: Vectors taken from the cache.
        misses: Vectors computed.
    """

    sha256: tuple[str, ...]
    values: np.ndarray = field(repr=False)
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
    """Turn pictures into vectors; only what the cache lacks is computed.

    Args:
        images: sha256 -> file, each content once.
        network: From `load_network`.
        memory: The cache; `Memory(None)` for none.
        batch_size: Pictures per forward pass.
        cluster: Address of a Dask scheduler whose workers see the same files; `""` for this
            machine.
        names: Link and sample of each picture, for the log, by its sha256.

    Raises:
        ClusterError: The cluster cannot be reached.
        StageFault: All pictures ended in the same internal error.

    Returns:
        The vectors in the order of `images`; a picture that cannot be opened or run is a failure
        with its reason and costs no other picture anything.
    """
    keep = memory.cache(keep_vector, ignore=["vector"], verbose=0)
    key = (*network.key, torchvision.__version__)
    is_whole = functools.partial(is_vector, dimensions=network.dimensions)
    known = {sha256: recall(keep, is_whole, sha256, *key) for sha256 in images}
    vectors = {sha256: found[0] for sha256, found in known.items() if found is not None}
    hits = len(vectors)
    failures: dict[str, Failure] = {}
    missing = [(sha256, path) for sha256, path in images.items() if sha256 not in vectors]
    computing = (
        _compute_on_cluster(missing, network, batch_size, cluster)
        if cluster
        else _compute(missing, network, batch_size)
    )
    for computed, failed in computing:
        failures |= failed
        for sha256, vector in computed.items():
            vectors[sha256] = make_anew(keep, sha256, *key, vector)
    reasons = _report(failures, names or {}, len(images))
    found = tuple(sha256 for sha256 in images if sha256 in vectors)
    values = np.empty((len(found), network.dimensions), np.float32)
    for row, sha256 in enumerate(found):
        values[row] = vectors[sha256]
    return Embeddings(found, values, reasons, hits, len(found) - hits)


def _report(
    failures: Mapping[str, Failure], names: Mapping[str, str], images: int
) -> dict[str, str]:
    """Report the internal errors among failures, and give the reason of each failure."""
    met = {sha: found for sha, found in failures.items() if isinstance(found, InternalError)}
    errors = {names.get(sha256, sha256): error for sha256, error in met.items()}
    report_internal_errors("computing features", errors, images)
    return dict(failures) | {sha256: error.reason for sha256, error in met.items()}


def is_vector(value: object, dimensions: int) -> bool:
    """Tell whether a cached value is a vector of a network as `keep_vector` gives it."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == np.float16
        and value.shape == (dimensions,)
        and bool(np.isfinite(value).all())
    )


def keep_vector(
    sha256: str, weights: str, precision: str, version: str, vector: np.ndarray | None = None
) -> np.ndarray:
    """Give back a picture's vector; wrapped by a cache that ignores `vector`, remember it.

    Args:
        sha256: Of the picture's file.
        weights: Key of the network's weights.
        precision: Of the arithmetic.
        version: Of torchvision, whose transforms prepare the picture.
        vector: (2048,), or `None` to ask the cache.

    Returns:
        (2048,) float16.

    Raises:
        NotEmbedded: There is no vector, given or cached.
    """
    if vector is None:
        raise NotEmbedded(f"No vector of {sha256} by {weights} in the cache; compute it.")
    return vector.astype(np.float16)


def _compute(
    missing: list[tuple[str, str | Path]], network: Network, batch_size: int
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, Failure]]]:
    """Compute batches of vectors and of failures, the next batch being decoded meanwhile."""
    batches = [missing[start : start + batch_size] for start in range(0, len(missing), batch_size)]
    for results in _prepare_batches(batches, network.weights.transform):
        opened = {sha: found for sha, found in results.items() if isinstance(found, torch.Tensor)}
        results |= _run_network(opened, network)
        vectors = {sha: found for sha, found in results.items() if isinstance(found, np.ndarray)}
        yield vectors, {sha: found for sha, found in results.items() if sha not in vectors}


def _run_network(
    pictures: dict[str, torch.Tensor], network: Network
) -> dict[str, np.ndarray | Failure]:
    """Run a batch, or one picture at a time if it fails, so that only the bad one does."""
    if not pictures:
        return {}
    vectors = try_item(network.placed.run, list(pictures.values()))
    if not isinstance(vectors, InternalError):
        return dict(zip(pictures, map(_check_vector, vectors), strict=True))
    if len(pictures) == 1:
        return dict.fromkeys(pictures, vectors)
    alone = [_run_network({sha256: picture}, network) for sha256, picture in pictures.items()]
    return {sha256: found for one in alone for sha256, found in one.items()}


def _check_vector(vector: np.ndarray) -> np.ndarray | str:
    """Give back a vector, or why it cannot be kept: one such value would spoil all statistics."""
    fits = bool((np.abs(vector) <= np.finfo(np.float16).max).all())
    return vector if fits else "the network's numbers are not finite, or too large for float16"


def _compute_on_cluster(
    missing: list[tuple[str, str | Path]], network: Network, batch_size: int, cluster: str
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, Failure]]]:
    """Compute batches of vectors and of failures on a cluster; if one fails, its pictures alone."""
    starts = range(0, len(missing), batch_size)
    batches = {str(start): missing[start : start + batch_size] for start in starts}
    calls = {name: (batch, network.recipe, network.key) for name, batch in batches.items()}
    again: list[tuple[str, str | Path]] = []
    for name, outcome in run_on_cluster(embed_there, calls, cluster, LIMIT):
        if not outcome.reason:
            yield outcome.value
        elif batch_size > 1:
            again += batches[name]
        else:
            yield {}, {batches[name][0][0]: outcome.error or outcome.reason}
    if again:
        yield from _compute_on_cluster(again, network, 1, cluster)


def embed_there(
    files: list[tuple[str, str | Path]], recipe: tuple[Callable, tuple], key: tuple[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, Failure]]:
    """Compute one batch on a worker, which loads the network once.

    Args:
        files: sha256 and file of each picture.
        recipe: The function that loads the network and its arguments.
        key: Of the network that asks.

    Raises:
        ValueError: The network is another one here.
    """
    network = _load_once(*recipe)
    if network.key != key:
        raise ValueError(f"this worker has the network {network.key}; expected {key}")
    return next(_compute(files, network, len(files)))


@functools.cache
def _load_once(load: Callable, arguments: tuple) -> Network:
    return load(*arguments)


def _prepare_batches(
    batches: Sequence[Sequence[tuple[str, str | Path]]], transform: Callable
) -> Iterator[dict[str, torch.Tensor | Failure]]:
    """Open and transform pictures in threads, one batch ahead of the one handed out."""
    ahead: deque[dict[str, Future]] = deque()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for batch in batches:
            tasks = {sha: pool.submit(try_item, _prepare, path, transform) for sha, path in batch}
            ahead.append(tasks)
            if len(ahead) > 1:
                yield _gather(ahead.popleft())
        while ahead:
            yield _gather(ahead.popleft())


def _gather(futures: dict[str, Future]) -> dict[str, torch.Tensor | Failure]:
    return {sha256: future.result() for sha256, future in futures.items()}


def _prepare(path: str | Path, transform: Callable) -> torch.Tensor | str:
    """Open one picture and transform it, (3, 224, 224) float32, or say why not."""
    try:
        pixels = open_image(path)  # (H, W, 3)
    except ImageError as error:
        return str(error)
    return transform(torch.from_numpy(_trim(pixels)).permute(2, 0, 1))


def _trim(pixels: np.ndarray) -> np.ndarray:
    """Cut the ends off a very long picture: the transform keeps only its middle square.

    It enlarges the short side to over 200 pixels first, which makes gigabytes of a thin line.
    """
    limit = 8 * min(pixels.shape[:2])
    starts = [max(0, (side - limit) // 2) for side in pixels.shape[:2]]
    top, left = starts
    return np.ascontiguousarray(pixels[top : top + limit, left : left + limit])
