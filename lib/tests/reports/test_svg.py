"""Figures as elements of a page: its colours, no names that clash, described."""

import re

from bs4 import BeautifulSoup

from lib.reports.plots.style import BLUE, INK, RED
from lib.reports.plots.svg import PAGE_COLOURS, draw_svg
from lib.reports.rendering import read_style


def draw(ax):
    """Draw a line, a bar and texts in the project's colours."""
    ax.plot([0, 1], [0, 1], color=BLUE)
    ax.bar([0], [1], color=RED)
    ax.text(0, 0, "a < b & c", color=INK)
    ax.set_title("centimetre")


def test_colours_are_the_pages():
    """No colour stays that would be lost on dark paper."""
    svg = draw_svg(2.0, draw, "a line")
    assert not re.findall("|".join(PAGE_COLOURS), svg, re.IGNORECASE)
    assert {"var(--blue)", "var(--red)", "currentColor"} <= set(
        re.findall(r"[\w-]+\(--\w+\)|currentColor", svg)
    )


def test_colours_are_defined():
    """The style of all pages gives each of them a value, in light and in dark."""
    style = read_style()
    names = {name for name in PAGE_COLOURS.values() if name != "currentColor"}
    for name in names:
        assert style.count(f"{name[4:-1]}: #") >= 2, name


def test_element_is_described():
    """It is an image with a text, and its own texts are escaped."""
    element = BeautifulSoup(draw_svg(2.0, draw, 'says "a < b"'), "html.parser").find("svg")
    assert element["role"] == "img"
    assert element["aria-label"] == 'says "a < b"'
    assert "a < b & c" in element.get_text()
    assert element["viewbox"].startswith("0 0 ")
    assert not element.has_attr("width")


def test_figures_share_no_names():
    """Two figures of a page define nothing under the same name; nothing is loaded."""
    svgs = [draw_svg(2.0, draw, said) for said in ("one", "two")]
    names = [set(re.findall(r' id="([^"]+)"', svg)) for svg in svgs]
    assert names[0] and not names[0] & names[1]
    for svg, own in zip(svgs, names, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= own
        assert "http" not in svg


def test_figures_are_the_same_each_time():
    """The same figure is the same text, so that pages can be compared."""
    assert draw_svg(2.0, draw, "one") == draw_svg(2.0, draw, "one")
