"""Draw figures as SVG in the colours of their page, light or dark."""

import html
import io
import re
from collections.abc import Callable

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.reports.plots.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY

WIDTH: float = 5.4
"""Width in inches: half a page on a screen, a whole page on a phone, legible on both."""

# Variables of style.css, which defines them for both modes; dark mode swaps ink and paper.
PAGE_COLOURS: dict[str, str] = {
    INK: "currentColor",
    "#000000": "currentColor",
    "#ffffff": "var(--paper)",
    BLUE.lower(): "var(--blue)",
    RED.lower(): "var(--red)",
    SKY.lower(): "var(--sky)",
    GREEN.lower(): "var(--green)",
    ORANGE.lower(): "var(--orange)",
    PURPLE.lower(): "var(--purple)",
    GREY: "var(--grey)",
}
_COLOUR = re.compile("|".join(PAGE_COLOURS), re.IGNORECASE)
# Metadata and styles that the page has, ids that clash between figures, and no-ops.
_DROPPED = re.compile(
    r"<metadata>.*?</metadata>|<style.*?</style>"
    r'| id="[a-z0-9.]+_\d+"| xmlns(:\w+)?="[^"]*"'
    r'| transform="rotate\(-0 [^"]*"| font-family: [^;]*;',
    re.DOTALL,
)


def draw_svg(height: float, draw: Callable[[Axes], object], said: str) -> str:
    """Draw one figure as an `<svg>` element.

    Args:
        height: Height of the figure, in inches.
        draw: Function that draws on the given axes.
        said: Alt text.
    """
    with matplotlib.rc_context(
        {
            **{"text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK},
            **{"xtick.color": INK, "ytick.color": INK},
            **{"svg.fonttype": "none", "svg.hashsalt": said},
        }
    ):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        for background in (figure.patch, *(axes.patch for axes in figure.axes)):
            background.set_visible(False)
        file = io.StringIO()
        figure.savefig(file, format="svg")
    return _fit_page(file.getvalue(), said)


def _fit_page(svg: str, said: str) -> str:
    """Convert the text of an SVG file to an element of a page."""
    element = re.sub(r"\s+", " ", _DROPPED.sub("", svg[svg.index("<svg") :]))
    opening, rest = element.split(">", 1)
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    rest = _COLOUR.sub(lambda found: PAGE_COLOURS[found[0].lower()], rest)
    rest = rest.replace("xlink:href", "href")
    return f'{opening} role="img" aria-label="{html.escape(said)}">{rest}'
