"""Draw images with their words and quantities, in galleries and on maps."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Polygon

from lib.extraction import Scan
from lib.io import ImageError, open_image
from lib.ocr import CORNERS, Quad
from lib.parallel import report_internal_errors, try_item
from lib.reports.plots.style import (
    BLUE,
    GROUPS,
    INK,
    ORANGE,
    RED,
    WIDTH,
    new_axes,
    plain_text,
    say_instead,
)

Pixels = npt.NDArray[np.uint8]
"""An image, (H, W, 3)."""
SIDE: int = 480
"""Longest side of an image in a gallery, in pixels."""
SURE: float = 0.9
"""Words with at least this confidence are drawn blue, others orange."""


def plot_pages(
    files: Mapping[str, Path], words: pd.DataFrame, names: Mapping[str, str]
) -> list[Axes]:
    """Draw images with the boxes of their words, confident ones blue, others orange.

    Args:
        files: Paths of the images, by sha256.
        words: From `lib.ocr.tabulate_words`, of these and possibly other images.
        names: Names of the images for messages, by sha256.

    Returns:
        The Axes, one for each image; after an unexpected error, its title gives the reason.
    """
    axes = _new_grid(1, max(1, len(files)), 3.6)
    errors = {}
    for ax, (sha256, path) in zip(axes, files.items(), strict=False):
        error = try_item(_plot_words, path, words[words["sha256"] == sha256], ax)
        if error:
            ax.set_title(textwrap.fill(error.reason, 34), fontsize=8)
            errors[names.get(sha256, sha256)] = error
    report_internal_errors("drawing", errors, len(files))
    return axes


def _new_grid(rows: int, columns: int, height: float) -> list[Axes]:
    """Open a figure of blank axes, listed row by row."""
    figure = plt.figure(figsize=(WIDTH, height), layout="constrained")
    axes = [figure.add_subplot(rows, columns, place + 1) for place in range(rows * columns)]
    for ax in axes:
        ax.set_axis_off()
    return axes


def _plot_words(path: Path, words: pd.DataFrame, ax: Axes) -> None:
    """Draw one image with the boxes of its words."""
    pixels, scale = open_small(path)
    sure = words["confidence"].to_numpy() >= SURE
    quads = list(words[CORNERS].to_numpy().reshape(-1, 4, 2) * scale)
    colours = np.where(sure, BLUE, ORANGE)
    ax.imshow(pixels)
    ax.add_collection(PolyCollection(quads, facecolors="none", edgecolors=colours, lw=1.2))
    ax.set_title(f"{len(words)} words, {sure.sum()} confident", fontsize=8)


def plot_page(pixels: Pixels, scan: Scan, scale: float, ax: Axes) -> None:
    """Draw one image with its words in blue, quantities in red and line segments in orange.

    Args:
        pixels: (H, W, 3) uint8.
        scan: The scanned page, in pixels of the original.
        scale: Pixels of `pixels` per pixel of the original.
        ax: Where to draw.
    """
    ax.set_axis_off()
    ax.imshow(pixels)
    words = [np.array(word.quad) * scale for word in scan.page.words]
    found = [np.array(placed.quad) * scale for placed in scan.quantities]
    ax.add_collection(PolyCollection(words, facecolors="none", edgecolors=BLUE, lw=1))
    ax.add_collection(PolyCollection(found, facecolors="none", edgecolors=RED, lw=2))
    segments = list(scan.drawing.segments.reshape(-1, 2, 2) * scale)
    ax.add_collection(LineCollection(segments, colors=ORANGE, lw=1.2, alpha=0.8))


@dataclass(frozen=True)
class GalleryImage:
    """An image for a gallery.

    Attributes:
        pixels: (H, W, 3) uint8.
        title: Lines above the image.
        quad: Corners of the chosen word in pixels of `pixels`, `None` for no word.
        colour: Colour of the frame and the box.
    """

    pixels: Pixels = field(repr=False)
    title: str = ""
    quad: Quad | None = None
    colour: str = INK


BLANK: GalleryImage = GalleryImage(np.full((1, 1, 3), 255, np.uint8), colour="white")
"""Fills an empty cell of a gallery."""


def plot_map(
    places: npt.NDArray[np.float64],
    shares: Sequence[float] | npt.NDArray[np.float64],
    groups: pd.Series,
    images: Mapping[int, Pixels] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw images as points in a plane, some as thumbnails.

    Args:
        places: Coordinates of each image, (N, 2).
        shares: Share of the variance along each axis (2,), 0-1.
        groups: Name of each point's group, at most four names.
        images: Row -> pixels (H, W, 3), drawn at the point.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(6.0)
    if not len(places):
        return say_instead(ax, "There are no images.")
    for name, (colour, marker) in zip(groups.unique(), GROUPS, strict=False):
        chosen = places[(groups == name).to_numpy()]
        label = f"{name} ({len(chosen):,})"
        x, y = chosen.T
        ax.scatter(x, y, c=colour, marker=marker, s=24, alpha=0.7, label=label, lw=0)
    colours = dict(zip(groups.unique(), [colour for colour, _ in GROUPS], strict=False))
    side = 4.5 * ax.figure.bbox.width / ax.figure.dpi  # points, a sixteenth of the figure
    for row, pixels in (images or {}).items():
        image = OffsetImage(pixels, zoom=side / max(pixels.shape[:2]))
        frame = {"edgecolor": colours[groups.iloc[row]], "lw": 1.5}
        ax.add_artist(AnnotationBbox(image, places[row], pad=0.1, bboxprops=frame))
    ax.set_xlabel(f"first component ({shares[0]:.0%} of the variance)")
    ax.set_ylabel(f"second component ({shares[1]:.0%} of the variance)")
    ax.margins(0.08)
    ax.legend(loc="best", frameon=True, framealpha=0.9)
    return ax


def plot_gallery(images: Sequence[GalleryImage], columns: int = 3) -> list[Axes]:
    """Draw images in rows, each with its title and the box of its chosen word.

    Args:
        images: The images in reading order.
        columns: Images in a row.

    Returns:
        The Axes, row by row; unused ones are blank, after an unexpected error they show its reason.
    """
    rows = max(1, -(-len(images) // columns))
    lines = max((image.title.count("\n") + 1 for image in images), default=1)
    axes = _new_grid(rows, columns, rows * (WIDTH / columns * 0.95 + 0.16 * lines))
    if not images:
        say_instead(axes[0], "None.")
    errors = {}
    for number, (image, ax) in enumerate(zip(images, axes, strict=False)):
        error = try_item(plot_image, image, ax)
        if error:
            ax.clear()
            say_instead(ax, textwrap.fill(error.reason, 34))
            errors[f"image {number}, {' '.join(image.title.split())}"] = error
    report_internal_errors("drawing", errors, len(images))
    return axes


def plot_image(image: GalleryImage, ax: Axes) -> None:
    """Draw one image with the box of its chosen word."""
    height, width = image.pixels.shape[:2]
    ax.imshow(image.pixels)
    if image.quad:
        ax.add_patch(Polygon(image.quad, fill=False, ec="white", lw=4.5))
        ax.add_patch(Polygon(image.quad, fill=False, ec=image.colour, lw=2.2))
    ax.set_axis_on()
    ax.set(xticks=[], yticks=[], xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    ax.spines[:].set(visible=True, color=image.colour, linewidth=1.5)
    ax.set_anchor("NW")
    ax.set_title(plain_text(image.title), fontsize=8, loc="left", parse_math=False)


def open_small(path: Path | None, side: int = SIDE) -> tuple[Pixels, float]:
    """Open an image and scale it down.

    Args:
        path: Path of the file, `None` for no file.
        side: Longest side of the result, in pixels.

    Returns:
        Pixels (H, W, 3) uint8, and the scale, at most 1; a grey square if the image cannot be
        opened.
    """
    try:
        pixels = open_image(path or "")
    except ImageError:
        return np.full((side, side, 3), 225, np.uint8), 1.0
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scale
