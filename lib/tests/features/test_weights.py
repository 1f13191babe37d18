"""ResNet50's parameters: torchvision's, those of a file, and random ones."""

import http.client
import io
import logging
import socket
import urllib.error
from email.message import Message
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torchvision.models import ResNet50_Weights, resnet50

from lib.features import random_weights, weights
from lib.features.preparation import SIDE
from lib.features.weights import load_weights


def test_random_weights_are_torchs():
    """Random weights, made without torch, are those of torchvision's network, up to a rounding."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        expected = resnet50(weights=None).state_dict()
    found = load_weights("random", 3).read()
    lacking = expected.keys() - found.keys()
    assert all(name.startswith("fc.") or name.endswith("_tracked") for name in lacking)
    differences = [np.abs(found[name] - expected[name].numpy()).max() for name in found]
    assert max(differences) < 1e-6


@pytest.mark.parametrize("seed", [-1, 2**32 + 5])
def test_any_seed_is_torchs(seed):
    """Torch counts seeds in 32 bits, too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.empty(random_weights.LAST_LAYER + 23_454_912).uniform_()
        expected = torch.empty(64 * 3 * 7 * 7).normal_().numpy()
    found = load_weights("random", seed).read()["conv1.weight"].ravel()
    assert np.abs(found - expected * np.sqrt(2 / (64 * 7 * 7))).max() < 1e-6


def test_random_weights_are_seeded():
    """A seed gives the same weights each time."""
    first, same, other = (load_weights("random", seed) for seed in (1, 1, 2))
    name = "layer1.0.conv1.weight"
    assert (first.read()[name] == same.read()[name]).all()
    assert (first.read()[name] != other.read()[name]).any()
    assert first.key == same.key != other.key


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty folder of torchvision's weights, and a host that has nothing to say against them."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "urlopen", lambda *asked, **options: io.BytesIO())
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    return tmp_path / "hub/checkpoints"


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("no network"),
        TimeoutError("timed out"),
        http.client.BadStatusLine("no HTTP"),
    ],
)
def test_falls_back_to_random(hub, monkeypatch, caplog, error):
    """Without a network the run goes on with random weights, says so, and needs no torchvision."""
    monkeypatch.setattr(weights, "urlopen", Mock(side_effect=error))
    monkeypatch.setattr(weights, "_fetch_state", Mock(side_effect=AssertionError))
    with caplog.at_level(logging.WARNING):
        found = load_weights("IMAGENET1K_V2", seed=0)
    assert found.name == "random (seed 0)" and found.missed == "download.pytorch.org"
    assert found.are_random
    assert "random weights, not with IMAGENET1K_V2" in found.note and str(error) in found.note
    assert found.note in caplog.text


def test_failed_download_falls_back_to_random(hub, monkeypatch):
    """A host that answers but does not give the file has the same end."""

    def fail(*args, **kwargs):
        raise urllib.error.URLError("it broke off")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    assert "it broke off" in load_weights("IMAGENET1K_V2").note
    assert socket.getdefaulttimeout() is None


def test_host_that_refuses_a_question_is_asked_for_the_file(hub, monkeypatch):
    """An error over HTTP is an answer: torchvision tries, and its weights are taken."""
    refusal = urllib.error.HTTPError("x", 405, "no HEAD", Message(), None)
    monkeypatch.setattr(weights, "urlopen", Mock(side_effect=refusal))
    monkeypatch.setattr(weights, "_fetch_state", lambda name: {"name": name})
    found = load_weights("IMAGENET1K_V1")
    assert (found.key, found.note, found.read()) == ("resnet50-0676ba61", "", {"name": found.name})


def test_fetched_weights_are_read_when_needed(hub, monkeypatch):
    """Weights in torchvision's folder are known by name, and read by it for new images only."""
    plain = resnet50(weights=None)
    torch.save(plain.state_dict(), hub / weights.FILES["IMAGENET1K_V2"])
    monkeypatch.setattr(weights, "urlopen", Mock(side_effect=AssertionError))
    found = load_weights("IMAGENET1K_V2")
    assert (found.name, found.key, found.note) == ("IMAGENET1K_V2", "resnet50-11ad3fa6", "")
    assert (found.read()["conv1.weight"] == plain.conv1.weight.detach().numpy()).all()


def test_damaged_weights_in_the_folder(hub, monkeypatch):
    """A file cut short is not counted on: what torchvision says of it is told."""
    (hub / weights.FILES["IMAGENET1K_V2"]).write_bytes(b"cut")
    assert load_weights("IMAGENET1K_V2").are_random


def test_files_and_levels_are_torchvisions():
    """What is known without importing torchvision is what it has."""
    assert set(weights.FILES) == {entry.name for entry in ResNet50_Weights}
    for entry in ResNet50_Weights:
        assert entry.url == weights.URL + weights.FILES[entry.name]
        transform = entry.transforms()
        assert transform.resize_size == [weights.RESIZED.get(entry.name, weights.NEW_RESIZED)]
        assert transform.crop_size == [SIDE]
        assert np.multiply(transform.mean, 255) == pytest.approx(weights.MEAN)
        assert np.multiply(transform.std, 255) == pytest.approx(weights.DEVIATION)


@pytest.mark.parametrize("named", [(), ("XDG_CACHE_HOME",), ("XDG_CACHE_HOME", "TORCH_HOME")])
def test_folder_is_torchs(monkeypatch, tmp_path, named):
    """Weights are looked for where torch keeps them, whichever folders are named."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in named:
        monkeypatch.setenv(name, str(tmp_path / name))
    assert str(weights.find_hub()) == f"{torch.hub.get_dir()}/checkpoints"


def test_weights_from_file(tmp_path):
    """A state dictionary is read, known by its content, its last layer of any size."""
    state = load_weights("random", seed=5).read()
    tensors = {name: torch.from_numpy(value) for name, value in state.items()}
    tensors |= {"fc.weight": torch.zeros(7, 2048), "fc.bias": torch.zeros(7)}
    torch.save(tensors, tmp_path / "mine.pth")
    found = load_weights(str(tmp_path / "mine.pth"))
    assert found.name == "mine.pth" and found.key.startswith("file ") and not found.note
    read = found.read()
    assert read.keys() == state.keys()
    assert all((read[name] == value).all() for name, value in state.items())


def test_unfit_weights(tmp_path):
    """Files that are no ResNet50 are refused in words."""
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "small.pth")
    torch.save({}, tmp_path / "empty.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("weights")
    for name, message in [
        ("small.pth", r"do not fit ResNet50: the shape \(1,\) of conv1.weight, expected \(64, 3"),
        ("empty.pth", "do not fit ResNet50: no conv1.weight"),
        ("list.pth", "holds a list"),
        ("text.pth", "not a file of weights"),
    ]:
        with pytest.raises(ValueError, match=message):
            load_weights(str(tmp_path / name)).read()


def test_unknown_weights():
    """A name that torchvision does not know and a file that is not there are errors."""
    with pytest.raises(ValueError, match="expected IMAGENET1K_V1, IMAGENET1K_V2"):
        load_weights("IMAGENET1K_V9")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_weights("no_such_file.pth")
