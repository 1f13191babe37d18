"""The front page: its numbers, what it shows of unfinished runs, how a browser sees it."""

import io
import json
import re
import shutil
import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_notebook

from lib.extraction.learned.suggestions import suggest_rows
from lib.extraction.products import summarise_products
from lib.io.files import write_csv, write_json
from lib.io.paths import PROJECT
from lib.reports.answer_list import COLUMNS
from lib.reports.rendering import print_number
from lib.reports.run_page import write_run_page
from lib.tests.devtools import needs_chromium
from lib.tests.in_process import run_notebook

SCORER = PROJECT.parent / "shared/tools/score.py"
LARGEST = 15_000_000  # bytes of a page

RECORD = {
    "run": "<sample>",
    "status": "finished",
    "started": "2026-01-02T03:04:05+00:00",
    "seconds": 200,
    "counts": {"samples": 131187, "links": 90666},
    "cache": {"hits": 7, "misses": 5},
    "failures": [{"step": "download", "reason": "not found", "count": 3}],
    "notes": ["Random weights were used."],
    "error": None,
    "stages": [{"name": "03_ocr-00000", "seconds": 5.0, "reused": False}],
    "parameters": {"SEED": 0, "OCR_ENGINES": ["rapidocr"], "DATA_DIR": "data"},
    "versions": {"python": "3.11", "torch": None, "engines": {"rapidocr": "3.10"}},
    "git": {"commit": "abcdef1234", "dirty": True},
    "machine": {"system": "Linux", "cores": 2, "memory": 8},
}


def read_page(folder):
    """Write a run's page and parse it."""
    return BeautifulSoup(write_run_page(folder).read_text(encoding="utf-8"), "html.parser")


def read_table(page, heading):
    """Read a table of the page by its first heading: row name -> cells."""
    table = next(t for t in page.find_all("table") if t.find("th").get_text() == heading)
    rows = [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in table("tr")
    ]
    return {name: cells for name, *cells in rows[1:]}


def write_record(folder, record=RECORD):
    """Write the record of a run that left nothing else; give its page."""
    write_json(record, folder / "run.json")
    return read_page(folder)


def test_page_tells_how_it_went(tmp_path):
    """Failures by reason, notes, cache, time and versions are on the page; names are escaped."""
    text = write_record(tmp_path).get_text(" ", strip=True)
    for words in ("<sample>", "not found", "Random weights", "7 results", "3 min 20 s", "abcdef12"):
        assert words in text
    assert "no score" in text
    empty = RECORD | {"counts": {"samples": 0, "links": 0}}
    assert "no row" in write_record(tmp_path, empty).get_text()


def test_internal_errors_are_in_red(tmp_path):
    """They are counted near the headline, each kind with its notebook, and the log is linked."""
    reason = "internal error: KeyError: 'x'"
    rows = [{"step": step, "reason": reason, "count": n} for step, n in (("03_ocr", 2), ("04", 1))]
    page = write_record(tmp_path, RECORD | {"internal_errors": rows})
    assert page.select_one("strong.bad").get_text() == "3 internal errors"
    assert page.select_one("li.bad, .bad li").get_text() == f"03_ocr, 2 times: {reason}"
    assert page.find("a", href="run.log")


@pytest.mark.parametrize("status", ["failed", "interrupted", "running"])
def test_page_of_unfinished_run(tmp_path, status):
    """A run that did not finish says so and shows the error; half tables are not looked at."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/scored_predictions.parquet").write_text("half")
    write_json({"f1": 0.9}, tmp_path / "metrics.json")
    page = write_record(tmp_path, RECORD | {"status": status, "error": "ValueError: fish"})
    assert page.find("strong").get_text() == status.capitalize()
    assert "ValueError: fish" in page.get_text()


def test_page_links_what_is_there(tmp_path):
    """Notebook pages with their questions, and the predictions, once they exist."""
    (tmp_path / "notebooks").mkdir()
    notebook = new_notebook(cells=[new_markdown_cell("# How big?")])
    nbformat.write(notebook, tmp_path / "notebooks/03_ocr-00000.ipynb")
    assert "predictions.csv" not in str(write_record(tmp_path).find_all("a"))
    (tmp_path / "predictions.csv").write_text("index,prediction\n")
    page = write_record(tmp_path)
    links = {a["href"] for a in page.find_all("a")}
    assert {"predictions.csv", "notebooks/03_ocr-00000.html", "run.json"} <= links
    assert "How big?" in page.get_text()


@pytest.fixture(scope="module")
def run_page(run_dir):
    """The page of a finished run."""
    return read_page(run_dir)


def test_numbers_are_those_of_the_metrics(run_dir, run_page):
    """Headline, methods, entities and losses are what metrics.json holds, to the digit."""
    metrics = json.loads((run_dir / "metrics.json").read_text())
    tiles = [dd.get_text(" ", strip=True) for dd in run_page.select(".tiles dd")]
    for tile, name in zip(tiles, ("f1", "precision", "recall"), strict=False):
        low, high = metrics["intervals"][name]
        assert tile == f"{metrics[name]:.3f} {low:.3f} to {high:.3f}"
    methods = read_table(run_page, "Method")
    assert {m["method"]: print_number(m["f1"], "{:.3f}") for m in metrics["ladder"]} == {
        name: cells[0] for name, cells in methods.items()
    }
    entities = read_table(run_page, "Entity")
    for name, row in metrics["by_entity"].items():
        assert entities[name.replace("_", " ")][0] == print_number(row["f1"], "{:.3f}")
    losses = {name: int(cells[0]) for name, cells in read_table(run_page, "Outcome").items()}
    assert losses == metrics["losses"]


@pytest.mark.skipif(not SCORER.is_file(), reason="the challenge's scorer is not beside the project")
def test_numbers_are_those_of_the_scorer(run_dir, run_page, parameters):
    """A scorer written by others finds the same F1, precision and recall in the same files."""
    command = [sys.executable, SCORER, run_dir / "predictions.csv", parameters["TEST_CSV"]]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    tiles = [dd.find("strong").get_text() for dd in run_page.select(".tiles dd")]
    assert [float(tile) for tile in tiles[:3]] == pytest.approx(
        [found["f1"], found["precision"], found["recall"]], abs=0.0006
    )


def test_page_shows_every_part(run_dir, run_page):
    """Each section is there, with as many figures as it needs, all described; nothing is large."""
    wanted = "methods entities losses confidence units model images drift failures time run"
    assert {h2.get("id") for h2 in run_page.find_all("h2")} >= {*wanted.split(), "answers"}
    figures = run_page.select("figure svg")
    assert len(figures) >= 10
    assert all(len(svg["aria-label"]) > 20 and svg["role"] == "img" for svg in figures)
    text = run_page.get_text()
    assert "Learning curve of the model that comes with the project" in text
    assert "500 more rows change F1 by" in text and "calibration error is" in text
    assert "random (seed 0)" in run_page.find("header").get_text()
    assert (run_dir / "index.html").stat().st_size < LARGEST / 5


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_cut_list_names_the_table_that_has_all(run_dir, tmp_path, monkeypatch, kind):
    """Where the page lists some answers only, it links the table of all, whatever its format."""
    copy = shutil.copytree(run_dir, tmp_path / "run")
    (copy / "answers.csv").rename(copy / f"answers.{kind}")
    monkeypatch.setattr("lib.reports.answer_list.MOST_ROWS", 3)
    said = read_page(copy).select_one("section.list p")
    assert said.get_text(" ", strip=True).startswith("The search covers 3 of ")
    assert [link["href"] for link in said.find_all("a")] == [f"answers.{kind}"]


def test_cards_tell_the_whole_story(run_dir, run_page):
    """Each answer has its image, and the table's own truth; errors come first."""
    predictions = pd.read_parquet(run_dir / "tables/scored_predictions.parquet").set_index("index")
    cards = run_page.select(".card")
    assert cards
    for card in cards:
        said = dict(zip(card.select("dt"), card.select("dd"), strict=True))
        said = {dt.get_text(): dd.get_text() for dt, dd in said.items()}
        rows = predictions.loc[[said["row"]]]
        row = rows[rows["entity_name"] == card["data-entity"]].iloc[0]
        assert said["truth"] == (row["entity_value"] or "nothing")
        assert said["answer"].startswith(row["prediction"] or "nothing")
        assert card["data-outcome"] == row["outcome"]
        assert card.find("img")["src"].startswith("data:image/jpeg;base64,")


@pytest.fixture(scope="module")
def blind_dir(run_dir, parameters, tmp_path_factory):
    """The same run without any truth, compared with the first."""
    folder = tmp_path_factory.mktemp("blind") / "run"
    shutil.copytree(run_dir, folder)
    table = pd.read_parquet(folder / "tables/samples.parquet")
    table = table[table["split"] == "test"].assign(entity_value="", has_truth=False)
    table.to_parquet(folder / "tables/samples.parquet")
    answers = pd.read_parquet(folder / "tables/predictions.parquet")
    answers = answers[answers["sample_id"].isin(table["sample_id"])]
    answers.to_parquet(folder / "tables/predictions.parquet")
    asked = {"RUN_DIR": str(folder), "DATA_DIR": parameters["DATA_DIR"], "REFERENCE": str(run_dir)}
    run_notebook(PROJECT / "notebooks/05_evaluation.ipynb", asked)
    return folder


@pytest.fixture(scope="module")
def blind_page(blind_dir):
    """The page of a run without truth."""
    return read_page(blind_dir)


def test_run_without_truth_has_a_report(blind_dir, blind_page):
    """Coverage, confidence, drift against the reference and answers; nothing that needs a truth."""
    ids = {h2.get("id") for h2 in blind_page.find_all("h2")}
    assert {"images", "drift", "answers"} <= ids
    assert not {"methods", "entities", "losses", "units"} & ids
    metrics = json.loads((blind_dir / "metrics.json").read_text())
    share = f"{metrics['answered']['test']:.1%}"
    assert share in blind_page.select_one(".tiles").get_text()
    assert "run run" in metrics["reference"]
    drift = read_table(blind_page, "Measure")
    assert "words on an image" in drift and "unit answered" in drift
    assert "truth" not in {dt.get_text() for dt in blind_page.select(".card dt")}
    assert "The least confident answers" in blind_page.get_text()


def test_rows_to_label_are_those_of_suggest(blind_dir, blind_page):
    """Where truths are missing, the page shows the rows that `suggest` would list first."""
    section = next(s for s in blind_page.select(".gallery") if "to label" in s.get_text())
    rows = [card.select("dd")[-1].get_text() for card in section.select(".card")]
    assert rows == suggest_rows(blind_dir, None, 10)["index"].astype(str).tolist() != []


def test_gains_are_those_of_the_metrics(run_dir, run_page):
    """The paired difference of learned and rules stands beside both, by entity and in all."""
    gains = json.loads((run_dir / "metrics.json").read_text())["gains"]
    table = next(t for t in run_page.find_all("table") if "fitting adds" in t.get_text())
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in table("tr")[1:]]
    assert [row[1:3] for row in rows] == [
        [f"{g['rules']:.3f}", f"{g['learned']:.3f}"] for g in gains
    ]
    assert gains[-1]["entity_name"] == "all"
    assert gains[-1]["difference"] == pytest.approx(gains[-1]["learned"] - gains[-1]["rules"])


@pytest.fixture(scope="module")
def pages(run_dir, run_page, blind_dir, blind_page):
    """The pages to look at, those of both runs written."""
    notebooks = sorted((run_dir / "notebooks").glob("*.html"))
    assert len(notebooks) >= 5
    return [run_dir / "index.html", blind_dir / "index.html", *notebooks]


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_pages_open_without_a_network(browser, pages, width):
    """Nothing is asked for, complains or is cut off, and figures are described."""
    for page in pages:
        browser.open(page, width)
        assert browser.list_requests() == []
        assert browser.list_problems() == []
        assert browser.run("document.documentElement.scrollWidth") <= width, page.name
        assert browser.list_cut() == [], page.name
        mute = "[...document.querySelectorAll('img')].filter(i => !i.alt || !i.naturalWidth).length"
        assert browser.run(mute) == 0
        unnamed = "document.querySelectorAll('svg:not([aria-label])').length"
        assert browser.run(unnamed) == 0


COUNT = "document.querySelectorAll('.card:not([hidden])').length"
CHOOSE = """(name, value) => {{
  const select = document.querySelector(`[name=${{name}}]`);
  select.value = value;
  select.dispatchEvent(new Event("input", {{bubbles: true}}));
}}"""


def choose(browser, name, value):
    """Choose or type in one of the fields of the search as a reader does."""
    browser.run(f"({CHOOSE.format()})({json.dumps(name)}, {json.dumps(value)})")


@needs_chromium
def test_filter_changes_what_is_shown(browser, run_dir, run_page):
    """Entity and outcome narrow the answers down, and the page says to how many."""
    cards = [(card["data-entity"], card["data-outcome"]) for card in run_page.select(".card")]
    browser.open(run_dir / "index.html")
    assert browser.run(COUNT) == len(cards)
    entity, outcome = cards[0]
    choose(browser, "entity", entity)
    assert browser.run(COUNT) == sum(one[0] == entity for one in cards) < len(cards)
    choose(browser, "outcome", outcome)
    left = cards.count((entity, outcome))
    assert browser.run(COUNT) == left
    said = browser.run("document.querySelector('output').value")
    assert said.endswith(f"answers, {left} with an image")
    choose(browser, "entity", ""), choose(browser, "outcome", "")
    assert browser.run(COUNT) == len(cards)


SEARCHES = [
    ({"text": "volt"}, lambda t: has_text(t, "volt")),  # anywhere in the row
    ({"text": " GRAM  item "}, lambda t: has_text(t, "gram") & has_text(t, "item")),  # all words
    ({"entity": "width"}, lambda t: t["entity_name"] == "width"),
    ({"outcome": "right"}, lambda t: t["outcome"] == "right"),
    ({"least": "0.9"}, lambda t: t["probability"] >= 0.9),
    ({"least": "0.2", "most": "0.95"}, lambda t: t["probability"].between(0.2, 0.95)),
    ({"text": "no such words"}, lambda t: t["index"] == "none"),
    ({}, lambda t: t["index"] != "none"),
]
SAVED = """(async () => {
  const blobs = [];
  URL.createObjectURL = (blob) => { blobs.push(blob); return "#"; };
  HTMLAnchorElement.prototype.click = function () { blobs.push(this); };
  document.querySelector("button.save").click();
  const decoder = new TextDecoder("utf-8", {ignoreBOM: true});
  return [blobs[1].download, decoder.decode(await blobs[0].arrayBuffer())];
})()"""


def has_text(table, word):
    """Tell which answers have a word in a column that is shown or saved."""
    columns = [table[name].astype(str).str.replace("_", " ") for name in COLUMNS if name in table]
    return pd.concat(columns, axis=1).apply(lambda c: c.str.contains(word, case=False)).any(axis=1)


def save_list(browser):
    """Press the button that saves the list; give the file's name and its text."""
    call = {"expression": SAVED, "returnByValue": True, "awaitPromise": True}
    return browser.call("Runtime.evaluate", **call)["result"]["value"]


@needs_chromium
@pytest.mark.parametrize(("asked", "select"), SEARCHES, ids=[str(one[0]) for one in SEARCHES])
def test_search_finds_and_saves(browser, run_dir, run_page, asked, select):
    """The search finds the rows of the table that it should, and saves these as CSV."""
    table = pd.read_parquet(run_dir / "tables/scored_predictions.parquet")
    expected = table[select(table.assign(entity_value=table["entity_value"].fillna("")))]
    browser.open(run_dir / "index.html")
    for name, value in asked.items():
        choose(browser, name, value)
    name, text = save_list(browser)
    assert name == "answers-run.csv" and text.startswith("\ufeff") and text.endswith("\r\n")
    saved = pd.read_csv(io.StringIO(text[1:]), dtype=str, keep_default_na=False)
    assert saved["row"].tolist() == expected["index"].astype(str).tolist()
    assert saved["answer"].tolist() == expected["prediction"].tolist()
    assert saved["image"].tolist() == expected["image_link"].tolist()
    rows = browser.run("document.querySelectorAll('.answers tbody tr').length")
    assert rows == min(100, len(expected))


@needs_chromium
def test_search_by_group(browser, run_dir, run_page):
    """A group's answers are found by its name, or by a part of it."""
    table = pd.read_parquet(run_dir / "tables/scored_predictions.parquet")
    group = table["group_id"].iloc[0]
    browser.open(run_dir / "index.html")
    choose(browser, "group", group.upper())
    found = browser.run("document.querySelector('output').value").split()[0]
    assert int(found) == table["group_id"].str.contains(group, case=False, regex=False).sum() > 0


@needs_chromium
def test_list_sorts_as_a_whole(browser, run_dir, run_page):
    """A heading sorts all answers, also those that are not shown yet, missing values aside."""
    browser.open(run_dir / "index.html")
    press = "document.querySelector('.answers th.number button').click()"
    column = "[...document.querySelectorAll('.answers td.number')].map(c => c.textContent)"
    browser.run(press), browser.run(press)
    shown = [float(text) for text in browser.run(column) if text != "–"]
    table = pd.read_parquet(run_dir / "tables/scored_predictions.parquet")
    assert shown == sorted(table["probability"].dropna().round(4), reverse=True)[: len(shown)]


@needs_chromium
def test_page_prints_whole(browser, run_dir, run_page):
    """On paper nothing is cut off either, and what only a screen can do is not there."""
    browser.open(run_dir / "index.html", 688)  # A4 within its margins
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.list_cut() == []
    for name in (".filter", "header nav", "button.more"):
        shown = f"getComputedStyle(document.querySelector('{name}')).display"
        assert browser.run(shown) == "none"
    browser.call("Emulation.setEmulatedMedia", media="")
    assert len(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"]) > 10_000


@needs_chromium
def test_answers_sort_by_confidence(browser, run_dir):
    """Each group is in order, both ways."""
    browser.open(run_dir / "index.html")
    confidences = """[...document.querySelectorAll('.gallery')].map(
        g => [...g.querySelectorAll('.card')].map(c => Number(c.dataset.confidence)))"""
    choose(browser, "order", "highest")
    assert all(group == sorted(group, reverse=True) for group in browser.run(confidences))
    choose(browser, "order", "lowest")
    assert all(group == sorted(group) for group in browser.run(confidences))


@needs_chromium
def test_tables_sort(browser, run_dir):
    """A heading sorts by number, and back; it is a button, so a keyboard reaches it."""
    browser.open(run_dir / "index.html")
    table = "document.querySelector('#entities ~ .beside table')"
    column = f"[...{table}.tBodies[0].rows].map(r => Number(r.cells[1].textContent))"
    press = f"{table}.tHead.rows[0].cells[1].querySelector('button').click()"
    before = browser.run(column)
    browser.run(press)
    assert browser.run(column) == sorted(before)
    browser.run(press)
    assert browser.run(column) == sorted(before, reverse=True)
    assert browser.run(f"{table}.tHead.rows[0].cells[1].ariaSort") == "descending"


@needs_chromium
def test_code_opens_by_its_toggle(browser, run_dir):
    """A notebook's code is closed until asked for; one button opens and closes all of it."""
    browser.open(run_dir / "notebooks/05_evaluation.html")
    opened = "document.querySelectorAll('details.code[open]').length"
    blocks = browser.run("document.querySelectorAll('details.code').length")
    press = "document.querySelector('button.toggle').click()"
    assert blocks > 20 and browser.run(opened) == 0
    browser.run(press)
    assert browser.run(opened) == blocks
    browser.run(press)
    assert browser.run(opened) == 0


@needs_chromium
def test_figures_enlarge_on_a_phone(browser, run_dir):
    """A notebook's figure fits the page, and a touch makes it wider than the page, and back."""
    browser.open(run_dir / "notebooks/05_evaluation.html", 390)
    width = "document.querySelector('.jp-RenderedImage img').width"
    press = "document.querySelector('.jp-RenderedImage button').click()"
    assert browser.run(width) <= 390
    browser.run(press)
    assert browser.run(width) > 600
    browser.run(press)
    assert browser.run(width) <= 390


@needs_chromium
def test_page_works_by_keyboard(browser, run_dir):
    """Tab reaches the links, the sorting, the filter and the images, in the page's order."""
    browser.open(run_dir / "index.html")
    reached = set()
    for _ in range(120):
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)
        reached.add(browser.run("document.activeElement.className || document.activeElement.name"))
        if {"skip", "sort", "entity", "zoom"} <= reached:
            break
    assert {"skip", "sort", "entity", "zoom"} <= reached


@pytest.fixture(scope="module")
def product_dir(run_dir, tmp_path_factory):
    """The same run where all images of the tests show one product."""
    folder = tmp_path_factory.mktemp("product") / "run"
    shutil.copytree(run_dir, folder)
    path = folder / "tables/scored_predictions.parquet"
    table = pd.read_parquet(path).assign(product_id="<P 1>")
    table.to_parquet(path)
    products = summarise_products(table[table["split"] == "test"])
    products.to_parquet(folder / "tables/products.parquet")
    write_csv(products, folder / "products.csv")
    write_run_page(folder)
    return folder


def test_conflicts_are_on_the_page(product_dir, run_page):
    """Products that contradict themselves have a section; a run without products has none."""
    text = (product_dir / "index.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    products = pd.read_csv(product_dir / "products.csv", keep_default_na=False)
    conflicts = products[products["contradict"] > 0]
    shown = page.select(".conflict")
    assert len(shown) == len(conflicts) > 0
    said = shown[0].find("summary").get_text(" ", strip=True)
    assert said.startswith("<P 1>, ") and "contradict" in said
    links = shown[0].select(".card a")
    assert links and all((product_dir / link["href"]).is_file() for link in links)
    assert page.find("a", href="products.csv") and page.find("a", href="#conflicts")
    assert not run_page.select(".conflict, #conflicts")


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_conflicts_fit_the_window(browser, product_dir, width):
    """Nothing is cut at any width, and the filter counts its own answers only."""
    browser.open(product_dir / "index.html", width)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert browser.list_problems() == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    shown = browser.run("document.querySelectorAll('.gallery .card').length")
    said = browser.run("document.querySelector('output').value")
    assert said.endswith(f" {shown} with an image")


def test_page_names_no_network(run_dir):
    """Neither the page nor its style or script holds an address to load from."""
    text = (run_dir / "index.html").read_text(encoding="utf-8")
    loading = re.findall(r"""(?:src|href|url\()=?["'(]?((?:https?:)?//[^"')]*)""", text)
    assert loading == []
