"""Benchmark the memory of one OCR worker, which decides how many a machine can hold."""

from __future__ import annotations

from argparse import Namespace

import pandas as pd

from lib.dev.bench.figures import Figure
from lib.dev.bench.images import find_images
from lib.dev.bench.meter import measure_apart
from lib.dev.bench.ocr import read_with_ours

COUNT: int = 24  # images; the largest decides
WORKERS: int = 2  # a process by itself computes in more threads, which takes more memory


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Measure the peak memory of one of two processes that read with the default engine.

    Returns:
        The figure, and a table with one row.
    """
    files = [image.path for image in find_images(min(COUNT, options.images))]
    cost = measure_apart(read_with_ours, 1, files, "rapidocr", WORKERS)
    row = {"images": len(files), "CPU s/image": cost.cpu_each, "MiB": cost.peak_mib}
    figure = Figure("worker", "memory of an OCR worker", (cost.peak_mib,), "MiB", "<= 600")
    return [figure], pd.DataFrame([row]).round(2)
