"""Tests of the keywords around quantities."""

import itertools

import pytest

from lib.extraction.keywords import MEANINGS, find_keywords

CASES = [
    ("Net Wt. 12 oz", ["net weight"], "abbreviated, with a dot"),
    ("NET WEIGHT: 340g", ["net weight"], "capitals"),
    ("Gross Weight 2 kg", ["gross weight"], "not the net one"),
    ("Weight capacity: 250 lbs", ["maximum load"], "the longer keyword wins over weight"),
    ("Holds up to 50 kg", ["maximum load"], "one keyword of three words"),
    ("Höhe 12 cm", ["height"], "German"),
    ("Hohe 12 cm", ["height"], "accents lost by OCR"),
    ("Largeur 30 cm x Hauteur 40 cm", ["width", "height"], "French, in order"),
    ("Peso neto 500 g", ["net weight"], "Spanish"),
    ("Tensione 230 V, potenza 60 W", ["voltage", "power"], "Italian"),
    ("60W equivalent", ["equivalent"], "a lamp's comparison"),
    ("Serving size 30 g", ["serving", "size"], "two keywords side by side"),
    ("Wholesale", [], "no keyword inside another word"),
    ("highlight", [], "begins like a keyword"),
    ("", [], "nothing"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), CASES)
def test_keywords_are_found(text, expected, reason):
    """Keywords of five languages are found as whole words, the longest first."""
    assert [keyword.meaning for keyword in find_keywords(text)] == expected, reason


def test_places_point_into_the_text():
    """A keyword's span is the keyword as printed."""
    keyword = find_keywords("Die Tragkraft: 20 kg")[0]
    assert "Die Tragkraft: 20 kg"[keyword.start : keyword.end] == "Tragkraft"


def test_every_keyword_finds_its_meaning():
    """No keyword of the table is shadowed by another meaning's."""
    for meaning, languages in MEANINGS.items():
        for keyword in itertools.chain.from_iterable(languages.values()):
            found = {one.meaning for one in find_keywords(keyword)}
            assert meaning in found, (keyword, found)
