"""Tests of judging and refitting the models that come with the project, on made-up photos."""

import numpy as np
import pandas as pd
import pytest

from lib.dev import fit_models as refit
from lib.dev.challenge_photos import Photos
from lib.extraction.ranking.ranker import read_ranker
from lib.features.roundness import read_roundness
from lib.tests.drawing import page, turned_word, word

COUNT = 40
SEGMENTS = np.array([[80, 345, 360, 345], [60, 40, 60, 340]], np.float32)


@pytest.fixture
def photos(monkeypatch):
    """Drawings of which every other shows a round thing, and a label with each."""
    monkeypatch.setattr("lib.extraction.ranking.training.TREES", 10)
    monkeypatch.setattr(refit, "FOLDS", 2)
    names = [f"{number}.jpg" for number in range(COUNT)]
    tags = pd.Series(np.arange(COUNT) % 2, index=names)
    random = np.random.default_rng(0)
    shapes = random.normal(size=(COUNT, 1280)) + 2.0 * tags.to_numpy()[:, None]
    pages = {name: draw(number) for number, name in enumerate(names)}
    rows = [row for number, name in enumerate(names) for row in ask_about(number, name)]
    samples = pd.DataFrame(rows, columns=["image_file", "entity_name", "answer", "cluster"])
    samples["truths"] = [frozenset({answer} - {""}) for answer in samples["answer"]]
    clusters = pd.Series(np.arange(COUNT) // 2, index=names)
    vectors = dict(zip(names, shapes, strict=True))
    return Photos(samples, tags, clusters, pages, dict.fromkeys(names, SEGMENTS), vectors)


def draw(number):
    """Draw width, height and a label."""
    lines = word(f"{number + 5} cm", 200, 350), turned_word(f"{number + 90} cm", 40, 220)
    return page(*lines, word("Dose 5 g", 300, 20), word(f"Net weight {number + 100} g", 300, 60))


def ask_about(number, name):
    """Ask for the depth and for the weight."""
    depth = f"{number + 5}.0 centimetre" if number % 2 else ""
    yield name, "depth", depth, number // 2
    yield name, "item_weight", f"{number + 100}.0 gram", number // 2


def test_judging_shows_what_each_part_is_worth(photos):
    """Shape answers the depths of round things; without it they are missed."""
    table = refit.judge(photos, 0).set_index("method")
    assert table.loc["rules", "f1"] > 0.9
    assert table.loc["ranker", "f1"] > 0.9
    assert table.loc["rules without shape", "f1"] < table.loc["rules", "f1"] - 0.1
    assert (table["low"] <= table["f1"]).all() and (table["f1"] <= table["high"]).all()
    assert table.loc["rules: depth", "samples"] == COUNT
    assert refit.judge_shape(photos) > 0.9


def test_stored_models_are_readable(photos, monkeypatch, tmp_path):
    """Both models and the scores are written, and read again."""
    monkeypatch.setattr(refit, "MODELS", tmp_path)
    monkeypatch.setattr("lib.dev.fit_models.DEFAULT", tmp_path / "ranker.skops")
    refit.write_models(photos, pd.DataFrame({"method": ["rules"], "f1": [0.9]}))
    assert read_roundness(tmp_path / "roundness.json").weights.shape == (1280,)
    assert set(read_ranker(tmp_path / "ranker.skops").models) == {"labels", "lengths"}
    assert pd.read_csv(tmp_path / "scores.csv")["fitted"].str.match(r"\d{4}-\d\d-\d\d").all()


def test_without_the_photos_it_says_so(monkeypatch, tmp_path, capsys):
    """Users do not have the photos: the command says where to read on, and changes nothing."""
    monkeypatch.setattr(refit, "PHOTOS", tmp_path / "none")
    assert refit.main([]) == 2
    assert "lib/models/README.md" in capsys.readouterr().err
