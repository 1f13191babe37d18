"""Features computed in processes: order, failures, deaths, what is cached, clusters."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.features import computing
from lib.features.computing import compute_features
from lib.io import ImageError
from lib.parallel.item_errors import StageFault, describe_error
from lib.parallel.workers import TaskResult


def read_shade(image):
    """Prepare an image: its grey levels, as large as it is."""
    return image.gray


def die_of_black(image):
    """End the process at a black image, as a decoder that crashes does."""
    if not image.gray.any():
        os._exit(1)
    return image.gray


def refuse_black(image):
    """Meet an expected error at a black image."""
    if not image.gray.any():
        raise ImageError("too dark")
    return image.gray


def hang_at_black(image):
    """Never end at a black image."""
    while not image.gray.any():
        pass
    return image.gray


class Shade:
    """A feature: an image's mean level, times a factor; kept in a dictionary."""

    work = "measuring shades"

    def __init__(self, prepare=read_shade, factor=1, known=None):
        self.prepare, self.factor, self.known = prepare, factor, {} if known is None else known
        self.recipe = Shade, (prepare, factor)
        self.batches = []

    def recall(self, sha256):
        """Return a value from the dictionary."""
        return self.known.get(sha256)

    def compute(self, prepared):
        """Compute means, and note how many at a time."""
        self.batches.append(len(prepared))
        return [np.array([levels.mean() * self.factor]) for levels in prepared]

    def keep(self, sha256, value):
        """Store a value."""
        self.known[sha256] = value
        return value


@pytest.fixture
def draw(tmp_path):
    """Make images of one shade each, by names that tell it."""

    def draw_images(*shades):
        for shade in shades:
            Image.new("L", (3, 2), shade).save(tmp_path / f"{shade}.png")
        return {str(shade): tmp_path / f"{shade}.png" for shade in shades}

    return draw_images


@pytest.mark.parametrize("count", [3, 9], ids=["here", "in processes"])
def test_values_of_all_images_in_order(draw, count):
    """Every feature has a value of every image, in the order of the images, and is stored."""
    images = draw(*range(count, 0, -1))
    features = [Shade(), Shade(factor=2)]
    plain, doubled = compute_features(images, features, workers=2, batch_size=2)
    assert [(name, value[0]) for name, value in plain.values.items()] == [
        (name, int(name)) for name in images
    ]
    assert [value[0] for value in doubled.values.values()] == [2 * int(name) for name in images]
    assert plain.hits == 0 and not plain.failures
    assert features[0].known.keys() == images.keys()
    assert max(features[0].batches) == 2 and sum(features[0].batches) == count


def test_only_what_is_not_cached_is_computed(draw):
    """An image opens for the features that it lacks, and a known one stays closed."""
    images = draw(1, 2, 3) | {"4": Path("nowhere.png")}
    known = [{"1": np.zeros(1), "4": np.zeros(1)}, {"2": np.zeros(1), "4": np.zeros(1)}]
    features = [Shade(known=one) for one in known]
    first, second = compute_features(images, features)
    assert (first.hits, second.hits) == (2, 2)
    assert [value[0] for value in first.values.values()] == [0, 2, 3, 0]
    assert [value[0] for value in second.values.values()] == [1, 0, 3, 0]
    assert [sum(feature.batches) for feature in features] == [2, 2]


@pytest.mark.parametrize(
    ("prepare", "limit", "reason"),
    [
        (refuse_black, 60.0, "too dark"),
        (die_of_black, 60.0, "the process working on it died"),
        (hang_at_black, 0.5, "took longer than 0.5 s and was stopped"),
    ],
    ids=["refusal", "death", "hanging"],
)
def test_an_image_that_ends_its_process_is_lost_alone(draw, monkeypatch, prepare, limit, reason):
    """A batch whose process died is done again image by image; other features fail with it."""
    monkeypatch.setattr(computing, "LIMIT", limit)
    monkeypatch.setattr(computing, "LIMIT_ALONE", limit)
    images = draw(5, 0, 7, 8, 9)
    found, plain = compute_features(images, [Shade(prepare), Shade()], workers=1, batch_size=5)
    assert found.failures == {"0": reason}
    assert list(found.values) == ["5", "7", "8", "9"]
    assert list(plain.failures) == ([] if prepare is refuse_black else ["0"])


def test_missing_files_fail_one_by_one(draw):
    """A file that is gone is a failure of each of its features."""
    images = draw(1) | {"gone": Path("gone.png")}
    for found in compute_features(images, [Shade(), Shade()]):
        assert list(found.values) == ["1"] and found.failures["gone"].startswith("cannot read gone")


def test_a_feature_that_cannot_be_computed_ends_the_stage(draw):
    """An error that no image can help ends the work with its own message."""
    feature = Shade()
    feature.compute = partial(int, "no network")
    with pytest.raises(TypeError):
        compute_features(draw(*range(9)), [feature], workers=1)


def test_the_same_error_everywhere_ends_the_stage(draw):
    """What all images meet is no image's fault."""
    feature = Shade(prepare=int)
    with pytest.raises(StageFault, match="measuring shades: all 5 items ended in the same"):
        compute_features(draw(*range(5)), [feature], workers=1)


def test_no_images():
    """Nothing in, nothing out."""
    (found,) = compute_features({}, [Shade()])
    assert (found.values, found.failures, found.hits) == ({}, {}, 0)


@pytest.mark.parametrize("failing", [ValueError("another network"), None], ids=["error", "death"])
def test_failed_batch_on_a_cluster_is_tried_by_image(draw, monkeypatch, failing):
    """Of a batch that fails on a worker each image is tried alone."""

    def run_on_cluster(function, calls, address, limit):
        for name, (tasks, recipes) in calls.items():
            error = describe_error(failing) if failing else None
            dead = TaskResult(None, error.reason if error else "died", 1.0, error)
            is_bad = any(sha256 == "3" for sha256, *_ in tasks)
            yield name, dead if is_bad else TaskResult(function(tasks, recipes), "", 1.0)

    monkeypatch.setattr(computing, "run_on_cluster", run_on_cluster)
    images, feature = draw(1, 2, 3, 4, 5), Shade()
    (found,) = compute_features(images, [feature], batch_size=3, cluster="tcp://x:1")
    reason = "internal error: ValueError: another network" if failing else "died"
    assert found.failures == {"3": reason}
    assert [value[0] for value in found.values.values()] == [1, 2, 4, 5]
    assert feature.known.keys() == found.values.keys() and not feature.batches
