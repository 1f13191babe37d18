"""Tests of what speaks against taking a quantity for an answer."""

import pytest

from lib.extraction.answers import choose_by_rules
from lib.extraction.evidence import find_doubts
from lib.extraction.scan import scan_page
from lib.extraction.scoring import score_candidates
from lib.tests.drawing import page, word

LOAD, WEIGHT, VOLUME = "maximum_weight_recommendation", "item_weight", "item_volume"
DRAWING = ["60 cm", "40 cm", "85 cm"]
TABLE = ["Nutrition Facts", "80 g", "25 g", "30 g", "65 g"]

# Lines of the page, what is asked, the doubts about the last quantity, why.
CASES = [
    (["500 g"], LOAD, ["nothing says load"], "a label's only weight is its content"),
    (["Chair", "150 kg"], LOAD, [], "heavier than most products"),
    (["For 2 persons", "", "", "20 kg"], LOAD, [], "a person on the page"),
    (["Ages 3+", "", "", "Net weight: 20 kg"], LOAD, ["nothing says load"], "but it is named"),
    ([*DRAWING, "15 kg"], LOAD, [], "a drawing of furniture prints what it bears"),
    ([*DRAWING, "15 kg"], WEIGHT, ["limit"], "and not its own weight"),
    ([*DRAWING, "800 g"], WEIGHT, [], "too light for a load"),
    ([*DRAWING, "Weight: 15 kg"], WEIGHT, [], "said to be a weight"),
    (["LOT 2418 g"], WEIGHT, ["part of a code"], "a lot number"),
    (["Nutrition Facts", "100 g"], WEIGHT, ["basis of a nutrition table"], "what it refers to"),
    (["Valori nutrizionali", "100 ml"], VOLUME, ["basis of a nutrition table"], "in Italian"),
    (["100 g"], WEIGHT, [], "no table"),
    (["Makes 12 cups"], VOLUME, ["in a recipe"], "what is made of it"),
    (["340 g", "12 oz"], VOLUME, ["ounces of mass"], "the same mass in grams"),
    (["Shampoo", "12 oz"], VOLUME, [], "of a liquid"),
    (["12 oz"], VOLUME, ["ounces of mass"], "nothing says liquid"),
    (["12 oz"], WEIGHT, [], "an ounce is a weight"),
    (["Steel bar of 7 mm"], "width", ["in a sentence"], "no label of a dimension"),
    (["Length 7 mm"], "width", [], "a label"),
    (["The wall is 7 mm thick"], "width", ["in a sentence"], "thick names no width"),
    (["Base 15 cm"], "height", ["of something else"], "a part"),
    (["Cord 2 m"], "width", ["of something else"], "an accessory"),
    (["Height < 20 cm"], "height", ["limit"], "of what it holds"),
    (["7 Max.", "", "11 kg"], LOAD, ["nothing says load"], "a far word"),
    (["1 cup = 240 ml"], VOLUME, ["content of a spoon or cup"], "a measure"),
    (["12 cups = 1.8 l"], VOLUME, [], "a pot"),
    (["Kids 9-18 kg"], WEIGHT, ["of its user"], "a range of users"),
    (["Kids bag 900 g"], WEIGHT, [], "its own weight"),
    ([*TABLE, "375 g"], WEIGHT, ["in a table of nutrients or of users"], "a value among others"),
    ([*TABLE[1:], "375 g"], WEIGHT, [], "nothing says nutrition"),
    (["Steel bar of 7 x 9 mm"], "width", [], "a series states dimensions wherever it stands"),
    (["Fits 27 inch TVs"], "width", ["of what it fits"], "another product"),
    (["40°"], "height", ["angle"], "no inch mark on the page"),
    (["12″", "40°"], "height", [], "OCR reads inch marks as degree signs"),
    (["220 V"], "voltage", [], "nothing to doubt"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "entity", "doubts", "reason"), CASES)
def test_doubts(lines, entity, doubts, reason):
    """Each kind of quantity that is none of the product's is doubted, and the others are not."""
    scan = scan_page(page(*(word(text, 10, 10 + 60 * i) for i, text in enumerate(lines) if text)))
    assert find_doubts(score_candidates(scan, entity).candidates[-1], scan, entity) == doubts, (
        reason
    )


def test_a_name_clears_a_doubt():
    """A keyword in the same sentence is evidence enough."""
    scan = scan_page(page(word("The shelf has a width of 80 cm", 10, 10)))
    assert choose_by_rules(scan, "width").prediction == "80.0 centimetre"
