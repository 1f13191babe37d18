"""Find OCR engines by name, give their settings and versions, and load them."""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from typing import Protocol, cast

import numpy as np

from lib.ocr.page import Word

Settings = dict[str, object]
ReadWords = Callable[[np.ndarray], list[Word]]


class EngineError(RuntimeError):
    """An OCR engine that is missing or does not work; the message says what to do."""


class Engine(Protocol):
    """The interface of each engine's module."""

    SETTINGS: Settings
    """Everything that changes the text read and is not in the version, with its defaults."""

    def name_version(self) -> str:
        """Name the versions of programs and models."""

    def load_reader(self, settings: Settings) -> ReadWords:
        """Return the function that reads an image (height, width, 3) with these settings."""


ENGINES: dict[str, str] = {
    "rapidocr": "lib.ocr.ppocr",
    "rapidocr_fast": "lib.ocr.ppocr_fast",
    "tesseract": "lib.ocr.tesseract",
    "tesseract_plain": "lib.ocr.plain_tesseract",
}
"""Module of each engine, imported on first use because its libraries are heavy."""


def default_settings(engine: str) -> Settings:
    """Return a copy of an engine's default settings.

    Raises:
        ValueError: There is no such engine.
    """
    return dict(find_engine(engine).SETTINGS)


@cache
def engine_version(engine: str) -> str:
    """Name the programs and models of an engine; a change of them makes cached pages stale.

    Raises:
        ValueError: There is no such engine.
        EngineError: It is not installed.
    """
    return find_engine(engine).name_version()


@lru_cache(maxsize=1)
def load_engine(engine: str, settings: tuple[tuple[str, object], ...]) -> ReadWords:
    """Load an engine, once per process.

    Args:
        engine: One of `ENGINES`.
        settings: Pairs of name and value.

    Returns:
        Function that reads an image (height, width, 3), uint8.

    Raises:
        ValueError: There is no such engine, or no such setting.
        EngineError: It is not installed.
    """
    unknown = dict(settings).keys() - find_engine(engine).SETTINGS.keys()
    if unknown:
        known = ", ".join(find_engine(engine).SETTINGS)
        raise ValueError(f"{engine} has no setting {', '.join(sorted(unknown))}; it has {known}")
    return find_engine(engine).load_reader(find_engine(engine).SETTINGS | dict(settings))


def find_engine(name: str) -> Engine:
    """Import an engine by name.

    Raises:
        ValueError: There is no such engine; the message lists the known ones.
    """
    if name not in ENGINES:
        raise ValueError(f"unknown OCR engine {name!r}; choose from {', '.join(ENGINES)}")
    return cast(Engine, import_module(ENGINES[name]))
