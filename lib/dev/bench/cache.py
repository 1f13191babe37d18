"""Benchmark the cache: the time to read a cached page or vector."""

from __future__ import annotations

import contextlib
import io
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from lib.dev.bench.figures import Figure
from lib.features import DIMENSIONS, is_vector, keep_vector
from lib.io import open_cache
from lib.io.cache import recall
from lib.ocr import Box, Page, Word, default_settings, read_pages

ENTRIES: int = 1000
WORDS: int = 35  # words on a typical photo
ROUNDS: int = 5
KEY = ("random (seed 0)", "float32", "0.0")


def make_page(sha256: str, engine: str, version: str, settings: dict, path: Path) -> Page:
    """Make a page with as much text as a typical photo, in place of an engine."""
    box = Box(10, 20, 300, 40).quad
    words = (Word(f"{sha256[:6]} {i} cm", 0.98, box) for i in range(WORDS))
    return Page(1000, 1000, engine, tuple(words))


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Fill a cache with synthetic entries, then time its hits; options are not used.

    Returns:
        The figures, and a table with one row per kind of entry.
    """
    names = [f"{number:064x}" for number in range(ENTRIES)]
    with TemporaryDirectory() as folder:
        memory = open_cache(Path(folder))
        cached = memory.cache(make_page, ignore=["path"])
        keep = memory.cache(keep_vector, ignore=["vector"])
        is_whole = partial(is_vector, dimensions=DIMENSIONS)
        settings = default_settings("tesseract_plain")
        version = settings.name_version()
        random = np.random.default_rng(0)
        for name in names:
            cached(name, "tesseract_plain", version, settings, Path(name))
            keep(name, *KEY, random.random(DIMENSIONS))
        files = {name: Path(name) for name in names}
        hits = {
            "page": lambda: read_pages(
                files, "tesseract_plain", settings, memory, 1, 1.0, make_page
            ),
            "vector": lambda: [recall(keep, is_whole, name, *KEY) for name in names],
        }
        times = {
            kind: tuple(_time_each(find) for _ in range(ROUNDS)) for kind, find in hits.items()
        }
    figures = [
        Figure("cache", f"one hit, a {kind}", found, "ms", target="<= 1")
        for kind, found in times.items()
    ]
    rows = [{"entry": k, "entries": ENTRIES, "ms a hit": np.median(v)} for k, v in times.items()]
    return figures, pd.DataFrame(rows).round(3)


def _time_each(find: Callable[[], object]) -> float:
    """Return the CPU milliseconds per hit, which other work on the machine does not affect."""
    start = time.process_time()
    with contextlib.redirect_stderr(io.StringIO()):  # the progress bar
        find()
    return (time.process_time() - start) / ENTRIES * 1000
