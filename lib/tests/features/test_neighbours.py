"""Images compared by their vectors."""

import numpy as np
import pandas as pd
import pytest

from lib.features.neighbours import (
    compare_splits,
    describe_vectors,
    map_images,
    near_duplicates,
    nearest_neighbours,
    place_on_map,
    same_label_share,
)
from lib.features.vectors import read_vectors, write_vectors


@pytest.fixture
def values():
    """Fifty vectors that point much the same way, the last two copies of the first two."""
    random = np.random.default_rng(0)
    values = 20 + random.normal(0, 1, (48, 2048))
    return np.vstack([values, values[:2] + random.normal(0, 0.01, (2, 2048))])


def test_write_and_read(tmp_path):
    """Batches are joined, an image in two of them once."""
    write_vectors(("a", "b"), np.ones((2, 2048)), "random (seed 0)", "float32", tmp_path, 0)
    write_vectors(("b", "c"), np.full((2, 2048), 2.0), "random (seed 0)", "float32", tmp_path, 1)
    write_vectors((), np.empty((0, 2048)), "random (seed 0)", "float32", tmp_path, 2)
    weights, values = read_vectors(tmp_path)
    assert weights.index.tolist() == ["a", "b", "c"]
    assert set(weights) == {"random (seed 0)"}
    assert values[:].dtype == np.float16
    assert values[:][:, 0].tolist() == [1, 1, 2]
    assert values[np.array([2, 0])][:, 0].tolist() == [2, 1] and len(values) == 3


def test_precisions_are_not_mixed(tmp_path):
    """Batches in two precisions are not compared; the message says what to set."""
    for batch, precision in enumerate(("float32", "bfloat16")):
        write_vectors((f"{batch}",), np.ones((1, 2048)), "mine.pth", precision, tmp_path, batch)
    with pytest.raises(ValueError, match="bfloat16 and float32; set PRECISION"):
        read_vectors(tmp_path)


def test_missing_vectors_name_the_notebook(tmp_path):
    """Without vectors the error says which notebook makes them."""
    with pytest.raises(FileNotFoundError, match=r"02_features\.ipynb"):
        read_vectors(tmp_path)


def test_near_duplicates(values):
    """Copies are found with their likeness, and nothing else."""
    found = near_duplicates(describe_vectors(values), np.arange(40), np.arange(40, 50))
    assert sorted(zip(found["row_a"], found["row_b"], strict=True)) == [(0, 48), (1, 49)]
    assert found["likeness"].min() > 0.99


@pytest.mark.parametrize(("a", "b"), [(0, 5), (5, 0), (0, 0)])
def test_near_duplicates_of_nothing(values, a, b):
    """An empty set has no duplicates."""
    assert near_duplicates(describe_vectors(values), np.arange(a), np.arange(b)).empty


def test_vectors_on_the_disk_are_described_like_those_in_memory(values, tmp_path):
    """The rows of several files are the rows of one array."""
    for batch, some in enumerate(np.split(values, [20, 20])):
        keys = tuple(f"{batch} {row}" for row in range(len(some)))
        write_vectors(keys, some, "random (seed 0)", "float32", tmp_path, batch)
    described = describe_vectors(read_vectors(tmp_path)[1])
    assert np.allclose(described, describe_vectors(values.astype(np.float16)), atol=1e-5)


def test_nearest_neighbours(values):
    """The likest comes first, and never the image itself."""
    found = nearest_neighbours(describe_vectors(values), np.array([0, 49]), 3)
    assert found["row"].tolist() == [0, 0, 0, 49, 49, 49]
    assert found.loc[[0, 3], "neighbour"].tolist() == [48, 1]
    assert (found["row"] != found["neighbour"]).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_images(values, count):
    """None, one or two images can be described, compared and placed too."""
    described = describe_vectors(values[:count])
    places, shares = place_on_map(values[:count])
    assert len(described) == len(places) == count
    assert shares.shape == (2,)
    rows = np.arange(count)
    assert len(nearest_neighbours(described, rows, 5)) == count * max(0, count - 1)
    assert len(same_label_share(described, pd.Series(rows))) == 2


def test_same_label_share(values):
    """Copies with a label of their own are found more often than by chance."""
    labels = pd.Series([f"group {number % 48}" for number in range(50)])
    same, chance = same_label_share(describe_vectors(values), labels)
    assert same >= 4 / 50
    assert chance == pytest.approx(4 / (50 * 49))


def test_compare_splits(values):
    """The same file in both tables is told from an image that is nearly one."""
    keys = [f"image {number}" for number in range(50)]
    split = ["train"] * 40 + ["test"] * 10
    samples = pd.DataFrame({"split": split, "image": keys, "path": keys})
    again = pd.DataFrame({"split": ["test"], "image": ["image 5"], "path": ["image 5"]})
    found = compare_splits(pd.concat([samples, again]), pd.Index(keys), values)
    assert found["kind"].tolist() == ["same", "near", "near"]
    assert found["path_train"].tolist()[0] == "image 5"
    assert sorted(found["test"][1:]) == ["image 48", "image 49"]


def test_compare_one_split(values):
    """Without a training table there is nothing to compare with."""
    samples = pd.DataFrame({"split": ["test"] * 50, "image": range(50), "path": ""})
    assert compare_splits(samples, pd.Index(range(50)), values).empty


def test_map_holds_a_limited_number_of_images(values):
    """Of many a random sample is shown; each is named by the tables it is in."""
    sha256 = pd.Index([f"p{i}" for i in range(50)])
    splits = ["train"] * 20 + ["test"] * 20 + ["test"]
    images = [*sha256[:40], "p0"]  # p0 is in both tables, the last ten in none
    samples = pd.DataFrame({"image": images, "split": splits, "path": images})
    placed, shares = map_images(samples, sha256, values)
    assert placed["image"].tolist() == sha256[:40].tolist()
    assert placed["split"].value_counts().to_dict() == {
        "test": 20,
        "train": 19,
        "test and train": 1,
    }
    assert (placed["path"] == placed["image"]).all()
    assert 0 < shares[1] <= shares[0] < 1
    few, _ = map_images(samples, sha256, values, count=7)
    assert len(few) == 7 and set(few["image"]) <= set(images)


def test_map_of_nothing(values):
    """A run without images has an empty map."""
    none = pd.DataFrame({"image": [], "split": [], "path": []}).astype(str)
    placed, _ = map_images(none, pd.Index([]), values[:0])
    assert placed.empty
