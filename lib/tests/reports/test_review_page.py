"""The page of a review, by keyboard in a browser, and the file that it saves."""

import json
import time

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from lib.reports.review_page import write_review_page
from lib.tests.devtools import PATIENCE, needs_chromium
from lib.tests.reports.test_review_workbook import TYPED, make_row
from lib.workflow.labelling.corrections import match_reviewed, read_sheets

CODES = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "Tab": 9}
HEADING = "document.querySelector('#question').textContent"
MARKED = "document.querySelector('#choices [aria-pressed=true]').textContent"
STATE = "document.querySelector('#state').textContent"
MESSAGE = "document.querySelector('#message').textContent"


@pytest.fixture
def page(tmp_path):
    """A page of three rows, the last without an answer."""
    rows = [
        make_row(0, tmp_path),
        make_row(1, tmp_path, entity="item_weight", answer="1.0 gram", choices=("1.0 gram",)),
        make_row(
            2, answer="", conflict="5.0 inch </script><b>", choices=("5.0 inch", "not stated")
        ),
    ]
    return write_review_page(tmp_path / "review.html", "my <run>", rows, "python -m lib")


@pytest.fixture
def opened(browser, page):
    """The page in a browser that remembers nothing."""
    browser.open(page)
    browser.run("localStorage.clear()")
    browser.open(page)
    return browser


def press(browser, *keys):
    """Press keys one after the other."""
    for key in keys:
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = CODES.get(key, ord(key.upper()[0]))
        values = {"key": key, "windowsVirtualKeyCode": code}
        browser.call("Input.dispatchKeyEvent", type="keyDown", text=text, **values)
        browser.call("Input.dispatchKeyEvent", type="keyUp", **values)


def write(browser, text):
    """Type a text into the field."""
    press(browser, "t")
    browser.call("Input.insertText", text=text)
    press(browser, "Enter")


def save(browser, folder):
    """Press S; return the file that the browser has saved."""
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    press(browser, "s")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not (folder / "review.csv").is_file():
        time.sleep(0.05)
    browser.call("Browser.setDownloadBehavior", behavior="default")
    return folder / "review.csv"


def test_page_holds_all_offline(page):
    """Images are in the page, text of tables is no markup, all keys are named."""
    text = page.read_text(encoding="utf-8")
    soup = BeautifulSoup(text, "html.parser")
    data = json.loads(soup.find(id="data").string)
    assert [row["image"] for row in data["rows"]] == ["sha0", "sha1", "sha2"]
    assert set(data["images"]) == {"sha0", "sha1", "sha2"}
    assert data["rows"][2]["about"][0] == ["conflict", "5.0 inch </script><b>"]
    assert "http" not in text.replace("http://www.w3.org", "")
    assert len(soup.select(".keys kbd")) == 8 and "my <run>" in soup.title.string


def test_no_rows_say_so(tmp_path):
    """A page without rows is no broken page."""
    text = write_review_page(tmp_path / "review.html", "run", [], "x").read_text()
    assert "nothing to review" in text and "<script" not in text


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_page_fits(browser, page, width):
    """Nothing is cut, asked for or complained of; the first image and keys are in view."""
    browser.open(page, width)
    assert browser.list_requests() == [] and browser.list_problems() == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.querySelector('#image').naturalWidth") == 500
    bottom = "document.querySelector('#choices').getBoundingClientRect().bottom"
    assert browser.run(bottom) < 900
    outline = browser.run("document.querySelector('#outline').getBoundingClientRect().width")
    image = browser.run("document.querySelector('#image').getBoundingClientRect().width")
    assert outline / image == pytest.approx(160 / 500, abs=0.02)


@needs_chromium
def test_rows_are_reviewed_by_keyboard(opened, tmp_path):
    """Accept, next candidate, type, not stated, back and undo; the file has what was decided."""
    assert opened.run(HEADING) == "width: 12.0 inch (0.50)" and opened.run(MARKED) == "12.0 inch"
    press(opened, "Enter")  # right
    assert opened.run(HEADING).startswith("item weight: 1.0 gram")
    write(opened, "3 cm")
    assert "no allowed quantity" in opened.run(MESSAGE)
    press(opened, "Escape", "ArrowLeft", "c")  # the first once more: the runner-up
    assert opened.run(MARKED) == "5.0 inch"
    press(opened, "Enter")
    write(opened, "3 kg")
    assert opened.run(HEADING) == "width: not stated (0.50)" and opened.run(MARKED) == "not stated"
    press(opened, "n")
    assert "last row" in opened.run(MESSAGE) and "3 reviewed" in opened.run(STATE)
    press(opened, "u")
    assert "2 reviewed" in opened.run(STATE)
    table = pd.read_csv(save(opened, tmp_path), dtype=str, keep_default_na=False)
    assert table["correct"].tolist() == ["5.0 inch", "3 kg", ""]
    assert table["answer"].tolist() == ["12.0 inch", "1.0 gram", "not stated"]
    assert table["image"].tolist() == ["sha0", "sha1", "sha2"]


@needs_chromium
def test_saved_file_is_read(opened, tmp_path):
    """What the page saves is what the command takes."""
    press(opened, "Enter", "j", "n")
    ((name, sheet),) = read_sheets(save(opened, tmp_path)).items()
    asked = {"image_link": ["0.jpg", "1.jpg", "2.jpg"], "sha256": ["sha0", "sha1", "sha2"]}
    shown = pd.DataFrame(asked | {"entity_name": ["width", "item_weight", "width"]})
    shown = shown.assign(group_id="", prediction="", split="test", run="r", index="")
    labels, refused = match_reviewed(sheet, name, shown)
    assert refused == []
    assert labels["entity_value"].tolist() == ["12.0 inch", ""]
    assert labels["image_link"].tolist() == ["0.jpg", "2.jpg"]


@needs_chromium
def test_progress_is_kept(opened, page):
    """Who comes back finds the corrections and the row where they were."""
    press(opened, "Enter", "Enter")
    opened.open(page)
    assert "row 3 of 3, 2 reviewed, kept" in opened.run(STATE)


@needs_chromium
def test_page_works_without_storage(browser, page):
    """Where a browser keeps nothing for files, the page says so and works."""
    text = page.read_text(encoding="utf-8")
    forbid = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }});"
    page.write_text(text.replace('"use strict";', f'"use strict";{forbid}', 1), encoding="utf-8")
    browser.open(page)
    press(browser, "Enter")
    assert "1 reviewed, not kept by this browser" in browser.run(STATE)
    assert browser.list_problems() == []


@needs_chromium
def test_mouse_does_not_take_the_next_key(opened):
    """A button that was clicked is not pressed again by Enter, which takes the marked answer."""
    place = opened.run("""(() => {const {x, y} = document.querySelector('[data-key=n]')
        .getBoundingClientRect(); return [x + 5, y + 5]})()""")
    for kind in ("mousePressed", "mouseReleased"):
        values = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        opened.call("Input.dispatchMouseEvent", type=kind, **values)
    press(opened, "Enter")
    press(opened, "k", "k")
    marked = [opened.run(MARKED), press(opened, "j"), opened.run(MARKED)]
    assert marked == ["not stated", None, "1.0 gram"]


@needs_chromium
def test_page_judges_as_the_workbook(opened):
    """What may be typed is the same in page, workbook and reader."""
    for entity, text, check in TYPED:
        if text.lower() == "not stated":
            continue
        question = entity.replace("_", " ")
        found = opened.run(f"isQuantity({json.dumps(text)}, {json.dumps(question)})")
        assert found == (check in ("confirmed", "corrected")), text
