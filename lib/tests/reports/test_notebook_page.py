"""Report pages: code hidden, figures described, nothing loaded from a network, numbers as given."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lib.io.notebooks import find_title
from lib.reports.notebook_page import describe_figures, write_notebook_page
from lib.reports.rendering import read_script

PIXEL = base64.b64encode(b"not looked at").decode()
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
    return BeautifulSoup(write_notebook_page(notebook, "sample", 1234).read_text(), "html.parser")


def test_page_loads_nothing(page):
    """A notebook's page opens offline and runs no script but the project's own."""
    assert find_network(str(page)) == []
    assert [script.get_text() for script in page.find_all("script")] == [read_script()]


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
    """The sentence before a figure is its alternative text and, with a number, its title."""
    assert page.find("img")["alt"] == "Figure: Now look at widths."
    assert page.find("figcaption").get_text() == "Figure 1: Now look at widths."


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
