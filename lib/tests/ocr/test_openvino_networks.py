"""The networks on OpenVINO compute what their files say."""

import numpy as np
import openvino
import pytest

from lib.ocr.openvino_graph import take_pixels
from lib.ocr.openvino_networks import OpenVinoDetector, OpenVinoRecogniser, find_best_letters
from lib.ocr.ppocr_networks import (
    DETECTOR,
    SMALL,
    SMALL_LETTERS,
    TINY,
    TINY_LETTERS,
    Recogniser,
)
from lib.tests.stand_in import draw_text

TEXT = "THE WEIGHT (with its box): about 120 g, or 4.2 oz."


@pytest.fixture(scope="module", params=[SMALL, TINY], ids=["small", "tiny"])
def networks(request):
    """A recogniser with its last layer apart, and the same one whole."""
    return OpenVinoRecogniser(request.param, "float32"), compile_whole(request.param)


def compile_whole(path):
    """The network of a file as it comes, on pixels."""
    core = openvino.Core()
    model = take_pixels(core.read_model(path))
    return core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def test_chances_of_text_are_those_of_the_whole_network():
    """They are the same on maps of every size, each pixel in its place."""
    detector, whole = OpenVinoDetector(DETECTOR, "float32"), compile_whole(DETECTOR)
    drawing = draw_text((TEXT, 40, 90, 30), ("17 cm", 100, 300, 60), size=(800, 640))
    for pixels in (drawing, drawing[64:96, :64], drawing[32:], drawing[:, 32:352]):
        expected = whole(pixels[None])[0]
        np.testing.assert_allclose(detector(pixels[None]), expected, atol=1e-4)
    assert expected.max() > 0.9


@pytest.mark.parametrize(
    "widths",
    [
        (64, 96, 1152),  # fewer and more steps than are read together
        (640,),  # 80 steps, as many as the tiny network's last layer has inputs
        (960,),  # 120, as many as the small one's
        (),
    ],
)
def test_letters_and_chances_are_those_of_the_whole_network(networks, widths):
    """The best letter of each step is the same, and so is its chance, unless it is a blank."""
    recogniser, whole = networks
    line = draw_text((TEXT, 4, 6, 30), size=(1200, 48))
    batches = [np.stack([line[:, :width], line[:, ::-1][:, :width]]) for width in widths]
    found = list(recogniser(batches))
    assert len(found) == len(batches)
    for pixels, (chances, letters) in zip(batches, found, strict=True):
        expected = whole(pixels)[0]
        np.testing.assert_array_equal(letters, expected.argmax(-1))
        np.testing.assert_allclose(
            chances, np.where(letters, expected.max(-1), 0), atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("width", [640, 960])
def test_strips_of_every_width_are_read(width):
    """Both networks read a line as long as their last layers are wide."""
    strip = draw_text((TEXT, 4, 6, 30), size=(width, 48))
    for file, letters in ((SMALL, SMALL_LETTERS), (TINY, TINY_LETTERS)):
        [(text, confidence)] = Recogniser(OpenVinoRecogniser(file, "float32"), letters).read_strips(
            [strip]
        )
        assert confidence > 0.8 and text.replace(" ", "").startswith("THEWEIGHT(with")


def test_best_letters():
    """Blanks have no chance; the others have that of the softmax, however large their scores."""
    scores = np.float32([[9, 1, 2], [1000, 1001, 1000], [0, 0, 3]])
    chances, letters = find_best_letters(scores)
    assert letters.tolist() == [0, 1, 2]
    e = np.exp(1)
    assert chances.tolist() == pytest.approx([0, e / (e + 2), np.exp(3) / (np.exp(3) + 2)])
