"""Draw images with their words and quantities, in galleries and on maps."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Polygon

from lib.extraction import Scan
from lib.io import ImageError, open_image
from lib.ocr import CORNERS, Quad
from lib.parallel import InternalError, report_internal_errors, try_item
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

SURE: float = 0.9
"""Words with at least this confidence are drawn blue, others orange."""


def plot_pages(
    files: Mapping[str, Path], words: pd.DataFrame, names: Mapping[str, str]
) -> np.ndarray:
    """Draw images with the boxes of their words, confident ones blue, others orange.

    Args:
        files: Paths of the images, by sha256.
        words: From `lib.ocr.tabulate_words`, of these and possibly other images.
        names: Names of the images for messages, by sha256.

    Returns:
        The Axes, one for each image; after an unexpected error, its title gives the reason.
    """
    columns = max(1, len(files))
    _, axes = plt.subplots(1, columns, figsize=(WIDTH, 3.6), squeeze=False, layout="constrained")
    for ax in axes.flat:
        ax.set_axis_off()
    found = {
        sha256: try_item(_plot_words, path, words[words["sha256"] == sha256], ax)
        for ax, (sha256, path) in zip(axes.flat, files.items(), strict=False)
    }
    errors = {names.get(name, name): error for name, error in found.items() if error}
    for ax, error in zip(axes.flat, found.values(), strict=False):
        if error:
            ax.set_title(textwrap.fill(error.reason, 34), fontsize=8)
    report_internal_errors("drawing", errors, len(files))
    return axes[0]


def _plot_words(path: Path, words: pd.DataFrame, ax: Axes) -> None:
    """Draw one image with the boxes of its words."""
    pixels, scale = open_small(path)
    sure = words["confidence"].to_numpy() >= SURE
    quads = words[CORNERS].to_numpy().reshape(-1, 4, 2) * scale
    colours = np.where(sure, BLUE, ORANGE)
    ax.imshow(pixels)
    ax.add_collection(PolyCollection(quads, facecolors="none", edgecolors=colours, lw=1.2))
    ax.set_title(f"{len(words)} words, {sure.sum()} sure", fontsize=8)


def plot_page(pixels: np.ndarray, scan: Scan, scale: float = 1.0, ax: Axes | None = None) -> Axes:
    """Draw one image with its words in blue, quantities in red and line segments in orange.

    Args:
        pixels: (H, W, 3) uint8.
        scan: The scanned page, in pixels of the original.
        scale: Pixels of `pixels` per pixel of the original.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or plt.subplots(figsize=(WIDTH, WIDTH * 0.7), layout="constrained")[1]
    ax.set_axis_off()
    ax.imshow(pixels)
    words = [np.array(word.quad) * scale for word in scan.page.words]
    found = [np.array(placed.quad) * scale for placed in scan.quantities]
    ax.add_collection(PolyCollection(words, facecolors="none", edgecolors=BLUE, lw=1))
    ax.add_collection(PolyCollection(found, facecolors="none", edgecolors=RED, lw=2))
    segments = scan.drawing.segments.reshape(-1, 2, 2) * scale
    ax.add_collection(LineCollection(segments, colors=ORANGE, lw=1.2, alpha=0.8))
    return ax


@dataclass(frozen=True)
class Picture:
    """An image for a gallery.

    Attributes:
        pixels: (H, W, 3) uint8.
        title: Lines above the image.
        quad: Corners of the chosen word in pixels of `pixels`, `None` for no word.
        colour: Colour of the frame and the box.
    """

    pixels: np.ndarray = field(repr=False)
    title: str = ""
    quad: Quad | None = None
    colour: str = INK


BLANK: Picture = Picture(np.full((1, 1, 3), 255, np.uint8), colour="white")
"""Fills an empty cell of a gallery."""


def plot_map(
    places: np.ndarray,
    shares: np.ndarray,
    groups: pd.Series,
    pictures: Mapping[int, np.ndarray] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw images as points in a plane, some as thumbnails.

    Args:
        places: Coordinates of each image, (N, 2).
        shares: Share of the variance along each axis (2,), 0-1.
        groups: Name of each point's group, at most four names.
        pictures: Row -> pixels (H, W, 3), drawn at the point.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(6.0)
    if not len(places):
        return say_instead(ax, "There are no pictures.")
    for name, (colour, marker) in zip(groups.unique(), GROUPS, strict=False):
        chosen = places[(groups == name).to_numpy()]
        label = f"{name} ({len(chosen):,})"
        ax.scatter(*chosen.T, c=colour, marker=marker, s=24, alpha=0.7, label=label, lw=0)
    colours = dict(zip(groups.unique(), [colour for colour, _ in GROUPS], strict=False))
    side = 4.5 * ax.figure.get_figwidth()  # points, a sixteenth of the figure
    for row, pixels in (pictures or {}).items():
        image = OffsetImage(pixels, zoom=side / max(pixels.shape[:2]))
        frame = {"edgecolor": colours[groups.iloc[row]], "lw": 1.5}
        ax.add_artist(AnnotationBbox(image, places[row], pad=0.1, bboxprops=frame))
    ax.set_xlabel(f"first component ({shares[0]:.0%} of the variance)")
    ax.set_ylabel(f"second component ({shares[1]:.0%} of the variance)")
    ax.margins(0.08)
    ax.legend(loc="best", frameon=True, framealpha=0.9)
    return ax


def plot_gallery(pictures: Sequence[Picture], columns: int = 3) -> np.ndarray:
    """Draw images in rows, each with its title and the box of its chosen word.

    Args:
        pictures: The images in reading order.
        columns: Images in a row.

    Returns:
        The Axes, (rows, columns); unused ones are blank.
    """
    rows = max(1, -(-len(pictures) // columns))
    lines = max((picture.title.count("\n") + 1 for picture in pictures), default=1)
    height = rows * (WIDTH / columns * 0.95 + 0.16 * lines)
    _, axes = plt.subplots(
        rows, columns, figsize=(WIDTH, height), squeeze=False, layout="constrained"
    )
    for ax in axes.flat:
        ax.set_axis_off()
    plot_pictures(pictures, list(axes.flat))
    if not pictures:
        say_instead(axes.flat[0], "None.")
    return axes


def plot_picture(picture: Picture, ax: Axes | None = None) -> Axes:
    """Draw one image with the box of its chosen word.

    Args:
        picture: The image to draw.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or new_axes(WIDTH * 0.7)
    height, width = picture.pixels.shape[:2]
    ax.imshow(picture.pixels)
    if picture.quad:
        ax.add_patch(Polygon(picture.quad, fill=False, ec="white", lw=4.5))
        ax.add_patch(Polygon(picture.quad, fill=False, ec=picture.colour, lw=2.2))
    ax.set_axis_on()
    ax.set(xticks=[], yticks=[], xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    ax.spines[:].set(visible=True, color=picture.colour, linewidth=1.5)
    ax.set_anchor("NW")
    ax.set_title(plain_text(picture.title), fontsize=8, loc="left", parse_math=False)
    return ax


SIDE: int = 480
"""Longest side of an image in a gallery, in pixels."""


def open_small(path: Path | None, side: int = SIDE) -> tuple[np.ndarray, float]:
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
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale


def plot_pictures(pictures: Sequence[Picture], axes: Sequence[Axes]) -> None:
    """Draw each image; after an unexpected error, its axes show the reason."""
    errors = {}
    for number, (picture, ax) in enumerate(zip(pictures, axes, strict=False)):
        found = try_item(plot_picture, picture, ax)
        if isinstance(found, InternalError):
            ax.clear()
            say_instead(ax, textwrap.fill(found.reason, 34))
            errors[f"picture {number}, {' '.join(picture.title.split())}"] = found
    report_internal_errors("drawing", errors, len(pictures))
