"""Render pages from templates, with their style, script and number formats."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import jinja2
from pygments.formatters import HtmlFormatter

from lib.io import replace_file

TEMPLATES: Path = Path(__file__).parent / "templates"


@cache
def read_style() -> str:
    """Join the pages' stylesheet with the colours of highlighted code, light and dark."""
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return f"{style}\n{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


@cache
def read_script() -> str:
    """Read the script of all pages, which sorts tables, shows code and filters answers."""
    return (TEMPLATES / "page.js").read_text(encoding="utf-8")


def render_page(template: str, target: Path, **values: object) -> Path:
    """Write a page from a template, atomically."""
    with replace_file(target) as part:
        part.write_text(render(template, **values), encoding="utf-8")
    return target


def render(template: str, **values: object) -> str:
    """Fill in a template with its values and the pages' style and script."""
    style, script = read_style(), read_script()
    return _templates().get_template(template).render(style=style, script=script, **values)


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    pages = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters |= {
        "score": partial(print_number, form="{:.3f}"),
        "share": partial(print_number, form="{:.1%}"),
        "count": partial(print_number, form="{:,}"),
        "duration": print_duration,
        "words": lambda name: str(name).replace("_", " "),
        "rows": lambda table, name: [{**row, name: key} for key, row in table.items()],
        "pairs": lambda names: [(name, name) for name in names],
        "moment": lambda text: str(text)[:16].replace("T", " ") + " UTC",
    }
    return pages


def print_number(value: float | jinja2.Undefined | None, form: str) -> str:
    """Format a number, a missing one as a dash.

    >>> print_number(131187, "{:,}"), print_number(0.6667, "{:.1%}"), print_number(None, "{:.3f}")
    ('131,187', '66.7%', '–')
    """
    return "–" if value is None or isinstance(value, jinja2.Undefined) else form.format(value)


def print_duration(seconds: float) -> str:
    """Format a duration.

    >>> print_duration(7.25), print_duration(200), print_duration(7260)
    ('7.2 s', '3 min 20 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
