"""Tests of pages as tables."""

import numpy as np
import pandas as pd

from lib.ocr.page import Page
from lib.ocr.page_table import Pages, split_line_segments, tabulate_line_segments, tabulate_words
from lib.tests.drawing import page, turned_word, word

PAGES = {"a": page(word("1.5 kg", 0, 0), turned_word("30 cm", 40, 90)), "b": page()}


def test_pages_survive_the_table():
    """Words, corners and images without words come back as they were."""
    rows = [("a", 500, 400, "rapidocr"), ("b", 500, 400, "rapidocr")]
    read = pd.DataFrame(rows, columns=["sha256", "width", "height", "engine"])
    restored = dict(Pages(tabulate_words(PAGES), read))
    assert [w.text for w in restored["a"].words] == ["1.5 kg", "30 cm"]
    assert restored["a"].words[1].quad == PAGES["a"].words[1].quad
    assert restored["b"] == Page(500, 400, "rapidocr")


def test_segments_survive_the_table():
    """Each image gets its own line segments back, in order."""
    segments = {"a": np.array([[0, 0, 9, 9], [1, 2, 3, 4]], np.float32), "b": np.empty((0, 4))}
    restored = split_line_segments(tabulate_line_segments(segments))
    assert np.array_equal(restored["a"], segments["a"])
    assert "b" not in restored


def test_empty_tables_keep_their_columns():
    """A batch in which nothing was read still makes tables that can be joined."""
    assert len(tabulate_words({})) == 0
    assert tabulate_words({})["text"].dtype == tabulate_words(PAGES)["text"].dtype
    assert list(tabulate_line_segments({})) == ["sha256", "x1", "y1", "x2", "y2"]
