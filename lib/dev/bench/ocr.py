"""Benchmark OCR: our readers against stock PP-OCRv6 and Tesseract on the same images."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pandas as pd
from joblib import cpu_count

from lib.dev.bench.figures import Figure, divide_rounds
from lib.dev.bench.images import AskedImage, find_images, read_dev_images, recall_candidates
from lib.dev.bench.meter import Cost, measure_apart
from lib.dev.bench.stock import read_with_pytesseract, read_with_rapidocr
from lib.ocr import FORESEEN, LIMIT, Page, default_settings, read_page
from lib.parallel import run_each

Pages = Iterator[tuple[int, Page]]


@dataclass(frozen=True)
class Reader:
    """One way of reading images.

    Attributes:
        read: Yields the number and the page of each file, in any order.
        arguments: Of `read`, after the files.
        warm: Number of warm-up images, read while programs and models load and not timed.
    """

    read: Callable[..., Pages]
    arguments: tuple[str | int, ...] = ()
    warm: int = 1


def read_with_ours(files: Sequence[Path], engine: str, workers: int) -> Pages:
    """Read files as notebook 03 does, without a cache and, as stock does, in float32.

    Raises:
        RuntimeError: A file could not be read; all files of the benchmark are readable.
    """
    settings = default_settings(engine, "float32")
    version = settings.name_version()
    calls = {str(i): (str(i), engine, version, settings, file) for i, file in enumerate(files)}
    for name, outcome in run_each(read_page, calls, workers, LIMIT, FORESEEN):
        if outcome.reason:
            raise RuntimeError(f"{files[int(name)].name}: {outcome.reason}")
        yield int(name), outcome.value


CORES: int = cpu_count()
STOCK, PLAIN = "RapidOCR() as it comes", "image_to_string in a loop"
FAST, FAST_ONE = f"rapidocr_fast, {CORES} workers", "rapidocr_fast, 1 worker"
BEST, SAME_PASS = f"rapidocr, {CORES} workers", f"tesseract_plain, {CORES} workers"
READERS: dict[str, Reader] = {
    STOCK: Reader(read_with_rapidocr),
    FAST_ONE: Reader(read_with_ours, ("rapidocr_fast", 1), 1),
    FAST: Reader(read_with_ours, ("rapidocr_fast", CORES), 2 * CORES),
    BEST: Reader(read_with_ours, ("rapidocr", CORES), 2 * CORES),
    PLAIN: Reader(read_with_pytesseract),
    SAME_PASS: Reader(read_with_ours, ("tesseract_plain", CORES), 2 * CORES),
    f"tesseract, {CORES} workers": Reader(read_with_ours, ("tesseract", CORES), 2 * CORES),
}


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Measure all readers, in each round on that round's share of the images.

    Args:
        options: `images` to read in all, and `rounds`, the number of shares.

    Returns:
        The figures, and a table with one row per reader.
    """
    images = find_images(options.images)
    shares = [images[start :: options.rounds] for start in range(options.rounds)]
    costs: dict[str, list[Cost]] = {name: [] for name in READERS}
    for share in shares:
        for name, reader in READERS.items():  # every reader in each round
            costs[name].append(measure_reader(reader, share))
    recalls = {name: recall_all(shares, found) for name, found in costs.items()}
    return [*compare_readers(costs, recalls), *measure_dev()], tabulate_readers(costs, recalls)


def measure_reader(reader: Reader, images: Sequence[AskedImage]) -> Cost:
    """Measure one reader in a process of its own; the items are (number, page)."""
    files = [image.path for image in images]
    return measure_apart(
        reader.read, reader.warm, [files[0]] * reader.warm + files, *reader.arguments
    )


def recall_all(shares: Sequence[Sequence[AskedImage]], costs: Sequence[Cost]) -> float:
    """Measure the candidate recall of a reader over all rounds."""
    images = [image for share in shares for image in share]
    return recall_candidates(images, [page for cost in costs for page in order_pages(cost)])


def order_pages(cost: Cost) -> list[Page]:
    """Return the measured pages in the order of their files."""
    warm = len(cost.items) - cost.count
    return [page for number, page in sorted(cost.items, key=lambda item: item[0]) if number >= warm]


def compare_readers(
    costs: Mapping[str, Sequence[Cost]], recalls: Mapping[str, float]
) -> list[Figure]:
    """Compare the readers in speed, memory and candidate recall."""
    cpu = {name: [cost.cpu_each for cost in found] for name, found in costs.items()}
    rate = {name: [cost.rate for cost in found] for name, found in costs.items()}
    peak = tuple(cost.peak_mib for cost in costs[BEST])
    return [
        Figure(
            *("ocr", "processor time, rapidocr_fast / stock"),
            divide_rounds(cpu[FAST], cpu[STOCK]),
            target="<= 0.24",
        ),
        Figure(
            *("ocr", "candidate recall, rapidocr_fast - stock"),
            (recalls[FAST] - recalls[STOCK],),
            target=">= -0.005",
        ),
        Figure(
            *("ocr", "processor time, rapidocr / stock"),
            divide_rounds(cpu[BEST], cpu[STOCK]),
            target="<= 0.30",
        ),
        Figure(*("ocr", "candidate recall, rapidocr - stock"), (recalls[BEST] - recalls[STOCK],)),
        Figure(
            *("ocr", f"images a second, {CORES} workers / 1"),
            divide_rounds(rate[FAST], rate[FAST_ONE]),
            target=">= 1.85" if CORES == 2 else "",
        ),
        Figure(
            *("ocr", "images a second, tesseract_plain / loop"),
            divide_rounds(rate[SAME_PASS], rate[PLAIN]),
            target=">= 2" if CORES == 2 else "",
        ),
        Figure("ocr", "memory of one worker, at most", peak, "MiB"),
    ]


def measure_dev() -> list[Figure]:
    """Measure candidate recall of the default reader on all hand-labelled images."""
    images = read_dev_images()
    if not images:
        return []
    recall = recall_all([images], [measure_reader(READERS[BEST], images)])
    return [Figure("ocr", "candidate recall of rapidocr, all of dev", (recall,), target=">= 0.94")]


def tabulate_readers(
    costs: Mapping[str, Sequence[Cost]], recalls: Mapping[str, float]
) -> pd.DataFrame:
    """Return a table with one row per reader: medians over the rounds."""
    rows = [
        {
            "reader": name,
            "images/s": median(cost.rate for cost in found),
            "CPU s/image": median(cost.cpu_each for cost in found),
            "recall": recalls[name],
            "MiB": max(cost.peak_mib for cost in found),
        }
        for name, found in costs.items()
    ]
    return pd.DataFrame(rows).round({"images/s": 2, "CPU s/image": 3, "recall": 3, "MiB": 0})
