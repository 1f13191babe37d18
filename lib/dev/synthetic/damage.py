"""Degrade images as cameras and shops do: tilt, light, blur, noise, compression."""

import io

import numpy as np
from PIL import Image, ImageFilter

from lib.dev.synthetic.scenes import between, chance, pick

BLUR_WIDTH = 600  # pixels; in smaller images a blur would destroy the letters


def tilt(picture: Image.Image, rng: np.random.Generator, strength: float = 0.04) -> Image.Image:
    """Rotate and skew an image by corner shifts of at most `strength`, a share of the size.

    The image shrinks by as much, so nothing is cut off; a plain margin is extended, a
    photographed one mirrored.
    """
    wide, tall = picture.size
    rim = round(0.15 * max(wide, tall))
    pixels = np.asarray(picture)  # (H, W, 3)
    filling = "edge" if np.ptp(pixels[0], axis=0).max() < 30 else "reflect"
    padded = np.pad(pixels, ((rim, rim), (rim, rim), (0, 0)), filling)
    outer = [(0, 0), (0, tall), (wide, tall), (wide, 0)]
    lean = between(rng, -strength, strength, 0.005)
    corners: list[float] = []
    for (x, y), way in zip(outer, ((-1, 1), (-1, -1), (1, -1), (1, 1)), strict=True):
        spread = strength + between(rng, 0, strength / 2, 0.005)
        corners += [rim + x + way[0] * spread * wide + lean * (tall / 2 - y)]
        corners += [rim + y - way[1] * spread * tall + lean * (x - wide / 2)]
    return Image.fromarray(padded).transform(
        picture.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC
    )


def light(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Darken one side of an image, as under a lamp at the other side."""
    low = between(rng, 0.6, 0.85, 0.05)
    ramp = np.linspace(1, low, picture.width)[:: pick(rng, (1, -1))]
    pixels = np.asarray(picture, np.float64) * ramp[None, :, None]  # (H, W, 3)
    return Image.fromarray(pixels.astype(np.uint8))


def fade(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Lower the contrast of an image."""
    gray = Image.new("RGB", picture.size, pick(rng, ((255, 255, 255), (190, 190, 190))))
    return Image.blend(picture, gray, between(rng, 0.2, 0.45, 0.05))


def blur(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Blur an image by a radius that leaves letters of 12 pixels readable."""
    return picture.filter(ImageFilter.GaussianBlur(between(rng, 0.5, 0.9, 0.1)))


def speckle(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add sensor noise to an image."""
    noise = rng.integers(-10, 11, (picture.height, picture.width, 1))
    pixels = np.asarray(picture, np.int64) + noise  # (H, W, 3)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def damage(picture: Image.Image, rng: np.random.Generator, rough: bool) -> Image.Image:
    """Apply some of the effects to an image: those of a photo if `rough`, else few."""
    steps = ((tilt, 0.7), (light, 0.5), (blur, 0.35), (speckle, 0.3), (fade, 0.15))
    clean_steps = ((blur, 0.25), (fade, 0.15))
    for step, probability in steps if rough else clean_steps:
        if step is blur and picture.width < BLUR_WIDTH:
            continue
        picture = step(picture, rng) if chance(rng, probability) else picture
    return picture


def encode(picture: Image.Image, rng: np.random.Generator) -> tuple[bytes, str]:
    """Compress an image; return the bytes and the file's suffix.

    Most are JPEG of quality 20-90 (small ones 45-90); few are PNG (64 colours) or WebP.
    """
    lowest = 45 if picture.width < BLUR_WIDTH else 20
    draw, quality = rng.random(), int(between(rng, lowest, 90, 5))
    target = io.BytesIO()
    if draw < 0.06:
        picture.quantize(64).save(target, "PNG", optimize=True)
        return target.getvalue(), "png"
    if draw < 0.12:
        picture.save(target, "WEBP", quality=max(50, quality))
        return target.getvalue(), "webp"
    picture.save(target, "JPEG", quality=quality)
    return target.getvalue(), "jpg"
