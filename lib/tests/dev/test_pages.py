"""Tests of the synthetic pages written by hand: their table, their layouts, their files."""

import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lib.dev.synthetic.contents import Content, make_content, read_contents
from lib.dev.synthetic.dataset import make_page
from lib.dev.synthetic.fonts import load_font
from lib.dev.synthetic.layouts import LAYOUTS, draw_page
from lib.quantities import ENTITIES
from lib.tests.conftest import SAMPLE

PAGES = read_contents()
TABLE: dict[str, object] = {
    "language": "en",
    "family": "Lato",
    "size": [600, 400],
    "accent": [20, 20, 20],
    "title": "Kettle",
    "rows": [["Power", "900 W"]],
    "truths": {"wattage": "900.0 watt"},
}


def list_texts(page: Content) -> list[str]:
    """List all texts of a page."""
    measures = [measure[-1] for view in page.views for measure in view.measures]
    return [page.title, *page.lines, *page.foot, *measures, *sum(page.rows, ())]


def test_every_kind_has_pages_in_several_languages():
    """There are three pages of each kind, at least two languages, in both tables."""
    assert Counter(page.kind for page in PAGES) == dict.fromkeys(LAYOUTS, 3)
    for kind in LAYOUTS:
        pages = [page for page in PAGES if page.kind == kind]
        assert len({page.language for page in pages}) >= 2, kind
        assert {page.split for page in pages} == {"train", "test"}, kind


def test_most_questions_are_not_stated():
    """All eight questions are asked of each page, and two thirds have no answer."""
    truths = [truth for page in PAGES for truth in page.truths.values()]
    assert {tuple(page.truths) for page in PAGES} == {tuple(ENTITIES)}
    assert truths.count("") > len(truths) * 2 / 3
    for entity in ENTITIES:
        assert len({bool(page.truths[entity]) for page in PAGES}) == 2, entity


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_fonts_have_all_letters(page):
    """No letter of a page is drawn as a box, because its font lacks it."""
    font = load_font(page.family, False, 20)
    letters = set("".join(list_texts(page))) - {" "}
    absent = bytes(font.getmask("\U000f0000"))
    assert {letter for letter in letters if bytes(font.getmask(letter)) == absent} == set()


def test_table_gives_a_content():
    """A table's lists become tuples, and the questions that it leaves out are not stated."""
    page = make_content("nameplate_test_7", TABLE)
    assert (page.kind, page.split, page.rows) == ("nameplate", "test", (("Power", "900 W"),))
    assert page.truths == dict.fromkeys(ENTITIES, "") | {"wattage": "900.0 watt"}


@pytest.mark.parametrize(
    ("truths", "reason"),
    [
        ({"wattage": "900 watt"}, "no decimal point"),
        ({"wattage": "900.0 volt"}, "another entity's unit"),
        ({"wattage": "900-1000 watt"}, "a range"),
        ({"wattage": ""}, "not stated is left out"),
    ],
)
def test_wrong_truths_are_refused(truths, reason):
    """A truth must be in the official format and in a unit of its entity."""
    with pytest.raises(ValueError, match=r"nameplate_test_7.*wattage"):
        make_content("nameplate_test_7", TABLE | {"truths": truths})


def test_colliding_texts_are_refused():
    """A page too small for its texts says so."""
    small = make_content("nameplate_test_7", TABLE | {"size": [600, 130], "foot": ["Class II"]})
    with pytest.raises(ValueError, match="nameplate_test_7: expected texts that do not collide"):
        draw_page(small)


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_committed_page_is_reproduced(kind):
    """The generator with seed 0 makes the committed page again, but for rounding."""
    made = make_page(next(page for page in PAGES if page.kind == kind), seed=0)
    committed = Image.open(SAMPLE / "images" / made.name).convert("RGB")
    drawn = Image.open(io.BytesIO(made.content)).convert("RGB")
    assert drawn.size == committed.size
    assert np.abs(np.asarray(drawn, float) - np.asarray(committed, float)).mean() < 2


def test_pages_depend_on_name_and_seed():
    """The same name and seed give the same bytes, another name others."""
    page = next(page for page in PAGES if page.kind == "form")
    first = make_page(page, seed=3)
    assert make_page(page, seed=3) == first
    assert make_page(replace(page, name="form_test_9"), seed=3).content != first.content
