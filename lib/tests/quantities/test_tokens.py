"""Tests of atom: one number with its unit, and what is refused."""

import pytest

from lib.quantities.tokens import read_tokens

ATOMS = [
    ("3 kg", [(3, "kilogram")], "number and unit"),
    ("3", [(3, "")], "bare number"),
    ("3 kg 5 cm", [(3, "kilogram"), (5, "centimetre")], "two"),
    ("36V250W", [(36, "volt"), (250, "watt")], "run together"),
    ("5V2A10W", [(5, "volt"), (2, ""), (10, "watt")], "run together with a current"),
    ("5.0Ah18V", [(5, ""), (18, "volt")], "run together with a charge"),
    ("1.5L220V", [(1.5, "litre"), (220, "volt")], "one letter, run together"),
    ("L20V", [], "an axis names no voltage: the 1 of 120 was read as an L"),
    ("L20cm", [(20, "centimetre")], "an axis names a length"),
    ("MX12A24V", [], "model number that ends like a voltage"),
    ("5OOLBS", [(500, "pound")], "slip in the number"),
    ("9.4 in |23.9CM", [(9.4, "inch"), (23.9, "centimetre")], "a bar before a number is no 1"),
    ("H |30 CM", [(30, "centimetre")], "nor is the line beside it"),
    ("2|.5 cm", [(21.5, "centimetre")], "within a number it is"),
    ("200 1b", [(200, "pound")], "slip in the unit"),
    ("80z", [(8, "ounce")], "the 0 is an o"),
    ("NET44FLOZ", [(44, "fluid ounce")], "word glued before"),
    ("QD30H11G", [], "model number"),
    ("08.2027   L 6114", [(8.2027, ""), (6114, "")], "a month, then a lot"),
    ("12   G4481", [(12, "")], "the letter is nearer to the lot"),
    ("2 L 4481", [(2, "litre"), (4481, "")], "as near to either"),
    ("12 zł", [(12, "")], "the z of a Polish currency"),
    ("$5", [], "price"),
    ("5 in the box", [(5, "")], "preposition"),
    ("", [], "empty"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), ATOMS)
def test_reads_atoms(text: str, expected: list[tuple[float, str]], reason: str) -> None:
    """Numbers are found with the unit beside them."""
    assert [(atom.value, atom.unit) for atom in read_tokens(text)] == expected, reason


GLUED = [
    ("4K", "after", "letter behind"),
    ("DB9", "", "refused, so nothing to tell"),
    ("Model300", "before", "word before"),
    ("30x40", "", "times sign"),
    ("60D x", "", "axis"),
    ("5", "", "alone"),
]


@pytest.mark.parametrize(("text", "glued", "reason"), GLUED)
def test_tells_what_touches(text: str, glued: str, reason: str) -> None:
    """A bare number says on which side a word touches it."""
    assert [atom.glued for atom in read_tokens(text)][:1] in ([glued], []), reason


def test_remembers_letter_and_repair() -> None:
    """A unit of one letter is remembered, for it may name an axis; so is a mended glyph."""
    (watt,), (pound,) = read_tokens("80W"), read_tokens("80 1bs")
    assert (watt.letter, watt.repaired) == ("w", False)
    assert (pound.letter, pound.repaired) == ("", True)
