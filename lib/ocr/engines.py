"""The OCR engines by name: their settings, their versions and how they are loaded."""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from typing import Protocol, cast

import numpy as np

from lib.ocr.page import Word

Settings = dict[str, object]
ReadWords = Callable[[np.ndarray], list[Word]]


class EngineError(RuntimeError):
    """An OCR engine that is not there or does not work; the message says what to do."""


class Engine(Protocol):
    """What each engine's module offers."""

    SETTINGS: Settings
    """Everything that changes the answer and is not in the version, with its defaults."""

    def name_version(self) -> str:
        """Name the programs and models."""

    def load_reader(self, settings: Settings) -> ReadWords:
        """Give the function that reads a picture (height, width, 3) with these settings."""


ENGINES: dict[str, str] = {
    "rapidocr": "lib.ocr.ppocr",
    "rapidocr_fast": "lib.ocr.ppocr_fast",
    "tesseract": "lib.ocr.tesseract",
    "tesseract_plain": "lib.ocr.plain_tesseract",
}
"""Module of each engine; imported when it is used, for they are heavy."""


def default_settings(engine: str) -> Settings:
    """Give an engine's settings, a copy to change.

    Raises:
        ValueError: There is no such engine.
    """
    return dict(find_engine(engine).SETTINGS)


@cache
def engine_version(engine: str) -> str:
    """Name the programs and models of an engine; a change of them reads pictures anew.

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
        Function that reads a picture (height, width, 3), uint8.

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
    """Find an engine by name.

    Raises:
        ValueError: There is none; the message lists those there are.
    """
    if name not in ENGINES:
        raise ValueError(f"unknown OCR engine {name!r}; choose from {', '.join(ENGINES)}")
    return cast(Engine, import_module(ENGINES[name]))
