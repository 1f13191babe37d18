"""Compute features of images that are not cached, each image opened once, in processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from joblib import cpu_count

from lib.features.preparation import Array, Failure, ImageTask, Prepare, Results, prepare_images
from lib.parallel import (
    HERE,
    InternalError,
    TaskResult,
    report_internal_errors,
    run_each,
    run_on_cluster,
    show_progress,
)

BATCH_SIZE: int = 32
"""Images that a process prepares at a time; a GPU also runs them together."""
MOST_HERE: int = 4
"""Images prepared in this process at most; more are worth the start of others."""
LIMIT: float = 600.0  # timeout of a batch in seconds; most take one or two
LIMIT_ALONE: float = 60.0  # of an image whose batch failed

Recipe: TypeAlias = "tuple[Callable[..., Feature], tuple[object, ...]]"
"""The function that makes a feature on another machine, and its arguments."""
Batches: TypeAlias = Mapping[str, list[ImageTask]]
Outcomes: TypeAlias = Iterator[tuple[str, TaskResult]]
Run: TypeAlias = Callable[[Batches, float], Outcomes]
"""Works on named batches with a timeout; the value of each result is a `Results`."""


class Feature(Protocol):
    """Something that is computed from an image and kept in the cache.

    Attributes:
        work: What is done with the images, such as `"computing vectors"`.
    """

    work: str

    @property
    def prepare(self) -> Prepare:
        """Return what prepares an image."""
        ...

    @property
    def recipe(self) -> Recipe:
        """Return how another machine makes this, without the cache."""
        ...

    def recall(self, sha256: str) -> Array | None:
        """Return an image's value from the cache."""
        ...

    def compute(self, prepared: list[Array]) -> Sequence[Array | Failure]:
        """Compute the values of a batch."""
        ...

    def keep(self, sha256: str, value: Array) -> Array:
        """Store an image's value, and return it as it is stored."""
        ...


@dataclass(frozen=True)
class Computed:
    """One feature of many images.

    Attributes:
        values: By sha256, in the order of the images.
        failures: sha256 -> reason, for the images that could not be opened or computed.
        hits: Values taken from the cache.
    """

    values: dict[str, Array] = field(repr=False)
    failures: dict[str, str]
    hits: int


def compute_features(
    images: Mapping[str, str | Path],
    features: Sequence[Feature],
    workers: int = 0,
    cluster: str = "",
    names: Mapping[str, str] | None = None,
    batch_size: int = BATCH_SIZE,
) -> list[Computed]:
    """Compute features of images; an image that fails does not affect the others.

    Args:
        images: sha256 -> file, each content once.
        features: What is computed.
        workers: Processes that prepare images, 0 for one a core; few images need none.
        cluster: Address of a Dask scheduler whose workers see the same files; `""` for this
            machine.
        names: Link and sample of each image, for the log, by its sha256.
        batch_size: Images that a process prepares at a time.

    Raises:
        ClusterError: The cluster cannot be reached.
        StageFault: All images ended in the same internal error.
    """
    known = [_recall_all(images, feature) for feature in features]
    found: Results = {
        sha256: {at: one[sha256] for at, one in enumerate(known) if sha256 in one}
        for sha256 in images
    }
    tasks = _list_tasks(images, found, len(features))
    coming = (
        _compute(tasks, batch_size, _on_cluster(features, cluster))
        if cluster
        else _compute_here(tasks, batch_size, features, workers)
    )
    with show_progress(len(images), "image", "features", len(images) - len(tasks)) as progress:
        for sha256, own in (item for results in coming for item in results.items()):
            for at, value in own.items():
                found[sha256][at] = _keep(features[at], sha256, value)
            progress.count(next(filter(None, map(_explain, own.values())), ""))
    return [
        _gather(found, at, feature.work, len(known[at]), names)
        for at, feature in enumerate(features)
    ]


def _recall_all(images: Iterable[str], feature: Feature) -> dict[str, Array]:
    """Return the values that are in the cache."""
    values = ((sha256, feature.recall(sha256)) for sha256 in images)
    return {sha256: value for sha256, value in values if value is not None}


def _list_tasks(images: Mapping[str, str | Path], found: Results, features: int) -> list[ImageTask]:
    """List the images that lack features, each with those that it lacks."""
    lacking = {
        sha256: tuple(at for at in range(features) if at not in own)
        for sha256, own in found.items()
    }
    return [
        (sha256, images[sha256], positions) for sha256, positions in lacking.items() if positions
    ]


def _keep(feature: Feature, sha256: str, value: Array | Failure) -> Array | Failure:
    """Store a value that is no failure, and return it as it is stored."""
    return feature.keep(sha256, value) if isinstance(value, np.ndarray) else value


def _explain(value: Array | Failure) -> str:
    """Return why a value is missing, `""` if it is not."""
    if isinstance(value, InternalError):
        return value.reason
    return value if isinstance(value, str) else ""


def _gather(
    found: Results, at: int, work: str, hits: int, names: Mapping[str, str] | None
) -> Computed:
    """Gather one feature of all images, and report internal errors."""
    all_values = {sha256: own[at] for sha256, own in found.items()}
    errors = {sha256: one for sha256, one in all_values.items() if isinstance(one, InternalError)}
    report_internal_errors(work, errors, len(found), names)
    values = {sha256: one for sha256, one in all_values.items() if isinstance(one, np.ndarray)}
    failures = {s: _explain(one) for s, one in all_values.items() if s not in values}
    return Computed(values, failures, hits)


def _compute(tasks: list[ImageTask], batch_size: int, run: Run) -> Iterator[Results]:
    """Work on batches of images; if one fails, work on its images one by one."""
    starts = range(0, len(tasks), batch_size)
    batches = {str(start): tasks[start : start + batch_size] for start in starts}
    again: list[ImageTask] = []
    for name, outcome in run(batches, LIMIT if batch_size > 1 else LIMIT_ALONE):
        if not outcome.reason:
            yield outcome.value
        elif batch_size > 1:
            again += batches[name]
        else:
            ((sha256, _, positions),) = batches[name]
            yield {sha256: dict.fromkeys(positions, outcome.error or outcome.reason)}
    if again:
        yield from _compute(again, 1, run)


def _compute_here(
    tasks: list[ImageTask], batch_size: int, features: Sequence[Feature], workers: int
) -> Iterator[Results]:
    """Compute the features of a batch while the next ones are prepared in processes."""
    prepares = [feature.prepare for feature in features]
    count = HERE if len(tasks) <= MOST_HERE else workers or cpu_count()

    def run(batches: Batches, limit: float) -> Outcomes:
        calls = {name: (batch, prepares) for name, batch in batches.items()}
        return run_each(prepare_images, calls, count, limit)

    prepared = _compute(tasks, batch_size, run)
    ahead: deque[Future[Results]] = deque()
    with ThreadPoolExecutor(1) as pool:  # meanwhile this thread receives and stores
        for results in prepared:
            ahead.append(pool.submit(finish, results, features))
            if len(ahead) > 1:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def finish(results: Results, features: Sequence[Feature]) -> Results:
    """Compute the features of images that are prepared for them."""
    for at, feature in enumerate(features):
        prepared = {
            sha256: value
            for sha256, own in results.items()
            if isinstance(value := own.get(at), np.ndarray)
        }
        computed = feature.compute(list(prepared.values())) if prepared else ()
        for sha256, value in zip(prepared, computed, strict=True):
            results[sha256][at] = value
    return results


def _on_cluster(features: Sequence[Feature], address: str) -> Run:
    """Return what computes batches on a cluster."""
    recipes = [feature.recipe for feature in features]

    def run(batches: Batches, limit: float) -> Outcomes:
        calls = {name: (batch, recipes) for name, batch in batches.items()}
        return run_on_cluster(compute_on_worker, calls, address, limit)

    return run


def compute_on_worker(tasks: list[ImageTask], recipes: Sequence[Recipe]) -> Results:
    """Compute features of a batch on a worker of a cluster.

    Args:
        tasks: The images.
        recipes: Of the features.

    Raises:
        ValueError: A network on this worker is another one.
    """
    features = [make(*arguments) for make, arguments in recipes]
    return finish(prepare_images(tasks, [feature.prepare for feature in features]), features)
