"""Images prepared for networks: as torchvision prepares them, whatever their size."""

from functools import partial
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import ResNet50_Weights
from torchvision.transforms.functional import resize

from lib.features import preparation
from lib.features.preparation import crop_middle, fit_into_square, prepare_images
from lib.io import ImageFile
from lib.parallel import InternalError

SIZES = [(640, 640), (481, 300), (60, 90), (231, 233), (232, 1000)]


def to_file(pixels, kind="PNG", **options):
    """Save pixels as an image file."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return ImageFile(buffer.getvalue(), preparation.DECODED_SIDE)


def make_noise(height, width):
    """Make an image that no other size shows alike."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("entry", ResNet50_Weights, ids=lambda entry: entry.name)
@pytest.mark.parametrize("size", SIZES)
def test_middle_as_torchvision_crops(size, entry):
    """Pillow resizes and crops as torchvision's transform does, but for a rounding."""
    pixels, transform = make_noise(*size), entry.transforms()
    expected = transform(torch.from_numpy(pixels).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    found = crop_middle(to_file(pixels), transform.resize_size[0])
    levels = (expected * transform.std + transform.mean) * 255
    assert found.shape == (224, 224, 3) and found.dtype == np.uint8
    assert np.abs(found - levels).max() < 1.01
    assert (np.abs(found - levels) > 0.01).mean() < 0.25


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (9000, 2), (3, 224), (225, 1)])
def test_middle_of_thin_images(size):
    """However thin an image is, its middle is kept, and no side is enlarged beyond need."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[size[0] // 2, size[1] // 2] = 255
    found = crop_middle(to_file(pixels), 232)
    assert found.shape == (224, 224, 3) and found.max() > 240


@pytest.mark.parametrize("size", [(100, 100), (50, 400), (400, 50), (3000, 1), (1, 1)])
def test_whole_images_fit_into_the_square(size):
    """Nothing is cropped: the square holds the image, on the colour of its border."""
    square = fit_into_square(to_file(np.full((*size, 3), 255, np.uint8)))
    assert square.shape == (224, 224, 3) and square.dtype == np.uint8
    assert square.min() == square.max() == 255


@pytest.mark.parametrize("size", SIZES[:3])
def test_square_as_torchvision_resizes(size):
    """Pillow scales as torchvision does, but for a rounding; the rest has the border's median."""
    pixels = make_noise(*size)
    inner = [round(side * 224 / max(size)) for side in size]
    image = torch.from_numpy(pixels).permute(2, 0, 1)
    expected = resize(image, inner, antialias=True).permute(1, 2, 0).numpy().astype(int)
    square = fit_into_square(to_file(pixels))
    top, left = ((224 - side) // 2 for side in inner)
    found = square[top : top + inner[0], left : left + inner[1]]
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.25
    outside = np.concatenate([square[:top].reshape(-1, 3), square[:, :left].reshape(-1, 3)])
    assert len(np.unique(outside, axis=0)) == (size[0] != size[1])


@pytest.mark.parametrize("prepare", [partial(crop_middle, resized=232), fit_into_square])
def test_reduced_jpeg_gives_the_same_square(prepare):
    """A JPEG decoded at half its size gives what the whole one gives, but for some levels."""
    smooth = Image.fromarray(make_noise(30, 25)).resize((1000, 1200), Image.Resampling.BICUBIC)
    jpeg = to_file(np.asarray(smooth), "JPEG", quality=95)
    whole = to_file(np.asarray(Image.open(BytesIO(jpeg._source))))
    assert jpeg.reduced.shape == (600, 500, 3) and whole.reduced.shape == (1200, 1000, 3)
    difference = np.abs(prepare(jpeg).astype(int) - prepare(whole))
    assert difference.mean() < 0.5 and difference.max() < 8


def test_each_image_is_opened_once(tmp_path, monkeypatch):
    """However many features an image needs, its file is read and decoded once."""
    opened = []
    monkeypatch.setattr(
        "lib.io.images.open_image", lambda data: opened.append(data) or make_noise(9, 9)
    )
    (tmp_path / "a.png").write_bytes(b"content")
    prepares = [fit_into_square, partial(crop_middle, resized=232), lambda image: image.gray]
    found = prepare_images([("a", tmp_path / "a.png", (0, 1, 2))], prepares)
    assert opened == [b"content"]
    assert [value.shape for value in found["a"].values()] == [(224, 224, 3)] * 2 + [(9, 9)]


def test_only_what_is_asked_is_prepared(tmp_path):
    """Of an image whose other features are known the rest is prepared; what fails fails alone."""
    Image.fromarray(make_noise(9, 9)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")

    def fail(image):
        raise KeyError(image.reduced.shape)

    tasks = [("a", tmp_path / "a.png", (1, 2)), ("b", tmp_path / "b.png", (0,)), ("c", "no", (0,))]
    found = prepare_images(tasks, [fit_into_square, fail, fit_into_square])
    assert {sha256: list(own) for sha256, own in found.items()} == {"a": [1, 2], "b": [0], "c": [0]}
    assert isinstance(found["a"][1], InternalError) and found["a"][2].shape == (224, 224, 3)
    assert found["b"][0].startswith("not an image we read") and "cannot read no" in found["c"][0]
