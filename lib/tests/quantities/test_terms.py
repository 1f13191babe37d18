"""Tests of part: what joins each number to the one before."""

import pytest

from lib.quantities.terms import read_terms

LINKS = [
    ("3 x 4", "times", "letter"),
    ("3*4", "times", "asterisk"),
    ("3 by 4", "times", "word"),
    ("3 - 4", "range", "hyphen"),
    ("3 bis 4", "range", "German"),
    ("3V~4V", "range", "tilde"),
    ("12V/24V", "slash", "slash"),
    ("3 lb (4 kg)", "dual", "bracket"),
    ("3 oz.(4 g)", "dual", "dot and bracket"),
    ("3 lb, 4 oz", "and", "comma"),
    ("3 ± 4", "tolerance", "sign"),
    ("3 4", "space", "nothing"),
    ("3 x W 4", "times", "an axis between"),
    ("3 bottles of 4", "", "other words"),
]


@pytest.mark.parametrize(("text", "link", "reason"), LINKS)
def test_reads_links(text: str, link: str, reason: str) -> None:
    """The text between two numbers says how they belong together."""
    assert [part.link for part in read_terms(text)] == ["", link], reason


def test_kind_and_base_follow_the_unit() -> None:
    """A part knows what its unit measures and how large it is."""
    part = read_terms("10 inch")[0]
    assert (part.kind, part.base) == ("length", 0.254)
    assert read_terms("10")[0].kind == ""


def test_letter_goes_to_the_next_number() -> None:
    """In `L 30 W 20` the W is no watt."""
    assert [(part.unit, part.axis) for part in read_terms("L 30 W 20")] == [
        ("", "length"),
        ("", "width"),
    ]
