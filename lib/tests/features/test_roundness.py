"""Tests of the roundness: fitting, storing, and the model that comes with the project."""

import numpy as np
import pytest

from lib.dev.fit_models import fit_roundness, write_roundness
from lib.features.roundness import DEFAULT, Roundness, read_roundness

RANDOM = np.random.default_rng(0)
TAGS = RANDOM.integers(0, 2, 200)
VECTORS = RANDOM.normal(size=(200, 1280)) + 0.3 * TAGS[:, None]


def test_fitted_model_tells_round_from_not():
    """Vectors that differ by the tag are told apart; the values are probabilities."""
    values = fit_roundness(VECTORS, TAGS, "net").estimate(VECTORS)
    assert ((values >= 0) & (values <= 1)).all()
    assert values[TAGS == 1].mean() > values[TAGS == 0].mean() + 0.3


def test_stored_model_estimates_alike(tmp_path):
    """JSON keeps what matters of the weights."""
    fitted = fit_roundness(VECTORS, TAGS, "net")
    write_roundness(fitted, tmp_path / "model.json")
    read = read_roundness(tmp_path / "model.json")
    assert read.network == "net"
    assert read.estimate(VECTORS) == pytest.approx(fitted.estimate(VECTORS), abs=1e-3)


def test_vectors_of_another_network_are_refused():
    """The message says which vectors are meant."""
    with pytest.raises(ValueError, match=r"\(3, 2048\).*net"):
        Roundness(np.zeros(1280), 0.0, "net").estimate(np.zeros((3, 2048)))


@pytest.mark.parametrize(
    "content",
    [
        '{"offset": 1}',  # it lacks the rest
        '{"weights": ["x"], "offset": 1, "network": "net"}',  # no numbers
        "[]",  # another kind of thing
        '{"weights": [1',  # cut
        "",  # the disk was full
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, content):
    """The message names the file and what to do."""
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"other\.json holds no roundness .*fit_models"):
        read_roundness(tmp_path / "other.json")


def test_the_shipped_model_is_for_the_shipped_network():
    """The model that comes with the project fits the vectors that notebook 02 makes."""
    from lib.features.efficientnet import SHAPE_DIMENSIONS, SHAPE_WEIGHTS

    shipped = read_roundness(DEFAULT)
    assert shipped.network == SHAPE_WEIGHTS.stem
    assert shipped.weights.shape == (SHAPE_DIMENSIONS,)
