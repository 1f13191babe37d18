"""The extraction part: questions answered a second, on one core, over pages read before."""

from __future__ import annotations

import time
from argparse import Namespace

import numpy as np
import pandas as pd

from lib.bench.figures import Figure
from lib.bench.pictures import read_sample_pictures
from lib.cache import open_cache
from lib.candidates import scan_page
from lib.extraction import choose_by_rules
from lib.ocr import default_settings, read_pages
from lib.page import Page
from lib.paths import PROJECT
from lib.strokes import read_all_strokes

ROUNDS: int = 25
ENGINE: str = "rapidocr"


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Time scanning and answering all questions of the sample; options are not used.

    Returns:
        The figures, and a table with one row a round.
    """
    pictures = read_sample_pictures()
    files = {picture.path.name: picture.path for picture in pictures}
    memory = open_cache(PROJECT / "data")
    pages = read_pages(files, ENGINE, default_settings(ENGINE), memory).pages
    strokes = read_all_strokes(files, memory)
    work = [
        (pages[name], strokes[name], [entity for entity, _ in picture.answers])
        for name, picture in zip(files, pictures, strict=True)
    ]
    samples = sum(len(entities) for *_, entities in work)
    answer_all(work)  # fills the small caches of words that a long run has filled
    rates = tuple(samples / answer_all(work) for _ in range(ROUNDS))
    figure = Figure("extraction", "samples a second, one core", rates, "/s", target=">= 2000")
    rows = [{"samples": samples, "pages": len(work), "samples/s": rate} for rate in rates]
    return [figure], pd.DataFrame(rows).round(0)


def answer_all(work: list[tuple[Page, np.ndarray, list[str]]]) -> float:
    """Answer all questions by the rules and give the processor's seconds."""
    start = time.process_time()
    for page, strokes, entities in work:
        scan = scan_page(page, strokes)
        for entity in entities:
            choose_by_rules(scan, entity)
    return time.process_time() - start
