"""Figures of what was read, drawn without a screen."""

import matplotlib
import pandas as pd
from PIL import Image

matplotlib.use("agg")

from lib.ocr.page import Box, Page, Word
from lib.ocr.page_table import tabulate_words
from lib.reports.plots.images import plot_pages
from lib.reports.plots.scores import plot_confidences, plot_word_counts


def test_confidences_of_each_engine_add_up_to_one():
    """Engines with few words are as large as engines with many."""
    words = pd.DataFrame({"engine": ["a", "a", "a", "b"], "confidence": [0.1, 0.9, 1.0, 0.5]})
    ax = plot_confidences(words)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.get_xlabel() == "confidence of a word"


def test_word_counts_fall():
    """The share of images with at least so many words."""
    ax = plot_word_counts(pd.DataFrame({"engine": "a", "words": [3, 0, 9]}))
    assert ax.lines[0].get_ydata().tolist() == [9, 3, 0]


def test_empty_tables_are_drawn():
    """A batch without images has empty figures."""
    plot_confidences(pd.DataFrame({"engine": [], "confidence": []}))
    plot_word_counts(pd.DataFrame({"engine": [], "words": []}))
    assert len(plot_pages({}, pd.DataFrame({"sha256": []}), {})) == 1


def test_pages_have_a_box_for_each_word(tmp_path):
    """Three images, each with its boxes and their number above it."""
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    text = (Word("5 g", 0.9, Box(1, 1, 5, 3).quad), Word("x", 0.5, Box(1, 5, 5, 7).quad))
    words = tabulate_words(dict.fromkeys("abc", Page(9, 9, "rapidocr", text)))
    axes = plot_pages(dict.fromkeys("abc", tmp_path / "a.png"), words, {})
    assert [ax.get_title() for ax in axes] == ["2 words, 1 confident"] * 3
    assert len(axes[0].collections[0].get_paths()) == 2
