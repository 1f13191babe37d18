"""Load freely licensed photographs as backgrounds and surfaces."""

from functools import lru_cache

import numpy as np
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

# All CC0 or public domain (scikit-image) but the flower, CC BY 2.0 (scikit-learn): data/README.md.
SCENERY = ("coffee", "rocket", "chelsea", "flower")
TEXTURES = ("brick", "grass", "gravel")
TINTS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "brick": ((70, 40, 32), (214, 150, 128)),
    "grass": ((20, 48, 16), (170, 205, 110)),
    "gravel": ((52, 50, 48), (222, 216, 206)),
}


@lru_cache(maxsize=16)
def load_photo(name: str) -> Image.Image:
    """Load a photograph or a tinted texture as RGB."""
    if name == "flower":
        return Image.fromarray(load_sample_image("flower.jpg"))
    photo = Image.fromarray(getattr(data, name)())
    return photo if photo.mode == "RGB" else _tint(photo, name)


def _tint(photo: Image.Image, name: str) -> Image.Image:
    dark, light = (Image.new("RGB", photo.size, color) for color in TINTS[name])
    return Image.composite(light, dark, photo)


def crop_photo(
    rng: np.random.Generator, name: str, size: tuple[int, int], share: float = 0.8
) -> Image.Image:
    """Crop a random part of a photograph and resize it to `size`.

    Args:
        rng: Chooses the position of the crop.
        name: One of `SCENERY` or `TEXTURES`.
        size: Width and height of the result in pixels.
        share: How much of the photograph to keep, 0-1.
    """
    photo = load_photo(name)
    factor = share * min(photo.width / size[0], photo.height / size[1])
    wide, tall = round(size[0] * factor), round(size[1] * factor)
    left = int(rng.integers(photo.width - wide + 1))
    top = int(rng.integers(photo.height - tall + 1))
    part = photo.crop((left, top, left + wide, top + tall))
    return part.resize(size, Image.Resampling.BICUBIC)
