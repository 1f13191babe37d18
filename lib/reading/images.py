"""Read text, line segments and roundness of the images that a user names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock

from joblib import Memory

from lib.extraction import Scans
from lib.features import (
    Network,
    Segments,
    load_shape_network,
    read_features,
    read_roundness,
)
from lib.ocr import Pages, default_settings, read_pages, tabulate_pages, tabulate_words
from lib.parallel import HERE
from lib.reading.sources import Named, Source, find_sources

ENGINE: str = "rapidocr"
"""The engine that answers in runs, too, unless their parameters say otherwise."""
MOST_HERE: int = 4
"""Images read in this process at most; more are worth the seconds that processes take to start."""
ONE_AT_A_TIME = Lock()  # the networks read one image at a time, whoever asks
NO_CACHE = Memory(None, verbose=0)


@dataclass(frozen=True)
class ReadImages:
    """Images that have been read.

    Attributes:
        sources: The images as the user named them, one or more.
        scans: sha256 -> what was found on the page; images that could not be read are missing.
        failures: sha256 -> why an image could not be read.
    """

    sources: list[Source]
    scans: Scans = field(repr=False)
    failures: dict[str, str]

    @property
    def reasons(self) -> list[str]:
        """Return for each source why it was not read, `""` if it was."""
        return [one.reason or self.failures.get(one.sha256, "") for one in self.sources]


@contextmanager
def open_images(named: Iterable[Named], expand: bool = True) -> Iterator[ReadImages]:
    """Read the images that a user names; the files of links exist while the block lasts.

    Nothing else is written, and nothing is taken from or put into the cache of runs.

    Args:
        named: Files, folders, links, `-` for standard input, or images.
        expand: Whether a folder stands for its images; otherwise it is a failed image.
    """
    with ExitStack() as stack:
        sources = find_sources(named, stack, expand)
        files = {one.sha256: one.path for one in sources if one.path}
        names = {one.sha256: one.name for one in sources}
        yield ReadImages(sources, *scan_images(files, names))


def scan_images(
    files: Mapping[str, Path], names: Mapping[str, str]
) -> tuple[Scans, dict[str, str]]:
    """Read image files as notebooks 02 and 03 do, and hand them over as these do.

    Args:
        files: File of each image, by its sha256.
        names: Name of each image for the log, by its sha256.

    Returns:
        The scans of the images, and the reason of each that could not be read, by sha256.
    """
    workers = HERE if len(files) <= MOST_HERE else 0
    settings = default_settings(ENGINE)
    with ONE_AT_A_TIME, ThreadPoolExecutor(1) as pool:  # meanwhile: half a second for one image
        features = pool.submit(measure_shapes, files, names)
        result = read_pages(files, ENGINE, settings, NO_CACHE, workers, names=names)
    roundness, segments = features.result()
    pages = Pages(tabulate_words(result.pages), tabulate_pages(result).query("status == 'ok'"))
    failures = {sha256: _shorten(reason) for sha256, reason in result.failures.items()}
    return Scans(pages, segments, roundness), failures


def measure_shapes(
    files: Mapping[str, Path], names: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, Segments]]:
    """Estimate the probability that images show round objects, and find their line segments."""
    if not files:  # spares loading the network
        return {}, {}
    features = read_features(files, [_load_network()], NO_CACHE, names=names)
    (shapes,) = features.embeddings
    roundness = read_roundness().estimate(shapes.values).tolist()
    return dict(zip(shapes.sha256, roundness, strict=True)), features.segments


@cache
def _load_network() -> Network:
    return load_shape_network()


def _shorten(reason: str) -> str:
    """Drop the name of an expected error's class."""
    return reason.removeprefix("ImageError: ")
