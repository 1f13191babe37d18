"""Find OCR engines by name, give their settings and load them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pkgutil import resolve_name

import numpy as np
import numpy.typing as npt

from lib.ocr.page import Word

Pixels = npt.NDArray[np.uint8]
ReadWords = Callable[[Pixels], list[Word]]


class EngineError(RuntimeError):
    """An OCR engine that is missing or does not work; the message says what to do."""


@dataclass(frozen=True)
class Settings(ABC):
    """Settings of an engine: everything that changes what it reads and is not in its version."""

    precision: str = ""
    """Arithmetic of its networks, `"float32"` or `"bfloat16"`; `""` if there is no choice."""

    @abstractmethod
    def name_version(self) -> str:
        """Name the programs, models and precision; a change makes cached pages stale.

        Raises:
            EngineError: The engine is not installed.
        """

    @abstractmethod
    def load_reader(self) -> ReadWords:
        """Load the engine and return the function that reads an image (height, width, 3).

        Raises:
            EngineError: The engine is not installed, or does not work with these settings.
        """

    def resolve_precision(self, precision: str) -> Settings:
        """Return these settings with the precision that `default_settings` is asked for."""
        return self


ENGINES: dict[str, str] = {
    "rapidocr": "lib.ocr.ppocr:DEFAULT",
    "rapidocr_fast": "lib.ocr.ppocr:FAST",
    "tesseract": "lib.ocr.tesseract:DEFAULT",
    "tesseract_plain": "lib.ocr.tesseract:PLAIN",
}
"""Default settings of each engine, imported on first use because the libraries are heavy."""


def default_settings(engine: str, precision: str = "auto") -> Settings:
    """Return an engine's default settings.

    Args:
        engine: One of `ENGINES`.
        precision: Arithmetic of its networks: `"float32"`, `"bfloat16"` or, with any other value,
            bfloat16 where the processor has it. Engines run on the CPU, so `"float16"` is such
            another value.

    Raises:
        ValueError: There is no such engine.
        EngineError: The processor does not have that precision.
    """
    if engine not in ENGINES:
        raise ValueError(f"unknown OCR engine {engine!r}; choose from {', '.join(ENGINES)}")
    settings: Settings = resolve_name(ENGINES[engine])
    return settings.resolve_precision(precision)


@lru_cache(maxsize=1)
def load_engine(settings: Settings) -> ReadWords:
    """Load an engine, once per process, and return the function that reads an image.

    Raises:
        EngineError: The engine is not installed, or does not work with these settings.
    """
    return settings.load_reader()
