"""Read the text of many images with any engine, in processes, and cache the pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from joblib import Memory, cpu_count

from lib.io import ImageError, open_image
from lib.io.cache import Cached, is_cached, make_anew, recall
from lib.ocr.engines import EngineError, Settings, load_engine
from lib.ocr.page import Page, Word
from lib.parallel import (
    HERE,
    TaskResult,
    report_internal_errors,
    run_each,
    run_on_cluster,
    show_progress,
)

ReadPage = Callable[[str, str, str, Settings, Path], Page]
Call = tuple[str, str, str, Settings, Path]

LIMIT: float = 240.0
"""Timeout of one image in seconds, loading the engine included; its process is then ended."""
WORKERS_ON_GPU: int = 3
"""Processes a core that read on a GPU: most of the time they wait for it."""
FORESEEN: tuple[type[Exception], ...] = (ImageError, EngineError)


@dataclass
class ReadResult:
    """The pages and failures of many images.

    Attributes:
        engine: Name of the engine.
        version: Versions of its programs and models, and the precision of its networks.
        pages: Pages by the image's sha256.
        failures: Reason of each failure, by the sha256 of the image.
        seconds: Duration of the reading, now or when it was cached, by sha256.
        hits: Pages that came from the cache.
        misses: Images that were not cached, failures included.
    """

    engine: str
    version: str
    pages: dict[str, Page] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    hits: int = 0
    misses: int = 0

    def add(self, sha256: str, result: TaskResult) -> None:
        """Add the result of one image."""
        self.seconds[sha256] = result.seconds
        if result.reason:
            self.failures[sha256] = result.reason
        else:
            self.pages[sha256] = result.value


def read_page(sha256: str, engine: str, version: str, settings: Settings, path: Path) -> Page:
    """Read one image.

    Args:
        sha256: Hash of the file's content; with the next three it is the key of the cached page.
        engine: One of `ENGINES`.
        version: Result of `settings.name_version()`.
        settings: Settings of the engine, such as those of `default_settings`.
        path: Where the file is now.

    Raises:
        ImageError: The file is no image.
        EngineError: The engine fails.
    """
    image = open_image(path)
    words = load_engine(settings)(image)
    return Page(image.shape[1], image.shape[0], engine, tuple(words))


def is_page(value: object, engine: str) -> bool:
    """Tell whether a cached value is a valid page of an engine."""
    return (
        isinstance(value, Page)
        and value.engine == engine
        and all(isinstance(side, int) and side > 0 for side in (value.width, value.height))
        and isinstance(value.words, tuple)
        and all(map(_is_word, value.words))
    )


def _is_word(value: object) -> bool:
    return (
        isinstance(value, Word)
        and isinstance(value.text, str)
        and isinstance(value.source, str)
        and isinstance(value.confidence, float)
        and len(value.quad) == 4
        and all(math.isfinite(x + y) for x, y in value.quad)
        and math.isfinite(value.confidence)
    )


def read_pages(
    images: Mapping[str, Path],
    engine: str,
    settings: Settings,
    memory: Memory,
    workers: int = 0,
    limit: float = LIMIT,
    read: ReadPage = read_page,
    cluster: str = "",
    names: Mapping[str, str] | None = None,
    device: str = "cuda",
) -> ReadResult:
    """Read many images in processes; take those read before from the cache.

    An image that breaks the engine, hangs it or kills its process is a failure with a reason.
    Failures are not cached.

    Args:
        images: File of each image, by its sha256.
        engine: One of `ENGINES`.
        settings: Settings of the engine, such as those of `default_settings`.
        memory: Cache of pages; each process stores a page as soon as it is read.
        workers: Number of processes, 0 for one per core, and `WORKERS_ON_GPU` for settings of a
            GPU.
        limit: Timeout of one image in seconds.
        read: Function that reads one image.
        cluster: Address of a Dask scheduler whose workers see the same files; `""` for processes
            of this machine.
        names: Link and sample of each image, for the log, by its sha256.
        device: Which GPU settings of one mean, such as `"cuda:1"`.

    Raises:
        ClusterError: The cluster cannot be reached.
        EngineError: It is not installed, or the GPU fails again and again.
        StageFault: All images ended in the same internal error.
    """
    cached = memory.cache(read, ignore=["path"])
    reading = ReadResult(engine, settings.name_version())
    calls = {name: (name, engine, reading.version, settings, path) for name, path in images.items()}
    missing = {name: call for name, call in calls.items() if not _recall(cached, call, reading)}
    reading.hits, reading.misses = len(reading.pages), len(missing)
    read_anew = partial(make_anew, cached)
    if settings.device != "cpu":
        outcomes = _read_on_gpu(read_anew, missing, workers, limit, cluster, settings, device)
    else:
        outcomes = _read_missing(read_anew, missing, workers or cpu_count(), limit, cluster)
    found: dict[str, TaskResult] = {}
    with show_progress(len(calls), "image", engine, reading.hits) as progress:
        for name, found[name] in outcomes:
            reading.add(name, found[name])
            progress.count(found[name].reason)
    errors = {name: result.error for name, result in found.items() if result.error}
    report_internal_errors(f"reading text ({engine})", errors, len(images), names)
    return reading


def find_unread(
    images: Iterable[str], engine: str, settings: Settings, memory: Memory
) -> list[str]:
    """Find the images, by their sha256, whose pages are not in the cache.

    Raises:
        EngineError: The engine is not installed.
    """
    cached, version = memory.cache(read_page, ignore=["path"]), settings.name_version()
    return [
        sha256
        for sha256 in images
        if not is_cached(cached, sha256, engine, version, settings, Path())
    ]


def _read_missing(
    read: Callable[..., Page],
    missing: Mapping[str, Call],
    workers: int,
    limit: float,
    cluster: str,
) -> Iterator[tuple[str, TaskResult]]:
    if cluster:
        return run_on_cluster(read, missing, cluster, limit, FORESEEN)
    return run_each(read, missing, workers, limit, FORESEEN)


def _read_on_gpu(
    read: Callable[..., Page],
    missing: Mapping[str, Call],
    workers: int,
    limit: float,
    cluster: str,
    settings: Settings,
    device: str,
) -> Iterator[tuple[str, TaskResult]]:
    """Read images with a server of networks; workers of a cluster have one each.

    Raises:
        EngineError: The server was given up.
    """
    from lib.ocr.gpu.remote import read_with_server  # imports PP-OCR
    from lib.ocr.gpu.server import start_server

    if cluster or workers == HERE:
        own = partial(read_with_server, "", device, read)
        yield from _read_missing(own, missing, workers, limit, cluster)
    elif missing:
        with start_server(device, settings.precision) as server:
            ask = partial(read_with_server, server.folder, device, read)
            workers = workers or WORKERS_ON_GPU * cpu_count()
            for result in run_each(ask, missing, workers, limit, FORESEEN):
                server.check()
                yield result


def _recall(cached: Cached, call: Call, reading: ReadResult) -> bool:
    """Copy a page from the cache to `reading`; tell whether it was there and valid."""
    known = recall(cached, partial(is_page, engine=reading.engine), *call)
    if known is not None:
        page, seconds = known
        reading.add(call[0], TaskResult(page, "", seconds))
    return known is not None
