"""Draw products with dimension lines."""

from dataclasses import replace

import numpy as np
from PIL import Image

from lib.dev.synthetic import wording
from lib.dev.synthetic.amounts import Amount
from lib.dev.synthetic.backdrops import TEXTURES, crop_photo
from lib.dev.synthetic.canvas import Canvas, Point
from lib.dev.synthetic.dimensions import (
    fit,
    measure_depth,
    measure_height,
    measure_width,
    share_amount,
)
from lib.dev.synthetic.products import (
    FLAT,
    Area,
    darker,
    lighter,
    paint_bag,
    paint_bottle,
    paint_glass,
    paint_lamp,
    paint_shelf,
    paint_vase,
    split,
)
from lib.dev.synthetic.scenes import (
    Draw,
    Drawing,
    Style,
    between,
    chance,
    length,
    pick,
    pick_length_units,
    pick_lines,
    pick_style,
    write_length,
)

ELECTRIC = ("voltage", "wattage")


def add_backdrop(canvas: Canvas, rng: np.random.Generator) -> None:
    """Add a pale gradient or texture behind some drawings; most stay plain."""
    kind, (wide, tall) = rng.random(), canvas.size
    if kind < 0.2:
        pale = int(between(rng, 205, 235))
        canvas.shade((0, 0, wide, tall), (255, 255, 255), (pale, pale, pale + 4), False)
    elif kind < 0.35:
        texture = crop_photo(rng, pick(rng, TEXTURES), canvas.size, 0.9)
        white = Image.new("RGB", canvas.size, (250, 250, 250))
        canvas.paste(
            Image.blend(texture, white, between(rng, 0.72, 0.85, 0.01)), (0, 0, wide, tall)
        )


def add_title(canvas: Canvas, style: Style, rng: np.random.Generator) -> None:
    """Write a heading above the drawing in half of the images."""
    if chance(rng, 0.5):
        words = wording.PRODUCT_SIZE[style.language]
        look = style.letters(between(rng, 36, 52), True, pick(rng, (style.ink, style.accent)))
        canvas.text((500, 60), pick(rng, words), look)


def draw_front(rng: np.random.Generator) -> Drawing:
    """Draw a flat product with its width and height; it has no depth."""
    style = pick_style(rng, english=0.8)
    canvas, look = Canvas(1000, 1000, style.paper), pick_lines(rng, style, between(rng, 24, 44))
    add_backdrop(canvas, rng)
    paint, wide, tall = FLAT[pick(rng, sorted(FLAT))]
    unit, second = pick_length_units(rng, style)
    width, height = length(rng, *wide, unit), length(rng, *tall, unit)
    area = fit(width.value, height.value, (230, 220, 770, 790))
    paint(canvas, area, style.accent)
    canvas.reserve(area)
    if chance(rng, 0.2):
        canvas.text(
            (500, 900), _write_letters(rng, style, width, height), style.letters(44, True), room=900
        )
    else:
        measure_width(canvas, area, write_length(style, width, second), look, chance(rng, 0.4))
        measure_height(canvas, area, write_length(style, height, second), look, chance(rng, 0.4))
    add_title(canvas, style, rng)
    return Drawing(canvas, {"width": width, "height": height}, ("depth", "item_weight"))


def _write_letters(rng: np.random.Generator, style: Style, width: Amount, height: Amount) -> str:
    """Print width and height in one line: `W 8.8 x H 6 in` or `8.8 in (W) x 6 in (H)`."""
    first, second = wording.LETTERS[style.language]
    if chance(rng, 0.5):
        wide, tall = style.notation.write(width), style.notation.write(height)
        return f"{wide} ({first}) x {tall} ({second})"
    number = style.notation.number(width.value)
    return f"{first} {number} x {second} {style.notation.write(height)}"


def _paint_block(canvas: Canvas, area: Area, back: Point, style: Style) -> None:
    """Paint a box in oblique view: front face `area`, receding by `back`."""
    left, top, right, bottom = area
    dx, dy = back
    base = lighter(style.accent, 0.35)
    lid = [(left, top), (left + dx, top + dy), (right + dx, top + dy), (right, top)]
    side = [(right, top), (right + dx, top + dy), (right + dx, bottom + dy), (right, bottom)]
    canvas.polygon(lid, lighter(base, 0.5), darker(base))
    canvas.polygon(side, darker(base, 0.15), darker(base))
    canvas.box(area, base, outline=darker(base))
    canvas.reserve(area)
    canvas.reserve((left + dx, top + dy, right + dx, bottom + dy))


def _front_details(canvas: Canvas, area: Area, style: Style, kind: str) -> None:
    if kind == "drawers":
        for row in range(3):
            drawer = split(area, 0.05, 0.04 + row * 0.32, 0.95, 0.32 + row * 0.32)
            canvas.box(drawer, lighter(style.accent, 0.5), radius=4, outline=style.accent)
            canvas.box(split(drawer, 0.42, 0.42, 0.58, 0.54), darker(style.accent, 0.5), radius=4)
    if kind == "basket":
        for row in range(1, 7):
            left, y, right, _ = split(area, 0.02, row / 7, 0.98, 1)
            canvas.line((left, y), (right, y), darker(style.accent, 0.1), 5)


def draw_box(rng: np.random.Generator) -> Drawing:
    """Draw a box in oblique view with width, height and a receding depth line."""
    style = pick_style(rng, english=0.75)
    canvas, look = Canvas(1000, 1000, style.paper), pick_lines(rng, style, between(rng, 24, 38))
    add_backdrop(canvas, rng)
    unit, second = pick_length_units(rng, style)
    width, height = length(rng, 20, 58, unit), length(rng, 16, 55, unit)
    depth = length(rng, 10, 40, unit)
    area = fit(width.value, height.value, (200, 300, 630, 790))
    back = (between(rng, 90, 150), -between(rng, 60, 110))
    canvas.shadow((area[0], area[3] - 30, area[2] + back[0], area[3] + 20))
    _paint_block(canvas, area, back, style)
    _front_details(canvas, area, style, pick(rng, ("drawers", "basket", "plain")))
    measure_width(canvas, area, write_length(style, width, second), look, above=False)
    measure_height(canvas, area, write_length(style, height, second), look, left=True)
    start = (area[2] + 24, area[3] + 16)
    measure_depth(canvas, start, back, write_length(style, depth, second), look)
    add_title(canvas, style, rng)
    stated = {"width": width, "height": height, "depth": depth}
    return Drawing(canvas, stated, ("item_weight", "maximum_weight_recommendation"))


def _paint_table(canvas: Canvas, area: Area, back: Point, style: Style) -> None:
    left, top, right, bottom = area
    dx, dy = back
    dark = darker(style.accent, 0.35)
    for x, y in ((left + dx + 8, dy), (right + dx - 24, dy), (left + 8, 0), (right - 24, 0)):
        canvas.box((x, top + y + 10, x + 16, bottom + y), dark)
    board = [(left, top), (left + dx, top + dy), (right + dx, top + dy), (right, top)]
    canvas.polygon(board, lighter(style.accent, 0.45), dark)
    canvas.box((left, top, right, top + 22), style.accent)
    edge = [(right, top), (right + dx, top + dy), (right + dx, top + dy + 22), (right, top + 22)]
    canvas.polygon(edge, dark)
    canvas.reserve((left, top, right, bottom))
    canvas.reserve((left + dx, top + dy, right + dx, bottom + dy))


def draw_table(rng: np.random.Generator) -> Drawing:
    """Draw a table with width and depth along the top edges, height beside it, maximum load."""
    style = pick_style(rng, english=0.75)
    canvas, look = Canvas(1000, 900, style.paper), pick_lines(rng, style, between(rng, 24, 36))
    add_backdrop(canvas, rng)
    unit, second = pick_length_units(rng, style)
    width, depth = length(rng, 80, 180, unit), length(rng, 40, 79, unit)
    height = length(rng, 40, 76, unit)
    area: Area = (190, 380, 680, 700 + between(rng, -40, 30))
    back = (between(rng, 90, 140), -between(rng, 70, 110))
    _paint_table(canvas, area, back, style)
    top = area[1] + back[1] - 30
    start, end = (area[0] + back[0], top), (area[2] + back[0], top)
    canvas.measure(start, end, write_length(style, width, second), look, side=-1)
    measure_height(canvas, area, write_length(style, height, second), look, left=True)
    start = (area[0] - 26, area[1] - 22)
    measure_depth(canvas, start, back, write_length(style, depth, second), look, side=-1)
    load = Amount(between(rng, 20, 150, 5), "pound" if unit == "inch" else "kilogram")
    stated = {"width": width, "height": height, "depth": depth}
    if chance(rng, 0.8):
        stated["maximum_weight_recommendation"] = load
        text = (
            f"{style.caption('maximum_weight_recommendation', rng)}: {style.notation.write(load)}"
        )
        canvas.text((500, 815), text, style.letters(34, True, style.accent))
    return Drawing(canvas, stated, ("item_weight",))


def draw_views(rng: np.random.Generator) -> Drawing:
    """Draw a front view and a side view: the side view's width is the depth."""
    style = pick_style(rng, english=0.6)
    canvas, look = Canvas(1100, 860, style.paper), pick_lines(rng, style, between(rng, 24, 34))
    unit, second = pick_length_units(rng, style)
    width, height = length(rng, 20, 58, unit), length(rng, 20, 55, unit)
    depth = length(rng, 4, 16, unit)
    front, side = (190, 230, 560, 620), (770, 230, 890, 620)
    for area in (front, side):
        canvas.box(area, lighter(style.accent, 0.6), radius=12, outline=style.accent, width=3)
    canvas.ellipse(split(front, 0.3, 0.3, 0.7, 0.7), darker(style.accent, 0.2))
    canvas.box(split(side, 0, 0.4, 0.2, 0.6), darker(style.accent, 0.2))
    for area, name in zip((front, side), wording.SIDES[style.language], strict=True):
        canvas.text(((area[0] + area[2]) / 2, 150), name, style.letters(32, True))
    measure_width(canvas, front, write_length(style, width, second), look, above=False)
    measure_height(canvas, front, write_length(style, height, second), look, left=True)
    measure_width(canvas, side, write_length(style, depth, second), look, above=False)
    stated = {"width": width, "height": height, "depth": depth}
    return Drawing(canvas, stated, ("item_weight", *ELECTRIC))


def draw_bottle(rng: np.random.Generator) -> Drawing:
    """Draw a vessel with its size and capacity; the width of the opening is a decoy."""
    style = pick_style(rng, english=0.6)
    canvas, look = Canvas(900, 1000, style.paper), pick_lines(rng, style, between(rng, 26, 40))
    unit, second = pick_length_units(rng, style)
    height, width = length(rng, 18, 40, unit), length(rng, 8, 15, unit)
    area = fit(0.5, 1, (280, 230, 620, 790))
    paint = pick(rng, (paint_bottle, paint_vase, paint_glass))
    paint(canvas, area, style.accent)
    canvas.reserve(area)
    measure_height(canvas, area, write_length(style, height, second), look, chance(rng, 0.4))
    measure_width(canvas, area, write_length(style, width, second), look, above=False)
    if chance(rng, 0.6) and paint is not paint_glass:
        mouth = split(area, 0.28, 0, 0.72, 1)
        opening = style.notation.write(share_amount(width, 0.44))
        measure_width(canvas, mouth, opening, look, above=True)
    stated = {"height": height, "width": width}
    if chance(rng, 0.65):
        imperial = unit == "inch"
        volume = (
            Amount(between(rng, 10, 40, 2), "fluid ounce")
            if imperial
            else pick(rng, (Amount(between(rng, 0.5, 2.5, 0.1), "litre"),
                            Amount(between(rng, 250, 950, 50), "millilitre")))
        )  # fmt: skip
        stated["item_volume"] = volume
        text = f"{style.caption('item_volume', rng)}: {style.notation.write(volume)}"
        canvas.text((450, 70), text, style.letters(36, True))
    return Drawing(canvas, stated, ("item_weight", "wattage"))


def draw_lamp(rng: np.random.Generator) -> Drawing:
    """Draw a floor lamp with its height, its cable's length, watts and volts."""
    style = pick_style(rng, english=0.5)
    canvas, look = Canvas(900, 1100, style.paper), pick_lines(rng, style, between(rng, 26, 38))
    add_backdrop(canvas, rng)
    unit, second = pick_length_units(rng, style)
    height, width = length(rng, 120, 180, unit), length(rng, 25, 45, unit)
    area = (330, 200, 570, 830)
    canvas.shadow((370, 815, 530, 845))
    paint_lamp(canvas, area, style.accent)
    measure_width(canvas, area, write_length(style, width, second), look, above=True)
    measure_height(canvas, area, write_length(style, height, second), look, chance(rng, 0.5))
    watts, volts = Amount(between(rng, 5, 60), "watt"), Amount(pick(rng, (110, 120, 230)), "volt")
    write, letters = style.notation.write, style.letters(30)
    cable = write(Amount(between(rng, 1.5, 3, 0.1), "metre"))
    canvas.text((450, 930), f"{wording.CABLE[style.language]}: {cable}", letters)
    line = f"E27  max. {write(watts)}  {write(volts)}~  50/60Hz"
    canvas.text((450, 990), line, letters)
    stated = {"height": height, "width": width, "wattage": watts, "voltage": volts}
    return Drawing(canvas, stated, ("item_weight", "item_volume"))


def draw_bag(rng: np.random.Generator) -> Drawing:
    """Draw a bag with width and height; the height of its handles is a decoy."""
    style = pick_style(rng, english=0.75)
    canvas, look = Canvas(1000, 1000, style.paper), pick_lines(rng, style, between(rng, 24, 36))
    add_backdrop(canvas, rng)
    unit, second = pick_length_units(rng, style)
    width, height = length(rng, 25, 55, unit), length(rng, 20, 45, unit)
    area = (260, 400, 720, 780)
    canvas.ellipse((350, 240, 560, 600), None, outline=darker(style.accent), width=12)
    paint_bag(canvas, area, style.accent)
    canvas.reserve(area)
    measure_width(canvas, area, write_length(style, width, second), look, above=False)
    measure_height(canvas, area, write_length(style, height, second), look, left=True)
    drop = style.notation.write(share_amount(height, 0.4))
    canvas.measure((640, 240), (640, 396), drop, look, side=-1)
    stated = {"width": width, "height": height}
    if chance(rng, 0.5):
        volume = Amount(between(rng, 8, 45), "litre")
        stated["item_volume"] = volume
        text = f"{style.caption('item_volume', rng)} {style.notation.write(volume)}"
        canvas.text((500, 110), text, style.letters(40, True, style.accent))
    return Drawing(canvas, stated, ("depth", "item_weight"))


def draw_shelf(rng: np.random.Generator) -> Drawing:
    """Draw a shelf with outer width and height; its inner distances are decoys."""
    style = pick_style(rng, english=0.7)
    canvas, look = Canvas(900, 1100, style.paper), pick_lines(rng, style, between(rng, 24, 32))
    add_backdrop(canvas, rng)
    unit, second = pick_length_units(rng, style)
    height, width = length(rng, 120, 190, unit), length(rng, 50, 100, unit)
    area = (270, 190, 620, 900)
    paint_shelf(canvas, area, style.accent)
    inner = share_amount(height, 0.28)
    for level in range(3):
        top = area[1] + 710 * (0.04 + 0.32 * level)
        start, end = (area[2] - 90, top + 6), (area[2] - 90, top + 710 * 0.28 - 6)
        canvas.measure(start, end, style.notation.write(inner), look)
    measure_height(canvas, area, write_length(style, height, second), look, left=True)
    measure_width(canvas, area, write_length(style, width, second), look, above=False)
    add_title(canvas, style, rng)
    return Drawing(canvas, {"width": width, "height": height}, ("depth", "item_weight", "voltage"))


def draw_legend(rng: np.random.Generator) -> Drawing:
    """Draw a box whose dimension lines have letters explained in a list below."""
    style = pick_style(rng, english=0.4)
    canvas, look = Canvas(1000, 1000, style.paper), pick_lines(rng, style, 40)
    look = replace(look, place="beside")
    unit, second = pick_length_units(rng, style)
    amounts = {name: length(rng, 12, 58, unit) for name in ("width", "height", "depth")}
    area, back = (260, 170, 620, 520), (130, -70)
    _paint_block(canvas, area, back, style)
    measure_width(canvas, area, "A", look, above=False)
    measure_height(canvas, area, "B", look, left=True)
    measure_depth(canvas, (644, 536), back, "C", look)
    for row, (name, amount) in enumerate(amounts.items()):
        caption = f"{'ABC'[row]}  {style.caption(name, rng)}:"
        y = 700 + 66 * row
        canvas.text((250, y), caption, style.letters(34), anchor="l")
        canvas.text((580, y), write_length(style, amount, second), style.letters(34), anchor="l")
    weight = Amount(between(rng, 0.4, 9, 0.1), "pound" if unit == "inch" else "kilogram")
    canvas.text((250, 898), f"{style.caption('item_weight', rng)}:", style.letters(34), anchor="l")
    canvas.text((580, 898), style.notation.write(weight), style.letters(34), anchor="l")
    return Drawing(canvas, {**amounts, "item_weight": weight}, ("item_volume", *ELECTRIC))


KINDS: dict[str, Draw] = {
    "front": draw_front,
    "box": draw_box,
    "table": draw_table,
    "views": draw_views,
    "bottle": draw_bottle,
    "lamp": draw_lamp,
    "bag": draw_bag,
    "shelf": draw_shelf,
    "legend": draw_legend,
}
