"""Images turned into vectors: precision, cache, images that fail."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from joblib import Memory
from PIL import Image
from torchvision.models import ResNet50_Weights, resnet50

from lib.features import computing
from lib.features.embedding import NotEmbedded, embed_images, keep_vector
from lib.features.resnet50 import load_network
from lib.io import PROJECT
from lib.parallel import has_bfloat16
from lib.parallel.item_errors import StageFault


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
    """On the images' own pixels, torchvision's transform and model give the same vectors."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = resnet50(weights=None).eval()
    plain.fc = torch.nn.Identity()
    transform = ResNet50_Weights.IMAGENET1K_V2.transforms()
    opened = [np.array(Image.open(images[sha256])) for sha256 in embeddings.sha256]
    with torch.inference_mode():
        batch = [transform(torch.from_numpy(pixels).permute(2, 0, 1)) for pixels in opened]
        expected = plain(torch.stack(batch)).numpy()
    assert compare_centred(embeddings.values, expected).min() > 0.999
    assert embeddings.values == pytest.approx(expected, rel=0.01, abs=0.05)


def compare_centred(values, expected):
    """Return the cosine of each two vectors without their mean, which would hide what differs."""
    values, expected = (each - expected.mean(axis=0) for each in (values, expected))
    lengths = np.linalg.norm(values, axis=1) * np.linalg.norm(expected, axis=1)
    return (values * expected).sum(axis=1) / lengths


def fail(*arguments):
    """Fail, in the place of what must not be needed."""
    raise AssertionError(f"called with {arguments}")


def test_cache(tmp_path, images, network, embeddings):
    """What was computed is not computed again, and failures are tried again."""
    memory = Memory(tmp_path, verbose=0)
    whole = {sha256: images[sha256] for sha256 in embeddings.sha256}
    keep = memory.cache(keep_vector, ignore=["vector"], verbose=0)
    for sha256, vector in zip(embeddings.sha256, embeddings.values, strict=True):
        keep(sha256, *network.key, vector)
    again = embed_images(images, replace(network, load=fail), memory)
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
def plain(tmp_path, monkeypatch):
    """A network that gives an image's mean, but as its colours ask for; and six images."""
    monkeypatch.setattr(computing, "MOST_HERE", 6)

    def run(images):
        shades = np.stack(images).mean(axis=(1, 2, 3))
        if (shades == 250).any():
            raise MemoryError("too bright")
        return np.where(shades == 240, np.nan, shades * np.where(shades == 230, 1e6, 1))[:, None]

    def embed(*shades, prepare=lambda image: image.reduced, **options):
        weights = SimpleNamespace(prepare=prepare)
        backend = SimpleNamespace(run=run)
        network = SimpleNamespace(backend=backend, weights=weights, dimensions=1, key=tuple("abc"))
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


@pytest.mark.parametrize("position", [0, 3, 5])
def test_unforeseen_error_is_its_images(plain, caplog, position):
    """An error in preparing one image is a row, and in the log by link and sample."""

    def fail_once(image):
        if image.reduced.max() == position:
            raise KeyError("nobody foresaw this")
        return image.reduced

    found = plain(*range(6), prepare=fail_once, names={str(position): "x.org/1.jpg (sample 7)"})
    assert found.failures == {str(position): "internal error: KeyError: 'nobody foresaw this'"}
    assert len(found.sha256) == 5
    assert caplog.messages[0].startswith("x.org/1.jpg (sample 7): internal error: KeyError")


def test_fault_of_the_network_ends_the_stage(plain):
    """An error that all images meet is no image's."""
    with pytest.raises(StageFault, match="too bright"):
        plain(*[250] * 6)


def test_cosine_of_reduced_images(tmp_path, network):
    """Vectors of photos decoded at half their size are those of the whole ones, mean taken off."""
    chosen = sorted((PROJECT / "data/sample/images").iterdir())[:8]
    for number, path in enumerate(chosen):
        image = Image.open(path).convert("RGB").resize((1000, 1200))
        image.save(tmp_path / f"{number}.png")  # is decoded whole
        image.save(tmp_path / f"{number}.jpg", quality=95)
    whole, small = (
        embed_images({f"{n}": tmp_path / f"{n}.{kind}" for n in range(8)}, network, Memory(None))
        for kind in ("png", "jpg")
    )
    cosines = compare_centred(small.values, whole.values)
    assert np.median(cosines) > 0.999 and cosines.min() > 0.99
