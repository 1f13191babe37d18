"""Draw spec tables and rating plates."""

import numpy as np

from lib.dev.synthetic import wording
from lib.dev.synthetic.amounts import Amount
from lib.dev.synthetic.canvas import Canvas, Lettering
from lib.dev.synthetic.products import lighter, paint_kettle, split
from lib.dev.synthetic.scenes import (
    Draw,
    Drawing,
    Style,
    between,
    chance,
    length,
    pick,
    pick_style,
)

Row = tuple[str, str]


def pick_amounts(rng: np.random.Generator, style: Style) -> dict[str, Amount]:
    """Choose an appliance's amounts for all entities except depth and maximum load."""
    unit = "inch" if style.language == "en" and chance(rng, 0.4) else "centimetre"
    kilowatts = Amount(between(rng, 1.1, 2.9, 0.1), "kilowatt")
    watts = Amount(between(rng, 20, 1800, 10), "watt")
    return {
        "voltage": Amount(pick(rng, (12, 24, 110, 120, 220, 230, 240)), "volt"),
        "wattage": kilowatts if chance(rng, 0.25) else watts,
        "item_weight": Amount(
            between(rng, 0.6, 9.8, 0.1), "pound" if unit == "inch" else "kilogram"
        ),
        "item_volume": _pick_capacity(rng, unit == "inch"),
        "width": length(rng, 12, 55, unit),
        "height": length(rng, 12, 55, unit),
    }


def _pick_capacity(rng: np.random.Generator, imperial: bool) -> Amount:
    if not imperial:
        return Amount(between(rng, 0.4, 6, 0.1), "litre")
    unit, low, high = pick(
        rng, (("cup", 4, 12), ("quart", 2, 8), ("fluid ounce", 12, 60), ("gallon", 2, 3))
    )
    return Amount(between(rng, low, high), unit)


def decoy_rows(rng: np.random.Generator, style: Style) -> list[Row]:
    """Write rows that are never asked for: noise, cable, frequency, battery and others."""
    language, number = style.language, style.notation.number
    return [
        (wording.NOISE[language], f"{between(rng, 35, 75):.0f} dB"),
        (wording.CABLE[language], f"{number(between(rng, 0.8, 3, 0.1))} m"),
        (wording.FREQUENCY[language], f"{pick(rng, (50, 60))} Hz"),
        (wording.BATTERY[language], f"{between(rng, 1200, 9000, 100):.0f} mAh"),
        (wording.TEMPERATURE[language], f"{between(rng, 40, 240, 5):.0f} °C"),
        (wording.SPEED[language], f"{between(rng, 800, 9000, 100):.0f} rpm"),
        wording.MATERIAL[language],
    ]


def shuffle(rng: np.random.Generator, rows: list[Row]) -> list[Row]:
    """Return the rows in random order."""
    return [rows[int(at)] for at in rng.permutation(len(rows))]


def split_amounts(
    rng: np.random.Generator, amounts: dict[str, Amount], keep: int
) -> tuple[dict[str, Amount], tuple[str, ...]]:
    """Split amounts into those to keep and the absent entities, maximum load included."""
    names = [sorted(amounts)[int(at)] for at in rng.permutation(len(amounts))]
    absent = (*names[keep:], "maximum_weight_recommendation")
    return {name: amounts[name] for name in names[:keep]}, absent


def draw_rows(canvas: Canvas, rows: list[Row], area: tuple[float, ...], look: Lettering,
              colors: tuple) -> None:  # fmt: skip
    """Draw a table of two columns, with alternating row colours or lines between rows."""
    left, top, right, bottom = area
    step, middle = (bottom - top) / len(rows), left + 0.55 * (right - left)
    for at, (caption, value) in enumerate(rows):
        y = top + at * step
        canvas.box((left, y, right, y + step), colors[at % 2], outline=(170, 170, 172))
        canvas.text((left + 18, y + step / 2), caption, look, anchor="l")
        canvas.text((middle, y + step / 2), value, look, anchor="l")
    canvas.line((middle - 14, top), (middle - 14, bottom), (170, 170, 172), 1)


def draw_table(rng: np.random.Generator) -> Drawing:
    """Draw a spec table with the units beside the values."""
    return _draw_table(rng, in_header=False)


def draw_header_units(rng: np.random.Generator) -> Drawing:
    """Draw a spec table with the units in the captions: `Voltage (V)` | `230`."""
    return _draw_table(rng, in_header=True)


def _draw_table(rng: np.random.Generator, in_header: bool) -> Drawing:
    style = pick_style(rng, english=0.5)
    canvas = Canvas(1000, 1000, style.paper)
    stated, absent = split_amounts(rng, pick_amounts(rng, style), keep=4)
    rows = [_write_row(rng, style, *item, in_header) for item in stated.items()]
    rows += [decoy_rows(rng, style)[int(at)] for at in rng.permutation(7)[:4]]
    rows = [(wording.MODEL[style.language], f"T{rng.integers(100, 999)}"), *shuffle(rng, rows)]
    heading = pick(rng, wording.SPECIFICATIONS[style.language])
    canvas.box((80, 60, 920, 150), style.accent)
    canvas.text((500, 105), heading, style.letters(44, True, (255, 255, 255)))
    fields = (lighter(style.accent, 0.9), (255, 255, 255))
    draw_rows(canvas, rows, (80, 180, 920, 930), style.letters(between(rng, 26, 32)), fields)
    return Drawing(canvas, stated, absent, rough=chance(rng, 0.3))


def _write_row(
    rng: np.random.Generator, style: Style, entity: str, amount: Amount, in_header: bool
) -> Row:
    caption, notation = style.caption(entity, rng), style.notation
    if not in_header:
        return caption, notation.write(amount)
    bracket = pick(rng, (" ({})", " [{}]", " / {}"))
    return caption + bracket.format(notation.unit(amount.unit)), notation.number(amount.value)


def draw_plate(rng: np.random.Generator) -> Drawing:
    """Draw a metal rating plate with low contrast."""
    style = pick_style(rng, english=0.7)
    canvas = Canvas(1000, 640, (90, 92, 96))
    silver = between(rng, 165, 205)
    canvas.shade((30, 30, 970, 610), (int(silver),) * 3, (int(silver) - 35,) * 3, True)
    for x in (60, 910):
        for y in (60, 550):
            canvas.ellipse((x, y, x + 30, y + 30), (110, 110, 112))
    dark = int(between(rng, 30, 90))
    look = style.letters(between(rng, 30, 38), chance(rng, 0.4), (dark, dark, dark + 6))
    volts, watts = (pick_amounts(rng, style)[name] for name in ("voltage", "wattage"))
    write = style.notation.write
    supply = f"{write(volts)}{'~' if volts.value >= 50 else ''}"
    lines = [
        f"TYPE {pick(rng, 'ABCDEFK')}{rng.integers(100, 999)}   S/N {rng.integers(10**6, 10**7)}",
        f"{supply}   {'50/60 Hz' if volts.value >= 50 else 'DC'}   {write(watts)}",
        f"IP{rng.integers(20, 68)}   Class II   {between(rng, 1000, 3000, 50):.0f} min-1",
        f"{between(rng, 2019, 2026):.0f}-{between(rng, 10, 12):.0f}   T {rng.integers(40, 90)} °C",
    ]
    for row, line in enumerate(lines):
        canvas.text((130, 150 + 110 * row), line, look, anchor="l")
    return Drawing(
        canvas, {"voltage": volts, "wattage": watts}, ("item_weight", "depth"), rough=True
    )


def draw_picture_table(rng: np.random.Generator) -> Drawing:
    """Draw a product above a narrow table of size (in one line), load and weight."""
    style = pick_style(rng, english=0.6)
    canvas = Canvas(900, 1100, style.paper)
    paint_kettle(canvas, (310, 70, 610, 400), style.accent)
    stated, absent = split_amounts(rng, pick_amounts(rng, style), keep=3)
    rows = [_write_row(rng, style, *item, False) for item in stated.items()]
    rows += [decoy_rows(rng, style)[int(at)] for at in rng.permutation(7)[:3]]
    area = (110, 470, 790, 1040)
    step = 570 / len(rows)
    for at, (caption, value) in enumerate(shuffle(rng, rows)):
        y = area[1] + at * step
        chip = (area[0], y + 8, area[0] + 330, y + step - 8)
        canvas.box(chip, style.accent, radius=12)
        white = style.letters(between(rng, 22, 26), True, (255, 255, 255))
        canvas.text((split(chip, 0.5, 0, 1, 1)[0], y + step / 2), caption, white)
        canvas.text((620, y + step / 2), value, style.letters(32))
    return Drawing(canvas, stated, absent)


KINDS: dict[str, Draw] = {
    "spec_table": draw_table,
    "header_units": draw_header_units,
    "plate": draw_plate,
    "picture_table": draw_picture_table,
}
