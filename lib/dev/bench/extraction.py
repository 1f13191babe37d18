"""Benchmark extraction: questions answered per second, on one core, from pages already read."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.dev.bench.figures import Figure
from lib.dev.bench.images import read_sample_images
from lib.extraction import choose_by_rules, scan_page
from lib.extraction.learned import Model, make_question, read_model
from lib.features import read_all_line_segments
from lib.io import PROJECT, open_cache
from lib.ocr import Page, default_settings, read_pages

ROUNDS: int = 25
ESTIMATES: int = 5  # rounds with the model
ENGINE: str = "rapidocr"


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Time scanning and answering all questions of the sample; options are not used.

    Returns:
        The figures, and a table with one row per round.
    """
    images = read_sample_images()
    files = {image.path.name: image.path for image in images}
    memory = open_cache(PROJECT / "data")
    pages = read_pages(files, ENGINE, default_settings(ENGINE), memory).pages
    segments = read_all_line_segments(files, memory)
    work = [
        (pages[name], segments[name], [entity for entity, _ in image.answers])
        for name, image in zip(files, images, strict=True)
    ]
    samples = sum(len(entities) for *_, entities in work)
    model = read_model()
    for one in work:
        time_answers(*one)  # warms the small caches of words, as in a long run
    seconds = np.array([[time_answers(*one) for one in work] for _ in range(ROUNDS)])
    rates = samples / seconds.sum(axis=1)
    # The minimum is the code's own time, the rest is interference by other work on the processor,
    # as Python's `timeit` explains. A ratio would not need it.
    undisturbed = samples / seconds.min(axis=0).sum()
    figures = [
        Figure(
            *("extraction", "samples a second, one core, each page's fastest round"),
            (float(undisturbed),),
            unit="/s",
            target=">= 2000",
        ),
        Figure("extraction", "samples a second, one core, whole rounds", tuple(rates), "/s"),
        Figure(
            *("extraction", "samples a second, one core, with the model's confidence"),
            tuple(samples / time_estimates(work, model) for _ in range(ESTIMATES)),
            unit="/s",
            target=">= 1000",
        ),
    ]
    rows = [{"samples": samples, "pages": len(work), "samples/s": rate} for rate in rates]
    return figures, pd.DataFrame(rows).round(0)


def time_answers(page: Page, segments: np.ndarray, entities: list[str]) -> float:
    """Answer all questions about a page by the rules and return the CPU seconds."""
    start = time.process_time()
    scan = scan_page(page, segments)
    for entity in entities:
        choose_by_rules(scan, entity)
    return time.process_time() - start


def time_estimates(work: Sequence[tuple[Page, np.ndarray, list[str]]], model: Model) -> float:
    """Scan pages, answer all questions and estimate the answers; return the CPU seconds."""
    start = time.process_time()
    questions = []
    for page, segments, entities in work:
        scan = scan_page(page, segments)
        for entity in entities:
            choose_by_rules(scan, entity)
            questions.append(make_question(scan, entity))
    model.estimate(questions)
    return time.process_time() - start
