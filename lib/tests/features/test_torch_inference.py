"""ResNet50 as torch runs it on a GPU, here on the processor: the same vectors as OpenVINO's."""

import numpy as np
import pytest

from lib.features.resnet50 import load_network
from lib.features.torch_inference import load_on_gpu


@pytest.fixture(scope="module")
def images():
    """Three images, more than a machine of two cores runs at once."""
    return list(np.random.default_rng(1).integers(0, 256, (3, 224, 224, 3), np.uint8))


@pytest.fixture(scope="module")
def network():
    """ResNet50 in float32 on OpenVINO."""
    return load_network("random", "cpu", precision="float32")


@pytest.fixture(scope="module")
def expected(network, images):
    """The vectors of the images."""
    return network.backend.run(images)


def test_same_as_openvino(network, images, expected):
    """Each image has its own vector, float32 and in the order given, on either way."""
    vectors = load_on_gpu(network).run(images)
    assert vectors.dtype == expected.dtype == np.float32
    assert np.abs(vectors - expected).max() < 1e-5 * expected.max()


def test_one_image_as_three(network, images, expected):
    """An image's vector does not depend on those beside it."""
    assert (network.backend.run(images[2:]) == expected[2:]).all()
