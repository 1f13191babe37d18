"""Prepare images for networks: resized and cropped, each file opened once, in any process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lib.io import ImageError, ImageFile, Pixels
from lib.parallel import InternalError, try_item

SIDE: int = 224
"""Side of the networks' input in pixels."""
DECODED_SIDE: int = 464
"""Pixels that both sides of a decoded JPEG have at least: twice the side to which torchvision
resizes. With 232 the JPEG's own reduction would show: of 305 photos three crossed the threshold of
roundness, with 464 none."""
PREPARED_WITH: str = f"pillow {version('pillow')}, reduced"
"""Version of this module's work, in the cache's keys."""

Array: TypeAlias = npt.NDArray[np.number]
Failure: TypeAlias = str | InternalError
Prepare: TypeAlias = Callable[[ImageFile], Array]
"""Makes what a feature is computed from, or the feature itself; importable by name."""
ImageTask: TypeAlias = tuple[str, str | Path, tuple[int, ...]]
"""The sha256 of an image, its file, and the positions of the features it needs."""
Results: TypeAlias = dict[str, dict[int, Array | Failure]]
"""By sha256, then by the position of the feature."""


def prepare_images(tasks: Sequence[ImageTask], prepares: Sequence[Prepare]) -> Results:
    """Open each image once, and prepare it for the features it needs.

    Args:
        tasks: The images.
        prepares: How they are prepared, by the position of the feature.
    """
    cv2.setNumThreads(1)  # images are distributed over processes
    results: Results = {}
    for sha256, path, positions in tasks:
        image = ImageFile(path, DECODED_SIDE)
        results[sha256] = {
            position: try_item(_prepare, prepares[position], image) for position in positions
        }
    return results


def _prepare(prepare: Prepare, image: ImageFile) -> Array | str:
    """Prepare one image for one feature, or return why it cannot be opened."""
    try:
        return prepare(image)
    except ImageError as error:
        return str(error)


def crop_middle(image: ImageFile, resized: int) -> Pixels:
    """Crop the middle square of an image, as torchvision prepares images for ResNet50.

    Args:
        image: The image.
        resized: Its shorter side, in pixels, when the square is cropped.

    Returns:
        RGB (224, 224, 3), uint8.
    """
    found = Image.fromarray(image.reduced)
    (left, right), (top, bottom) = (_find_middle(s, min(found.size), resized) for s in found.size)
    box = (left, top, right, bottom)
    return np.asarray(found.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box))


def _find_middle(side: int, shorter: int, resized: int) -> tuple[float, float]:
    """Find start and end of the middle square along one side of an image, as torchvision rounds."""
    length = int(resized * side / shorter)
    start = round((length - SIDE) / 2)
    return start * side / length, min(side, (start + SIDE) * side / length)


def fit_into_square(image: ImageFile) -> Pixels:
    """Fit a whole image into a square, padded with the median colour of its border.

    Returns:
        RGB (224, 224, 3), uint8.
    """
    pixels = image.reduced
    longest = max(pixels.shape[:2])
    height, width = (max(1, round(side * SIDE / longest)) for side in pixels.shape[:2])
    top, left = ((SIDE - side) // 2 for side in (height, width))
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    square: Pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    square[:] = np.quantile(edges, 0.5, axis=0, method="lower")
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    square[top : top + height, left : left + width] = np.asarray(resized)
    return square
