"""EfficientNet-Lite0 in OpenVINO's operations: as torch computes it, without torch."""

import io
import pickle

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from joblib import Memory
from PIL import Image

from lib.features.efficientnet import SHAPE_WEIGHTS, load_shape_network
from lib.features.embedding import embed_images
from lib.features.torch_file import read_tensors


@pytest.fixture(scope="module")
def shapes():
    """The network, loaded once."""
    return load_shape_network()


def test_shape_network_gives_vectors(tmp_path, shapes):
    """Its weights lie in a package: they are there without a network, and never random."""
    Image.new("RGB", (300, 200), "white").save(tmp_path / "blank.png")
    found = embed_images({"a": tmp_path / "blank.png"}, shapes, Memory(None))
    assert found.values.shape == (1, 1280) and found.values.std() > 0.01
    assert not shapes.weights.are_random


def test_same_as_torch(shapes):
    """The package's own model gives the same vectors, and one image the same as three."""
    model = EfficientNet.from_name("efficientnet-lite0").eval()
    model.load_state_dict(torch.load(SHAPE_WEIGHTS, weights_only=True))
    model._fc = torch.nn.Identity()
    images = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8)
    with torch.inference_mode():
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
        expected = model((pixels.float() - 127) / 128).numpy()
    found = shapes.backend.run(list(images))
    assert found == pytest.approx(expected, abs=1e-4)
    assert (shapes.backend.run([images[2]]) == found[2]).all()


def save_as_torch(tensors):
    """Save tensors as torch did in its first format."""
    buffer = io.BytesIO()
    torch.save(tensors, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def test_tensors_are_read(tmp_path):
    """Any strides are read; counters are left out."""
    plain = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {"plain": plain, "turned": plain.clone().permute(2, 0, 1), "count": torch.tensor(3)}
    (tmp_path / "a.pth").write_bytes(save_as_torch(tensors))
    found = read_tensors(tmp_path / "a.pth")
    assert list(found) == ["plain", "turned"]
    assert all((found[name] == tensors[name].numpy()).all() for name in found)


whole = save_as_torch({"a": torch.zeros(9)})
shared = torch.zeros(9)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "EOFError"),
        (whole[:-4], "too short"),  # cut within the numbers
        (whole[:120], "Error"),  # cut within the description
        (b"PK" + whole, "Error"),  # a newer format
        (pickle.dumps(print) * 4, "names builtins.print"),  # would run code
        (save_as_torch({"a": shared[:4], "b": shared[4:]}), "share a storage"),
    ],
    ids=["empty", "cut", "cut early", "zip", "code", "shared"],
)
def test_other_files_are_refused(tmp_path, content, reason):
    """A file of something else is refused by name, and nothing in it is run."""
    (tmp_path / "other.pth").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_tensors(tmp_path / "other.pth")
