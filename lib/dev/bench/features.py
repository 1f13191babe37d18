"""Benchmark features: our ResNet50 against the usual way, one float32 image at a time."""

from __future__ import annotations

import itertools
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
from lib.features import BATCH_SIZE, COMPILE_AFTER, embed_images, load_network

USUAL, OURS = "torchvision, one image at a time", "lib.features.embedding, batches"
ROUNDS: int = 3
WARM: int = (COMPILE_AFTER // BATCH_SIZE + 2) * BATCH_SIZE  # images; by then it is compiled
Vectors = tuple[int, np.ndarray]


def embed_with_ours(files: Sequence[Path]) -> Iterator[Vectors]:
    """Embed files as notebook 02 does, without a cache."""
    network = load_network("random", "cpu")
    for start in range(0, len(files), BATCH_SIZE):
        batch = {str(i): files[i] for i in range(start, min(start + BATCH_SIZE, len(files)))}
        found = embed_images(batch, network, Memory(None))
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
    ways = {USUAL: (embed_one_by_one, files[:4]), OURS: (embed_with_ours, repeat(files, WARM))}
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
            *("features", "least cosine similarity of the two"),
            (float(compare_vectors(*vectors.values()).min()),),
            target=">= 0.999",
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


def repeat(files: list[Path], count: int) -> list[Path]:
    """Repeat a list of files up to `count` items.

    >>> [path.name for path in repeat([Path("a"), Path("b")], 3)]
    ['a', 'b', 'a']
    """
    return list(itertools.islice(itertools.cycle(files), count))


def compare_vectors(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of each pair of rows.

    >>> compare_vectors(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])).tolist()
    [1.0]
    """
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def _order(cost: Cost, count: int) -> np.ndarray:
    """Return the vectors of the measured images in the order of their files, (N, 2048)."""
    return np.array([vector for _, vector in sorted(cost.items, key=lambda item: item[0])][-count:])
