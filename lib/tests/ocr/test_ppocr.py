"""PP-OCR reads drawn text in any direction and gives its position."""

from dataclasses import replace

import numpy as np
import openvino
import pytest

from lib.ocr import ppocr
from lib.ocr.engines import EngineError, default_settings, load_engine
from lib.ocr.merging import overlap
from lib.ocr.ppocr_networks import plan_batches, sort_lines
from lib.parallel import has_bfloat16
from lib.tests.stand_in import draw_text


@pytest.fixture(scope="module")
def reader():
    """The networks, loaded once, in float32 on any processor."""
    return ppocr.Reader(ppocr.DEFAULT, ppocr.load_networks(ppocr.DEFAULT))


def test_level_lines_with_their_positions(reader):
    """Two lines, from the top, each in a box around its letters."""
    words = reader.read_words(draw_text(("Weight 12.5 kg", 80, 90, 40), ("220V", 300, 300, 40)))
    assert [word.text.replace(" ", "") for word in words] == ["Weight12.5kg", "220V"]
    box = words[1].box
    assert box.left == pytest.approx(300, abs=12) and box.top == pytest.approx(306, abs=14)
    assert words[0].confidence > 0.8 and words[0].source == "first"
    assert abs(words[0].angle) < 2


@pytest.mark.parametrize(
    ("turns", "angle", "reason"),
    [
        (1, -90, "turned against the clock: reads upwards"),
        (3, 90, "turned with the clock: reads downwards"),
    ],
)
def test_upright_lines_read_in_their_direction(reader, turns, angle, reason):
    """Text that runs up or down is read, and its first two corners show the direction."""
    level = draw_text(("Height 35.7 cm", 200, 200, 44))
    (word,) = reader.read_words(np.rot90(level, turns))
    assert word.text.replace(" ", "") == "Height35.7cm", reason
    assert word.angle == pytest.approx(angle, abs=3), reason
    assert word.size < 70, reason


def test_corners_of_turned_text_begin_where_it_does(reader):
    """The first corner of text that runs up is its box's lower left one."""
    (word,) = reader.read_words(np.rot90(draw_text(("Height 35 cm", 200, 200, 44)), 1))
    left, bottom = word.quad[0]
    assert left == pytest.approx(word.box.left, abs=2)
    assert bottom == pytest.approx(word.box.bottom, abs=2)


def test_light_text_on_dark(reader):
    """White on black is text as well."""
    (word,) = reader.read_words(draw_text(("60 W", 200, 200, 60), ink="white", paper="black"))
    assert word.text.replace(" ", "") == "60W"


def test_small_print_gets_a_closer_pass(reader, monkeypatch):
    """Lines low in the first pass are looked for again in a second, larger one; others are not."""
    monkeypatch.setattr(reader, "settings", replace(reader.settings, small_text=30))
    image = draw_text(("Net weight 250 g", 600, 900, 24), ("BIG", 200, 200, 200), size=(1600, 1200))
    words = {word.text.replace(" ", ""): word for word in reader.read_words(image)}
    assert words["Netweight250g"].source == "closer"
    assert words["BIG"].source == "first"


@pytest.mark.parametrize(
    ("lines", "is_used", "reason"),
    [
        (1, True, "one line: a lower threshold may find more"),
        (12, False, "an image full of text needs no second look"),
    ],
)
def test_few_lines_call_for_fainter_ones(reader, monkeypatch, lines, is_used, reason):
    """The lower thresholds decide where the usual ones find few lines."""
    faint = [[[0, 0], [90, 0], [90, 20], [0, 20]]] * 3
    monkeypatch.setattr(reader.detector, "_find_faint_boxes", lambda heat, size: (faint, []))
    image = draw_text(*((f"{n} kg", 40, 10 + 38 * n, 24) for n in range(lines)))
    assert len(reader.detector.find_lines(image, 1.0)) == (3 if is_used else lines), reason


@pytest.mark.parametrize(
    ("texts", "passes", "reason"),
    [
        ((), 2, "nothing found: look closer"),
        ((("60 W", 40, 40, 60),), 2, "hardly anything"),
        ((("60 W", 40, 40, 60), ("230 V", 40, 200, 60)), 1, "text enough"),
    ],
)
def test_blank_pages_get_a_closer_pass(reader, monkeypatch, texts, passes, reason):
    """An image with one line or none is searched at a larger scale as well."""
    sizes = []
    find = reader.detector.find_lines
    monkeypatch.setattr(
        reader.detector, "find_lines", lambda *args: sizes.append(args) or find(*args)
    )
    reader.read_words(draw_text(*texts))
    assert len(sizes) == passes, reason


@pytest.mark.parametrize(
    ("first", "others", "expected", "reason"),
    [
        (("204 X", 0.7), [("20V X", 0.8), ("204 X", 0.6)], "20V X", "the most confident wins"),
        (('21"', 0.8), [("21", 0.99)], '21"', "more confident, but a mark is lost"),
        (("20V X", 0.95), [("204 X", 0.99)], "20V X", "confident at once: not read again"),
        (("VOLT", 0.6), [("VOUT", 0.9)], "VOLT", "no digits: not read again"),
    ],
)
def test_doubtful_numbers_are_read_in_other_cuts(
    reader, monkeypatch, first, others, expected, reason
):
    """A doubtful line with digits is cut out in several ways; the most confident text wins."""
    readings = iter([first, *others])
    say(monkeypatch, reader.glancing_recogniser, lambda: ("", 0.0))
    say(monkeypatch, reader.recogniser, lambda: next(readings, ("", 0.0)))
    (word,) = reader.read_words(draw_text(("60 W", 200, 200, 60)))
    assert word.text == expected, reason


def say(monkeypatch, recogniser, read):
    """Have a recogniser read each strip so, and return the widths of all that it reads."""
    widths = []

    def read_strips(strips):
        widths.extend(strip.shape[1] for strip in strips)
        return [read() for _ in strips]

    monkeypatch.setattr(recogniser, "read_strips", read_strips)
    return widths


@pytest.mark.parametrize(
    ("glance", "is_read", "reason"),
    [
        (("WIDTH", 0.96), False, "no number, and certain"),
        (("WIDTH", 0.94), True, "not certain"),
        (("12", 0.99), True, "a number, however certain"),
        (("12 High Street, Leeds 5", 0.99), False, "long, and its numbers measure nothing"),
        (("a cable of 24OW or more", 0.99), True, "long, but this may be a number"),
        (("holds at most 12 kg of it", 0.99), True, "long, and a quantity"),
    ],
)
def test_lines_that_may_hold_a_number_are_read_by_the_small_recogniser(
    reader, monkeypatch, glance, is_read, reason
):
    """The tiny one's reading stands for the others."""
    say(monkeypatch, reader.glancing_recogniser, lambda: glance)
    widths = say(monkeypatch, reader.recogniser, lambda: ("60 kg", 0.97))
    (word,) = reader.read_words(draw_text(("60 W", 200, 200, 60)))
    assert (word.text == "60 kg") is bool(widths) is is_read, reason
    assert is_read or word.text == glance[0]


def test_directions_that_cannot_win_are_not_read_twice(reader, monkeypatch):
    """Text that runs up is read both ways at a glance, and then only upwards."""
    glances = iter([("Height 35 cm", 0.9), ("nothing", 0.5)])
    glanced = say(monkeypatch, reader.glancing_recogniser, lambda: next(glances))
    widths = say(monkeypatch, reader.recogniser, lambda: ("Height 35 cm", 0.97))
    (word,) = reader.read_words(np.rot90(draw_text(("Height 35 cm", 200, 200, 44)), 1))
    assert (len(glanced), len(widths)) == (2, 1) and word.angle == pytest.approx(-90, abs=3)


@pytest.mark.parametrize(
    ("confidence", "again", "reason"),
    [
        (0.39, 0, "hopeless"),
        (0.4, 5, "doubtful"),
        (0.89, 5, "doubtful"),
        (0.9, 0, "certain enough"),
    ],
)
def test_what_is_worth_another_reading(reader, monkeypatch, confidence, again, reason):
    """A line with digits is read in five crops if that may help."""
    say(monkeypatch, reader.glancing_recogniser, lambda: ("60", 0.9))
    widths = say(monkeypatch, reader.recogniser, lambda: ("60", confidence))
    reader.read_words(draw_text(("60 W", 200, 200, 60)))
    assert len(widths) == 1 + again, reason


def test_small_print_is_searched_for_in_its_parts(reader, monkeypatch):
    """The closer pass sees the small print, and what may be more of it, not the whole image."""
    seen = []
    find = reader.detector._network
    monkeypatch.setattr(
        reader.detector, "_network", lambda pixels: seen.append(pixels.shape) or find(pixels)
    )
    monkeypatch.setattr(reader, "settings", replace(reader.settings, small_text=30))
    lines = [("BIG", 200, 300, 300), ("Net weight 250 g", 900, 1300, 20)]
    words = reader.read_words(draw_text(*lines, size=(1600, 1600)))
    small = next(word for word in words if "250" in word.text)
    assert small.text.replace(" ", "") == "Netweight250g" and small.source == "closer"
    assert small.box.left == pytest.approx(900, abs=8)
    assert small.box.top == pytest.approx(1303, abs=10)
    (_, *first, _), (_, *closer, _) = seen
    assert np.prod(closer) < np.prod(first) / 4


def test_results_do_not_depend_on_what_was_read_before(reader):
    """The networks keep nothing from image to image."""
    image = draw_text(("Weight 12.5 kg", 80, 90, 40))
    before = reader.read_words(image)
    reader.read_words(draw_text(("something else", 50, 50, 70)))
    assert reader.read_words(image) == before


@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 3), (33, 31)])
def test_odd_sizes_give_a_page(reader, shape):
    """Images of one pixel or 20,000 are read and hold no text."""
    assert reader.read_words(np.full((*shape, 3), 255, np.uint8)) == []


def test_batches_hold_every_strip_once():
    """Batches are of 1, 2, 4 or 8 strips, wide enough, and leave none out."""
    widths = np.random.default_rng(0).integers(1, 900, 100).tolist()
    batches = plan_batches(widths)
    assert sorted(index for batch, _ in batches for index in batch) == list(range(100))
    assert {len(batch) for batch, _ in batches} <= {1, 2, 4, 8}
    assert all(widths[index] <= width for batch, width in batches for index in batch)


def test_lines_are_sorted_in_rows():
    """Boxes a few pixels apart are one row, read from the left."""
    boxes = np.float32([[[x, y]] * 4 for x, y in [(90, 12), (10, 15), (50, 60)]])
    assert sort_lines(boxes)[:, 0, 0].tolist() == [10, 90, 50]
    assert sort_lines(np.empty((0, 4, 2), np.float32)).shape == (0, 4, 2)


@pytest.mark.parametrize(
    ("able", "asked", "expected"),
    [
        (["FP32", "BF16"], "auto", "bfloat16"),
        (["FP32", "BF16"], "bfloat16", "bfloat16"),
        (["FP32", "BF16"], "float16", "bfloat16"),  # of CUDA devices, on which no engine runs
        (["FP32", "BF16"], "float32", "float32"),
        (["FP32", "INT8"], "auto", "float32"),
        (["FP32", "INT8"], "float32", "float32"),
    ],
)
def test_precision_is_resolved(monkeypatch, able, asked, expected):
    """The settings, and so the key of the cache, and the version hold what the processor does."""
    monkeypatch.setattr(openvino, "Core", lambda: FakeCore(able))
    settings = default_settings("rapidocr_fast", asked)
    assert settings == replace(ppocr.FAST, precision=expected)
    assert settings.name_version().endswith(f" {expected}")


def test_bfloat16_is_refused_where_the_processor_lacks_it(monkeypatch):
    """Neither parameters nor a worker of a cluster compute in another precision than named."""
    monkeypatch.setattr(openvino, "Core", lambda: FakeCore(["FP32"]))
    with pytest.raises(EngineError, match="set PRECISION to float32"):
        default_settings("rapidocr", "bfloat16")
    load_engine.cache_clear()  # another test may have loaded it
    with pytest.raises(EngineError, match="set PRECISION to float32"):
        load_engine(replace(ppocr.DEFAULT, precision="bfloat16"))


class FakeCore:
    """A processor with some capabilities."""

    def __init__(self, able):
        self.able = able

    def get_property(self, *asked):
        """Return the capabilities."""
        return self.able


def test_both_precisions_read_alike(reader):
    """The same text is read in bfloat16, in boxes that share nine tenths of their area."""
    if not has_bfloat16():
        pytest.skip("the processor has no bfloat16")
    image = draw_text(("Weight 12.5 kg", 80, 90, 40), ("220V", 300, 300, 40))
    exact = reader.read_words(image)
    settings = replace(ppocr.DEFAULT, precision="bfloat16")
    half = ppocr.Reader(settings, ppocr.load_networks(settings)).read_words(image)
    assert [word.text for word in half] == [word.text for word in exact]
    assert [word.confidence for word in half] != [word.confidence for word in exact]
    for one, other in zip(half, exact, strict=True):
        assert overlap(np.float32(one.quad), np.float32(other.quad)) > 0.9
