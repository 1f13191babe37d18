"""Benchmark the download: throughput and memory against a server with 50 ms latency."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pandas as pd

from lib.dev.bench.figures import Figure, divide_rounds
from lib.dev.bench.image_server import serve_images
from lib.dev.bench.meter import Cost, measure_apart
from lib.download import Limits

LATENCY: float = 0.05  # seconds from a request to its response, when measuring speed
SHORT: float = 0.005  # seconds, when measuring memory
PLACES: int = 28  # connections; two cores can hardly serve more
IMAGES: int = 2_000
ONE_BY_ONE: int = 100  # images; more would only take longer
FEW, MANY = 10_000, 100_000  # links whose memory is compared
BATCH: int = 5_000  # links at a time, as the pipeline's BATCH_SIZE
FAILING: int = 10  # every tenth of these links has no image
OURS, PLAIN = f"{IMAGES:,} images", "requests.get, one after another"


def fetch_with_ours(address: str, count: int, folder: Path) -> Iterator[int]:
    """Download as notebook 01 does, a batch at a time, each link another image.

    Yields:
        0 after the imports; then the number of images of each batch.

    Raises:
        RuntimeError: Links failed other than those that must.
    """
    os.environ["TQDM_DISABLE"] = "1"
    from lib.download import fetch_images

    yield 0
    limits = Limits(connections=PLACES, per_host=PLACES)
    for start in range(0, count, BATCH):
        numbers = range(start, min(count, start + BATCH))
        links = pd.DataFrame({"link": [f"{address}{n}" for n in numbers], "folder": ""})
        images = fetch_images(links, folder, allow_hosts=["127.0.0.1"], limits=limits)
        failed = images[images["status"] != "ok"]
        if not failed["reason"].str.startswith("HTTP 404").all():
            raise RuntimeError(f"the benchmark's own server failed: {failed['reason'].max()}")
        yield len(images) - len(failed)


def fetch_one_by_one(address: str, count: int, folder: Path) -> Iterator[int]:
    """Download and store images in a plain loop.

    Yields:
        0 after the imports; then 1 after each image.
    """
    import requests

    yield 0
    folder.mkdir()
    for number in range(count):
        with closing(requests.get(f"{address}{number}", timeout=10)) as answer:
            answer.raise_for_status()
            (folder / f"{number}.jpg").write_bytes(answer.content)
        yield 1


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Measure speed in rounds, each with the plain loop for comparison, and memory once.

    Args:
        options: `rounds`, their number.

    Returns:
        The figures, and a table with one row per way of downloading.
    """
    costs: dict[str, list[Cost]] = {OURS: [], PLAIN: []}
    # Deleted at the end: ext4 makes files more slowly for a while after many were deleted.
    with TemporaryDirectory(prefix="bench-") as folder:
        with serve_images(IMAGES, LATENCY) as address:
            for number in range(options.rounds):
                ours, plain = Path(folder, f"ours{number}"), Path(folder, f"plain{number}")
                costs[OURS].append(measure_apart(fetch_with_ours, 1, address, IMAGES, ours))
                costs[PLAIN].append(measure_apart(fetch_one_by_one, 1, address, ONE_BY_ONE, plain))
        with serve_images(IMAGES, SHORT, FAILING) as address:
            for count in (FEW, MANY):
                to = Path(folder, str(count))
                cost = measure_apart(fetch_with_ours, 1, address, count, to)
                costs[f"{count:,} links, a tenth fails"] = [cost]
    return compare_ways(costs), tabulate_ways(costs)


def compare_ways(costs: dict[str, list[Cost]]) -> list[Figure]:
    """Compare our speed with the plain loop and the limit, and memory for many links and few."""
    ours, plain, few, many = costs.values()
    ceiling = PLACES / LATENCY
    rates = [measure_rate(cost) for cost in ours]
    ratio = divide_rounds(rates, [measure_rate(cost) for cost in plain])
    # 400 MB are 381 MiB.
    memory = divide_rounds([many[0].peak_mib], [few[0].peak_mib])
    return [
        Figure("download", "images a second / requests.get in a loop", ratio, target=">= 20"),
        Figure(
            *("download", f"images a second / what {PLACES} connections allow"),
            tuple(rate / ceiling for rate in rates),
            target=">= 0.80",
        ),
        Figure("download", f"memory, {MANY:,} links", (many[0].peak_mib,), "MiB", "<= 381"),
        Figure("download", f"memory, {MANY:,} links / {FEW:,}", memory, target="<= 1.10"),
    ]


def measure_rate(cost: Cost) -> float:
    """Return the images downloaded per second."""
    return sum(cost.items) / cost.seconds


def tabulate_ways(costs: dict[str, list[Cost]]) -> pd.DataFrame:
    """Return a table with one row per way of downloading: medians over the rounds."""
    rows = [
        {
            "fetched": name,
            "images": sum(found[0].items),
            "images/s": median(measure_rate(cost) for cost in found),
            "CPU ms/image": median(1000 * cost.cpu_seconds / sum(cost.items) for cost in found),
            "MiB": max(cost.peak_mib for cost in found),
        }
        for name, found in costs.items()
    ]
    return pd.DataFrame(rows).round({"images/s": 1, "CPU ms/image": 2, "MiB": 0})
