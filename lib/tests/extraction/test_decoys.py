"""Tests of quantities that look like an answer: dates, servings, recipes, ranges, notes."""

import numpy as np
import pytest

from lib.extraction.answers import choose_by_rules
from lib.extraction.scan import scan_page
from lib.quantities import parse_answer
from lib.tests.drawing import page, turned_word, word
from lib.tests.extraction.test_strings import answer

LOAD, WEIGHT, VOLUME = "maximum_weight_recommendation", "item_weight", "item_volume"

# Question, text, answers (empty for none), why.
TEXTS = [
    (VOLUME, "Best before: 11.2026  L 8841", "", "a month and a lot"),
    (VOLUME, "À consommer avant 03.2028   L4471 B", "", "the same in French"),
    (WEIGHT, "EXP 12.2027  G 2203", "", "a lot with another letter"),
    (LOAD, "Scad. 10.2026   T 118", "", "the same in Italian"),
    (VOLUME, "Lote 5512   L 220", "", "a lot without a date"),
    (VOLUME, "Ablaufdatum 30.06.27   L 5120", "", "a day"),
    (VOLUME, "1,5 L   DL 2231", "1.5 litre", "a lot behind the content"),
    (VOLUME, "2 L 24 V", "2 litre", "a voltage behind the content"),
    (VOLUME, "Bidon 5 L  EAN 4006381333931", "5 litre", "a code behind the content"),
    (WEIGHT, "Cena 12,50 zł", "", "a price in Polish"),
    (VOLUME, "Serving size 3/4 cup (30g)\nServings per container about 11", "", "a serving"),
    (VOLUME, "Portion: 1/3 cup (80 g)", "", "the same in other words"),
    (VOLUME, "Porción 2/3 taza (50 g)", "", "the same in Spanish"),
    (VOLUME, "Serving size 8 fl oz (240 mL)\nServings per container 8", "", "one of eight"),
    (VOLUME, "Portion 200 ml\nPortionen pro Packung: 5", "", "one of five, German"),
    (VOLUME, "Serving Size 12 fl oz (355 mL)\nServings Per Container 1", "12 fluid ounce",
     "the only serving is the content"),
    (VOLUME, "1 serving per container\nServing size 1 bottle (500 mL)", "500 millilitre",
     "a bottle"),
    (VOLUME, "2/3 cup", "0.666667 cup", "a fraction is printed with few decimals"),
    (VOLUME, "1⅓ cups", "1.333333 cup", "so is one in a single sign"),
    (VOLUME, "Voedingswaarden per 100 g\nHeerlijk met 200 ml melk", "", "a recipe in Dutch"),
    (VOLUME, "Nutrition Facts\nMix one scoop with 250 ml cold water", "", "in English"),
    (VOLUME, "Nährwerte je 100 g\nMit 150 ml warmer Milch servieren", "", "in German"),
    (VOLUME, "Valeurs nutritionnelles\nÀ prendre avec 125 ml de lait", "", "in French"),
    (WEIGHT, "Valori nutrizionali\nServire con 100 g di frutta", "", "in Italian, a weight"),
    (WEIGHT, "Nutrition Facts\nEnjoy 40 g with yoghurt", "", "a portion"),
    (WEIGHT, "Nutrition Facts\nNet weight 400 g", "400 gram", "the net weight beside a table"),
    (VOLUME, "Nutrition Facts\nOrange Juice 64 FL OZ", "64 fluid ounce", "the product's name"),
    ("width", "Portata fino a 25 m\nCavo 80 cm", "", "a range is no misread centimetre, Italian"),
    ("width", "Range up to 10 m\nCable 50 cm", "", "the same in English"),
    ("width", "Reichweite bis zu 30 m\nKabel 80 cm", "", "in German"),
    ("width", "Jusqu'à 20 m\nCâble 50 cm", "", "in French"),
    ("width", "Alcance hasta 15 m", "", "in Spanish"),
    ("width", "Até 8 m", "", "in Portuguese"),
    ("width", "189 m\nHeight 60 cm", "189 centimetre", "a lost letter"),
    ("height", "Extends up to 180 cm height", "180 centimetre", "a height all the same"),
    (LOAD, "Only 2.4 lb\nUp to 17 inch laptops", "", "a limit of something else"),
    (WEIGHT, "Only 2.4 lb\nUp to 17 inch laptops", "2.4 pound", "and the weight is left"),
    (LOAD, "Just 890 g\nup to 20 hours", "", "a limit without a quantity"),
    (WEIGHT, "Just 890 g\nup to 20 hours", "890 gram", "and the weight is left"),
    (LOAD, "Nur 1,2 kg\nBis zu 8 Stunden", "", "in German"),
    (LOAD, "Seulement 3 kg\njusqu'à 10 h", "", "in French"),
    (WEIGHT, "Solo 700 g\nfino a 12 ore", "700 gram", "in Italian"),
    (LOAD, "Weight 12 kg\nup to 5 speeds", "", "beside a weight that is named"),
    (LOAD, "Up to\n300 lbs", "300 pound", "a limit above its quantity"),
    (LOAD, "Fino a 90 kg", "90 kilogram", "a limit in its line"),
    (WEIGHT, "Hasta 90 kg", "", "is no weight"),
    (WEIGHT, "Peso sin embalaje 5 kg", "5 kilogram", "without the package"),
    (WEIGHT, "Peso del embalaje 5 kg", "", "of the package"),
]  # fmt: skip


@pytest.mark.parametrize(("entity", "text", "expected", "reason"), TEXTS)
def test_texts(entity, text, expected, reason):
    """What is none of the product's is no answer, and what stands beside it still is one."""
    assert parse_answer(answer(entity, text)) == parse_answer(expected), reason


NOTES = [
    ("Ablage für Kisten bis 38 cm Höhe", "German"),
    ("Shelf takes boxes of 38 cm height", "English"),
    ("Étagère pour boîtes de 38 cm de hauteur", "French"),
    ("Ripiano adatto per scatole con altezza 38 cm", "Italian"),
]


@pytest.mark.parametrize(("note", "reason"), NOTES)
def test_notes_beside_a_drawing(note, reason):
    """The lengths of a drawing count more than those of a sentence beside it."""
    words = [word("180 cm", 170, 305, 20), turned_word("85 cm", 50, 230, 20)]
    words += [word("52 cm", 330, 190, 20), word(note, 20, 370, 20)]
    lines = [[80, 300, 320, 300], [76, 90, 76, 300], [326, 120, 326, 260]]
    scan = scan_page(page(*words), np.array(lines, np.float32))
    assert choose_by_rules(scan, "height").prediction == "85.0 centimetre", reason
