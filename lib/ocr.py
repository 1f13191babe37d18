"""OCR: the text of pictures by any engine, cached per picture; the engines stay behind this."""

import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from joblib import Memory, cpu_count
from tqdm import tqdm

from lib import ppocr, tesseract
from lib.images import open_image
from lib.page import Page, Word
from lib.workers import run_each

Settings = dict[str, object]
ReadPage = Callable[[str, str, str, Settings, Path], Page]

LIMIT: float = 180.0
"""Seconds one picture may take, loading the engine included; then its process is ended."""


@dataclass(frozen=True)
class Engine:
    """One way to read.

    Attributes:
        settings: Everything that changes the answer and is not in the version, with its defaults.
        version: Names the programs and models.
        load: Gives the function that reads a picture (height, width, 3) with these settings.
    """

    settings: Settings
    version: Callable[[], str]
    load: Callable[[Settings], Callable[[np.ndarray], list[Word]]]


ENGINES: dict[str, Engine] = {
    "rapidocr": Engine(
        ppocr.SETTINGS, ppocr.ppocr_version, lambda settings: ppocr.Reader(settings).read_words
    ),
    "tesseract": Engine(
        tesseract.SETTINGS,
        tesseract.tesseract_version,
        lambda settings: lambda image: tesseract.read_words(image, settings),
    ),
    "tesseract_plain": Engine(
        tesseract.PLAIN_SETTINGS,
        tesseract.tesseract_version,
        lambda settings: lambda image: tesseract.read_plain(image, settings),
    ),
}


@dataclass
class Reading:
    """What came of many pictures.

    Attributes:
        pages: By the picture's sha256.
        failures: Reason, by the sha256 of pictures that gave no page.
        seconds: That reading took, then or now, by sha256.
        hits: Pages that came from the cache.
        misses: Pictures that had to be read, failures included.
    """

    pages: dict[str, Page] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    hits: int = 0
    misses: int = 0


def default_settings(engine: str) -> Settings:
    """Give an engine's settings, a copy to change.

    Raises:
        ValueError: There is no such engine.
    """
    return dict(_find_engine(engine).settings)


@cache
def engine_version(engine: str) -> str:
    """Name the programs and models of an engine; a change of them reads pictures anew.

    Raises:
        ValueError: There is no such engine.
        EngineError: It is not installed.
    """
    return _find_engine(engine).version()


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
        ValueError: There is no such engine.
        RuntimeError: The engine fails.
    """
    image = open_image(path)
    words = load_engine(engine, tuple(sorted(settings.items())))(image)
    return Page(image.shape[1], image.shape[0], engine, tuple(words))


@lru_cache(maxsize=1)
def load_engine(engine: str, settings: tuple) -> Callable[[np.ndarray], list[Word]]:
    """Load an engine, once per process.

    Args:
        engine: One of `ENGINES`.
        settings: Pairs of name and value.

    Returns:
        Function that reads a picture (height, width, 3).

    Raises:
        ValueError: There is no such engine.
        EngineError: It is not installed.
    """
    return _find_engine(engine).load(dict(settings))


def read_pages(
    images: Mapping[str, Path],
    engine: str,
    settings: Settings,
    memory: Memory,
    workers: int = 0,
    limit: float = LIMIT,
    read: ReadPage = read_page,
) -> Reading:
    """Read many pictures in processes; those read before come from the cache.

    A picture that breaks the engine, hangs it or kills its process is a failure with a reason.
    Failures are not cached.

    Args:
        images: File of each picture, by its sha256.
        engine: One of `ENGINES`.
        settings: As `default_settings` gives them.
        memory: Where pages are cached; each worker stores what it has read at once.
        workers: Number of processes, 0 for one a core.
        limit: Seconds one picture may take.
        read: Reads one picture.

    Raises:
        ValueError: There is no such engine.
        EngineError: It is not installed.
    """
    cached = memory.cache(read, ignore=["path"])
    version = engine_version(engine)
    calls = {sha256: (sha256, engine, version, settings, path) for sha256, path in images.items()}
    reading = Reading()
    missing = {name: call for name, call in calls.items() if not _recall(cached, call, reading)}
    reading.hits, reading.misses = len(reading.pages), len(missing)
    # As text: a widget is lost, stuck at 0 %, when papermill runs the notebook.
    with tqdm(
        total=len(calls), initial=reading.hits, desc=engine, unit="image", mininterval=1
    ) as bar:
        for name, outcome in run_each(cached, missing, workers or cpu_count(), limit):
            reading.seconds[name] = outcome.seconds
            if outcome.reason:
                reading.failures[name] = outcome.reason
            else:
                reading.pages[name] = outcome.value
            bar.set_postfix(failed=len(reading.failures), refresh=False)
            bar.update()
    return reading


def _recall(cached: Callable, call: tuple, reading: Reading) -> bool:
    """Take a page from the cache into `reading`; tell whether it was there."""
    if not cached.check_call_in_cache(*call):
        return False
    stored = cached.call_and_shelve(*call)
    try:
        reading.pages[call[0]] = stored.get()
    except (KeyError, EOFError, OSError, ValueError, pickle.UnpicklingError):
        stored.clear()
        return False
    reading.seconds[call[0]] = stored.metadata.get("duration", math.nan)
    return True


def _find_engine(engine: str) -> Engine:
    if engine not in ENGINES:
        raise ValueError(f"unknown OCR engine {engine!r}; choose from {', '.join(ENGINES)}")
    return ENGINES[engine]
