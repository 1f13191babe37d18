"""Read what the pages written by hand show, and what is true of them (`contents.toml`)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.dev.synthetic.canvas import Color, Lettering
from lib.quantities import ENTITIES, ENTITY_UNITS, parse_answer

CONTENTS: Path = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class View:
    """A view of an engineering drawing.

    Attributes:
        box: Outline in pixels: left, top, right, bottom.
        holes: Centre and radius of each, as shares of the box's width and height, and of its width.
        edges: Further lines, both ends as shares of the box's width and height.
        measures: Side (`"above"`, `"below"`, `"left"`, `"right"`), row from the box outwards, start
            and end as shares of that side (upright ones from below), and text of each.
    """

    box: tuple[float, float, float, float]
    holes: tuple[tuple[float, float, float], ...] = ()
    edges: tuple[tuple[float, float, float, float], ...] = ()
    measures: tuple[tuple[str, int, float, float, str], ...] = ()


@dataclass(frozen=True)
class Content:
    """What one page shows.

    Attributes:
        name: Kind of page, table of the sample and number, such as `"form_test_0"`.
        language: Two letters.
        family: Font, one of `fonts.FAMILIES`.
        size: Width and height of the page in pixels.
        accent: Colour of the heading, the plate or the package.
        title: Heading.
        truths: Entity -> answer in the official format, `""` if the page does not state it.
        lines: Lines of text above the table; one that begins with `# ` is large and bold.
        rows: Cells of the table's rows; in a form caption, value and unit.
        foot: Lines of text below the table.
        views: Views of a drawing.
        photo: Photograph behind an advertisement.
        product: Product painted on it.
    """

    name: str
    language: str
    family: str
    size: tuple[int, int]
    accent: Color
    title: str
    truths: Mapping[str, str]
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    foot: tuple[str, ...] = ()
    views: tuple[View, ...] = ()
    photo: str = ""
    product: str = ""

    @property
    def kind(self) -> str:
        """Return the kind of page."""
        return self.name.rsplit("_", 2)[0]

    @property
    def split(self) -> str:
        """Return the table of the sample: `"train"` or `"test"`."""
        return self.name.rsplit("_", 2)[1]

    def letters(self, size: float, bold: bool = False, color: Color = (24, 24, 26)) -> Lettering:
        """Return this page's lettering at a size in pixels."""
        return Lettering(self.family, size, color, bold)


def read_contents() -> list[Content]:
    """Read the contents of all pages."""
    tables = tomllib.loads(CONTENTS.read_text(encoding="utf-8"))
    return [make_content(name, table) for name, table in tables.items()]


def make_content(name: str, table: Mapping[str, object]) -> Content:
    """Make the content of a page from its table.

    Raises:
        ValueError: A truth is not in the official format, or in no unit of its entity.
    """
    fields = _freeze(table)
    truths = fields.pop("truths")
    for entity, truth in truths.items():
        quantity = parse_answer(truth)
        if str(quantity) != truth or quantity.unit not in ENTITY_UNITS[entity]:
            raise ValueError(
                f"{name}: expected a truth such as width = '12.0 inch', found {entity} = {truth!r}"
            )
    views = tuple(View(**view) for view in fields.pop("views", ()))
    return Content(name=name, truths=dict.fromkeys(ENTITIES, "") | truths, views=views, **fields)


def _freeze(value: object) -> object:
    """Turn lists into tuples, at all depths."""
    if isinstance(value, list):
        return tuple(map(_freeze, value))
    return {key: _freeze(v) for key, v in value.items()} if isinstance(value, dict) else value
