"""Tests of scoring and fitting the models that come with the project, on synthetic images."""

import numpy as np
import pandas as pd
import pytest

from lib.dev import fit_models
from lib.dev.challenge_photos import LabelledImages
from lib.extraction.learned.model import read_model
from lib.extraction.learned.questions import MAY_BE_EMPTY, digest, read_rows, write_rows
from lib.features.roundness import read_roundness
from lib.tests.drawing import page, turned_word, word
from lib.tests.labelled import SEGMENTS, label_questions, shrink

COUNT = 30
LEARNED = ["rules", "learned"]


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path):
    """Fit few trees, and write nothing into the project."""
    shrink(monkeypatch)
    monkeypatch.setattr(fit_models, "PROJECT", tmp_path)
    monkeypatch.setattr(fit_models, "MODELS", tmp_path / "models")
    monkeypatch.setattr(fit_models, "SHIPPED", tmp_path / "models/learned.npz")
    monkeypatch.setattr(fit_models, "SHIPPED_ROWS", tmp_path / "models/labelled_rows.npz")
    monkeypatch.setattr(fit_models, "TABLES", {"dev": tmp_path / "dev.csv"})
    (tmp_path / "models").mkdir()


@pytest.fixture(scope="module")
def labelled():
    """Drawings of which every other shows a round product, with a label on each."""
    names = [f"sha{number}" for number in range(COUNT)]
    tags = pd.Series(np.arange(COUNT) % 2, index=names)
    random = np.random.default_rng(0)
    shapes = random.normal(size=(COUNT, 1280)) + 2.0 * tags.to_numpy()[:, None]
    pages = {name: draw(number) for number, name in enumerate(names)}
    rows = [row for number, name in enumerate(names) for row in list_questions(number, name)]
    columns = ["sha256", "entity_name", "truths", "group_id", "cluster", "source"]
    samples = pd.DataFrame(rows, columns=columns)
    vectors = dict(zip(names, shapes, strict=True))
    return LabelledImages(samples, tags, pages, dict.fromkeys(names, SEGMENTS), vectors)


def draw(number):
    """Draw width, height and a label."""
    lines = word(f"{number + 5} cm", 200, 350), turned_word(f"{number + 90} cm", 40, 220)
    return page(*lines, word("Dose 5 g", 300, 20), word(f"Net weight {number + 100} g", 300, 60))


def list_questions(number, name):
    """List the questions about an image: its depth and its weight."""
    own = f"g{number // 2}", number // 2, "dev" if number < COUNT // 2 else "statements"
    yield name, "depth", [f"{number + 5}.0 centimetre"] if number % 2 else [MAY_BE_EMPTY], *own
    yield name, "item_weight", [f"{number + 100}.0 gram"], *own


def test_questions_become_rows(labelled):
    """Each question about a readable image is a row with its set, image, group and answer."""
    rows = fit_models.label_images(labelled)
    assert len(rows) == 2 * COUNT
    assert set(rows.image.tolist()) == {digest(name) for name in labelled.pages}
    assert rows.stated.sum() == COUNT + COUNT // 2
    assert np.bincount(rows.source).tolist()[1:3] == [COUNT, COUNT]


@pytest.mark.parametrize("lost", ["pages", "shapes"])
def test_unread_images_are_left_out(labelled, lost):
    """An image without text or vector has no row, and breaks no other."""
    parts = vars(labelled) | {lost: dict(list(getattr(labelled, lost).items())[2:])}
    tags = labelled.tags[list(parts["shapes"])]
    rows = fit_models.label_images(LabelledImages(**parts | {"tags": tags}))
    assert len(rows) == 2 * COUNT - 4
    assert digest("sha0") not in rows.image


def test_roundness_of_an_image_comes_from_others(labelled, monkeypatch):
    """No image is scanned with a roundness model that was fitted on its cluster."""
    seen, scanned = [], []
    fit, scan = fit_models.fit_shape, fit_models.scan_images
    clusters = labelled.clusters

    def fit_some(labels, names):
        seen.append(set(clusters[list(names)]))
        return fit(labels, names)

    def scan_some(labels, names, roundness):
        scanned.append(set(clusters[list(names)]))
        return scan(labels, names, roundness)

    monkeypatch.setattr(fit_models, "fit_shape", fit_some)
    monkeypatch.setattr(fit_models, "scan_images", scan_some)
    scans = fit_models.scan_unseen(labelled)
    assert set(scans) == set(labelled.pages)
    assert not any(own & others for own, others in zip(scanned, seen, strict=True))
    assert fit_models.score_shape(labelled) > 0.9


def test_scores_have_a_row_for_each_set_and_entity(labelled):
    """Rules and model stand side by side for each set of labels, and their difference."""
    table = fit_models.score_methods(fit_models.label_images(labelled))
    sets = table[table["entity"].isna()].set_index(["set", "method"])
    assert sorted(sets.index) == sorted(
        (one, method)
        for one in ("dev", "statements")
        for method in (*LEARNED, "learned - rules")
    )  # fmt: skip
    for one in ("dev", "statements"):
        scores = sets.loc[one]
        gap = scores.loc["learned", "f1"] - scores.loc["rules", "f1"]
        difference = scores.loc["learned - rules"]
        assert difference["f1"] == pytest.approx(gap, abs=2e-4)
        assert difference["low"] <= difference["f1"] <= difference["high"]
        assert (scores.loc[LEARNED, "low"] <= scores.loc[LEARNED, "f1"]).all()
        assert (scores.loc[LEARNED, "samples"] == COUNT).all()
        assert scores.loc["learned", "f1"] > 0.8
        assert 0 <= scores.loc["learned", "calibration_error"] <= 1
    parts = table.dropna(subset="entity").groupby(["set", "method"])["samples"].sum()
    assert (parts == COUNT).all() and len(parts) == 4


def test_stored_models_are_readable(labelled, monkeypatch, tmp_path, capsys):
    """Model, rows, roundness and scores are written, and read again."""
    (tmp_path / "dev.csv").touch()
    monkeypatch.setattr(fit_models, "read_labelled_images", lambda memory: labelled)
    assert fit_models.main([]) == 0
    models = tmp_path / "models"
    model, rows = read_model(models / "learned.npz"), read_rows(models / "labelled_rows.npz")
    assert model.card["rows"] == {"dev": COUNT, "statements": COUNT}
    assert model.card["images"] == COUNT
    assert {row["set"] for row in model.card["scores"]} == {"dev", "statements"}
    assert set(rows.image.tolist()) <= set(model.names.tolist())
    assert read_roundness(models / "roundness.json").weights.shape == (1280,)
    assert set(pd.read_csv(models / "scores.csv")["method"]) == {*LEARNED, "learned - rules"}
    assert "ROC AUC" in capsys.readouterr().out


def test_study_is_stored(monkeypatch, tmp_path, capsys):
    """Learning curve and ablation of the model lie beside it, as they are printed."""
    monkeypatch.setattr("lib.extraction.learned.study.SIZES", (0.5, 1.0))
    write_rows(label_questions(range(40)), tmp_path / "models/labelled_rows.npz")
    assert fit_models.main(["--study"]) == 0
    assert len(pd.read_csv(tmp_path / "models/learning_curve.csv")) == 2
    methods = pd.read_csv(tmp_path / "models/ablation.csv")["method"].tolist()
    assert {"learned", "without rules", "rules"} < set(methods)
    assert "without rules" in capsys.readouterr().out


def test_same_rows_make_the_same_model(tmp_path):
    """Without the images, which users do not have, the model is fitted on the shipped rows."""
    rows = label_questions(range(20))
    write_rows(rows, tmp_path / "models/labelled_rows.npz")
    made = []
    for _ in range(2):
        assert fit_models.main([]) == 0
        made.append((tmp_path / "models/learned.npz").read_bytes())
    assert made[0] == made[1]


def test_dry_run_stores_nothing(labelled, monkeypatch, tmp_path, capsys):
    """Scores are shown for each split into folds, no file is written."""
    (tmp_path / "dev.csv").touch()
    monkeypatch.setattr(fit_models, "read_labelled_images", lambda memory: labelled)
    assert fit_models.main(["--dry-run", "--seeds", "2"]) == 0
    assert list((tmp_path / "models").iterdir()) == []
    assert capsys.readouterr().out.count("calibration_error ") == 2


def test_missing_images_are_reported(tmp_path, capsys):
    """Users do not have the images: the command says where to read on."""
    write_rows(label_questions(range(20)), tmp_path / "models/labelled_rows.npz")
    assert fit_models.main(["--dry-run"]) == 0
    assert "lib/models/README.md" in capsys.readouterr().out


def test_nothing_to_fit_on_is_an_error():
    """Without images and without rows nothing is written."""
    with pytest.raises(FileNotFoundError):
        fit_models.main([])
