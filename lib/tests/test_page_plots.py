"""Figures of what was read, drawn without a screen."""

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("agg")

from lib.page_plots import plot_confidences, plot_pages, plot_word_counts


def test_confidences_of_each_engine_add_up_to_one():
    """Engines with few words are as large as engines with many."""
    words = pd.DataFrame({"engine": ["a", "a", "a", "b"], "confidence": [0.1, 0.9, 1.0, 0.5]})
    ax = plot_confidences(words)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.get_xlabel() == "confidence of a word"


def test_word_counts_fall():
    """The share of pictures with at least so many words."""
    ax = plot_word_counts(pd.DataFrame({"engine": "a", "words": [3, 0, 9]}))
    assert ax.lines[0].get_ydata().tolist() == [9, 3, 0]


def test_empty_tables_are_drawn():
    """A batch without pictures has empty figures."""
    plot_confidences(pd.DataFrame({"engine": [], "confidence": []}))
    plot_word_counts(pd.DataFrame({"engine": [], "words": []}))
    assert len(plot_pages([], [], [])) == 1


def test_pages_have_a_box_for_each_word():
    """Three pictures, each with its boxes and their number above it."""
    quads = np.float32([[[1, 1], [5, 1], [5, 3], [1, 3]]] * 2)
    axes = plot_pages([np.zeros((9, 9, 3), np.uint8)] * 3, [quads] * 3, [[True, False]] * 3)
    assert [ax.get_title() for ax in axes] == ["2 words, 1 sure"] * 3
    assert len(axes[0].collections[0].get_paths()) == 2
