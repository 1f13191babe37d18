"""Benchmark features: our ResNet50 against the usual way, one float32 image at a time."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Memory

from lib.dev.bench.figures import Figure, divide_rounds
from lib.dev.bench.images import find_images
from lib.dev.bench.meter import Cost, measure_apart
from lib.dev.bench.stock import embed_one_by_one
from lib.features import BATCH_SIZE, embed_images, load_network

USUAL, OURS = "torchvision, one image at a time", "lib.features.embedding, batches"
ROUNDS: int = 3
Vectors = tuple[int, np.ndarray]


def embed_with_ours(files: Sequence[Path]) -> Iterator[Vectors]:
    """Embed files as notebook 02 does, without a cache; the first batch is one of its own."""
    network = load_network("random", "cpu")
    names = {str(number): file for number, file in enumerate(files)}
    for part in (list(names)[:BATCH_SIZE], list(names)[BATCH_SIZE:]):
        found = embed_images({name: names[name] for name in part}, network, Memory(None))
        yield from zip(map(int, found.sha256), found.values, strict=True)


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Measure both ways in turn on the same images, with the same random weights.

    Args:
        options: `images` to embed in each round.

    Returns:
        The figures, and a table with one row per way.
    """
    files = [image.path for image in find_images(options.images)]
    files = files[: max(1, len(files) // BATCH_SIZE) * BATCH_SIZE]
    ways = {USUAL: (embed_one_by_one, files[:4]), OURS: (embed_with_ours, files[:BATCH_SIZE])}
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (embed, before) in ways.items():
            costs[name].append(measure_apart(embed, len(before), before + files))
    rates = {name: [cost.rate for cost in found] for name, found in costs.items()}
    vectors = {name: _order(found[0], len(files)) for name, found in costs.items()}
    figures = [
        Figure(
            *("features", "images a second, ours / one at a time"),
            divide_rounds(rates[OURS], rates[USUAL]),
            target=">= 2.5",
        ),
        Figure(
            *("features", "median cosine similarity of the two, their mean taken off"),
            (float(np.median(compare_vectors(*vectors.values()))),),
            target=">= 0.99",
        ),
    ]
    rows = [
        {
            "way": name,
            "images/s": float(np.median(rates[name])),
            "CPU s/image": float(np.median([cost.cpu_each for cost in found])),
            "MiB": max(cost.peak_mib for cost in found),
        }
        for name, found in costs.items()
    ]
    return figures, pd.DataFrame(rows).round({"images/s": 2, "CPU s/image": 3, "MiB": 0})


def compare_vectors(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of each pair of rows, of which the mean of `a` is taken off.

    Vectors of random weights share most of their direction: without that none could differ.

    >>> compare_vectors(np.array([[9.0, 8.0], [9.0, 6.0]]), np.array([[9.0, 9.0], [9.0, 5.0]]))
    array([1., 1.])
    """
    a, b = a - a.mean(axis=0), b - a.mean(axis=0)
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def _order(cost: Cost, count: int) -> np.ndarray:
    """Return the vectors of the measured images in the order of their files, (N, 2048)."""
    return np.array([vector for _, vector in sorted(cost.items, key=lambda item: item[0])][-count:])
