"""Tests of lines of text and their neighbours."""

import pytest

from lib.extraction.layout import Layout, join_words
from lib.tests.drawing import turned_word, word

JOINED = [
    ([word("1.5", 0, 0), word("kg", 18, 0)], ["1.5 kg"], "a space apart"),
    ([word("kg", 18, 0), word("1.5", 0, 0)], ["1.5 kg"], "given in another order"),
    ([word("1.5", 0, 0), word("kg", 40, 0)], ["1.5", "kg"], "columns of a table"),
    ([word("1.5", 0, 0), word("kg", 18, 12)], ["1.5", "kg"], "on two rows"),
    ([word("1.5", 0, 0, 30), word("kg", 48, 5, 10)], ["1.5", "kg"], "letters of two sizes"),
    ([turned_word("1.5", 0, 100), turned_word("kg", 0, 82)], ["1.5 kg"], "both read upwards"),
    ([word("1.5", 0, 0), turned_word("kg", 18, 10)], ["1.5", "kg"], "one of them turned"),
    ([word("I", 0, 0), word("l", 1, 0)], ["I", "l"], "one on the other: neither is lost"),
    ([], [], "an empty page"),
]


@pytest.mark.parametrize(("words", "expected", "reason"), JOINED)
def test_words_of_a_line_are_joined(words, expected, reason):
    """Words a space apart on one row make a line, others stand alone."""
    assert [line.text for line in join_words(words)] == expected, reason


def test_joined_line_spans_its_words():
    """A line begins with its first word's corners and ends with its last one's."""
    line = join_words([word("1.5", 0, 0), word("kg", 18, 0)])[0]
    assert (line.box.left, line.box.right) == (0, 28)


NUMBER = word("4000", 100, 100, 20)
NEIGHBOURS = [
    (Layout.find_beside, word("lbs", 150, 100, 20), True, "just behind"),
    (Layout.find_beside, word("lbs", 300, 100, 20), False, "far behind"),
    (Layout.find_beside, word("lbs", 150, 140, 20), False, "behind, a row lower"),
    (Layout.find_before, word("Load", 30, 100, 20), True, "in front"),
    (Layout.find_before, word("Load", 150, 100, 20), False, "behind"),
    (Layout.find_above, word("Load", 100, 75, 20), True, "over it"),
    (Layout.find_above, word("Load", 200, 75, 20), False, "over it, another column"),
    (Layout.find_below, word("lbs", 100, 125, 20), True, "under it"),
    (Layout.find_below, word("lbs", 100, 300, 20), False, "far under it"),
    (Layout.find_beside, turned_word("lbs", 150, 120, 20), False, "turned the other way"),
]


@pytest.mark.parametrize(("find", "other", "found", "reason"), NEIGHBOURS)
def test_neighbours_are_found_in_reading_direction(find, other, found, reason):
    """A neighbour is near, on the asked side, and reads the same way."""
    assert find(Layout([NUMBER, other]), 0) == (1 if found else -1), reason


def test_neighbours_of_turned_text_follow_its_direction():
    """Beside a text that reads upwards is above it in the image."""
    number, unit = turned_word("4000", 10, 100), turned_word("lbs", 10, 74)
    assert Layout([number, unit]).find_beside(0) == 1


def test_nearest_neighbour_wins():
    """Of two heads over a number the nearer is taken."""
    far, near = word("Width", 100, 55, 20), word("Height", 100, 76, 20)
    assert Layout([NUMBER, far, near]).find_above(0) == 2
