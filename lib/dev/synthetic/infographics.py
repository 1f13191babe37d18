"""Draw infographics: products with captions in five languages, badges and slogans."""

import numpy as np
from PIL import ImageFilter

from lib.dev.synthetic import wording
from lib.dev.synthetic.amounts import Amount
from lib.dev.synthetic.backdrops import SCENERY, TEXTURES, crop_photo
from lib.dev.synthetic.canvas import Canvas
from lib.dev.synthetic.products import (
    APPLIANCES,
    darker,
    lighter,
    paint_bulb,
    paint_kettle,
    paint_power_bank,
    paint_shelf,
)
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
from lib.dev.synthetic.tables import decoy_rows, pick_amounts, shuffle, split_amounts

WHITE = (255, 255, 255)
SIZES = ("height", "width", "depth")


def draw_features(rng: np.random.Generator) -> Drawing:
    """Draw a product with six round badges, four of them measurements."""
    style = pick_style(rng, english=0.25)
    canvas = Canvas(1000, 1000, style.paper)
    canvas.shade((0, 0, 1000, 1000), lighter(style.accent, 0.9), lighter(style.accent, 0.5), False)
    heading = pick(rng, wording.SPECIFICATIONS[style.language])
    canvas.text((500, 75), heading, style.letters(52, True, darker(style.accent)))
    pick(rng, APPLIANCES)(canvas, (370, 240, 630, 760), style.accent)
    amounts = pick_amounts(rng, style)
    amounts["depth"] = length(rng, 10, 40, amounts["width"].unit)
    stated, absent = split_amounts(rng, amounts, keep=3)
    rows = [(style.caption(name, rng), style.notation.write(a)) for name, a in stated.items()]
    rows += [decoy_rows(rng, style)[int(at)] for at in rng.permutation(6)[:3]]
    places = [(x, y) for y in (260, 520, 780) for x in (180, 820)]
    for (x, y), (caption, value) in zip(places, shuffle(rng, rows), strict=True):
        canvas.ellipse((x - 92, y - 92, x + 92, y + 92), WHITE, outline=style.accent, width=4)
        canvas.text((x, y), value, style.letters(34, True, darker(style.accent)), room=160)
        canvas.text((x, y + 122), caption, style.letters(27))
    return Drawing(canvas, stated, absent)


def draw_load(rng: np.random.Generator) -> Drawing:
    """Draw a rack with a badge of its maximum load beside its own weight."""
    style = pick_style(rng, english=0.5)
    canvas = Canvas(1000, 1000, style.paper)
    paint_shelf(canvas, (120, 260, 470, 900), style.accent)
    pounds = style.language == "en" and chance(rng, 0.6)
    unit = "pound" if pounds else "kilogram"
    load, own = Amount(between(rng, 60, 500, 10), unit), Amount(between(rng, 3, 29, 0.5), unit)
    write, notation = style.notation.write, style.notation
    twice = notation.both(load, "kilogram", 0) if pounds and chance(rng, 0.5) else write(load)
    slogans = wording.SLOGANS[style.language]
    canvas.text((500, 100), pick(rng, slogans), style.letters(56, True, style.accent))
    canvas.ellipse((540, 240, 920, 620), style.accent)
    if chance(rng, 0.4):
        canvas.text((730, 445), notation.number(load.value), style.letters(90, True, WHITE))
        canvas.text((730, 530), notation.unit(unit), style.letters(50, True, WHITE))
    else:
        canvas.text((730, 450), twice, style.letters(54 if len(twice) < 9 else 38, True, WHITE))
    caption = style.caption("maximum_weight_recommendation", rng)
    canvas.text((730, 350), caption, style.letters(32, False, WHITE))
    canvas.text((730, 720), f"{style.caption('item_weight', rng)}: {write(own)}", style.letters(34))
    canvas.text((730, 800), pick(rng, slogans), style.letters(30))
    canvas.text((730, 870), f"{rng.integers(2, 5)} x M{rng.integers(4, 9)}", style.letters(30))
    stated = {"maximum_weight_recommendation": load, "item_weight": own}
    return Drawing(canvas, stated, (*SIZES, "voltage", "item_volume"))


def draw_appliance(rng: np.random.Generator) -> Drawing:
    """Draw a kettle's advertisement: watts and capacity in large print, sometimes volts."""
    style = pick_style(rng, english=0.5)
    dark = darker(style.accent, 0.75)
    canvas = Canvas(1000, 1000)
    canvas.shade((0, 0, 1000, 1000), dark, darker(style.accent, 0.3), True)
    stated = {"item_volume": pick_amounts(rng, style)["item_volume"]}
    heating = (
        Amount(between(rng, 900, 2800, 50), "watt"),
        Amount(between(rng, 1.1, 2.9, 0.1), "kilowatt"),
    )
    stated["wattage"] = pick(rng, heating)
    if chance(rng, 0.5):
        stated["voltage"] = Amount(pick(rng, (110, 120, 220, 230, 240)), "volt")
    paint_kettle(canvas, (420, 320, 900, 860), lighter(style.accent, 0.3))
    write, gold = style.notation.write, (255, 196, 60)
    canvas.text((60, 120), write(stated["wattage"]), style.letters(110, True, gold), anchor="l")
    caption = style.caption("wattage", rng)
    canvas.text((64, 210), caption, style.letters(36, False, WHITE), anchor="l")
    lines = [write(stated["item_volume"]), f"{between(rng, 2, 7):.0f} min", "100 °C"]
    lines += [f"{write(stated['voltage'])} ~ 50 Hz"] if "voltage" in stated else []
    for row, line in enumerate(lines):
        y = 380 + 120 * row
        canvas.box((60, y - 40, 350, y + 40), style.accent, radius=40, outline=WHITE, width=2)
        canvas.text((205, y), line, style.letters(36, True, WHITE), room=250)
    canvas.text(
        (500, 940), pick(rng, wording.SLOGANS[style.language]), style.letters(32, False, WHITE)
    )
    absent = ("item_weight", *SIZES, *(() if "voltage" in stated else ("voltage",)))
    return Drawing(canvas, stated, absent)


def draw_bulb(rng: np.random.Generator) -> Drawing:
    """Draw a bulb's box: watts beside the watts of the bulb that it replaces, lumens, kelvins."""
    style = pick_style(rng, english=0.5)
    canvas = Canvas(900, 1000, style.paper)
    canvas.box((110, 60, 790, 940), style.accent, radius=12)
    canvas.box((150, 110, 750, 560), lighter(style.accent, 0.85), radius=12)
    paint_bulb(canvas, (350, 150, 550, 520), style.accent)
    watts, volts = Amount(between(rng, 4, 18), "watt"), Amount(pick(rng, (12, 120, 230)), "volt")
    old = Amount(round(watts.value * 7, -1) + 5, "watt")
    write, white = style.notation.write, style.letters(70, True, WHITE)
    replaces = {"en": "replaces", "de": "ersetzt", "fr": "remplace", "es": "equivale a",
                "it": "sostituisce"}[style.language]  # fmt: skip
    places = pick(rng, ((270, 600), (640, 300)))
    canvas.text((places[0], 650), write(watts), white)
    canvas.text((places[1], 650), f"{replaces} {write(old)}", style.letters(36, False, WHITE))
    small = style.letters(34, False, WHITE)
    canvas.text(
        (450, 750), f"{between(rng, 400, 1600, 10):.0f} lm    {rng.integers(27, 65)}00 K", small
    )
    line = f"{write(volts)}    E27    {between(rng, 10, 25, 5):.0f}000 h"
    canvas.text((450, 830), line, small)
    canvas.text((450, 900), "A++   CRI 80   120°", small.but(size=28))
    return Drawing(
        canvas, {"wattage": watts, "voltage": volts}, ("item_weight", *SIZES), rough=True
    )


def draw_battery(rng: np.random.Generator) -> Drawing:
    """Draw a power bank with mAh, lumens and weight; it may state no watts or volts."""
    style = pick_style(rng, english=0.6)
    canvas = Canvas(1000, 800, style.paper)
    paint_power_bank(canvas, (90, 130, 380, 680), style.accent)
    weight = Amount(between(rng, 150, 900, 5), "gram")
    if style.language == "en" and chance(rng, 0.5):
        weight = weight.to("ounce", 1)
    stated = {"item_weight": weight}
    rows = [(style.caption("item_weight", rng), style.notation.write(weight))]
    rows += [decoy_rows(rng, style)[3], decoy_rows(rng, style)[4]]
    rows += [("USB-C", f"{style.notation.number(between(rng, 1, 3, 0.1))} A")]
    if chance(rng, 0.5):
        stated["voltage"] = Amount(pick(rng, (3.7, 5, 7.4, 12)), "volt")
        text = style.notation.write(stated["voltage"])
        rows += [(style.caption("voltage", rng), text)]
    for row, (caption, value) in enumerate(shuffle(rng, rows)):
        y = 170 + 120 * row
        canvas.text((470, y), caption, style.letters(30), anchor="l")
        canvas.text((470, y + 46), value, style.letters(40, True, style.accent), anchor="l")
    absent = ("wattage", "item_volume", *SIZES, *(() if "voltage" in stated else ("voltage",)))
    return Drawing(canvas, stated, absent)


def draw_lifestyle(rng: np.random.Generator) -> Drawing:
    """Draw a photograph with a banner of one measurement, or with slogans only."""
    style = pick_style(rng, english=0.5)
    wide, tall = pick(rng, ((1000, 760), (1000, 1000)))
    canvas = Canvas(wide, tall)
    canvas.paste(crop_photo(rng, pick(rng, SCENERY), (wide, tall)), (0, 0, wide, tall))
    slogans = wording.SLOGANS[style.language]
    y = between(rng, 90, tall - 110)
    canvas.box((0, y - 60, wide, y + 60), darker(style.accent, 0.3))
    entity = pick(rng, ("item_volume", "item_weight", "wattage", ""))
    if not entity:
        canvas.text((wide / 2, y), pick(rng, slogans), style.letters(46, True, WHITE))
        return Drawing(canvas, {}, ("height", "width", "item_weight", "wattage"), rough=True)
    amount = pick_amounts(rng, style)[entity]
    text = _banner(rng, style, entity, amount)
    canvas.text((wide / 2, y), text, style.letters(44, True, WHITE))
    return Drawing(canvas, {entity: amount}, ("height", "depth", "voltage"), rough=True)


def _banner(rng: np.random.Generator, style: Style, entity: str, amount: Amount) -> str:
    return (
        f"{style.caption(entity, rng)}  {style.notation.write(amount)}  -  {rng.integers(3, 60)} %"
    )


def draw_plain(rng: np.random.Generator) -> Drawing:
    """Draw a product without measurements: no text, or a model number and a warranty."""
    style = pick_style(rng)
    canvas = Canvas(1000, 1000, style.paper)
    if chance(rng, 0.5):
        canvas.shade((0, 0, 1000, 1000), (250, 250, 250), (206, 210, 214), False)
    else:
        photo = crop_photo(rng, pick(rng, TEXTURES), (1000, 1000), 0.7)
        canvas.paste(photo.filter(ImageFilter.GaussianBlur(5)), (0, 0, 1000, 1000))
        canvas.box((0, 50, 1000, 170), style.paper)
        canvas.box((0, 870, 1000, 970), style.paper)
    canvas.shadow((330, 780, 670, 860))
    pick(rng, (*APPLIANCES, paint_bulb))(canvas, (360, 230, 640, 830), style.accent)
    if chance(rng, 0.6):
        text = f"{wording.MODEL[style.language]} {rng.integers(10, 99)}-{rng.integers(100, 999)}"
        canvas.text((500, 110), text, style.letters(40, True))
        canvas.text((500, 920), pick(rng, wording.SLOGANS[style.language]), style.letters(34))
    absent = ("wattage", "voltage", "item_volume", "height", "maximum_weight_recommendation")
    return Drawing(canvas, {}, absent)


KINDS: dict[str, Draw] = {
    "features": draw_features,
    "load": draw_load,
    "appliance": draw_appliance,
    "bulb": draw_bulb,
    "battery": draw_battery,
    "lifestyle": draw_lifestyle,
    "plain": draw_plain,
}
