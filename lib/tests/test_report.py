"""Report pages: code hidden, figures described, nothing loaded from a network, numbers as given."""

import base64
import json
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lib.report import describe_figures, find_title, read_headline, write_index, write_page
from lib.samples import write_json

PIXEL = base64.b64encode(b"not looked at").decode()
ROW = {"f1": 0.8123, "low": 0.75, "high": 0.86, "precision": 0.9, "recall": 0.7, "samples": 1234}
METRICS = {
    **{"f1": 0.8123, "precision": 0.9, "recall": 0.7, "rows": "test", "method": "rules"},
    "intervals": {"f1": [0.75, 0.86]},
    "counts": {"judged": 1234},
    "ladder": [ROW | {"method": "first match", "f1": 0.2}, ROW | {"method": "rules"}],
    "by_entity": {"width": ROW},
    "fates": {"not read": 0, "missed": 5},
}
# Attributes that make a browser fetch something.
LOADING = ("src", "href", "srcset", "data", "poster", "action")


def make_notebook():
    """Make an executed notebook with every kind of output the notebooks have."""
    outputs = [
        new_output("stream", name="stderr", text=" 10%|#\r100%|##########\n"),
        new_output("display_data", {"image/png": PIXEL, "text/plain": "<Figure>"}),
        new_output("display_data", {"text/html": "<table><tr><td>cell</td></tr></table>"}),
        new_output("execute_result", {"text/markdown": "**F1 is 0.8**, $x^2$"}),
        new_output(
            "display_data",
            {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "0%|"},
        ),
        new_output("display_data", {"application/javascript": "alert(1)", "text/plain": "script"}),
    ]
    cells = [
        new_markdown_cell("# How big are they?\n\nA table comes in."),
        new_code_cell("SEED = 0  # chance", metadata={"tags": ["parameters"]}),
        new_code_cell("SEED = 5", metadata={"tags": ["injected-parameters"]}),
        new_markdown_cell("Now look at *widths*."),
        new_code_cell("secret_name = 1", outputs=outputs),
    ]
    facts = {"duration": 12.3, "end_time": "2026-01-02T03:04:05", "exception": None}
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return new_notebook(cells=cells, metadata={"papermill": facts, "widgets": widgets})


def find_network(page):
    """List what a browser would fetch for a page that lies in a file."""
    soup = BeautifulSoup(page, "html.parser")
    loading = [tag.get(name, "") for tag in soup.find_all(True) for name in LOADING]
    styles = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")]*)", page)
    return [address for address in (*loading, *styles) if re.match(r"(https?:)?//", str(address))]


@pytest.fixture
def page(tmp_path):
    """The page of an executed notebook, parsed."""
    notebook = tmp_path / "03_ocr.ipynb"
    nbformat.write(make_notebook(), notebook)
    return BeautifulSoup(write_page(notebook, "sample", 1234).read_text(), "html.parser")


def test_page_loads_nothing(page):
    """A notebook's page opens offline and runs no script."""
    assert find_network(str(page)) == []
    assert not page.find_all("script")


def test_page_opens_with_the_run(page):
    """Run name, sample count, time and the parameters as they were set come first."""
    head = page.find("header").get_text(" ", strip=True)
    assert "Run sample" in head
    assert "1,234 samples" in head
    assert "12 s" in head
    assert page.find("dd").get_text() == "5"
    assert "How big are they?" in page.title.get_text()


def test_code_is_behind_a_toggle(page):
    """Code is there, closed; outputs are open."""
    code = page.find(string=re.compile("secret_name")).find_parent("details")
    assert not code.has_attr("open")
    assert page.find("td", string="cell").find_parent("details") is None


def test_outputs_without_network_forms(page):
    """Scripts fall back to their text, progress bars to their last state, widgets go."""
    text = page.get_text()
    assert "script" in text and "alert(1)" not in text
    assert re.findall(r"\d+%", text) == ["100%"]


def test_figures_say_what_they_show(page):
    """The sentence before a figure is its alternative text."""
    assert page.find("img")["alt"] == "Figure: Now look at widths."


def test_figure_keeps_its_own_words():
    """A description given by the notebook is left alone."""
    output = new_output("display_data", {"image/png": PIXEL}, metadata={"alt": "own"})
    notebook = new_notebook(cells=[new_code_cell("", outputs=[output])])
    describe_figures(notebook)
    assert output.metadata["alt"] == "own"


def test_title_is_the_first_heading():
    """A notebook without a heading has no title."""
    assert find_title(make_notebook()) == "How big are they?"
    assert find_title(new_notebook()) == ""


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
    "parameters": {"SEED": 0, "OCR_ENGINES": ["rapidocr"]},
    "versions": {"python": "3.11", "torch": None, "engines": {"rapidocr": "3.10"}},
    "git": {"commit": "abc", "dirty": True},
    "machine": {"system": "Linux", "cores": 2, "memory": 8},
}


def write_run(folder, record=RECORD, metrics=None):
    """Write the files of a run and its front page; give the page, parsed."""
    write_json(record, folder / "run.json")
    if metrics:
        write_json(metrics, folder / "metrics.json")
    return BeautifulSoup(write_index(folder).read_text(), "html.parser")


def test_index_shows_the_scores(tmp_path):
    """Headline, ladder and entities are the numbers of metrics.json."""
    page = write_run(tmp_path, metrics=METRICS)
    assert page.find("strong").get_text() == "F1 0.812"
    assert "0.750 to 0.860" in page.find("section").get_text()
    cells = [row.get_text(" ", strip=True) for row in page.find("tbody").find_all("tr")]
    assert cells[0].startswith("first match 0.200")
    assert page.find("th", string="width")
    assert page.find("th", string="missed")
    assert not page.find("th", string="not read")


def test_headline_needs_a_truth():
    """Without any truth the F1 is not a number, and there is no headline."""
    assert read_headline({}) is None
    assert read_headline(METRICS | {"f1": float("nan")}) is None
    assert read_headline(METRICS)["low"] == 0.75


def test_index_tells_how_it_went(tmp_path):
    """Failures by reason, notes, cache, time and versions are on the page; names are escaped."""
    page = write_run(tmp_path)
    text = page.get_text(" ", strip=True)
    for words in ("<sample>", "not found", "Random weights", "7 results", "3 min 20 s", "abc"):
        assert words in text
    assert "no score" in text
    assert find_network(str(page)) == []


@pytest.mark.parametrize("status", ["failed", "interrupted", "running"])
def test_index_of_unfinished_run(tmp_path, status):
    """A run that did not finish has a page that says so and shows the error."""
    page = write_run(tmp_path, RECORD | {"status": status, "error": "ValueError: fish"})
    assert page.find("strong").get_text() == status.capitalize()
    assert "ValueError: fish" in page.get_text()


def test_index_links_what_is_there(tmp_path):
    """Notebook pages with their questions, and the predictions, once they exist."""
    (tmp_path / "notebooks").mkdir()
    nbformat.write(make_notebook(), tmp_path / "notebooks/03_ocr-00000.ipynb")
    assert "predictions.csv" not in json.dumps(
        [a["href"] for a in write_run(tmp_path).find_all("a")]
    )
    (tmp_path / "predictions.csv").write_text("index,prediction\n")
    links = {a["href"] for a in write_run(tmp_path).find_all("a")}
    assert {"predictions.csv", "notebooks/03_ocr-00000.html", "run.json"} <= links
