"""Tests of scoring and fitting the models that come with the project, on synthetic images."""

import numpy as np
import pandas as pd
import pytest

from lib.dev import fit_models
from lib.dev.challenge_photos import LabelledImages
from lib.extraction.ranking.ranker import read_ranker
from lib.features.roundness import read_roundness
from lib.tests.drawing import page, turned_word, word

COUNT = 40
SEGMENTS = np.array([[80, 345, 360, 345], [60, 40, 60, 340]], np.float32)


@pytest.fixture
def labelled(monkeypatch):
    """Drawings of which every other shows a round thing, and a label with each."""
    monkeypatch.setattr("lib.extraction.ranking.training.TREES", 10)
    monkeypatch.setattr(fit_models, "FOLDS", 2)
    names = [f"{number}.jpg" for number in range(COUNT)]
    tags = pd.Series(np.arange(COUNT) % 2, index=names)
    random = np.random.default_rng(0)
    shapes = random.normal(size=(COUNT, 1280)) + 2.0 * tags.to_numpy()[:, None]
    pages = {name: draw(number) for number, name in enumerate(names)}
    rows = [row for number, name in enumerate(names) for row in list_questions(number, name)]
    samples = pd.DataFrame(rows, columns=["image_file", "entity_name", "answer", "cluster"])
    samples["truths"] = [frozenset({answer} - {""}) for answer in samples["answer"]]
    clusters = pd.Series(np.arange(COUNT) // 2, index=names)
    vectors = dict(zip(names, shapes, strict=True))
    return LabelledImages(samples, tags, clusters, pages, dict.fromkeys(names, SEGMENTS), vectors)


def draw(number):
    """Draw width, height and a label."""
    lines = word(f"{number + 5} cm", 200, 350), turned_word(f"{number + 90} cm", 40, 220)
    return page(*lines, word("Dose 5 g", 300, 20), word(f"Net weight {number + 100} g", 300, 60))


def list_questions(number, name):
    """List the questions about an image: its depth and its weight."""
    depth = f"{number + 5}.0 centimetre" if number % 2 else ""
    yield name, "depth", depth, number // 2
    yield name, "item_weight", f"{number + 100}.0 gram", number // 2


def test_scores_show_the_gain_of_each_feature(labelled):
    """Shape answers the depths of round things; without it they are missed."""
    table = fit_models.score_methods(labelled, 0).set_index("method")
    assert table.loc["rules", "f1"] > 0.9
    assert table.loc["ranker", "f1"] > 0.9
    assert table.loc["rules without shape", "f1"] < table.loc["rules", "f1"] - 0.1
    assert (table["low"] <= table["f1"]).all() and (table["f1"] <= table["high"]).all()
    assert table.loc["rules: depth", "samples"] == COUNT
    assert fit_models.score_shape(labelled) > 0.9


def test_stored_models_are_readable(labelled, monkeypatch, tmp_path):
    """Both models and the scores are written, and read again."""
    monkeypatch.setattr(fit_models, "MODELS", tmp_path)
    monkeypatch.setattr("lib.dev.fit_models.DEFAULT", tmp_path / "ranker.skops")
    fit_models.write_models(labelled, pd.DataFrame({"method": ["rules"], "f1": [0.9]}))
    assert read_roundness(tmp_path / "roundness.json").weights.shape == (1280,)
    assert set(read_ranker(tmp_path / "ranker.skops").models) == {"labels", "lengths"}
    assert pd.read_csv(tmp_path / "scores.csv")["fitted"].str.match(r"\d{4}-\d\d-\d\d").all()


def test_missing_images_are_reported(monkeypatch, tmp_path, capsys):
    """Users do not have the images: the command says where to read on, and changes nothing."""
    monkeypatch.setattr(fit_models, "PHOTOS", tmp_path / "none")
    assert fit_models.main([]) == 2
    assert "lib/models/README.md" in capsys.readouterr().err
