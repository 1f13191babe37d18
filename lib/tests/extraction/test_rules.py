"""Tests of the fixed rules and of choosing by them."""

import numpy as np
import pytest

from lib.extraction.answers import choose_by_rules
from lib.extraction.candidates import ENTITY_KIND
from lib.extraction.scan import scan_page
from lib.tests.drawing import page, turned_word, word

LABELS = [
    ([word("Net weight 500 g", 0, 0), word("Protein 20 g", 0, 40)], "item_weight", "500.0 gram",
     "net weight beside a nutrient"),
    ([word("Gross weight 2 kg", 0, 0), word("Net weight 1.8 kg", 0, 40)], "item_weight",
     "1.8 kilogram", "net, not gross"),
    ([word("Max load 120 kg", 0, 0), word("Weight 8 kg", 0, 40)], "item_weight", "8.0 kilogram",
     "its own weight, not what it bears"),
    ([word("Max load 120 kg", 0, 0), word("Weight 8 kg", 0, 40)], "maximum_weight_recommendation",
     "120.0 kilogram", "what it bears, not its own weight"),
    ([word("9 W (60 W equivalent)", 0, 0)], "wattage", "9.0 watt", "not the lamp it replaces"),
    ([word("12 fl oz (355 ml)", 0, 0)], "item_volume", "12.0 fluid ounce", "first of dual units"),
    ([word("5000 mAh, 80 %, $ 15", 0, 0)], "voltage", "", "no volts on it"),
    ([word("W 30 x H 40 cm", 0, 0)], "height", "40.0 centimetre", "marked with its letter"),
    ([word("W 30 x H 40 cm", 0, 0)], "width", "30.0 centimetre", "marked with its letter"),
    ([word("W 30 x H 40 cm", 0, 0)], "depth", "", "neither of the two is a depth"),
    ([word("Thickness: 3 mm", 0, 0)], "depth", "3.0 millimetre", "thickness answers depth"),
    ([word("20W", 0, 0), word("3W", 0, 40, 12), word("20W", 0, 80)], "wattage", "20.0 watt",
     "printed twice"),
    ([word("Protein 2 g", 0, 0), word("2 g", 0, 90, 14)], "item_weight", "",
     "a nutrient wherever it is printed"),
    ([word("12 cm", 0, 0), word("Cable 3 m", 0, 60), word("9 cm", 0, 120)], "width",
     "12.0 centimetre", "the largest but for the cable"),
    ([word("Height adjustable", 0, 0), word("Base 15 cm", 0, 14)], "height", "",
     "the own line says whose it is"),
    ([word("15 cm", 0, 0), word('(5 78")', 0, 12)], "width", "15.0 centimetre",
     "a misread conversion on the next line"),
    ([word("7.5 + 2 in chain", 0, 0), word("(160 mm + 50 mm)", 0, 12), word("40 mm", 0, 90)],
     "height", "40.0 millimetre", "a line in brackets is of what the line above is"),
    ([], "width", "", "an empty page"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "entity", "expected", "reason"), LABELS)
def test_rules_choose_by_what_stands_around(words, entity, expected, reason):
    """Keywords, letters and order decide between quantities of one sort."""
    assert choose_by_rules(scan_page(page(*words)), entity).prediction == expected, reason


DRAWING = page(word("60 cm", 200, 350), turned_word("90 cm", 40, 220), word("35 cm", 330, 330))
SEGMENTS = np.array(
    [[80, 345, 360, 345], [60, 40, 60, 340], [310, 352, 370, 318]], np.float32
)  # below, to the left, receding at the right


@pytest.mark.parametrize(
    ("entity", "expected"),
    [("width", "60.0 centimetre"), ("height", "90.0 centimetre"), ("depth", "35.0 centimetre")],
)
def test_drawn_direction_decides(entity, expected):
    """A dimension drawing without a word is read from its line segments."""
    assert choose_by_rules(scan_page(DRAWING, SEGMENTS), entity).prediction == expected


def test_sides_of_a_square_answer_both_questions():
    """Equal numbers at two sides are two measures."""
    square = page(word("40 cm", 200, 350), turned_word("40 cm", 40, 220))
    scan = scan_page(square, SEGMENTS[:2])
    answers = [choose_by_rules(scan, entity).prediction for entity in ("width", "height")]
    assert answers == ["40.0 centimetre", "40.0 centimetre"]


@pytest.mark.parametrize(
    ("roundness", "expected", "reason"),
    [(0.9, "4.0 centimetre", "D is the diameter"), (0.1, "", "D is the depth")],
)
def test_a_round_product_is_as_wide_as_deep(roundness, expected, reason):
    """A length marked as the depth answers the width too if the product is round."""
    scan = scan_page(page(word("H 6 x D 4 cm", 0, 0)), roundness=roundness)
    assert choose_by_rules(scan, "width").prediction == expected, reason


def test_choice_explains_itself():
    """A choice carries its text, a reason and the runner-up."""
    scan = scan_page(page(word("Net weight 500 g", 0, 0), word("20 g", 0, 40)))
    choice = choose_by_rules(scan, "item_weight")
    assert choice.candidate and choice.candidate.placed.mention.surface == "500 g"
    assert choice.runner_up == "20.0 gram"
    assert "net weight" in choice.reason
    assert 0.5 < choice.probability < 1


def test_a_round_thing_is_as_deep_as_wide():
    """A drawing with width and height answers depth where the thing looks round, else nothing."""
    drawn = page(word("8 cm", 200, 350), turned_word("11 cm", 40, 220))
    answers = {
        roundness: choose_by_rules(scan_page(drawn, SEGMENTS[:2], roundness), "depth")
        for roundness in (0.9, 0.1, float("nan"))
    }
    assert [choice.prediction for choice in answers.values()] == ["8.0 centimetre", "", ""]
    assert answers[0.9].reason == "round: as deep as wide"


@pytest.mark.parametrize(
    ("text", "entity", "expected"),
    [
        ("Glue, 128 oz", "item_volume", "128.0 fluid ounce"),  # judged as a volume, not as 3.6 kg
        ("16000 lbs", "maximum_weight_recommendation", "16000.0 pound"),  # a winch
        ("Makes up to 60 L", "item_volume", ""),  # what it makes, not what it holds
    ],
)
def test_plausible_values(text, entity, expected):
    """Large values answer where products have them."""
    assert choose_by_rules(scan_page(page(word(text, 0, 0))), entity).prediction == expected


def test_rounded_pairs_are_one_measure():
    """`1.9 in` stacked on `5.0 cm` is one length, rounded twice, and no third measure."""
    drawn = page(word("1.9 in", 200, 350), word("5.0 cm", 200, 362), turned_word("4 in", 40, 220))
    scan = scan_page(drawn, SEGMENTS[:2])
    answers = [choose_by_rules(scan, entity).prediction for entity in ("width", "height", "depth")]
    assert answers == ["1.9 inch", "4.0 inch", ""]


@pytest.mark.parametrize("entity", ENTITY_KIND)
def test_pages_of_zeros_are_read(entity):
    """Where every quantity is 0 there is no greatest one to compare with, and no answer."""
    zeros = [f"0 {unit}" for unit in ("cm", "kg", "ml", "V", "W")]
    lines = [word(zero, 200, 40 * place) for place, zero in enumerate(zeros)]
    scan = scan_page(page(*lines, word("0 cm", 200, 350), turned_word("0 cm", 40, 220)), SEGMENTS)
    assert choose_by_rules(scan, entity).prediction == ""
