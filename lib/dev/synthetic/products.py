"""Paint simple products; each fills its rectangle exactly, so that dimension lines fit."""

from collections.abc import Callable

from lib.dev.synthetic.backdrops import SCENERY, load_photo
from lib.dev.synthetic.canvas import Canvas, Color

Area = tuple[float, float, float, float]
Paint = Callable[[Canvas, Area, Color], None]


def mix(color: Color, other: Color, share: float) -> Color:
    """Blend two colours with a `share` (0-1) of `other`."""
    return tuple(round(a + (b - a) * share) for a, b in zip(color, other, strict=True))


def lighter(color: Color, share: float = 0.4) -> Color:
    """Blend a colour with white."""
    return mix(color, (255, 255, 255), share)


def darker(color: Color, share: float = 0.3) -> Color:
    """Blend a colour with black."""
    return mix(color, (0, 0, 0), share)


def split(area: Area, *shares: float) -> Area:
    """Return the part of a rectangle between the fractions left, top, right, bottom.

    >>> split((0, 0, 100, 50), 0.1, 0.0, 0.5, 1.0)
    (10.0, 0.0, 50.0, 50.0)
    """
    left, top, right, bottom = area
    wide, tall = right - left, bottom - top
    x1, y1, x2, y2 = shares
    return (left + x1 * wide, top + y1 * tall, left + x2 * wide, top + y2 * tall)


def paint_mat(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a flat mat with a woven border."""
    canvas.box(area, color, radius=10)
    canvas.box(split(area, 0.03, 0.04, 0.97, 0.96), None, radius=8, outline=lighter(color), width=3)
    for step in range(1, 12):
        left, top, right, _ = split(area, 0.05, 0.04 + step * 0.075, 0.95, 1)
        canvas.line((left, top), (right, top), lighter(color, 0.12), 2)


def paint_frame(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a picture frame with a photograph."""
    canvas.box(area, darker(color))
    canvas.box(split(area, 0.06, 0.06, 0.94, 0.94), (250, 250, 248))
    canvas.paste(
        load_photo(SCENERY[sum(color) % len(SCENERY)]), split(area, 0.16, 0.16, 0.84, 0.84)
    )


def paint_panel(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a wall panel with four screws."""
    canvas.box(area, lighter(color, 0.75), radius=14, outline=mix(color, (90, 90, 90), 0.6))
    for x in (0.06, 0.9):
        for y in (0.08, 0.86):
            canvas.ellipse(split(area, x, y, x + 0.04, y + 0.06), (120, 120, 125))
    canvas.box(split(area, 0.4, 0.3, 0.6, 0.7), lighter(color, 0.4), radius=8)


def paint_mirror(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint an oval mirror."""
    canvas.ellipse(area, darker(color))
    canvas.ellipse(split(area, 0.05, 0.04, 0.95, 0.96), (214, 226, 232))
    left, top, right, bottom = split(area, 0.3, 0.25, 0.6, 0.7)
    canvas.line((left, bottom), (right, top), (240, 246, 250), 10)


def paint_pouch(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a pouch with a zipper."""
    canvas.box(area, color, radius=26)
    canvas.box(split(area, 0.05, 0.1, 0.95, 0.16), darker(color))
    for row in range(3):
        for dot in range(6):
            x, y = 0.08 + dot * 0.15 + 0.05 * (row % 2), 0.3 + row * 0.22
            canvas.ellipse(split(area, x, y, x + 0.06, y + 0.08), lighter(color, 0.5))


def paint_bottle(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a bottle with a cap; the neck is 40 % of the width."""
    canvas.shade(split(area, 0.3, 0.14, 0.7, 0.34), lighter(color), color, True)
    canvas.box(split(area, 0, 0.3, 1, 1), color, radius=34)
    canvas.shade(split(area, 0.06, 0.36, 0.94, 0.94), lighter(color), color, True)
    canvas.box(split(area, 0.26, 0, 0.74, 0.15), darker(color, 0.5), radius=8)


def paint_vase(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a vase with a narrow neck."""
    outline = [(0.3, 0), (0.7, 0), (0.62, 0.2), (1, 0.55), (0.8, 1), (0.2, 1), (0, 0.55)]
    canvas.polygon([split(area, x, y, x, y)[:2] for x, y in [*outline, (0.38, 0.2)]], color)
    bright = [(0.36, 0.03), (0.5, 0.03), (0.46, 0.22), (0.4, 0.95), (0.26, 0.95), (0.08, 0.55)]
    canvas.polygon([split(area, x, y, x, y)[:2] for x, y in bright], lighter(color, 0.2))


def paint_glass(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a glass jar, half full."""
    canvas.box(area, (240, 245, 247), radius=20, outline=(150, 165, 172), width=2)
    canvas.box(split(area, 0.04, 0.45, 0.96, 0.97), lighter(color, 0.3), radius=16)
    canvas.line(split(area, 0.12, 0.06, 1, 1)[:2], split(area, 0.12, 0.9, 1, 1)[:2], (255,) * 3, 7)


def paint_lamp(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a floor lamp whose shade is as wide as the rectangle."""
    shade = [(0.22, 0), (0.78, 0), (1, 0.26), (0, 0.26)]
    canvas.polygon([split(area, x, y, x, y)[:2] for x, y in shade], lighter(color, 0.5), color)
    canvas.box(split(area, 0.47, 0.26, 0.53, 0.97), darker(color))
    canvas.box(split(area, 0.22, 0.965, 0.78, 1), darker(color), radius=5)


def paint_bag(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a bag's body, without its handles."""
    canvas.polygon(
        [split(area, x, y, x, y)[:2] for x, y in [(0.06, 0), (0.94, 0), (1, 1), (0, 1)]], color
    )
    canvas.box(split(area, 0.2, 0.4, 0.8, 0.82), lighter(color, 0.15), radius=10)
    canvas.line(split(area, 0.08, 0.1, 1, 1)[:2], split(area, 0.92, 0.1, 1, 1)[:2], darker(color))


def paint_shelf(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint an open shelf with four boards."""
    canvas.box(area, lighter(color, 0.85))
    for x in (0, 0.95):
        canvas.box(split(area, x, 0, x + 0.05, 1), color)
    for level in range(4):
        y = level * 0.32
        canvas.box(split(area, 0, y, 1, y + 0.04), darker(color, 0.15))


def paint_kettle(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a kettle with spout and handle."""
    canvas.ellipse(split(area, 0.55, 0.2, 1, 0.85), None, outline=(40, 40, 42), width=26)
    canvas.polygon(
        [split(area, x, y, x, y)[:2] for x, y in [(0, 0.18), (0.3, 0.2), (0.25, 0.45)]], color
    )
    body = [(0.24, 0.14), (0.68, 0.14), (0.8, 0.9), (0.14, 0.9)]
    canvas.polygon([split(area, x, y, x, y)[:2] for x, y in body], color)
    canvas.box(split(area, 0.12, 0.9, 0.82, 1), (45, 45, 48), radius=8)
    canvas.box(split(area, 0.36, 0.03, 0.56, 0.14), (45, 45, 48), radius=8)


def paint_bulb(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a light bulb."""
    canvas.ellipse(
        split(area, 0, 0, 1, 0.68), lighter(color, 0.8), outline=(190, 190, 180), width=3
    )
    canvas.box(split(area, 0.26, 0.6, 0.74, 0.8), (235, 235, 232), radius=8)
    canvas.shade(split(area, 0.32, 0.8, 0.68, 1), (210, 210, 214), (120, 120, 126), True)


def paint_power_bank(canvas: Canvas, area: Area, color: Color) -> None:
    """Paint a battery case with four lights."""
    canvas.box(area, darker(color, 0.5), radius=36)
    canvas.box(split(area, 0.08, 0.06, 0.92, 0.7), darker(color, 0.25), radius=20)
    for light in range(4):
        x = 0.22 + light * 0.16
        canvas.ellipse(split(area, x, 0.82, x + 0.06, 0.86), (120, 220, 140))


# Flat things: painter, then width and height in centimetres (low, high).
FLAT: dict[str, tuple[Paint, tuple[float, float], tuple[float, float]]] = {
    "mat": (paint_mat, (60, 180), (40, 90)),
    "frame": (paint_frame, (20, 70), (20, 50)),
    "panel": (paint_panel, (8, 30), (6, 20)),
    "mirror": (paint_mirror, (40, 70), (50, 120)),
    "pouch": (paint_pouch, (10, 30), (8, 20)),
}
APPLIANCES: tuple[Paint, ...] = (paint_kettle, paint_power_bank, paint_lamp, paint_bottle)
