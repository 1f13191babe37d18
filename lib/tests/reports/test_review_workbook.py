"""The workbook of a review: its cells, lists, check and images, and LibreOffice's look at it."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.quantities import parse_typed
from lib.reports.review_images import Views, draw_views
from lib.reports.review_rows import NOT_STATED, Heading, ReviewRow
from lib.reports.review_workbook import WRONG, write_review_workbook
from lib.tests.reports.test_review_images import QUAD
from lib.tests.reviewed_run import draw_image, fill_in, needs_office, save_by_office

TYPED = [
    ("width", "12.0 inch", "confirmed"),  # the answer
    ("width", " 12.0  INCH ", "confirmed"),  # as typed in a hurry
    ("width", "12 inch", "corrected"),  # an official unit
    ("width", "12.50 cm", "corrected"),  # in short
    ("width", "0.5 ft", "corrected"),
    ("item_volume", "8 fl oz", "corrected"),  # a unit of two words
    ("item_volume", "8 oz", "corrected"),  # a fluid ounce, where a volume is asked
    ("item_weight", "8 fl oz", WRONG),  # of another question
    ("width", "not stated", "corrected"),
    ("width", "NOT STATED", "corrected"),
    ("width", "12", WRONG),  # no unit
    ("width", "inch", WRONG),  # no number
    ("width", "12inch", "corrected"),  # no blank
    ("width", "14,5 cm", "corrected"),  # a decimal comma
    ("width", "0,25M", "corrected"),  # both
    ("width", "1,2345 m", "corrected"),
    ("item_volume", "8fl  oz", "corrected"),
    ("width", "1,200 mm", WRONG),  # is it 1.2 or 1200?
    ("width", "12,345mm", WRONG),
    ("width", "1,200.5 mm", WRONG),
    ("width", "1,2,3 cm", WRONG),
    ("width", "1 2 cm", WRONG),
    ("width", ",5 cm", WRONG),
    ("width", "5, cm", WRONG),
    ("width", "5 c m", WRONG),
    ("width", "cm5", WRONG),
    ("width", "-5 cm", WRONG),
    ("width", "+5 cm", WRONG),
    ("width", ".5 cm", WRONG),
    ("width", "5. cm", WRONG),
    ("width", "1.2.3 cm", WRONG),
    ("width", "1e3 cm", WRONG),
    ("width", "1/2 inch", WRONG),
    ("width", "5 to 7 cm", WRONG),
    ("width", "5 *", WRONG),  # a wild card in some formulas
    ("width", "5 <cm", WRONG),
    ("width", "5 cm wide", WRONG),
    ("voltage", "220 V", "corrected"),
    ("voltage", "220 v~", WRONG),  # only plain letters
    ("wattage", "1" * 20 + " watt", "corrected"),
    ("wattage", "1" * 21 + " watt", WRONG),  # no product
    ("wattage", "1" * 17 + ",5watt", "corrected"),
    ("wattage", "unknown", WRONG),
    ("wattage", "?", WRONG),
]


def make_row(number=0, folder=None, **changes):
    """Make a row to review, with an image if a folder is named."""
    path = (folder or Path()) / f"{number}.png"
    if folder:
        draw_image(path, f"{number} kg")
    usual = {
        "index": str(number),
        "entity": "width",
        "sha256": f"sha{number}",
        "link": f"images/{number}.jpg",
        "answer": "12.0 inch",
        "confidence": 0.5,
        "decision": "answered",
        "text": '12"',
        "runner_up": "5.0 inch",
        "conflict": "",
        "reason": "large print",
        "choices": ("12.0 inch", "5.0 inch", NOT_STATED),
        "views": draw_views(path, QUAD) if folder else Views(),
    }
    return ReviewRow(**usual | changes)


def read_part(book, name):
    """Read a file of a workbook as text."""
    with zipfile.ZipFile(book) as archive:
        return archive.read(name).decode()


def test_cells_hold_the_row(tmp_path):
    """Each heading has its value, as text; nothing is read as a formula or a number."""
    rows = [
        make_row(index="0001", text="=1+1", link="=cmd", reason="<b>&\x01", conflict="5.0 inch"),
        make_row(answer="", confidence=None, text="", runner_up=""),
    ]
    write_review_workbook(tmp_path / "a.xlsx", {"review": rows})
    table = pd.read_excel(tmp_path / "a.xlsx", dtype=str, engine="calamine").fillna("")
    assert list(table) == [*Heading]
    first, second = table.to_dict("records")
    assert first | {Heading.REASON: ""} == {
        "question": "width",
        "what was read": "",
        "whole image": "(no image)",
        "answer": "12.0 inch",
        "correct": "",
        "check": "",
        "confidence": "0.5",
        "text": "=1+1",
        "runner-up": "5.0 inch",
        "conflict": "5.0 inch",
        "decision": "answered",
        "reason": "",
        "index": "0001",
        "link": "=cmd",
        "image": "sha0",
    }
    assert (second["answer"], second["confidence"]) == (NOT_STATED, "")
    assert second["what was read"] == "(nothing)"


def test_column_of_conflicts_needs_one(tmp_path):
    """A review without contradictions has no empty column for them."""
    write_review_workbook(tmp_path / "a.xlsx", {"review": [make_row()]})
    assert Heading.CONFLICT not in pd.read_excel(tmp_path / "a.xlsx", engine="calamine")


def test_sheet_helps_the_reviewer(tmp_path):
    """Head frozen, filters, a list of each row's own choices that allows others, rules, help."""
    rows = [make_row(), make_row(1, choices=("1.0 metre", NOT_STATED))]
    write_review_workbook(tmp_path / "a.xlsx", {"review": rows, "suggested": rows[:1]})
    xml = read_part(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml")
    assert 'ySplit="1"' in xml and 'state="frozen"' in xml and '<autoFilter ref="A1:N3"/>' in xml
    lists = re.findall(r'<dataValidation ([^>]*) sqref="(\w+)"><formula1>([^<]*)<', xml)
    assert [(cell, source) for _, cell, source in lists] == [
        ("E2", "'review choices'!$A$2:$C$2"),
        ("E3", "'review choices'!$A$3:$B$3"),
    ]
    assert not any("showErrorMessage" in options for options, _, _ in lists)  # free entry
    assert xml.count("<colorScale>") == 1 and f'$F2="{WRONG}"' in xml.replace("&quot;", '"')
    choices = pd.read_excel(tmp_path / "a.xlsx", "review choices", header=None, engine="calamine")
    assert choices.iloc[-1].tolist()[:2] == ["1.0 metre", NOT_STATED]
    assert "Choose from the list" in read_part(tmp_path / "a.xlsx", "xl/comments1.xml")


def test_images_lie_in_their_cells(tmp_path):
    """Crop and image of each row are in the cells of the row, described, and move with them."""
    rows = [make_row(number, tmp_path) for number in range(3)]
    write_review_workbook(tmp_path / "a.xlsx", {"review": rows})
    xml = read_part(tmp_path / "a.xlsx", "xl/drawings/drawing1.xml")
    places = re.findall(r"<xdr:col>(\d+)</xdr:col>.*?<xdr:row>(\d+)</xdr:row>", xml)
    starts, ends = places[::2], places[1::2]
    assert starts == ends == [(column, row) for row in "123" for column in "12"]
    assert "editAs" not in xml and 'descr="Product image"' in xml


def test_links_to_the_web_open(tmp_path):
    """Others are text, and so is a link that is too long to open."""
    web = "https://a.b/c.jpg"
    links = [web, "c.jpg", "file:///c.jpg", "data:image/png;base64," + "A" * 40_000, web * 200]
    rows = [make_row(number, link=link) for number, link in enumerate(links)]
    write_review_workbook(tmp_path / "a.xlsx", {"review": rows})
    relations = read_part(tmp_path / "a.xlsx", "xl/worksheets/_rels/sheet1.xml.rels")
    assert re.findall(r'Target="([^"]*)" TargetMode', relations) == [web]
    table = pd.read_excel(tmp_path / "a.xlsx", dtype=str, engine="calamine")
    assert table["link"].tolist() == [link[:1000] for link in links]


def test_noise_is_small(tmp_path):
    """Images that hardly compress keep the workbook within 50 kB a row."""
    import cv2

    rows = []
    for number in range(10):
        pixels = np.random.default_rng(number).integers(0, 255, (600, 800, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), pixels)
        rows.append(make_row(views=draw_views(tmp_path / f"{number}.png", QUAD)))
    write_review_workbook(tmp_path / "a.xlsx", {"review": rows})
    assert 200_000 < (tmp_path / "a.xlsx").stat().st_size < 500_000


@pytest.mark.parametrize(("entity", "text", "check"), TYPED)
def test_reader_agrees_with_the_check(entity, text, check):
    """What the workbook calls no allowed quantity is what the reader refuses."""
    refused = text.lower() != NOT_STATED and parse_typed(text, entity) is None
    assert refused == (check == WRONG)


@needs_office
def test_check_judges_entries(tmp_path):
    """Calculated by LibreOffice, the check tells confirmed, corrected and wrong entries apart."""
    rows = [make_row(number, tmp_path, entity=entity) for number, (entity, *_) in enumerate(TYPED)]
    write_review_workbook(tmp_path / "a.xlsx", {"review": [*rows, make_row()]})
    entries = {f"E{number}": text for number, (_, text, _) in enumerate(TYPED, start=2)}
    book = fill_in(tmp_path / "a.xlsx", entries, tmp_path / "filled.xlsx")
    (tmp_path / "saved").mkdir()
    saved = save_by_office(book, tmp_path / "saved")
    table = pd.read_excel(saved, dtype=str, engine="calamine").fillna("")
    found = dict(zip(table["correct"], table["check"], strict=True))
    assert found == {text: check for _, text, check in TYPED} | {"": ""}
    xml = read_part(saved, "xl/worksheets/sheet1.xml")
    assert xml.count("<dataValidation ") == len(TYPED) + 1 and "<autoFilter" in xml
    with zipfile.ZipFile(saved) as archive:
        assert sum("media/" in name for name in archive.namelist()) == 2 * len(TYPED)
