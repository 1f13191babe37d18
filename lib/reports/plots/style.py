"""Define the style of all figures: colours, sizes, labels, empty axes."""

import textwrap

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from lib.evaluation import LOSSES

# Okabe and Ito's palette, https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"

PURPLE, SKY, INK, GREY = "#CC79A7", "#56B4E9", "#1b1f24", "#8a929a"

# No answer is grey, wrong ones are warm, right ones blue; dark and light alternate.
_NO_ANSWER, _WRONG, _CORRECT = ("#c5cad0", "#9aa1a8", "#6c757d"), (RED, PURPLE, ORANGE), (SKY, BLUE)
COLOURS: dict[str, str] = dict(zip(LOSSES, (*_NO_ANSWER, *_WRONG, *_CORRECT), strict=True))

GROUPS: tuple[tuple[str, str], ...] = ((BLUE, "o"), (RED, "^"), (GREEN, "s"), (PURPLE, "D"))

WIDTH: float = 8.0
"""Width of a figure in inches: at the default 100 dpi, the width of the report's text."""

_PLAIN_LIMIT = 0x2E80  # the figures' font has Latin, Greek and Cyrillic, but no later code points


def plain_text(text: str) -> str:
    """Replace each character that the figures' font lacks by a square.

    >>> plain_text("12 cm 宽")
    '12 cm □'
    """
    return "".join(letter if ord(letter) < _PLAIN_LIMIT else "□" for letter in text)


def wrap_name(name: str) -> str:
    r"""Wrap a name that would leave no room for its bar.

    >>> wrap_name("maximum weight recommendation (12)")
    'maximum weight\nrecommendation (12)'
    """
    return textwrap.fill(plain_text(name), 22)


def new_axes(height: float, width: float = WIDTH) -> Axes:
    """Open a figure of a size in inches, without top and right spines."""
    _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def print_name(name: object) -> str:
    """Format a column's name as words.

    >>> print_name("item_weight")
    'item weight'
    """
    return str(name).replace("_", " ")


def say_instead(ax: Axes, text: str) -> Axes:
    """Show a text in place of a figure that has no data."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", color=INK, transform=ax.transAxes)
    return ax
