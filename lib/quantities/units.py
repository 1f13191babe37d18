"""Define the challenge's units: those each entity allows, their names on labels, their sizes."""

import unicodedata

_LENGTHS = frozenset({"centimetre", "foot", "inch", "metre", "millimetre", "yard"})
_WEIGHTS = frozenset({"gram", "kilogram", "microgram", "milligram", "ounce", "pound", "ton"})

# The challenge statement's table of allowed units, spelt as its format check requires.
ENTITY_UNITS: dict[str, frozenset[str]] = {
    "width": _LENGTHS,
    "depth": _LENGTHS,
    "height": _LENGTHS,
    "item_weight": _WEIGHTS,
    "maximum_weight_recommendation": _WEIGHTS,
    "voltage": frozenset({"kilovolt", "millivolt", "volt"}),
    "wattage": frozenset({"kilowatt", "watt"}),
    "item_volume": frozenset(
        {
            "centilitre",
            "cubic foot",
            "cubic inch",
            "cup",
            "decilitre",
            "fluid ounce",
            "gallon",
            "imperial gallon",
            "litre",
            "microlitre",
            "millilitre",
            "pint",
            "quart",
        }
    ),
}

ENTITIES: tuple[str, ...] = tuple(ENTITY_UNITS)

IMPERIAL: frozenset[str] = frozenset({"inch", "foot", "yard"})
DEGREES: frozenset[str] = frozenset("°º˚")  # signs that OCR also reads for an inch mark

# Sizes in metre, gram, volt, watt and litre. The inch, pound, US and imperial gallons are exact by
# definition (NIST Special Publication 811, appendix B); the ton is the metric one.
_SIZES: dict[str, dict[str, float]] = {
    "length": {
        "millimetre": 0.001,
        "centimetre": 0.01,
        "metre": 1.0,
        "inch": 0.0254,
        "foot": 0.3048,
        "yard": 0.9144,
    },
    "weight": {
        "microgram": 1e-6,
        "milligram": 0.001,
        "gram": 1.0,
        "kilogram": 1000.0,
        "ounce": 28.349523125,
        "pound": 453.59237,
        "ton": 1e6,
    },
    "voltage": {"millivolt": 0.001, "volt": 1.0, "kilovolt": 1000.0},
    "wattage": {"watt": 1.0, "kilowatt": 1000.0},
    "volume": {
        "microlitre": 1e-6,
        "millilitre": 0.001,
        "centilitre": 0.01,
        "decilitre": 0.1,
        "litre": 1.0,
        "cubic inch": 0.016387064,
        "cubic foot": 28.316846592,
        "fluid ounce": 0.0295735295625,
        "cup": 0.2365882365,
        "pint": 0.473176473,
        "quart": 0.946352946,
        "gallon": 3.785411784,
        "imperial gallon": 4.54609,
    },
}

UNIT_KIND: dict[str, str] = {unit: kind for kind, sizes in _SIZES.items() for unit in sizes}

_BASE: dict[str, float] = {unit: size for sizes in _SIZES.values() for unit, size in sizes.items()}

# What labels print, comma-separated: English first, then German, French, Spanish, Italian, Dutch.
# Accents, and dots and spaces inside, are optional when read ("fl. oz.", "FLOZ").
_WORDS: dict[str, str] = {
    "millimetre": "mm, mms, millimetre, millimetres, millimeter, millimeters, millimètre, "
    "millimètres, milímetro, milímetros, millimetro, millimetri, 毫米",
    "centimetre": "cm, cms, centimetre, centimetres, centimeter, centimeters, zentimeter, "
    "centimètre, centimètres, centímetro, centímetros, centimetro, centimetri, 厘米",
    "metre": "m, mtr, mtrs, metre, metres, meter, meters, mètre, mètres, metro, metros, metri, 米",
    "inch": "in, ins, inch, inches, inchs, zoll, pouce, pouces, pulgada, pulgadas, pulg, pollice, "
    "pollici, po, 英寸, ″, ”, “, „, ‟, ʺ, ˮ, 〃, ＂, \", '', ’’, ‘’, ′′, ``, ´´",
    "foot": "ft, fts, foot, feet, fuß, pied, pieds, pie, pies, piede, piedi, ', ’, ′, ‘",
    "yard": "yd, yds, yard, yards",
    "microgram": "mcg, mcgs, µg, μg, ug, microgram, micrograms, microgramme, microgrammes, "
    "mikrogramm, microgramo, microgramos, microgrammo, microgrammi",
    "milligram": "mg, mgs, mgm, milligram, milligrams, milligramm, milligramme, milligrammes, "
    "miligramo, miligramos, milligrammo, milligrammi, 毫克",
    "gram": "g, gr, grs, gm, gms, gram, grams, grm, grms, gramm, gramme, grammes, gramo, gramos, "
    "grammo, grammi, grammen, 克",
    "kilogram": "kg, kgs, kgm, kilo, kilos, kilogram, kilograms, kilogramm, kilogramme, "
    "kilogrammes, kilogramo, kilogramos, chilogrammo, chilogrammi, chilo, 公斤, 千克",
    "ounce": "oz, ozs, ounce, ounces, unze, unzen, once, onces, onza, onzas, oncia, oz av",
    "pound": "lb, lbs, pound, pounds, pfund, livre, livres, libra, libras, libbra, libbre, #, 磅",
    "ton": "t, ton, tons, tonne, tonnes, tonelada, toneladas, tonnellata, tonnellate",
    "millivolt": "mv, millivolt, millivolts",
    "volt": "v, volt, volts, voltios, voltio, vac, vdc, v ac, v dc, v a c, v d c, v~, v⎓, "
    "v=, v⎓, v⚌, v～, volts ac, volts dc, vcc, vca, voltaje, 伏",
    "kilovolt": "kv, kilovolt, kilovolts",
    "watt": "w, watt, watts, vatio, vatios, wattage, watts max, 瓦",
    "kilowatt": "kw, kilowatt, kilowatts, kilovatio, kilovatios",
    "microlitre": "µl, μl, ul, microlitre, microlitres, microliter, microliters, mikroliter",
    "millilitre": "ml, mls, millilitre, millilitres, milliliter, milliliters, mililitro, "
    "mililitros, millilitro, millilitri, cc, ccm, cm3, cm³, 毫升",
    "centilitre": "cl, centilitre, centilitres, centiliter, centiliters, zentiliter, centilitro, "
    "centilitros, centilitri",
    "decilitre": "dl, decilitre, decilitres, deciliter, deciliters, deziliter, décilitre, "
    "décilitres, decilitro, decilitros, decilitri",
    "litre": "l, lt, ltr, ltrs, lts, litre, litres, liter, liters, litro, litros, litri, ℓ, 升",
    "cubic inch": "cu in, cu inch, cu inches, cubic inch, cubic inches, in3, in³, cuin",
    "cubic foot": "cu ft, cuft, cubic foot, cubic feet, cu feet, ft3, ft³, cft, cf",
    "fluid ounce": "fl oz, floz, fl ozs, fluid oz, fluid ounce, fluid ounces, fl ounce, "
    "fl ounces, f oz, oz fl, onces liquides, onzas liquidas, onza liquida, us fl oz",
    "cup": "cup, cups",
    "pint": "pt, pts, pint, pints",
    "quart": "qt, qts, quart, quarts",
    "gallon": "gal, gals, gallon, gallons, galón, galones, us gal, us gallon, us gallons",
    "imperial gallon": "imp gal, imperial gal, imp gallon, imperial gallon, imperial gallons, "
    "uk gal, uk gallon, uk gallons",
}

# Glyphs that OCR confuses inside a unit: l, I, 1 and |; o and 0; z and 2; m, rn and n.
_SLIPS: dict[str, str] = {
    "inch": "lnch, 1nch, nch, inchn, inche, lnches, inchcs, im, 1n, ln, °, º, ˚",
    "centimetre": "crn, cn, c m, cmn",
    "millimetre": "mrn, rnm, m m, mmm",
    "pound": "ib, ibs, 1b, 1bs, |b, |bs, l b, lbss, lhs, bs, b",
    # FL misread as one letter; `unit_for` also accepts plain ounces for item_volume.
    "ounce": "0z, o2, 0zs, 0 z, z, 02, r oz, r 0z, a oz, a 0z, n oz, n 0z, h oz",
    "fluid ounce": "fi oz, f1 oz, fl 0z, fi 0z, f1 0z, fl o2, fi o2, fl 02, ft oz, il oz, il 0z, "
    "fl z, fioz, fi0z, fl0z",
    "gram": "qm, grarn",
    "kilogram": "k6, k9, kq, k g, k9s, k6s, kgr",
    "milligram": "rng, m9, mq, m g",
    "millilitre": "mi, m1, m|, rnl, m l, mil",
    "litre": "1iters, iiters",
    "volt": "vo1t, voit, voits, vo1ts",
    "watt": "wat, wats, wa1t, vvatt",
    "kilowatt": "k w",
}


def strip_accents(text: str) -> str:
    """Remove accents, which OCR often misses.

    >>> strip_accents("décilitre")
    'decilitre'
    """
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _invert(words: dict[str, str]) -> dict[str, str]:
    """Invert unit -> comma-separated words to word -> unit, with and without accents."""
    pairs = [(word, unit) for unit, line in words.items() for word in line.split(", ")]
    return {strip_accents(word): unit for word, unit in pairs} | dict(pairs)


# Lower-case word on a label -> unit, and the same for words with an OCR error.
ALIASES: dict[str, str] = _invert(_WORDS)
SLIP_ALIASES: dict[str, str] = {
    word: unit for word, unit in _invert(_SLIPS).items() if word not in ALIASES
}


def list_spellings(entity: str) -> dict[str, str]:
    """List how an entity's units may be typed in plain letters, each with its unit.

    >>> list_spellings("wattage")["kw"], list_spellings("item_volume")["oz"]
    ('kilowatt', 'fluid ounce')

    Raises:
        ValueError: When the entity is not one of the challenge's eight.
    """
    plain = [word for word in ALIASES if word.isascii() and word.replace(" ", "").isalpha()]
    found = {word: unit_for(entity, ALIASES[word]) for word in plain}
    return {word: unit for word, unit in found.items() if unit}


def to_base(value: float, unit: str) -> float:
    """Convert to metre, gram, volt, watt or litre, so that dual units can be compared.

    >>> to_base(10, "inch")
    0.254
    >>> to_base(1, "quart") == to_base(2, "pint")
    True

    Raises:
        ValueError: When the unit is not one of the challenge's.
    """
    if unit not in _BASE:
        raise ValueError(f"unknown unit {unit!r}; expected one of {sorted(_BASE)}")
    return value * _BASE[unit]


def unit_for(entity: str, unit: str) -> str | None:
    """Return the unit to print for an entity, given the unit on the label; None if not allowed.

    For a volume, "ounce" means fluid ounce.

    >>> unit_for("item_volume", "ounce")
    'fluid ounce'
    >>> unit_for("item_weight", "ounce")
    'ounce'
    >>> unit_for("height", "watt") is None
    True

    Raises:
        ValueError: When the entity is not one of the challenge's eight.
    """
    if entity not in ENTITY_UNITS:
        raise ValueError(f"unknown entity {entity!r}; expected one of {list(ENTITIES)}")
    if entity == "item_volume" and unit == "ounce":
        return "fluid ounce"
    return unit if unit in ENTITY_UNITS[entity] else None
