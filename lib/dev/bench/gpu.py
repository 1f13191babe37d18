"""Benchmark OCR and features on a GPU against the processor of the same machine."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pandas as pd
from joblib import Memory

from lib.dev.bench.figures import Figure
from lib.dev.bench.images import find_images
from lib.dev.bench.meter import read_cpu_seconds
from lib.features import choose_device, embed_images, load_network
from lib.ocr import Word, default_settings, read_pages

ENGINE: str = "rapidocr"
HALF: str = "cuda, float16"  # as a device: reading in half precision
NO_CACHE = Memory(None, verbose=0)
READ: dict[str, tuple[int, int]] = {"cpu": (100, 300), "cuda": (500, 2_500), HALF: (500, 2_500)}
EMBEDDED: dict[str, tuple[int, int]] = {"cpu": (600, 900), "cuda": (1_000, 6_000)}
"""Images of a short and a long run on each device: what the long one takes more is without the
start. All takes less than five minutes on an H200 with 16 cores."""
COMPARED: int = 60  # images whose text is compared
ASK_CARD: str = "nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits"
Images = dict[str, Path]
Run = Callable[[Images, str], dict[str, float]]
"""Works on images with a device; returns the seconds that each took, if it knows them."""


@dataclass(frozen=True)
class Speed:
    """How fast a device works.

    Attributes:
        rate: Images a second.
        cpu_each: Processor seconds an image, of all processes.
        seconds_each: Seconds from an image's begin to its end; the rest of them it waits.
        busy: Share of the time in which the card computes, 0 to 1.
    """

    rate: float
    cpu_each: float
    seconds_each: float
    busy: float


def measure(options: Namespace) -> tuple[list[Figure], pd.DataFrame]:
    """Measure both stages on the card and on the processor, and compare the text.

    Args:
        options: `images` of which runs are made, again and again.

    Returns:
        The figures, none without a GPU, and a table with one row per stage and device.
    """
    if choose_device("auto") == "cpu":
        return [], pd.DataFrame([{"gpu": "no GPU on this machine, so nothing is measured"}])
    files = [image.path for image in find_images(options.images)]
    speeds = {
        (stage, device): measure_speed(run, files, device, counts[device])
        for stage, run, counts in (("ocr", read, READ), ("features", embed, EMBEDDED))
        for device in counts
    }
    return [*compare(speeds), *compare_text(files[:COMPARED])], tabulate(speeds)


def measure_speed(run: Run, files: Sequence[Path], device: str, counts: Sequence[int]) -> Speed:
    """Measure a stage by the difference between a short and a long run."""
    seconds, cpu, each = [], [], {}
    with watch_card() as looks:
        for count in counts:
            images = {str(i): file for i, file in zip(range(count), itertools.cycle(files))}
            looks.clear()
            start, before = time.perf_counter(), read_cpu_seconds()
            each = run(images, device)
            seconds.append(time.perf_counter() - start)
            cpu.append(read_cpu_seconds() - before)
        busy = fmean(looks[len(looks) // 4 :] or [0.0])  # without the start
    more = counts[1] - counts[0]
    latency = fmean(each.values()) if each else float("nan")
    return Speed(more / (seconds[1] - seconds[0]), (cpu[1] - cpu[0]) / more, latency, busy)


def read(images: Images, device: str) -> dict[str, float]:
    """Read images as notebook 03 does."""
    return read_text(images, device)[1]


def read_text(images: Images, device: str) -> tuple[dict[str, tuple[Word, ...]], dict[str, float]]:
    """Read images, in float32 unless the device is `HALF`; return words and seconds of each.

    Raises:
        RuntimeError: One could not be read; all images of the benchmark can.
    """
    device, _, precision = device.partition(", ")
    settings = default_settings(ENGINE, precision or "float32", device)
    found = read_pages(images, ENGINE, settings, NO_CACHE, device=device)
    if found.failures:
        raise RuntimeError(f"{len(found.failures)} failed: {next(iter(found.failures.values()))}")
    return {name: page.words for name, page in found.pages.items()}, found.seconds


def embed(images: Images, device: str) -> dict[str, float]:
    """Compute features as notebook 02 does; random weights cost the same."""
    embed_images(images, load_network("random", device), NO_CACHE)
    return {}


def compare_text(files: Sequence[Path]) -> list[Figure]:
    """Compare the lines with digits that the card reads, in each precision, and the processor."""
    images = {str(i): file for i, file in enumerate(files)}
    found = {device: read_text(images, device)[0] for device in READ}
    lines = [
        (name, word) for name, page in found["cpu"].items() for word in page if has_digit(word)
    ]
    return [
        Figure(
            *("gpu", f"lines with digits read alike, {device}"),
            (fmean(any(is_same(word, one) for one in words[name]) for name, word in lines),),
            target=">= 0.99" if device == "cuda" else "",
        )
        for device, words in found.items()
        if device != "cpu"
    ]


def has_digit(word: Word) -> bool:
    """Tell whether a line has a digit."""
    return any(letter.isdigit() for letter in word.text)


def is_same(one: Word, other: Word) -> bool:
    """Tell whether two lines have the same text in the same place, give or take half a line."""
    near = abs(one.box.left - other.box.left) + abs(one.box.top - other.box.top)
    return one.text == other.text and near <= one.size


def compare(speeds: dict[tuple[str, str], Speed]) -> list[Figure]:
    """Compare card and processor."""
    targets = {"ocr": (">= 150", ">= 4"), "features": (">= 1400", "")}
    figures = []
    for stage, (rate, ratio) in targets.items():
        card, processor = speeds[stage, "cuda"], speeds[stage, "cpu"]
        figures += [
            Figure("gpu", f"{stage}, images a second", (card.rate,), target=rate),
            Figure("gpu", f"{stage}, card / processor", (card.rate / processor.rate,), "", ratio),
            Figure("gpu", f"{stage}, time in which the card is busy", (card.busy,)),
        ]
    return figures


def tabulate(speeds: dict[tuple[str, str], Speed]) -> pd.DataFrame:
    """Return a table with one row per stage and device."""
    rows = [
        {
            "stage": stage,
            "device": device,
            "images/s": speed.rate,
            "CPU s/image": speed.cpu_each,
            "s/image in its process": speed.seconds_each,
            "card busy": speed.busy,
        }
        for (stage, device), speed in speeds.items()
    ]
    return pd.DataFrame(rows).round(4)


@contextmanager
def watch_card() -> Iterator[list[float]]:
    """Look twice a second how busy the card is, 0 to 1, while the block runs."""
    looks: list[float] = []
    done = threading.Event()
    thread = threading.Thread(target=_look, args=(looks, done), daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        done.set()
        thread.join()


def _look(looks: list[float], done: threading.Event) -> None:
    while not done.wait(0.5):
        try:
            said = subprocess.run(
                ASK_CARD.split(), capture_output=True, text=True, timeout=5
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return  # nvidia-smi is not there
        looks += [int(line) / 100 for line in said.split() if line.isdigit()][:1]
