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
    """Arithmetic of its networks, such as `"float32"`; `""` if there is no choice."""

    @property
    def device(self) -> str:
        """Return where its networks run, `"cpu"` or `"cuda"`."""
        return "cpu"

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

    def resolve(self, precision: str, device: str) -> Settings:
        """Return these settings with what `default_settings` is asked for, if there is a choice."""
        return self


ENGINES: dict[str, str] = {
    "rapidocr": "lib.ocr.ppocr:DEFAULT",
    "rapidocr_fast": "lib.ocr.ppocr:FAST",
    "tesseract": "lib.ocr.tesseract:DEFAULT",
    "tesseract_plain": "lib.ocr.tesseract:PLAIN",
}
"""Default settings of each engine, imported on first use because the libraries are heavy."""


def default_settings(engine: str, precision: str = "auto", device: str = "cpu") -> Settings:
    """Return an engine's default settings.

    Args:
        engine: One of `ENGINES`.
        precision: Arithmetic of its networks. On the CPU `"float32"`, `"bfloat16"` or, with any
            other value, bfloat16 where the processor has it; on a GPU one of these, `"float16"` or
            `"auto"`, which is float32.
        device: `"cpu"`, `"cuda"` or one of several cards, such as `"cuda:1"`. The settings name
            its kind only, as all cards read alike; Tesseract has no networks that run on one.

    Raises:
        ValueError: There is no such engine.
        EngineError: The processor does not have that precision.
    """
    if engine not in ENGINES:
        raise ValueError(f"unknown OCR engine {engine!r}; choose from {', '.join(ENGINES)}")
    settings: Settings = resolve_name(ENGINES[engine])
    return settings.resolve(precision, device.partition(":")[0])


@lru_cache(maxsize=1)
def load_engine(settings: Settings) -> ReadWords:
    """Load an engine, once per process, and return the function that reads an image.

    Raises:
        EngineError: The engine is not installed, or does not work with these settings.
    """
    return settings.load_reader()
