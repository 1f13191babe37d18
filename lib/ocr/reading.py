"""The text of many pictures: read once each, in processes, by any engine, and remembered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
from joblib import Memory, cpu_count
from tqdm import tqdm

from lib.io import Cached, ImageError, make_anew, open_image, recall
from lib.ocr.engines import (
    ENGINES,
    EngineError,
    Settings,
    default_settings,
    engine_version,
    load_engine,
)
from lib.ocr.page import Page, Word
from lib.parallel import TaskResult, report_outcomes, run_each, run_on_cluster

__all__ = ["ENGINES", "ReadResult", "default_settings", "engine_version", "read_page", "read_pages"]

ReadPage = Callable[[str, str, str, Settings, Path], Page]

LIMIT: float = 240.0
"""Seconds one picture may take, loading the engine included; then its process is ended."""
FORESEEN: tuple[type[Exception], ...] = (ImageError, EngineError)

PAGE_COLUMNS: dict[str, type] = {
    **dict.fromkeys(["sha256", "engine", "version"], str),
    **dict.fromkeys(["width", "height", "words"], int),
    **{"seconds": float, "status": str, "reason": str},
}


@dataclass
class ReadResult:
    """What came of many pictures.

    Attributes:
        engine: Its name.
        version: Of its programs and models.
        pages: By the picture's sha256.
        failures: Reason, by the sha256 of pictures that gave no page.
        seconds: That reading took, then or now, by sha256.
        hits: Pages that came from the cache.
        misses: Pictures that had to be read, failures included.
    """

    engine: str
    version: str
    pages: dict[str, Page] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    hits: int = 0
    misses: int = 0

    def note(self, sha256: str, outcome: TaskResult) -> None:
        """Add what came of one picture."""
        self.seconds[sha256] = outcome.seconds
        if outcome.reason:
            self.failures[sha256] = outcome.reason
        else:
            self.pages[sha256] = outcome.value


def read_page(sha256: str, engine: str, version: str, settings: Settings, path: Path) -> Page:
    """Read one picture.

    Args:
        sha256: Of the file's content; with the next three it names the answer.
        engine: One of `ENGINES`.
        version: As `engine_version` gives it.
        settings: As `default_settings` gives them.
        path: Where the file is now.

    Raises:
        ImageError: The file is no picture.
        ValueError: There is no such engine or setting.
        EngineError: The engine fails.
    """
    image = open_image(path)
    words = load_engine(engine, tuple(sorted(settings.items())))(image)
    return Page(image.shape[1], image.shape[0], engine, tuple(words))


def is_page(value: object, engine: str) -> bool:
    """Tell whether a cached value is a page as an engine gives it."""
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
) -> ReadResult:
    """Read many pictures in processes; those read before come from the cache.

    A picture that breaks the engine, hangs it or kills its process is a failure with a reason.
    Failures are not cached.

    Args:
        images: File of each picture, by its sha256.
        engine: One of `ENGINES`.
        settings: As `default_settings` gives them.
        memory: Where pages are cached; each process stores what it has read at once.
        workers: Number of processes, 0 for one a core.
        limit: Seconds one picture may take.
        read: Reads one picture.
        cluster: Address of a Dask scheduler whose workers see the same files; `""` for processes
            of this machine.
        names: Link and sample of each picture, for the log, by its sha256.

    Raises:
        ValueError: There is no such engine.
        ClusterError: The cluster cannot be reached.
        EngineError: It is not installed.
        StageFault: All pictures ended in the same internal error.
    """
    cached = memory.cache(read, ignore=["path"])
    reading = ReadResult(engine, engine_version(engine))
    calls = {name: (name, engine, reading.version, settings, path) for name, path in images.items()}
    missing = {name: call for name, call in calls.items() if not _recall(cached, call, reading)}
    reading.hits, reading.misses = len(reading.pages), len(missing)
    outcomes = _read_missing(cached, missing, workers, limit, cluster)
    found: dict[str, TaskResult] = {}
    # As text: a widget is lost, stuck at 0 %, when papermill runs the notebook.
    bar = tqdm(total=len(calls), initial=reading.hits, desc=engine, unit="image", mininterval=1)
    with bar:
        for name, found[name] in outcomes:
            reading.note(name, found[name])
            bar.set_postfix(failed=len(reading.failures), refresh=False)
            bar.update()
    report_outcomes(f"reading text ({engine})", found, names, len(images))
    return reading


def _read_missing(
    cached: Cached, missing: Mapping[str, tuple], workers: int, limit: float, cluster: str
) -> Iterator[tuple[str, TaskResult]]:
    read = partial(make_anew, cached)
    if cluster:
        return run_on_cluster(read, missing, cluster, limit, FORESEEN)
    return run_each(read, missing, workers or cpu_count(), limit, FORESEEN)


def tabulate_pages(reading: ReadResult) -> pd.DataFrame:
    """Lay out one row a picture, whether it gave a page or not.

    Returns:
        `PAGE_COLUMNS`; `words` is their number, `status` is `"ok"` or `"failed"`, width and height
        of a failed picture are 0.
    """
    nothing = Page(0, 0, reading.engine)
    names = [*reading.pages, *reading.failures]
    pages = [reading.pages.get(name, nothing) for name in names]
    reasons = [reading.failures.get(name, "") for name in names]
    table = pd.DataFrame({"sha256": names, "engine": reading.engine, "version": reading.version})
    table["width"] = [page.width for page in pages]
    table["height"] = [page.height for page in pages]
    table["words"] = [len(page.words) for page in pages]
    table["seconds"] = [reading.seconds[name] for name in names]
    table["status"] = ["failed" if reason else "ok" for reason in reasons]
    table["reason"] = reasons
    return table.astype(PAGE_COLUMNS)


def _recall(cached: Cached, call: tuple, reading: ReadResult) -> bool:
    """Take a page from the cache into `reading`; tell whether it was there, whole."""
    known = recall(cached, partial(is_page, engine=reading.engine), *call)
    if known is not None:
        page, seconds = known
        reading.note(call[0], TaskResult(page, "", seconds))
    return known is not None
