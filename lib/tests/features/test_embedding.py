"""Images turned into vectors: weights, precision, cache, images that fail."""

import hashlib
import logging
import socket
import urllib.error
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from joblib import Memory
from PIL import Image
from torchvision.models import ResNet50_Weights, resnet50

from lib.features import embedding as features
from lib.features.embedding import NotEmbedded, embed_images, keep_vector
from lib.features.resnet50 import load_network
from lib.features.weights import load_weights
from lib.parallel import has_bfloat16
from lib.parallel.item_errors import StageFault, describe_error
from lib.parallel.workers import TaskResult


@pytest.fixture(scope="module")
def network():
    """A network with random weights in float32, as on any processor; made once."""
    return load_network("random", "cpu", seed=0, precision="float32")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Three small images and a file that is none, by hash."""
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for number, size in enumerate([(40, 60), (90, 30), (50, 50)]):
        pixels = random.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "1_broken.png").write_bytes(b"no image")
    files = sorted(folder.iterdir())
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files}


@pytest.fixture(scope="module")
def embeddings(images, network):
    """All images through the network, in batches of two."""
    return embed_images(images, network, Memory(None), batch_size=2)


def test_shape_and_failures(images, embeddings):
    """A broken file costs itself only; the rest are vectors in the order given."""
    files = {sha256: path.name for sha256, path in images.items()}
    assert [files[sha256] for sha256 in embeddings.sha256] == ["0.png", "1.png", "2.png"]
    assert embeddings.values.shape == (3, 2048)
    assert embeddings.values.dtype == np.float32
    assert [files[sha256] for sha256 in embeddings.failures] == ["1_broken.png"]
    assert next(iter(embeddings.failures.values())).startswith("not a")


def test_same_as_plain_torchvision(images, network, embeddings):
    """Fusing and channels-last change nothing: torchvision's own model gives the same vectors."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = resnet50(weights=None).eval()
    plain.fc = torch.nn.Identity()
    pixels = np.array(Image.open(images[embeddings.sha256[0]]))
    transform = ResNet50_Weights.IMAGENET1K_V2.transforms()
    with torch.inference_mode():
        image = transform(torch.from_numpy(pixels).permute(2, 0, 1))
        expected = plain(image[None])[0].numpy()
    got = embeddings.values[0]
    cosine = got @ expected / np.linalg.norm(got) / np.linalg.norm(expected)
    assert cosine > 0.99999
    assert got == pytest.approx(expected, rel=0.01, abs=0.05)


def test_cache(tmp_path, images, network, embeddings):
    """What was computed is not computed again, and failures are tried again."""
    memory = Memory(tmp_path, verbose=0)
    whole = {sha256: images[sha256] for sha256 in embeddings.sha256}
    keep = memory.cache(keep_vector, ignore=["vector"], verbose=0)
    for sha256, vector in zip(embeddings.sha256, embeddings.values, strict=True):
        keep(sha256, *network.key, vector)
    idle = SimpleNamespace(precision="float32")  # would fail if it were to run
    again = embed_images(images, replace(network, backend=idle), memory)
    assert (again.hits, again.misses, len(again.failures)) == (len(whole), 0, 1)
    assert (again.values == embeddings.values).all()


def test_damaged_cache_entry(tmp_path, images, network, embeddings, caplog):
    """A damaged entry of the cache is computed again with a warning, and stored."""
    memory = Memory(tmp_path, verbose=0)
    sha256 = embeddings.sha256[0]
    one = {sha256: images[sha256]}
    assert embed_images(one, network, memory).misses == 1
    (entry,) = tmp_path.rglob("output.pkl")
    entry.write_bytes(b"garbage")
    assert embed_images(one, network, memory).misses == 1
    assert caplog.text.count("is damaged (KeyError); it is made again") == 1
    assert embed_images(one, network, memory).hits == 1


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_cache_key(tmp_path, position):
    """Another image, weights, precision or version is not found in the cache."""
    keep = Memory(tmp_path, verbose=0).cache(keep_vector, ignore=["vector"], verbose=0)
    key = ["a" * 64, "random (seed 0)", "float32", "0.1"]
    keep(*key, np.ones(2048))
    assert keep(*key).dtype == np.float16
    key[position] = "other"
    with pytest.raises(NotEmbedded):
        keep(*key)


def test_precisions_do_not_share_a_cache(tmp_path, images, network, embeddings):
    """Vectors in bfloat16 are near those in float32, and are not served in their place."""
    if not has_bfloat16():
        pytest.skip("the processor has no bfloat16")
    memory = Memory(tmp_path, verbose=0)
    half = load_network("random", "cpu", seed=0, precision="bfloat16")
    assert half.key == (network.key[0], "bfloat16", network.key[2])
    assert half.recipe == (load_network, ("random", "cpu", 0, "bfloat16"))
    assert embed_images(images, network, memory).misses == 3
    found = embed_images(images, half, memory)
    assert found.misses == 3
    assert not (found.values == embeddings.values).all()
    lengths = [np.linalg.norm(each.values, axis=1) for each in (found, embeddings)]
    cosines = (found.values * embeddings.values).sum(axis=1) / (lengths[0] * lengths[1])
    assert cosines.min() > 0.999
    for each in (network, half):
        assert embed_images(images, each, memory).hits == 3


def test_no_images(network):
    """Nothing in, nothing out, in the right shape."""
    assert embed_images({}, network, Memory(None)).values.shape == (0, 2048)


@pytest.fixture
def plain(tmp_path):
    """A network that gives an image's mean, but as its colours ask for; and six images."""

    def run(images):
        shades = np.stack(images).mean(axis=(1, 2, 3))
        if (shades == 250).any():
            raise MemoryError("too bright")
        return np.where(shades == 240, np.nan, shades * np.where(shades == 230, 1e6, 1))[:, None]

    weights = SimpleNamespace(transform=lambda pixels: pixels.astype(np.float32))
    backend = SimpleNamespace(run=run)
    network = SimpleNamespace(backend=backend, weights=weights, dimensions=1, key=tuple("abc"))

    def embed(*shades, **options):
        files = {str(position): tmp_path / f"{position}.png" for position in range(len(shades))}
        for shade, path in zip(shades, files.values(), strict=True):
            Image.new("RGB", (2, 2), (shade,) * 3).save(path)
        return embed_images(files, network, Memory(None), batch_size=4, **options)

    return embed


@pytest.mark.parametrize("position", [0, 4, 5])
@pytest.mark.parametrize(
    ("shade", "reason"),
    [
        (250, "internal error: MemoryError: too bright"),  # its batch fails with it
        (240, "the network's numbers are not finite, or too large for float16"),  # NaN
        (230, "the network's numbers are not finite, or too large for float16"),
    ],
)
def test_bad_image_costs_its_batch_nothing(plain, position, shade, reason):
    """An image that the network cannot bear fails alone, wherever it is."""
    shades = [10, 20, 30, 40, 50, 60]
    shades[position] = shade
    found = plain(*shades)
    assert found.failures == {str(position): reason}
    assert found.values[:, 0].tolist() == [number for number in shades if number != shade]


@pytest.mark.parametrize("step", ["open_image", "_trim"])
@pytest.mark.parametrize("position", [0, 3, 5])
def test_unforeseen_error_is_its_images(plain, monkeypatch, caplog, step, position):
    """An error in opening or preparing one image is a row, and in the log by link and sample."""
    function, images = getattr(features, step), iter(range(6))

    def fail_once(given):
        if Path(given).stem == str(position) if step == "open_image" else given.max() == position:
            raise KeyError("nobody foresaw this")
        return function(given)

    monkeypatch.setattr(features, step, fail_once)
    found = plain(*images, names={str(position): "x.org/1.jpg (sample 7)"})
    assert found.failures == {str(position): "internal error: KeyError: 'nobody foresaw this'"}
    assert len(found.sha256) == 5
    assert caplog.messages[0].startswith("x.org/1.jpg (sample 7): internal error: KeyError")


def test_fault_of_the_network_ends_the_stage(plain):
    """An error that all images meet is no image's."""
    with pytest.raises(StageFault, match="too bright"):
        plain(*[250] * 6)


@pytest.mark.parametrize("failing", [ValueError("another network"), None], ids=["error", "death"])
def test_failed_batch_on_a_cluster_is_tried_by_image(monkeypatch, network, failing):
    """Of a batch that fails on a worker each image is tried alone."""

    def run_on_cluster(function, calls, address, limit):
        for name, (files, *_) in calls.items():
            good = {sha256: np.ones(2048, np.float32) for sha256, _ in files}
            error = describe_error(failing) if failing else None
            dead = TaskResult(None, error.reason if error else "died", 1.0, error)
            yield name, dead if "bad" in good else TaskResult((good, {}), "", 1.0)

    monkeypatch.setattr(features, "run_on_cluster", run_on_cluster)
    files = dict.fromkeys(("a", "b", "bad", "c", "d"), "x.png")
    found = embed_images(files, network, Memory(None), batch_size=3, cluster="tcp://x:1")
    reason = "internal error: ValueError: another network" if failing else "died"
    assert found.sha256 == ("a", "b", "c", "d") and found.failures == {"bad": reason}


def test_very_long_image():
    """A thin line is cut before it is enlarged, keeping its middle."""
    line = np.zeros((1, 10_000, 3), np.uint8)
    line[0, 5000] = 255
    assert features._trim(line).shape == (1, 8, 3)
    assert features._trim(line).max() == 255


def test_random_weights_are_seeded():
    """A seed gives the same weights each time, and torch's own random state does not change."""
    before = torch.random.get_rng_state()
    first, same, other = (load_weights("random", seed) for seed in (1, 1, 2))
    name = "layer1.0.conv1.weight"
    assert torch.equal(first.state[name], same.state[name])
    assert not torch.equal(first.state[name], other.state[name])
    assert first.key != other.key
    assert torch.equal(before, torch.random.get_rng_state())


def test_falls_back_to_random(monkeypatch, caplog):
    """Without a network the run goes on with random weights, and says so."""

    def fail(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fail)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with caplog.at_level(logging.WARNING):
        weights = load_weights("IMAGENET1K_V2", seed=0)
    assert weights.name == "random (seed 0)"
    assert weights.are_random
    assert "random weights, not with IMAGENET1K_V2" in weights.note
    assert weights.note in caplog.text
    assert socket.getdefaulttimeout() is None


def test_weights_from_file(tmp_path):
    """A state dictionary is read, known by its content, its last layer of any size."""
    state = dict(load_weights("random", seed=5).state)
    state["fc.weight"], state["fc.bias"] = torch.zeros(7, 2048), torch.zeros(7)
    torch.save(state, tmp_path / "mine.pth")
    network = load_network(str(tmp_path / "mine.pth"), "cpu", precision="float32")
    assert network.weights.name == "mine.pth"
    assert network.weights.key.startswith("file ")
    assert not network.weights.note


def test_unfit_weights(tmp_path):
    """Files that are no ResNet50 are refused in words."""
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "small.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("weights")
    for name, message in [
        ("small.pth", "do not fit ResNet50"),
        ("list.pth", "holds a list"),
        ("text.pth", "not a file of weights"),
    ]:
        with pytest.raises(ValueError, match=message):
            load_network(str(tmp_path / name), "cpu")


def test_unknown_weights():
    """A name that torchvision does not know and a file that is not there are errors."""
    with pytest.raises(ValueError, match="expected IMAGENET1K_V1, IMAGENET1K_V2"):
        load_weights("IMAGENET1K_V9")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_weights("no_such_file.pth")
