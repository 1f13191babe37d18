"""The OCR engines by name: their settings, their versions and how they are loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from lib import ppocr, tesseract
from lib.page import Word

Settings = dict[str, object]
ReadWords = Callable[[np.ndarray], list[Word]]


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
    load: Callable[[Settings], ReadWords]


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


def default_settings(engine: str) -> Settings:
    """Give an engine's settings, a copy to change.

    Raises:
        ValueError: There is no such engine.
    """
    return dict(find_engine(engine).settings)


@cache
def engine_version(engine: str) -> str:
    """Name the programs and models of an engine; a change of them reads pictures anew.

    Raises:
        ValueError: There is no such engine.
        EngineError: It is not installed.
    """
    return find_engine(engine).version()


@lru_cache(maxsize=1)
def load_engine(engine: str, settings: tuple[tuple[str, object], ...]) -> ReadWords:
    """Load an engine, once per process.

    Args:
        engine: One of `ENGINES`.
        settings: Pairs of name and value.

    Returns:
        Function that reads a picture (height, width, 3), uint8.

    Raises:
        ValueError: There is no such engine, or no such setting.
        EngineError: It is not installed.
    """
    unknown = dict(settings).keys() - find_engine(engine).settings.keys()
    if unknown:
        known = ", ".join(find_engine(engine).settings)
        raise ValueError(f"{engine} has no setting {', '.join(sorted(unknown))}; it has {known}")
    return find_engine(engine).load(find_engine(engine).settings | dict(settings))


def find_engine(name: str) -> Engine:
    """Find an engine by name.

    Raises:
        ValueError: There is none; the message lists those there are.
    """
    if name not in ENGINES:
        raise ValueError(f"unknown OCR engine {name!r}; choose from {', '.join(ENGINES)}")
    return ENGINES[name]
