"""Draw packages and labels: contents beside servings, doses, prices and dates."""

import numpy as np

from lib.dev.synthetic import wording
from lib.dev.synthetic.amounts import Amount
from lib.dev.synthetic.backdrops import TEXTURES, crop_photo
from lib.dev.synthetic.canvas import Canvas, Lettering
from lib.dev.synthetic.products import Area, darker, lighter, split
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

SIZES = ("height", "width", "depth")
FOODS = {
    "en": ("OAT FLAKES", "GREEN TEA", "RED LENTILS", "COCOA POWDER", "BROWN RICE"),
    "de": ("HAFERFLOCKEN", "GRÜNER TEE", "ROTE LINSEN", "KAKAOPULVER"),
    "fr": ("FLOCONS D'AVOINE", "THÉ VERT", "LENTILLES", "RIZ COMPLET"),
    "es": ("COPOS DE AVENA", "TÉ VERDE", "LENTEJAS", "ARROZ INTEGRAL"),
    "it": ("FIOCCHI D'AVENA", "TÈ VERDE", "LENTICCHIE", "RISO INTEGRALE"),
}
LIQUIDS = {
    "en": ("OLIVE OIL", "HAND SOAP", "ORANGE JUICE", "SHAMPOO", "FLOOR CLEANER"),
    "de": ("OLIVENÖL", "HANDSEIFE", "ORANGENSAFT", "SHAMPOO"),
    "fr": ("HUILE D'OLIVE", "SAVON LIQUIDE", "JUS D'ORANGE"),
    "es": ("ACEITE DE OLIVA", "JABÓN LÍQUIDO", "ZUMO DE NARANJA"),
    "it": ("OLIO D'OLIVA", "SAPONE LIQUIDO", "SUCCO D'ARANCIA"),
}
DOSE = {"en": "Dose", "de": "Dosierung", "fr": "Dose", "es": "Dosis", "it": "Dose"}
NUTRIENTS = ("Vitamin C", "Magnesium", "Zinc", "Vitamin B6", "Iron", "Biotin", "Calcium")


def pick_weight(rng: np.random.Generator, style: Style) -> tuple[Amount, str, int]:
    """Choose a net weight, the unit of its conversion (`""` for none) and its decimals."""
    if style.language == "en" and chance(rng, 0.7):
        pounds = Amount(between(rng, 1.5, 10, 0.5), "pound")
        ounces = Amount(between(rng, 4, 28, 0.1), "ounce")
        return pick(rng, ((pounds, "kilogram", 2), (ounces, "gram", 0), (ounces, "gram", 0)))
    grams, kilograms = Amount(between(rng, 100, 900, 25), "gram"), between(rng, 1, 5, 0.25)
    return pick(rng, ((grams, "", 0), (Amount(kilograms, "kilogram"), "", 0)))


def pick_volume(rng: np.random.Generator, style: Style) -> tuple[Amount, str, int]:
    """Choose a content, the unit of its conversion (`""` for none) and its decimals."""
    if style.language == "en" and chance(rng, 0.7):
        ounces = Amount(between(rng, 4, 34, 0.1), "fluid ounce")
        large = Amount(between(rng, 1, 5), pick(rng, ("gallon", "quart", "pint")))
        return pick(
            rng, ((ounces, "millilitre", 0), (ounces, "millilitre", 0), (large, "litre", 2))
        )
    options = (
        Amount(between(rng, 50, 950, 50), "millilitre"),
        Amount(between(rng, 0.5, 5, 0.25), "litre"),
        Amount(pick(rng, (33, 50, 70, 75)), "centilitre"),
    )
    return pick(rng, options), "", 0


def write_content(style: Style, amount: Amount, second: str, digits: int) -> str:
    """Print a content with its conversion, if there is one."""
    return style.notation.both(amount, second, digits) if second else style.notation.write(amount)


def write_lines(
    canvas: Canvas,
    rng: np.random.Generator,
    lines: list[tuple[str, Lettering]],
    places: tuple[float, float, float],
    room: float,
) -> None:
    """Write lines of text one below another in random order; `places`: x, first y, last y."""
    x, first, last = places
    for row, at in enumerate(rng.permutation(len(lines))):
        y = first + row * (last - first) / (len(lines) - 1)
        canvas.text((x, y), *lines[int(at)], room=room)


def draw_pouch(rng: np.random.Generator) -> Drawing:
    """Draw a food pouch: small net weight at the bottom; price, date, serving are decoys."""
    style = pick_style(rng, english=0.4)
    canvas = Canvas(800, 1000, style.paper)
    weight, second, digits = pick_weight(rng, style)
    area: Area = (160, 90, 640, 920)
    canvas.shadow((150, 890, 650, 950))
    canvas.shade(area, lighter(style.accent, 0.25), darker(style.accent, 0.15), True)
    canvas.box(split(area, 0, 0, 1, 0.06), darker(style.accent, 0.35))
    canvas.box(split(area, 0.08, 0.3, 0.92, 0.96), lighter(style.accent, 0.88), radius=14)
    white = (255, 255, 255)
    name = pick(rng, FOODS[style.language])
    canvas.text((400, 245), name, style.letters(44, True, white), room=440)
    serving = style.notation.write(Amount(between(rng, 25, 60, 5), "gram"))
    content = f"{pick(rng, wording.NET_WEIGHT[style.language])} "
    content += write_content(style, weight, second, digits)
    day, lot = between(rng, 10, 28), rng.integers(1000, 9999)
    lines = [
        (f"{between(rng, 90, 390):.0f} kcal / {serving}", style.letters(26)),
        ("100 % BIO" if chance(rng, 0.5) else "-20 %", style.letters(30, True)),
        (content, style.letters(between(rng, 28, 36), chance(rng, 0.5))),
        (f"{day:.0f}.{between(rng, 10, 12):.0f}.2027  L{lot}", style.letters(24)),
    ]
    write_lines(canvas, rng, lines, (400, 410, 700), room=370)
    canvas.ellipse((480, 730, 620, 870), (250, 214, 50))
    price = f"{between(rng, 2, 14):.0f}{'.' if style.language == 'en' else ','}99"
    canvas.text((550, 800), price, style.letters(34, True, (30, 30, 30)))
    return Drawing(canvas, {"item_weight": weight}, ("item_volume", *SIZES), rough=True)


def draw_liquid(rng: np.random.Generator) -> Drawing:
    """Draw a bottle of liquid with its content; percentages and a dose are decoys."""
    style = pick_style(rng, english=0.6)
    canvas = Canvas(700, 1000, style.paper)
    volume, second, digits = pick_volume(rng, style)
    canvas.shadow((170, 910, 530, 970))
    canvas.box((280, 60, 420, 170), darker(style.accent, 0.6), radius=12)
    canvas.box((140, 160, 560, 940), style.accent, radius=70)
    canvas.shade((165, 250, 535, 870), lighter(style.accent, 0.3), style.accent, True)
    canvas.box((175, 310, 525, 850), (252, 250, 244), radius=10)
    name = pick(rng, LIQUIDS[style.language])
    canvas.text((350, 375), name, style.letters(40, True, style.accent), room=320)
    dose = style.notation.write(Amount(between(rng, 5, 15, 5), "millilitre"))
    content = write_content(style, volume, second, digits) + " e" * chance(rng, 0.2)
    lines = [
        (f"{between(rng, 91, 99):.0f} % natural", style.letters(26)),
        (f"{DOSE[style.language]}: {dose} / 5 L H2O", style.letters(25)),
        (f"pH 5.5   No. {rng.integers(10, 99)}", style.letters(25)),
        (content, style.letters(between(rng, 32, 44), True)),
    ]
    write_lines(canvas, rng, lines, (350, 470, 790), room=320)
    return Drawing(canvas, {"item_volume": volume}, ("item_weight", *SIZES), rough=True)


def draw_supplement(rng: np.random.Generator) -> Drawing:
    """Draw a powder's facts panel: doses in mg and a serving beside the net weight."""
    style = pick_style(rng, english=1)
    canvas = Canvas(1000, 1000, style.paper)
    weight, second, digits = pick_weight(rng, style)
    canvas.shadow((50, 890, 450, 950))
    canvas.box((90, 90, 410, 190), (40, 40, 44), radius=18)
    canvas.box((60, 170, 440, 930), style.accent, radius=40)
    canvas.text((250, 330), "DAILY", style.letters(64, True, (255, 255, 255)))
    canvas.text((250, 405), "POWDER", style.letters(56, True, (255, 255, 255)))
    canvas.text(
        (250, 520), f"{between(rng, 20, 60):.0f} SERVINGS", style.letters(30, False, (255,) * 3)
    )
    pale = style.letters(between(rng, 25, 30), True, (255, 255, 255))
    canvas.text((250, 800), pick(rng, wording.NET_WEIGHT["en"]), pale, room=340)
    canvas.text((250, 850), write_content(style, weight, second, digits), pale, room=340)
    canvas.box((490, 90, 950, 930), (255, 255, 255), outline=(20, 20, 20), width=3)
    black = style.letters(28, color=(20, 20, 20))
    canvas.text((720, 135), "Supplement Facts", black.but(size=40, bold=True))
    serving = style.notation.write(Amount(between(rng, 5, 12, 0.5), "gram"))
    canvas.text(
        (520, 205), f"Serving size 1 scoop ({serving})", black.but(size=26), anchor="l", room=400
    )
    for row, name in enumerate(NUTRIENTS):
        y = 280 + 88 * row
        canvas.line((490, y - 40), (950, y - 40), (20, 20, 20), 1)
        canvas.text((520, y), name, black, anchor="l")
        canvas.text((800, y), f"{between(rng, 10, 400, 5):.0f} mg", black, anchor="r")
        canvas.text((920, y), f"{between(rng, 10, 250):.0f}%", black, anchor="r")
    return Drawing(canvas, {"item_weight": weight}, ("item_volume", "width", "height"), rough=True)


def draw_carton(rng: np.random.Generator) -> Drawing:
    """Draw a carton on a floor: size as a line of three numbers, net and gross weight."""
    style = pick_style(rng, english=0.5)
    canvas = Canvas(1100, 900)
    canvas.paste(crop_photo(rng, pick(rng, TEXTURES), (1100, 900), 0.6), (0, 0, 1100, 900))
    canvas.shadow((90, 760, 1010, 860), 160)
    canvas.polygon([(110, 180), (180, 110), (1040, 110), (980, 180)], (216, 180, 134))
    canvas.polygon([(980, 180), (1040, 110), (1040, 740), (980, 810)], (160, 122, 80))
    canvas.box((110, 180, 980, 810), (196, 156, 108))
    canvas.box((110, 440, 980, 500), (206, 170, 124))
    unit = "inch" if style.language == "en" and chance(rng, 0.5) else "centimetre"
    width, depth, height = (length(rng, 20, 59, unit) for _ in range(3))
    net = Amount(between(rng, 4, 20, 0.5), "pound" if unit == "inch" else "kilogram")
    gross = Amount(net.value + between(rng, 0.5, 1.5, 0.5), net.unit)
    print_ = style.letters(40, True, (44, 34, 26))
    numbers = " x ".join(style.notation.number(a.value) for a in (width, depth, height))
    size = f"{wording.SIZE_ORDER[style.language]}: {numbers} {style.notation.unit(unit)}"
    canvas.text((545, 260), f"{wording.MODEL[style.language]} {_model(rng)}", print_)
    canvas.text((545, 350), size, print_.but(size=36))
    netto, brutto = {
        "en": ("Net weight", "Gross weight"),
        "de": ("Nettogewicht", "Bruttogewicht"),
        "fr": ("Poids net", "Poids brut"),
        "es": ("Peso neto", "Peso bruto"),
        "it": ("Peso netto", "Peso lordo"),
    }[style.language]
    order = [(brutto, gross), (netto, net)] if chance(rng, 0.5) else [(netto, net), (brutto, gross)]
    for row, (caption, amount) in enumerate(order):
        canvas.text((545, 590 + 80 * row), f"{caption}: {style.notation.write(amount)}", print_)
    stated = {"width": width, "depth": depth, "height": height, "item_weight": net}
    return Drawing(canvas, stated, ("voltage", "item_volume", "wattage"), rough=True)


def _model(rng: np.random.Generator) -> str:
    letters = "".join(pick(rng, "ABCDEFGHKLMNPRSTX") for _ in range(2))
    return f"{letters}-{rng.integers(100, 9800)}"


def draw_doses(rng: np.random.Generator) -> Drawing:
    """Draw a pill box with doses and counts only; it states no content."""
    style = pick_style(rng, english=0.5)
    canvas = Canvas(1000, 700, style.paper)
    canvas.shadow((80, 590, 930, 660))
    canvas.polygon([(90, 150), (150, 90), (940, 90), (900, 150)], lighter(style.accent, 0.5))
    canvas.polygon([(900, 150), (940, 90), (940, 560), (900, 620)], darker(style.accent))
    canvas.box((90, 150, 900, 620), (250, 250, 250))
    canvas.box((90, 150, 900, 300), style.accent)
    canvas.text((495, 215), pick(rng, NUTRIENTS).upper(), style.letters(70, True, (255,) * 3))
    count = {"en": "tablets", "de": "Tabletten", "fr": "comprimés", "es": "comprimidos",
             "it": "compresse"}[style.language]  # fmt: skip
    canvas.text((495, 390), f"{between(rng, 30, 120, 30):.0f} {count}", style.letters(50, True))
    percent = f"{between(rng, 50, 400, 10):.0f} % NRV  -  EXP 09/2027"
    canvas.text((495, 480), percent, style.letters(32))
    dose = f"{between(rng, 50, 950, 50):.0f} mg"
    canvas.text((780, 270), dose, style.letters(30, True, (255, 255, 255)))
    canvas.text((495, 555), f"LOT {rng.integers(10000, 99999)}   {_model(rng)}", style.letters(28))
    return Drawing(canvas, {}, ("item_volume", "voltage", "height"), rough=True)


KINDS: dict[str, Draw] = {
    "pouch": draw_pouch,
    "liquid": draw_liquid,
    "supplement": draw_supplement,
    "carton": draw_carton,
    "doses": draw_doses,
}
