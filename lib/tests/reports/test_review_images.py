"""Images of a row to review."""

import io

import numpy as np
import pytest
from PIL import Image

from lib.reports import review_images
from lib.reports.review_images import CROP, LARGE, THUMBNAIL, Views, cut_text, draw_views, encode
from lib.tests.drawing import make_image
from lib.tests.reviewed_run import BOX, draw_image

ROWS, LARGEST = 200, 10_000_000  # a workbook of so many rows is no larger
QUAD = tuple(zip(BOX[::2], BOX[1::2], strict=True))


def open_jpeg(file):
    """Open a file as pixels."""
    return np.array(Image.open(io.BytesIO(file)))


def test_views_show_text_and_image(tmp_path):
    """The crop holds the text and its frame, the thumbnail the frame, the large one neither."""
    draw_image(tmp_path / "a.png", "Net 90 g")
    views = draw_views(tmp_path / "a.png", QUAD)
    crop, thumbnail, image = map(open_jpeg, (views.crop, views.thumbnail, views.image))
    assert (crop.min(axis=(0, 1)) < 90).all() and crop.shape[1] > 1.7 * crop.shape[0]
    assert thumbnail.shape == (336, 420, 3) and image.shape == (400, 500, 3)
    saturation = [np.ptp(one.astype(int), axis=2).max() for one in (crop, thumbnail, image)]
    assert saturation[0] > 100 and saturation[1] > 100 and saturation[2] < 60
    assert views.outline[0] == (0.08, 0.15) and views.outline[2] == (0.4, 0.225)


def test_nothing_read_has_no_crop(tmp_path):
    """A row without an answer shows the image alone."""
    draw_image(tmp_path / "a.png", "Net 90 g")
    views = draw_views(tmp_path / "a.png", None)
    assert views.image and views.thumbnail and not views.crop and views.outline is None


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_lost_image_has_no_views(tmp_path, content):
    """A file that is missing, empty or damaged is no error: the row can still be reviewed."""
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    assert draw_views(tmp_path / "a.png", QUAD) == Views()


@pytest.mark.parametrize(
    ("name", "quad", "size"),
    [
        ("level", ((40, 60), (200, 60), (200, 90), (40, 90)), (250, 143)),  # with a margin
        ("turned", ((40, 200), (40, 60), (60, 60), (60, 200)), (350, 200)),  # as wide as a cell
        ("corner", ((0, 0), (9, 0), (9, 9), (0, 9)), (63, 36)),  # moved into the image
        ("whole", ((0, 0), (500, 0), (500, 400), (0, 400)), (500, 400)),  # no more than there is
        ("outside", ((480, 390), (520, 390), (520, 410), (480, 410)), (140, 80)),  # read amiss
        ("point", ((90, 90), (90, 90), (90, 90), (90, 90)), (42, 24)),  # of no size
    ],
)
def test_crop_has_room(monkeypatch, name, quad, size):
    """Whatever the place of the text, the crop lies in the image and shows what is around."""
    monkeypatch.setattr(review_images, "CROP", (0, 0))  # not scaled
    shape = np.zeros((400, 500, 3), np.uint8)
    monkeypatch.setattr(review_images, "resize", lambda pixels, scale: pixels.copy())
    height, width = cut_text(shape, quad).shape[:2]
    assert (width, height) == pytest.approx(size, abs=2)


@pytest.mark.parametrize("limit", [CROP, THUMBNAIL, LARGE])
def test_noise_is_small_enough(limit):
    """What compresses worst loses quality, then size, until it is small enough."""
    pixels = np.random.default_rng(0).integers(0, 255, (700, 900, 3), dtype=np.uint8)
    file = encode(pixels, *limit)
    assert len(file) <= limit[1] and max(open_jpeg(file).shape) > limit[0] / 5


def test_workbook_stays_below_its_limit():
    """Two hundred rows of the largest images are within the limit, with room for the cells."""
    assert ROWS * (CROP[1] + THUMBNAIL[1]) < 0.8 * LARGEST


def test_small_text_is_enlarged():
    """A crop is enlarged by up to three times, so that small print can be read."""
    pixels = np.array(Image.open(io.BytesIO(make_image(size=400))))
    crop = cut_text(pixels, ((100, 100), (140, 100), (140, 110), (100, 110)))
    assert crop.shape == pytest.approx((120, 210, 3))
