"""Tests of the features of candidates: all are known by name, finite, and what they say."""

import math

import numpy as np
import pytest

from lib.extraction.candidates import find_candidates
from lib.extraction.keywords import MEANINGS as KNOWN
from lib.extraction.learned.features import (
    DECIMALS,
    FAMILIES,
    FEATURES,
    MEANINGS,
    describe_candidates,
    describe_keywords,
    describe_lines,
    describe_mention,
    describe_page,
    describe_print,
    describe_question,
    describe_scores,
)
from lib.extraction.rules import assign_lengths
from lib.extraction.scan import scan_page
from lib.extraction.scoring import score_candidates
from lib.ocr.page import Page
from lib.tests.drawing import page, turned_word, word
from lib.tests.labelled import SEGMENTS, scan_drawing, scan_label

DUAL = scan_page(page(word("12 fl oz (355 ml)", 0, 0), word("5 ml", 0, 60)))
INCHES = scan_page(page(word("2 in (5.1 cm)", 0, 0)))
LETTERS = scan_page(page(word("W 30 x H 40 cm", 0, 0)))
SIX = scan_page(page(word("6 x 330 ml", 0, 0), word("100-200 ml", 0, 60), word("max 9 ml", 0, 90)))


def describe(scan, entity, candidate=0):
    """Name the features of one candidate."""
    return dict(zip(FEATURES, describe_candidates(scan, entity)[candidate].tolist(), strict=True))


def test_each_feature_belongs_to_one_family():
    """The ablation leaves out each feature once."""
    names = [name for family in FAMILIES.values() for name in family]
    assert len(set(names)) == len(names) == len(FEATURES)


def test_keywords_are_known():
    """A meaning without keywords would be a feature that is always 0."""
    assert set(MEANINGS) <= set(KNOWN)


def test_every_name_is_computed_and_every_value_has_a_name():
    """A misspelt name would be 0 for ever, and the value beside it lost."""
    scan, entity = scan_drawing(1), "depth"
    scored, assigned = score_candidates(scan, entity), assign_lengths(scan)
    candidate = scored.candidates[0]
    computed = (
        describe_question(scored, entity, 0)
        | describe_page(scan)
        | describe_scores(scored, entity, 0, 0, ())
        | describe_print(candidate, scan)
        | describe_mention(candidate, scored, entity)
        | describe_lines(candidate, scored, scan, entity, assigned)
    )
    keywords = {name for name in FEATURES if name.startswith(("near: ", "page: "))}
    assert set(computed) == set(FEATURES) - keywords
    label = scan_label(1)
    near = [describe_keywords(one.placed) for one in find_candidates(label, "item_weight")]
    assert {"near: net weight": 3.0} in near
    assert describe_page(label)["page: net weight"] == 1


PAGES = [
    (scan_label(1), "item_weight", "a label"),
    (scan_drawing(1), "depth", "a drawing of a round product"),
    (scan_drawing(1), "height", "the same asked for something else"),
    (scan_page(page(word("5 cm", 0, 0)), roundness=math.nan), "depth", "roundness unknown"),
    (scan_page(page(word("0 cm 0 cm", 0, 0))), "width", "no size has a logarithm of 0"),
    (scan_page(page(word("9999999 cm", 0, 0))), "width", "part of a barcode"),
    (scan_page(Page(0, 0, "", (word("5 cm", 0, 0),))), "width", "an image without a size"),
    (scan_page(page(word("5 cm", 0, 0, size=0))), "width", "letters without a size"),
    (scan_page(page(word("5 cm", 0, 0)), np.zeros((3, 4), np.float32)), "width", "points"),
    (DUAL, "item_volume", "a conversion"),
    (SIX, "item_volume", "pieces, a range and a maximum"),
]


@pytest.mark.parametrize(("scan", "entity", "reason"), PAGES)
def test_all_features_are_finite(scan, entity, reason):
    """Each candidate has a number for each feature, of few decimals."""
    features = describe_candidates(scan, entity)
    assert features.shape == (len(find_candidates(scan, entity)), len(FEATURES)), reason
    assert features.dtype == np.float32 and np.isfinite(features).all(), reason
    assert (features == features.round(DECIMALS)).all(), reason


VALUES = [
    (scan_label(1), "item_weight", 1, "near: net weight", 3.0, "on its own line"),
    (scan_label(1), "item_weight", 0, "near: net weight", 0.0, "the dose has none"),
    (scan_label(1), "item_weight", 0, "page: net weight", 1.0, "but its page has"),
    (scan_label(0), "item_weight", 0, "page: net weight", 0.0, "this page has not"),
    (scan_label(1), "item_weight", 1, "chosen", 1.0, "the rules choose the net weight"),
    (scan_label(1), "item_weight", 0, "chosen", 0.0, "and nothing else"),
    (DUAL, "item_volume", 0, "chosen", 1.0, "the first print"),
    (DUAL, "item_volume", 1, "chosen", 1.0, "the same volume in millilitres"),
    (DUAL, "item_volume", 1, "exactly chosen", 0.0, "is not the print that is chosen"),
    (DUAL, "item_volume", 1, "conversion", 1.0, "it stands in brackets"),
    (DUAL, "item_volume", 0, "units", 2.0, "printed in two units"),
    (INCHES, "width", 0, "imperial length", 1.0, "inches"),
    (INCHES, "width", 1, "imperial length", 0.0, "centimetres"),
    (LETTERS, "width", 0, "own axis", 1.0, "W is the width"),
    (LETTERS, "width", 1, "other axis", 1.0, "H is not"),
    (LETTERS, "height", 1, "own axis", 1.0, "asked for the height it is"),
    (SIX, "item_volume", 0, "pieces", 1.0, "one of six"),
    (SIX, "item_volume", 1, "range", 1.0, "from, to"),
    (SIX, "item_volume", 3, "maximum", 1.0, "at most"),
    (scan_drawing(1), "depth", 0, "roundness", 0.9, "as estimated"),
    (scan_page(page(word("5 cm", 0, 0))), "depth", 0, "roundness", -1.0, "not estimated"),
    (scan_label(1), "item_weight", 0, "roundness", 0.0, "weights have no shape"),
    (scan_drawing(1), "width", 0, "assigned to width", 1.0, "below a level line"),
    (scan_drawing(1), "height", 0, "assigned to another", 1.0, "which is the width"),
]


@pytest.mark.parametrize(("scan", "entity", "candidate", "name", "value", "reason"), VALUES)
def test_features_say_what_they_are_named(scan, entity, candidate, name, value, reason):
    """What is printed is found in the feature of that name."""
    assert describe(scan, entity, candidate)[name] == pytest.approx(value), reason


def test_pages_do_not_mix():
    """What is kept of the current page does not reach the next one."""
    scans = [scan_label(1), scan_drawing(1), scan_label(0), scan_drawing(2)]
    asked = ["item_weight", "depth", "item_weight", "depth"]
    first = [describe_candidates(*pair) for pair in zip(scans, asked, strict=True)]
    again = [describe_candidates(*pair) for pair in list(zip(scans, asked, strict=True))[::-1]]
    for one, other in zip(first, again[::-1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_print_is_measured_against_its_page():
    """A page twice as large in pixels has the same features."""
    small = describe(scan_page(page(word("Net weight 100 g", 20, 30, size=10))), "item_weight")
    words = (word("Net weight 100 g", 40, 60, size=20),)
    large = describe(scan_page(Page(1000, 800, "rapidocr", words)), "item_weight")
    assert small == pytest.approx(large)


def test_segments_tell_the_direction():
    """The line beside a number is a feature of its direction alone."""
    lines = word("30 cm", 200, 350), turned_word("90 cm", 40, 220)
    with_lines = describe(scan_page(page(*lines), SEGMENTS), "width")
    without = describe(scan_page(page(*lines)), "width")
    assert with_lines["strength width"] > without["strength width"]
    assert with_lines["lead in strength"] > 0
