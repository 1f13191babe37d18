"""Tests of axis: words and letters right beside a number."""

import pytest

from lib.quantities.axes import AXIS_WORDS, QUALIFIER_WORDS, read_after, read_before, read_head

BEFORE = [
    ("H: ", "height", None, "letter and colon"),
    ("W", "width", None, "letter alone"),
    ("Ø ", "diameter", None, "sign"),
    ("Breite ", "width", None, "German"),
    ("max. height ", "height", "max", "both"),
    ("height max. ", "height", "max", "both, the other way round"),
    ("bis zu ", None, "max", "two words"),
    ("~", None, "approx", "sign"),
    ("d ", None, None, "a small letter apart is no axis"),
    ("Vitamin ", None, None, "another word"),
    ("", None, None, "empty"),
]


@pytest.mark.parametrize(("text", "axis", "qualifier", "reason"), BEFORE)
def test_reads_before(text: str, axis: str | None, qualifier: str | None, reason: str) -> None:
    """Axis and qualifier are taken off the end, in either order."""
    assert read_before(text)[:2] == (axis, qualifier), reason


AFTER = [
    ('"W', "width", "letter"),
    (" cm (H)", None, "the unit is not its business"),
    (" high", "height", "word"),
    (" (D)", "depth", "bracket"),
    (" W: 20", None, "the next number's letter"),
    (" height 20", None, "the next number's word"),
    ("W 20", "width", "a letter that touches is this number's"),
    (" w", None, "a small letter apart is no axis"),
    (" large", None, "English size, not French width"),
    ("", None, "empty"),
]


@pytest.mark.parametrize(("text", "axis", "reason"), AFTER)
def test_reads_after(text: str, axis: str | None, reason: str) -> None:
    """An axis behind a number is read unless it belongs to the next one."""
    start = 1 if text.startswith('"') else 0
    assert read_after(text, start)[0] == axis, reason


HEADS = [
    ("LxWxH", ("length", "width", "height"), "run together"),
    ("(L x W x H)", ("length", "width", "height"), "with spaces"),
    ("W*D", ("width", "depth"), "two"),
    ("B x H x T", ("width", "height", "depth"), "German"),
    ("10 x 20", (), "numbers"),
    ("", (), "empty"),
]


@pytest.mark.parametrize(("text", "axes", "reason"), HEADS)
def test_reads_head(text: str, axes: tuple[str, ...], reason: str) -> None:
    """The head of a series names its axes."""
    assert read_head(text) == axes, reason


def test_tables_are_lower_case() -> None:
    """Words are looked up in lower case, so the tables hold nothing else."""
    assert all(word == word.lower() for word in [*AXIS_WORDS, *QUALIFIER_WORDS])
