"""Tests of the rows of tables: which lines are cells, and what the rules make of them."""

import numpy as np
import pytest

from lib.extraction.answers import choose_by_rules
from lib.extraction.layout import Layout
from lib.extraction.scan import scan_page
from lib.ocr.page import Word
from lib.quantities import ENTITIES
from lib.tests.drawing import page, turned_word, word


def lay_out(
    rows: list[str], columns: tuple[int, ...], step: float = 40, right: bool = False
) -> list[Word]:
    """Lay out rows of cells, `Width | 45 | cm`, whose columns begin or end at places."""
    words = []
    for row, line in enumerate(rows):
        for at, cell in zip(columns, (one.strip() for one in line.split("|")), strict=False):
            left = at - 10 * len(cell) if right and at != columns[0] else at
            words += [word(cell, left, 10 + step * row, 20)] if cell else []
    return words


FORM = ["Width | 45 | cm", "Height | 78 | cm", "Depth | | cm", "Net weight | 6.2 | kg"]
SHOP = ["Genişlik | 80 cm", "Yükseklik | 180 cm", "Raf aralığı | 32 cm", "Ağırlık | 24,5 kg"]
UNITS_FIRST = ["Breite | mm | 420", "Höhe | mm | 610", "Tiefe | mm | 330", "Gewicht | kg | 7,5"]
COPY = ["Rain or shine | Made to last", "Light as air | Two colours", "For 3 seasons | Easy care"]

CELLS = [
    (lay_out(FORM, (0, 300, 700)), ["Width", "Height", "Net weight"], "units far from the values"),
    (lay_out(SHOP, (0, 700)), ["Genişlik", "Yükseklik", "Raf aralığı", "Ağırlık"], "far captions"),
    (lay_out(SHOP, (0, 700), right=True), ["Genişlik", "Yükseklik", "Raf aralığı", "Ağırlık"],
     "values flush right"),
    (lay_out(UNITS_FIRST, (0, 300, 500)), ["Breite", "Höhe", "Tiefe", "Gewicht"], "units first"),
    (lay_out(SHOP[:2], (0, 700)), [], "two rows may be chance"),
    (lay_out(SHOP, (0, 700), step=400), [], "rows far from each other"),
    (lay_out(COPY, (0, 300)), [], "copy in two columns"),
    ([word("80 cm", 30, 10, 20), word("45 cm", 310, 90, 20), word("60 cm", 150, 200, 20)], [],
     "a drawing's numbers"),
    ([turned_word("Genişlik", 0, 300), turned_word("80 cm", 0, 100)] * 2, [], "turned text"),
    ([], [], "an empty page"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "expected", "reason"), CELLS)
def test_captions(words, expected, reason):
    """The cells with a number have the text that begins their row; other lines have none."""
    layout = Layout(words)
    cells = [i for i, line in enumerate(words) if line.text[0].isdigit()]
    found = [words[at].text for at in map(layout.find_caption, cells) if at >= 0]
    assert found == expected, reason


# Rows, where the columns begin, what is answered, why.
ANSWERS = [
    (FORM, (0, 300, 700),
     {"width": "45.0 centimetre", "height": "78.0 centimetre", "item_weight": "6.2 kilogram"},
     "units in fields of their own, one value missing"),
    (SHOP, (0, 700),
     {"width": "80.0 centimetre", "height": "180.0 centimetre", "item_weight": "24.5 kilogram"},
     "a caption without a keyword names no dimension"),
    (UNITS_FIRST, (0, 300, 500),
     {"width": "420.0 millimetre", "height": "610.0 millimetre", "depth": "330.0 millimetre",
      "item_weight": "7.5 kilogram"}, "units before the values"),
    (["Poids du colis | 4,2 kg", "Longueur du câble | 1,5 m", "Garantie | 2 ans"], (0, 600), {},
     "a package and a cable, French"),
    (["Peso del paquete | 3,9 kg", "Longitud del cable | 1,2 m", "Tensión | 230 V"], (0, 600),
     {"voltage": "230.0 volt"}, "the same in Spanish"),
    (["Verpackungsgewicht | 12 kg", "Gewicht | 9 kg", "Kabellänge | 2 m"], (0, 600),
     {"item_weight": "9.0 kilogram"}, "the product beside its package, German"),
    (["Package width | 60 cm", "Package height | 90 cm", "Width | 40 cm"], (0, 600),
     {"width": "40.0 centimetre"}, "a package's size is not the product's"),
]  # fmt: skip


@pytest.mark.parametrize("ruled", [False, True])
@pytest.mark.parametrize(("rows", "columns", "expected", "reason"), ANSWERS)
def test_answers_from_tables(rows, columns, expected, reason, ruled):
    """Each row answers the question that its caption names, with or without ruled lines."""
    ends = [[0.0, 40 * row + 36, columns[-1] + 200, 40 * row + 36] for row in range(len(rows))]
    rules = np.array(ends if ruled else np.empty((0, 4)), np.float32)
    scan = scan_page(page(*lay_out(rows, columns)), rules)
    said = {entity: choose_by_rules(scan, entity).prediction for entity in ENTITIES}
    assert {entity: one for entity, one in said.items() if one} == expected, reason
