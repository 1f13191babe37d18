"""Draw with smooth edges on a canvas that records where text and dimension lines are."""

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from lib.dev.synthetic.fonts import load_font

SCALE = 2  # supersampling: PIL's lines are not anti-aliased
CLEARANCE = 7  # design units kept free around each text; odd, as MaxFilter requires

Point = tuple[float, float]
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Lettering:
    """A font family, its weight, its size in design units and its colour."""

    family: str = "DejaVu Sans"
    size: float = 30
    color: Color = (20, 20, 20)
    bold: bool = False

    def but(self, **changes: object) -> "Lettering":
        """Return the same lettering with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class LineLook:
    """The style of an image's dimension lines.

    Attributes:
        ends: `"arrow"`, `"bar"`, `"both"` or `"none"`.
        place: `"along"` (text turned with the line), `"beside"` (upright) or `"gap"` (upright,
            in a gap of the line).
        down: Whether text along a vertical line reads downwards.
    """

    lettering: Lettering
    color: Color = (30, 30, 30)
    width: float = 2
    ends: str = "arrow"
    place: str = "beside"
    down: bool = False


class Canvas:
    """An image being drawn, in design units (most images are 1000 wide).

    Attributes:
        image: RGB, `SCALE` pixels per design unit.
        taken: Mask (mode L) of text and dimension lines, one pixel per design unit.
        texts: Centre, text, lettering and angle of each text; they are drawn last, on top.
        clashes: Number of texts that hit another text, a dimension line or the image's edge.
    """

    def __init__(self, width: int, height: int, color: Color = (255, 255, 255)) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), color)
        self.taken = Image.new("L", (width, height))
        self.texts: list[tuple[Point, str, Lettering, float]] = []
        self.clashes = 0

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in design units."""
        return self.taken.size

    def polygon(self, points: list[Point], color: Color, edge: Color | None = None) -> None:
        """Fill a polygon, with a thin edge if a colour is given."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        ImageDraw.Draw(self.image).polygon(scaled, color, edge, width=2)

    def box(self, area: tuple[float, ...], color: Color | None, **look: object) -> None:
        """Fill a rectangle; `radius`, `outline` and `width` as in Pillow."""
        pen = ImageDraw.Draw(self.image)
        look = {"radius": 0, "width": 1, **look}
        look |= {name: look[name] * SCALE for name in ("radius", "width")}
        pen.rounded_rectangle([v * SCALE for v in area], fill=color, **look)

    def ellipse(self, area: tuple[float, ...], color: Color | None, **look: object) -> None:
        """Fill an ellipse inside a rectangle; `outline` and `width` as in Pillow."""
        look = {**look, "width": SCALE * look.get("width", 1)}
        ImageDraw.Draw(self.image).ellipse([v * SCALE for v in area], fill=color, **look)

    def line(self, start: Point, end: Point, color: Color, width: float = 2) -> None:
        """Draw a plain line, which text may cross."""
        points = [v * SCALE for v in (*start, *end)]
        ImageDraw.Draw(self.image).line(points, color, max(1, round(width * SCALE)))

    def shade(self, area: tuple[float, ...], light: Color, dark: Color, across: bool) -> None:
        """Fill a rectangle with a gradient, from left to right (`across`) or downwards."""
        left, top, right, bottom = (round(v * SCALE) for v in area)
        ramp = Image.linear_gradient("L")
        ramp = (ramp.transpose(Image.Transpose.ROTATE_90) if across else ramp).resize(
            (max(1, right - left), max(1, bottom - top))
        )
        filling = Image.composite(
            Image.new("RGB", ramp.size, dark), Image.new("RGB", ramp.size, light), ramp
        )
        self.image.paste(filling, (left, top))

    def shadow(self, area: tuple[float, ...], strength: int = 70) -> None:
        """Draw a soft dark ellipse, as the shadow under a product."""
        mask = Image.new("L", self.size)
        ImageDraw.Draw(mask).ellipse(area, fill=strength)
        mask = mask.filter(ImageFilter.GaussianBlur(12)).resize(self.image.size)
        self.image.paste((40, 40, 45), mask=mask)

    def paste(self, picture: Image.Image, area: tuple[float, ...]) -> None:
        """Paste an image into a rectangle, stretched to fit."""
        left, top, right, bottom = (round(v * SCALE) for v in area)
        self.image.paste(picture.resize((right - left, bottom - top)), (left, top))

    def text(
        self,
        at: Point,
        text: str,
        look: Lettering,
        angle: float = 0,
        anchor: str = "m",
        room: float = 1000,
    ) -> None:
        """Write a line of text.

        Args:
            at: Centre of the text; its left or right end with anchor `"l"` or `"r"`.
            text: One line.
            look: Font, size and colour.
            angle: Degrees counter-clockwise; only with anchor `"m"`.
            anchor: `"l"`, `"m"` or `"r"`.
            room: Maximum width; longer text is written smaller.
        """
        width = text_width(text, look)
        if width > room:
            look = look.but(size=look.size * room / width)
            width = text_width(text, look)
        middle = (at[0] + {"l": width / 2, "m": 0, "r": -width / 2}[anchor], at[1])
        self.texts.append((middle, text, look, angle))
        self._claim(*_place(middle, _stamp(text, look, angle)))

    def _claim(self, left: int, top: int, stamp: Image.Image) -> None:
        """Mark the area of a text as taken; count a clash if it hits something or the edge."""
        outside = stamp.getbbox() and _is_outside(stamp.getbbox(), left, top, self.image.size)
        small = stamp.resize([-(-side // SCALE) for side in stamp.size], Image.Resampling.BOX)
        near = Image.new("L", [side + 2 * CLEARANCE for side in small.size])
        near.paste(small.point(lambda v: 255 * (v > 60)), (CLEARANCE, CLEARANCE))
        x, y = left // SCALE - CLEARANCE, top // SCALE - CLEARANCE
        there = self.taken.crop((x, y, x + near.width, y + near.height))
        wide = near.filter(ImageFilter.MaxFilter(CLEARANCE))
        self.clashes += bool(outside or ImageChops.multiply(wide, there).getbbox())
        self.taken.paste(ImageChops.lighter(near, there), (x, y))

    def reserve(self, area: tuple[float, ...]) -> None:
        """Keep texts out of a rectangle."""
        ImageDraw.Draw(self.taken).rectangle(area, 255)

    def measure(self, start: Point, end: Point, text: str, look: LineLook, side: int = 1) -> None:
        """Draw a dimension line with its text.

        Args:
            start: One end.
            end: The other end.
            text: The measurement as printed.
            look: Line and lettering.
            side: 1 puts the text on the right hand when going from start to end, -1 on the left.
        """
        length, angle = math.dist(start, end), _reading_angle(start, end)
        angle = -90 if look.down and angle > 89 else angle
        way = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
        normal = (-way[1] * side, way[0] * side)
        wide, tall = text_width(text, look.lettering), look.lettering.size
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        hole = (abs(way[0]) * wide + abs(way[1]) * tall) / 2 + 10
        if look.place == "gap" and 2 * hole < 0.75 * length:
            self._rule(start, _ahead(middle, way, -hole), look, first=True, last=False)
            self._rule(_ahead(middle, way, hole), end, look, first=False, last=True)
            self.text(middle, text, look.lettering)
            return
        self._rule(start, end, look)
        along = look.place == "along"
        reach = tall / 2 if along else (abs(normal[0]) * wide + abs(normal[1]) * tall) / 2
        at = _ahead(middle, normal, reach + 9)
        self.text(at, text, look.lettering, angle if along else 0)

    def _rule(
        self, start: Point, end: Point, look: LineLook, first: bool = True, last: bool = True
    ) -> None:
        """Draw a dimension line with its end marks, and mark its area as taken."""
        self.line(start, end, look.color, look.width)
        ImageDraw.Draw(self.taken).line([*start, *end], 255, 3)
        length = math.dist(start, end)
        way = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
        marks = [(start, way)] * first + [(end, (-way[0], -way[1]))] * last
        for tip, inward in marks:
            self._end_mark(tip, inward, look)

    def _end_mark(self, tip: Point, inward: Point, look: LineLook) -> None:
        across = (-inward[1], inward[0])
        if look.ends in ("arrow", "both"):
            back, half = 12 + 2 * look.width, 3 + 1.2 * look.width
            base = _ahead(tip, inward, back)
            wings = [_ahead(base, across, half), _ahead(base, across, -half)]
            self.polygon([tip, *wings], look.color)
        if look.ends in ("bar", "both"):
            self.line(_ahead(tip, across, 13), _ahead(tip, across, -13), look.color, look.width)

    def finish(self, width: int, mirror: bool = False) -> Image.Image:
        """Write the texts and reduce the drawing to its final width in pixels.

        With `mirror`, shapes and positions are mirrored; texts stay readable.
        """
        picture = ImageOps.mirror(self.image) if mirror else self.image.copy()
        for (x, y), text, look, angle in self.texts:
            swapped = mirror and abs(angle) != 90
            stamp = _stamp(text, look, -angle if swapped else angle)
            left, top, _ = _place((self.size[0] - x if mirror else x, y), stamp)
            picture.paste(look.color, (left, top), stamp)
        height = round(width * self.size[1] / self.size[0])
        return picture.resize((width, height), Image.Resampling.LANCZOS)


def text_width(text: str, look: Lettering) -> float:
    """Return the width of a line of text in design units."""
    return load_font(look.family, look.bold, round(look.size * SCALE)).getlength(text) / SCALE


def _place(middle: Point, stamp: Image.Image) -> tuple[int, int, Image.Image]:
    """Return the top-left pixel of a stamp centred at a point, and the stamp."""
    left, top = middle[0] * SCALE - stamp.width / 2, middle[1] * SCALE - stamp.height / 2
    return round(left), round(top), stamp


def _stamp(text: str, look: Lettering, angle: float) -> Image.Image:
    """Render rotated text as a mask with margins for accents and descenders."""
    font = load_font(look.family, look.bold, round(look.size * SCALE))
    ascent, descent = font.getmetrics()
    stamp = Image.new("L", (math.ceil(font.getlength(text)) + 2, ascent + descent))
    ImageDraw.Draw(stamp).text((1, 0), text, fill=255, font=font)
    return stamp.rotate(angle, Image.Resampling.BICUBIC, expand=True)


def _is_outside(ink: tuple[int, ...], left: int, top: int, size: tuple[int, int]) -> bool:
    margin = 4 * SCALE
    return (
        left + ink[0] < margin
        or top + ink[1] < margin
        or left + ink[2] > size[0] - margin
        or top + ink[3] > size[1] - margin
    )


def _ahead(start: Point, way: Point, distance: float) -> Point:
    return start[0] + way[0] * distance, start[1] + way[1] * distance


def _reading_angle(start: Point, end: Point) -> float:
    """Return the text angle in (-90, 90] degrees, counter-clockwise, never upside down."""
    angle = math.degrees(math.atan2(start[1] - end[1], end[0] - start[0]))
    return float(np.mod(angle + 90 - 1e-9, 180) - 90 + 1e-9)
