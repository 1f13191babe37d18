"""Open one image file safely, as an upright RGB array, or raise an error that says why not."""

import os
import stat
import struct
import warnings
import zlib
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels: TypeAlias = npt.NDArray[np.uint8]

MAX_PIXELS: int = 80_000_000
"""Largest image opened: 240 MB as an array, below Pillow's own warning (89 million)."""

MAX_BYTES: int = 1 << 30
"""Largest file read into memory: more than `MAX_PIXELS` take in any format."""

FORMATS: tuple[str, ...] = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF", "PPM")
"""Raster formats only: Pillow would start Ghostscript for an EPS file."""
pillow_heif.register_heif_opener(thumbnails=False)

WHITE, BLACK = (255, 255, 255), (0, 0, 0)

_ORIENTATION = 0x0112  # EXIF tag; 5-8 are turned by 90 degrees
# What Pillow's decoders raise on damaged files, besides OSError.
_DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError,
    AttributeError, ZeroDivisionError, NotImplementedError, RuntimeError, MemoryError,
    struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip


class ImageError(ValueError):
    """A file that cannot be used as an image; the message is the reason."""


def check_image(source: str | Path | bytes) -> tuple[str, int, int]:
    """Decode a whole image to check that it is valid.

    Args:
        source: A file, or a file's bytes.

    Returns:
        Pillow's name of the format (`"JPEG"`), and width and height of the upright image in pixels.

    Raises:
        ImageError: The file is missing, empty, no image, damaged or too large.
    """
    image = _decode(source)
    width, height = image.size
    if _exif_orientation(image) >= 5:
        width, height = height, width
    return str(image.format), width, height


def open_image(source: str | Path | bytes) -> Pixels:
    """Open an image's first frame upright, on a background that keeps its content visible.

    Args:
        source: A file, or a file's bytes.

    Returns:
        RGB pixels (height, width, 3), uint8.

    Raises:
        ImageError: The file is missing, empty, no image, damaged or too large.
    """
    return _convert(_decode(source))


class ImageFile:
    """An image file that several readers share, decoded only as far as they need.

    To decode a JPEG at half its size and once more in grey takes less time than to decode it once
    whole. Any other file is decoded once.

    Args:
        source: A file, or a file's bytes.
        side: Pixels that both sides of a reduced image have at least.
    """

    def __init__(self, source: str | Path | bytes, side: int) -> None:
        self._source, self._side = source, side

    @cached_property
    def reduced(self) -> Pixels:
        """Return what `open_image` does, of a JPEG at 1/2, 1/4 or 1/8 of its size if it may be.

        Raises:
            ImageError: As for `open_image`.
        """
        return _convert(_decode(self._data, side=self._side)) if self._is_jpeg else self._whole

    @cached_property
    def gray(self) -> Pixels:
        """Return what `open_image` does in grey levels, (height, width).

        Raises:
            ImageError: As for `open_image`.
        """
        if self._is_jpeg:
            return _convert(_decode(self._data, "L"), "L")
        return np.asarray(cv2.cvtColor(self._whole, cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def _data(self) -> bytes:
        return _read(self._source)

    @property
    def _is_jpeg(self) -> bool:
        return self._data.startswith(b"\xff\xd8")

    @cached_property
    def _whole(self) -> Pixels:
        return open_image(self._data)


def read_image_bytes(path: Path) -> bytes:
    """Read the bytes of an image file.

    Raises:
        ImageError: It cannot be read, is no regular file, or is too large.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise ImageError(f"not a regular file: {path.name}")
            if facts.st_size > MAX_BYTES:
                raise ImageError(f"too large: {facts.st_size:,} bytes, at most {MAX_BYTES:,}")
            return file.read()
    except OSError as error:
        raise ImageError(f"cannot read {path.name}: {error.strerror or error}") from error


def choose_background(rgba: Pixels) -> tuple[int, int, int]:
    """Choose white or black behind a transparent image, whichever hides less of it.

    Only visible pixels next to transparent ones count; those inside an opaque box stay readable on
    any background. Visible are those with at least half of the largest opacity.

    Args:
        rgba: RGBA pixels (height, width, 4), uint8.

    >>> letters = np.zeros((9, 9, 4), np.uint8)
    >>> letters[4] = 255
    >>> choose_background(letters)
    (0, 0, 0)
    """
    visible = rgba[..., 3] * 2.0 >= rgba[..., 3].max()
    clear = (~visible).astype(np.uint8)
    edge = visible & (cv2.dilate(clear, np.ones((5, 5), np.uint8)) > 0)
    if not edge.any():
        return WHITE
    light = rgba[edge][:, :3] @ np.array([0.299, 0.587, 0.114])  # (N,) 0-255
    return BLACK if (light > 200).mean() > (light < 55).mean() else WHITE


def _decode(source: str | Path | bytes, mode: str = "RGB", side: int = 0) -> Image.Image:
    """Decode a file; a JPEG in grey if that is the mode, and at a size whose sides have `side`."""
    data = _read(source)
    try:
        image = _open_header(data)
        image.draft(mode, (side, side) if side else None)
        image.load()
    except UnidentifiedImageError as error:
        raise ImageError(f"not an image we read: it begins with {data[:12]!r}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"too large: {error}") from error
    except ImageError:
        raise
    except _DECODE_ERRORS as error:
        raise ImageError(f"damaged image ({len(data):,} bytes): {error}") from error
    return image


def _read(source: str | Path | bytes) -> bytes:
    data = source if isinstance(source, bytes) else read_image_bytes(Path(source))
    if not data:
        raise ImageError("the file is empty (0 bytes), expected an image; download it again")
    return data


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for the other end of a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _open_header(data: bytes) -> Image.Image:
    with warnings.catch_warnings():  # damaged metadata and large sizes are handled here
        warnings.simplefilter("ignore")
        image = Image.open(BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"too large: {width} x {height} pixels, at most {MAX_PIXELS:,} are opened")
    return image


def _exif_orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DECODE_ERRORS:  # broken metadata is no reason to lose the pixels
        return 1


def _convert(image: Image.Image, mode: str = "RGB") -> Pixels:
    """Turn a decoded image upright and into an array of a mode."""
    try:
        upright = _upright(image)
        if upright.mode != mode or upright.has_transparency_data:
            upright = _to_rgb(upright).convert(mode)
        return np.array(upright)  # (H, W, 3), or (H, W) in grey
    except _DECODE_ERRORS as error:
        raise ImageError(f"cannot convert this {image.format} image: {error}") from error


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image) if _exif_orientation(image) in range(2, 9) else image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        image = _reduce_depth(image)
    layered = image.convert("RGBA") if image.has_transparency_data else image
    if layered is image or not np.asarray(layered)[..., 3].any():
        return image.convert("RGB")  # an opacity of zero everywhere is an error of the file's maker
    canvas = Image.new("RGBA", layered.size, choose_background(np.asarray(layered)))
    return Image.alpha_composite(canvas, layered).convert("RGB")


def _reduce_depth(image: Image.Image) -> Image.Image:
    """Reduce a deep grey image to eight bits, with alpha if it has a transparent level."""
    deep = np.asarray(image)
    gray = Image.fromarray(_to_eight_bits(deep))
    if image.has_transparency_data:
        gray.putalpha(Image.fromarray(deep != image.info["transparency"]).convert("L"))
    return gray


def _to_eight_bits(gray: npt.NDArray[np.number]) -> Pixels:
    """Scale 16-bit integers by their type's range, others by their usual range or own extremes."""
    if gray.dtype.itemsize == 2:
        return (gray.astype(np.uint16) >> 8).astype(np.uint8)
    levels = np.nan_to_num(gray.astype(np.float64), posinf=0, neginf=0)
    low, span = float(levels.min()), float(np.ptp(levels))
    if low >= 0 and levels.max() <= 1 and gray.dtype.kind == "f":
        low, span = 0.0, 1.0
    elif low >= 0 and levels.max() <= 255:
        return levels.astype(np.uint8)
    return ((levels - low) * (255 / span if span else 0)).astype(np.uint8)
