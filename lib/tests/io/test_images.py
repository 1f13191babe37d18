"""Images of every kind, made in the test, give an array or a clear reason."""

import os
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from lib.io.images import (
    MAX_PIXELS,
    ImageError,
    ImageFile,
    check_image,
    choose_background,
    open_image,
)


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """Save an image to bytes."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def half_dark(mode: str, dark, light, size: tuple[int, int] = (8, 4)) -> Image.Image:
    """Left half dark, right half light."""
    image = Image.new(mode, size, dark)
    image.paste(light, (size[0] // 2, 0, size[0], size[1]))
    return image


def rotated_by_exif(orientation: int, kind: str = "JPEG") -> bytes:
    """A wide image whose EXIF tag says how the camera was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = half_dark("RGB", "black", "white", (64, 32))
    return encode(image, kind, exif=exif.tobytes(), quality=95)


def palette(**options) -> bytes:
    """An image of two palette colours."""
    return encode(half_dark("RGB", "black", "white").quantize(2), **options)


def sixteen_bits() -> bytes:
    """Greys of 0 and 60,000 of 65,535."""
    pixels = np.zeros((4, 8), np.uint16)
    pixels[:, 4:] = 60_000
    return encode(Image.fromarray(pixels))


def floats() -> bytes:
    """A TIFF of fractions from -1 to 1."""
    pixels = np.full((4, 8), -1, np.float32)
    pixels[:, 4:] = 1
    return encode(Image.fromarray(pixels), "TIFF")


def fractions() -> bytes:
    """A TIFF of fractions from 0 to 1."""
    pixels = np.zeros((4, 8), np.float32)
    pixels[:, 4:] = 0.95
    return encode(Image.fromarray(pixels), "TIFF")


def deep_colours(ending: str) -> bytes:
    """Colours of 16 bits, none of them the largest."""
    pixels = np.zeros((4, 8, 3), np.uint16)
    pixels[:, 4:] = 60_000
    return cv2.imencode(ending, pixels)[1].tobytes()


def lab_colours() -> bytes:
    """A TIFF in CIE L*a*b*, without colours."""
    grey = Image.new("L", (8, 4), 128)
    return encode(Image.merge("LAB", [half_dark("L", 0, 255), grey, grey]), "TIFF")


def animated(kind: str, **options) -> bytes:
    """First frame half white, second black."""
    second = Image.new("RGB", (8, 4), "black")
    first = half_dark("RGB", "black", "white")
    return encode(first, kind, save_all=True, append_images=[second], **options)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encode(half_dark("RGB", "black", "white")), "plain PNG"),
        (encode(half_dark("RGB", "black", "white"), "BMP"), "bitmap"),
        (encode(half_dark("RGB", "black", "white"), "WEBP", lossless=True), "WebP"),
        (encode(half_dark("RGB", "black", "white"), "AVIF", quality=100), "AVIF"),
        (encode(half_dark("RGB", "black", "white"), "HEIF", quality=-1), "HEIC, as phones write"),
        (encode(half_dark("RGB", "black", "white"), "PPM"), "portable pixmap"),
        (encode(half_dark("RGB", "black", "white"), "TIFF", compression="tiff_lzw"), "LZW"),
        (encode(half_dark("RGB", "black", "white"), "TIFF", compression="zstd"), "Zstandard"),
        (encode(half_dark("1", 0, 1), "TIFF", compression="group4"), "a fax"),
        (encode(half_dark("YCbCr", (0, 128, 128), (255, 128, 128)), "TIFF"), "luma and chroma"),
        (lab_colours(), "CIE colours"),
        (deep_colours(".png"), "16 bits a colour"),
        (deep_colours(".tiff"), "16 bits a colour, TIFF"),
        (encode(half_dark("L", 0, 255)), "grey"),
        (encode(half_dark("1", 0, 1)), "one bit a pixel"),
        (palette(), "palette"),
        (encode(half_dark("CMYK", (0, 0, 0, 255), (0, 0, 0, 0)), "TIFF"), "CMYK print file"),
        (encode(half_dark("CMYK", (0, 0, 0, 255), (0, 0, 0, 0)), "JPEG"), "CMYK photo"),
        (sixteen_bits(), "16 bits must not be clipped to white"),
        (floats(), "fractions below zero"),
        (fractions(), "fractions of one must not be cut to black"),
        (animated("GIF"), "first frame of an animation"),
        (animated("WEBP", lossless=True), "first frame of an animated WebP"),
        (animated("PNG"), "first frame of an animated PNG"),
        (animated("AVIF", quality=100), "first frame of an animated AVIF"),
        (animated("TIFF"), "first page"),
        (animated("MPO", quality=95), "first of a camera's two"),
        (animated("HEIF", quality=-1), "primary one of several"),
        (encode(half_dark("LA", (0, 255), (255, 255))), "opaque with an alpha channel"),
    ],
)
def test_every_kind_opens_as_rgb(data: bytes, reason: str) -> None:
    """Dark stays dark and light stays light whatever the pixel format."""
    pixels = open_image(data)
    assert pixels.shape == (4, 8, 3), reason
    assert pixels.dtype == np.uint8, reason
    assert pixels[:, :3].max() < 40, reason
    assert pixels[:, 5:].min() > 200, reason
    assert check_image(data)[1:] == (8, 4), reason


MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F")


@settings(derandomize=True, max_examples=40, deadline=None, database=None)
@given(st.sampled_from(MODES), st.integers(1, 65_000), st.integers(1, 3), st.booleans())
@example("RGB", 1, 1, False)
@example("LA", 65_000, 1, False)
@example("LA", 65_000, 1, True)
@example("RGB", 20_000, 40, True)
def test_every_size_opens(mode: str, length: int, breadth: int, is_high: bool) -> None:
    """From one pixel to a thread of 65,000, upright or lying, in every mode."""
    width, height = (breadth, length) if is_high else (length, breadth)
    kind = "TIFF" if mode in ("CMYK", "I", "F") else "PNG"
    data = encode(Image.new(mode, (width, height)), kind)
    assert open_image(data).shape == (height, width, 3)
    assert check_image(data) == (kind, width, height)


def test_what_is_no_plain_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe is not waited for, a device and a folder are not read, nor a file beyond memory."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(encode(Image.new("RGB", (9, 9))))
    monkeypatch.setattr("lib.io.images.MAX_BYTES", 9)
    for path, reason in [
        (tmp_path / "pipe", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path, "cannot read"),
        (tmp_path / "huge", "too large: .* bytes, at most 9"),
    ]:
        with pytest.raises(ImageError, match=reason):
            check_image(path)


# Where the dark left half goes: the rows and columns of its pixels, by orientation.
DARK_HALF = {1: np.s_[:, :30], 2: np.s_[:, 34:], 3: np.s_[:, 34:], 4: np.s_[:, :30]}
DARK_HALF |= {5: np.s_[:30], 6: np.s_[:30], 7: np.s_[34:], 8: np.s_[34:]}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int, kind: str) -> None:
    """An image taken sideways is opened upright, and its size is the upright one."""
    data = rotated_by_exif(orientation, kind)
    shape = (64, 32, 3) if orientation >= 5 else (32, 64, 3)
    pixels = open_image(data)
    assert pixels.shape == shape
    assert check_image(data) == (kind, shape[1], shape[0])
    assert pixels[DARK_HALF[orientation]].mean() < 30 and 110 < pixels.mean() < 145


@pytest.mark.parametrize(
    ("ink", "alpha", "background", "reason"),
    [
        ((255, 255, 255), 255, (0, 0, 0), "white letters need a dark background"),
        ((0, 0, 0), 255, (255, 255, 255), "black ones a light one"),
        ((200, 30, 30), 255, (255, 255, 255), "coloured ones are used to white"),
        ((255, 255, 255), 90, (0, 0, 0), "faint white letters"),
        ((0, 0, 0), 90, (255, 255, 255), "faint black ones"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("AVIF", {"quality": 100}),
        ("HEIF", {"quality": -1}),
    ],
)
def test_transparent_background_shows_the_ink(
    ink: tuple, alpha: int, background: tuple, reason: str, kind: str, options: dict
) -> None:
    """White letters get a dark background, all others a white one."""
    image = Image.new("RGBA", (64, 64), (*ink, 0))
    image.paste((*ink, alpha), (18, 5, 22, 35))
    pixels = open_image(encode(image, kind, **options)).astype(int)
    assert tuple(pixels[0, 0]) == background, reason
    share = alpha / 255
    shown = [share * one + (1 - share) * other for one, other in zip(ink, background, strict=True)]
    assert abs(pixels[20, 20] - shown).max() < 6, reason


def test_an_image_that_is_invisible_throughout_is_shown() -> None:
    """Alpha of zero everywhere is a fault of a program that wrote it; the colours are there."""
    image = half_dark("RGBA", (0, 0, 0, 0), (255, 255, 255, 0))
    assert open_image(encode(image))[0, [0, 7], 0].tolist() == [0, 255]


def test_a_transparent_level_of_deep_grey() -> None:
    """Nearly black letters on transparent black are seen in 16 bits as they are in eight."""
    deep = np.zeros((20, 20), np.uint16)
    deep[5:9] = 300
    for pixels in (deep, deep.astype(np.uint8)):
        data = encode(Image.fromarray(pixels), transparency=0)
        assert open_image(data)[[0, 6], 0].max(axis=1).tolist() in ([255, 1], [255, 44])


def test_transparent_palette_colour() -> None:
    """A palette's transparent entry counts as transparency."""
    image = half_dark("RGB", "black", "white").quantize(2)
    clear = image.getpixel((0, 0))
    assert open_image(encode(image, transparency=clear))[0, 0].tolist() == [0, 0, 0]


def test_white_box_with_dark_letters_beside_it() -> None:
    """A large white area does not call for black when the letters around it are dark."""
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[20:50, 20:50] = 255
    rgba[60:78:4, :, 3] = 255
    assert choose_background(rgba) == (255, 255, 255)


def png_bomb() -> bytes:
    """A small file that claims 30,000 x 30,000 pixels."""
    data = bytearray(encode(Image.new("1", (1, 1))))
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


NOISE = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<html>403 Forbidden</html>", "begins with b'<html>403 Fo"),
        (encode(Image.fromarray(NOISE), "JPEG")[:1500], "damaged"),
        (encode(Image.fromarray(NOISE))[:5000], "damaged"),
        (encode(Image.fromarray(NOISE))[:20], "damaged|begins with"),
        (png_bomb(), "too large"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image we read"),
    ],
)
def test_unusable_files_say_why(data: bytes, message: str, tmp_path: Path) -> None:
    """Empty, foreign, truncated and oversized files raise one error with its reason."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    for read in (open_image, check_image):
        with pytest.raises(ImageError, match=message):
            read(path)


def test_images_over_the_limit_are_refused() -> None:
    """The limit is ours and is told, not only Pillow's."""
    data = encode(Image.new("1", (10_000, MAX_PIXELS // 10_000 + 1)))
    with pytest.raises(ImageError, match=r"10000 x 8001 pixels, at most 80,000,000"):
        check_image(data)


def test_missing_file_is_an_image_error(tmp_path: Path) -> None:
    """A file deleted meanwhile costs its row, not the run."""
    with pytest.raises(ImageError, match=r"cannot read gone\.jpg: No such file"):
        open_image(tmp_path / "gone.jpg")


REDUCED = [  # size, least side, size of the reduced image, reason
    ((1200, 800), 400, (600, 400), "half"),
    ((1200, 800), 401, (1200, 800), "half would be too small"),
    ((1201, 803), 400, (601, 402), "an odd side is rounded up"),
    ((1200, 800), 100, (150, 100), "an eighth"),
    ((1200, 800), 10, (150, 100), "never less than an eighth"),
    ((300, 40), 400, (300, 40), "too small to be reduced"),
]


@pytest.mark.parametrize(("size", "side", "expected", "reason"), REDUCED)
def test_jpeg_is_reduced_no_further_than_asked(size, side, expected, reason) -> None:
    """The shorter side of a reduced JPEG has the pixels that are needed."""
    data = encode(half_dark("RGB", "black", "white", size), "JPEG")
    assert ImageFile(data, side).reduced.shape == (*expected[::-1], 3), reason
    assert ImageFile(data, side).gray.shape == size[::-1], "grey is whole"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_other_files_are_decoded_once(monkeypatch, kind) -> None:
    """Of what has no smaller size inside, the whole image serves all readers."""
    data, opened = encode(half_dark("RGB", "black", "white", (96, 64)), kind), []
    monkeypatch.setattr("lib.io.images.open_image", lambda d: opened.append(d) or open_image(d))
    file = ImageFile(data, 8)
    assert file.reduced.shape == (64, 96, 3) and file.gray.shape == (64, 96)
    assert (file.gray == file.reduced[..., 0]).all() and len(opened) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_reduced_and_grey_images_are_upright(orientation: int) -> None:
    """A JPEG that is turned by EXIF is turned whichever way it is decoded."""
    file = ImageFile(rotated_by_exif(orientation), 16)
    whole = open_image(file._data)
    small = cv2.resize(whole, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert np.abs(file.reduced.astype(int) - small).max() < 8
    assert np.abs(file.gray.astype(int) - cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "CMYK", "YCbCr"])
def test_jpegs_of_all_colours(mode: str) -> None:
    """A JPEG in grey or in the colours of print is reduced and grey as its whole image is."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8))
    data = encode(image.resize((96, 64)).convert(mode), "JPEG", quality=95)
    file, whole = ImageFile(data, 32), open_image(data)
    small = cv2.resize(whole, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert np.abs(file.reduced.astype(int) - small).mean() < 3
    assert np.abs(file.gray.astype(int) - cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY)).max() <= 2


@pytest.mark.parametrize("use", ["reduced", "gray"])
@pytest.mark.parametrize("cut", [0, 2, 300, 2000])
def test_unusable_files_say_why_to_each_reader(cut: int, use: str) -> None:
    """A damaged JPEG is a reason, however little of it is decoded."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    with pytest.raises(ImageError, match=r"empty|no image|not an image|damaged"):
        getattr(ImageFile(encode(noise, "JPEG")[:cut], 8), use)
