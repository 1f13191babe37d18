"""Figures of what was read: how much, how surely, and where in the picture."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from lib.extraction.scan import Scan
from lib.gallery import open_small
from lib.ocr.page_table import CORNERS
from lib.parallel.item_errors import report_internal_errors, try_item
from lib.plots import BLUE, GREEN, GREY, ORANGE, RED, WIDTH

ENGINE_COLOURS: tuple[str, ...] = (BLUE, RED, GREEN, ORANGE)
SURE: float = 0.9
"""Readings at least this sure are drawn blue, others orange."""


def plot_confidences(words: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how sure each engine was of its words.

    Args:
        words: Columns `engine` and `confidence` (0-1), one row a word.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or _new_axes()
    steps = np.linspace(0, 1, 21)
    for (engine, group), colour in zip(_by_engine(words), ENGINE_COLOURS, strict=False):
        share = np.full(len(group), 1 / len(group))
        style = {"histtype": "step", "lw": 2, "color": colour, "label": engine}
        ax.hist(group["confidence"].clip(0, 1), steps, weights=share, **style)
    return _finish(ax, "confidence of a word", "share of the engine's words")


def plot_word_counts(pages: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw on how many pictures each engine found at least so many words.

    Args:
        pages: Columns `engine` and `words` (their number), one row a picture and engine.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or _new_axes()
    for (engine, group), colour in zip(_by_engine(pages), ENGINE_COLOURS, strict=False):
        counts = np.sort(group["words"])[::-1]
        shares = np.arange(1, len(counts) + 1) / len(counts)
        ax.step(shares, counts, where="pre", lw=2, color=colour, label=engine)
    ax.set_yscale("symlog", linthresh=1)
    return _finish(ax, "share of the pictures", "at least so many words (or lines)")


def plot_pages(
    files: Mapping[str, Path], words: pd.DataFrame, names: Mapping[str, str]
) -> np.ndarray:
    """Draw pictures with the boxes of all their words, sure ones blue, others orange.

    Args:
        files: Of the pictures, by sha256.
        words: Of these and other pictures, as `page_table.tabulate_words` gives them.
        names: Of the pictures, for messages, by sha256.

    Returns:
        The Axes, one a picture; where an unforeseen error is met, it says so.
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
    """Draw one picture with the boxes of its words."""
    pixels, scale = open_small(path)
    sure = words["confidence"].to_numpy() >= SURE
    quads = words[CORNERS].to_numpy().reshape(-1, 4, 2) * scale
    colours = np.where(sure, BLUE, ORANGE)
    ax.imshow(pixels)
    ax.add_collection(PolyCollection(quads, facecolors="none", edgecolors=colours, lw=1.2))
    ax.set_title(f"{len(words)} words, {sure.sum()} sure", fontsize=8)


def plot_page(pixels: np.ndarray, scan: Scan, scale: float = 1.0, ax: Axes | None = None) -> Axes:
    """Draw one picture with its words boxed, its quantities in red and its strokes.

    Args:
        pixels: (H, W, 3) uint8.
        scan: Of the picture, in pixels of the original.
        scale: Of `pixels` to the original.
        ax: Where to draw; a new figure if `None`.
    """
    ax = ax or plt.subplots(figsize=(WIDTH, WIDTH * 0.7), layout="constrained")[1]
    ax.set_axis_off()
    ax.imshow(pixels)
    words = [np.array(word.quad) * scale for word in scan.page.words]
    found = [np.array(reading.quad) * scale for reading in scan.readings]
    ax.add_collection(PolyCollection(words, facecolors="none", edgecolors=BLUE, lw=1))
    ax.add_collection(PolyCollection(found, facecolors="none", edgecolors=RED, lw=2))
    strokes = scan.scene.strokes.reshape(-1, 2, 2) * scale
    ax.add_collection(LineCollection(strokes, colors=ORANGE, lw=1.2, alpha=0.8))
    return ax


def _by_engine(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return list(table.groupby("engine", sort=False))


def _new_axes() -> Axes:
    _, ax = plt.subplots(figsize=(WIDTH, 3), layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _finish(ax: Axes, x: str, y: str) -> Axes:
    ax.set(xlabel=x, ylabel=y)
    ax.grid(color=GREY, alpha=0.25)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False)
    return ax
