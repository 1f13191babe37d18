"""The page of all runs: numbers of metrics.json, changes, damaged folders, and in a browser."""

import json
import os
import shutil
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from lib.reports.index_page import write_runs
from lib.tests.devtools import needs_chromium
from lib.tests.past_runs import RIGHT, WORSE, write_run
from lib.tests.reports.test_notebook_page import find_network
from lib.workflow.pipeline import update_runs
from lib.workflow.retention import prune_runs


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Runs of all kinds, on two data sets, beside what is none, with their page."""
    folder = tmp_path_factory.mktemp("runs") / "reports"
    kinds = {
        "first": {},
        "second": {"answers": WORSE},
        "broken": {"status": "failed"},
        "third & <last>": {"answers": WORSE},
        "unlabelled": {"truth": None},
        "unlabelled_again": {"truth": None, "answers": WORSE},
        "no_answers": {"status": "interrupted"},
    }
    for day, (name, changes) in enumerate(kinds.items(), 1):
        write_run(folder / name, started=f"2026-01-0{day}T02:00:00+00:00", **changes)
    (folder / "rubbish").mkdir()
    (folder / "rubbish/run.json").write_bytes(bytes(range(256)))
    (folder / "foreign").mkdir()
    write_runs(folder)
    return folder


@pytest.fixture
def reports(written, tmp_path):
    """The same runs, to be changed."""
    return shutil.copytree(written, tmp_path / "reports")


def read_rows(page):
    """Read the table of a page: by name of the run, its cells."""
    page = BeautifulSoup(page.read_text(), "html.parser")
    rows = [row.find_all(["th", "td"]) for row in page.find("tbody").find_all("tr")]
    return {row[0].a.get_text(): [cell.get_text(" ", strip=True) for cell in row] for row in rows}


def test_newest_first(written):
    """Runs stand in the order of their starts; failed ones are among them."""
    names = list(read_rows(written / "index.html"))
    assert names[0] == "no_answers"
    assert names[-3:] == ["broken", "second", "first"]


def test_numbers_are_those_of_the_runs(written):
    """F1 and bounds are those of metrics.json."""
    for name, cells in read_rows(written / "index.html").items():
        path = written / name / "metrics.json"
        metrics = json.loads(path.read_text()) if path.is_file() else {"f1": None}
        if metrics["f1"] is not None:
            low, high = metrics["intervals"]["f1"]
            assert cells[1].startswith(f"{metrics['f1']:.3f} ({low:.3f} to {high:.3f})")


@pytest.mark.parametrize(
    ("name", "column", "said"),
    [
        ("first", 2, "–"),  # the first on its data
        ("second", 2, "3 of 30 answers changed since first, p = 0.250"),
        ("third & <last>", 2, "no answer changed since second"),  # past the failed one
        ("unlabelled", 2, "–"),  # other data
        ("unlabelled_again", 2, "3 of 30 answers changed since unlabelled"),
        ("unlabelled", 1, "no truth 30 samples"),
        ("broken", 1, "failed ValueError: fish"),
        ("no_answers", 1, "interrupted"),
    ],
)
def test_cells(written, name, column, said):
    """Each run has its change against the run before it on the same data, and its state."""
    assert said in read_rows(written / "index.html")[name][column]


def test_links_lead_somewhere(reports):
    """Each link of the page and of the comparisons leads to a file of the runs."""
    for run in reports.glob("*/run.json"):
        (run.parent / "index.html").touch()
    pages = [write_runs(reports), *reports.glob("*/comparisons/*.html")]
    assert len(pages) == 4
    for page in pages:
        soup = BeautifulSoup(page.read_text(), "html.parser")
        links = [link["href"] for link in soup.find_all("a")]
        missing = [link for link in links if not (page.parent / unquote(link)).is_file()]
        assert missing == []
        assert find_network(str(soup)) == []


def test_damaged_folders(reports):
    """Damaged folders are told at the end, foreign ones are left out."""
    text = BeautifulSoup(write_runs(reports).read_text(), "html.parser").get_text(" ")
    assert "rubbish : run.json" in text
    assert "foreign" not in text


def test_damaged_answers(reports):
    """Where answers cannot be read any more the page says so and has everything else."""
    (reports / "second/tables/scored_predictions.parquet").write_bytes(b"rubbish")
    rows = read_rows(write_runs(reports))
    assert "not comparable" in rows["second"][2]
    assert len(rows) == 7


def test_comparisons_are_made_once(reports):
    """A comparison is kept until the answers of one of its runs are newer."""
    summary = reports / "second/comparisons/first.json"
    summary.write_text(summary.read_text().replace('"changed": 3', '"changed": 29'))
    assert "29 of 30" in read_rows(write_runs(reports))["second"][2]
    later = summary.stat().st_mtime + 5
    os.utime(reports / "first/tables/scored_predictions.parquet", (later, later))
    assert "3 of 30" in read_rows(write_runs(reports))["second"][2]


def test_figure_of_each_data_set(written):
    """A data set with two scored runs or more has a figure, with words for it."""
    page = BeautifulSoup((written / "index.html").read_text(), "html.parser")
    (figure,) = page.find_all("svg")
    assert figure["aria-label"].startswith("F1 of 3 runs from 2026-01-01 to 2026-01-04")
    assert "first 1.000 (1.000 to 1.000), last 0.923 (0.788 to 1.000)" in figure["aria-label"]


def test_no_runs(tmp_path):
    """A folder without runs has a page that says so."""
    assert "There are no runs yet" in write_runs(tmp_path).read_text()


def test_foreign_page_is_left_alone(tmp_path, caplog):
    """An index.html that somebody else wrote is not overwritten."""
    (tmp_path / "index.html").write_text("<h1>mine</h1>")
    write_run(tmp_path / "run")
    update_runs(tmp_path)
    assert (tmp_path / "index.html").read_text() == "<h1>mine</h1>"
    assert "left as it is" in caplog.text


def test_trouble_is_logged(tmp_path, caplog, monkeypatch):
    """Where the page cannot be written the run is not harmed."""
    write_run(tmp_path / "run")

    def refuse(*_):
        raise PermissionError("not yours")

    monkeypatch.setattr("lib.reports.index_page.replace_file", refuse)
    update_runs(tmp_path)
    assert "not renewed: not yours" in caplog.text


def test_changed_page_is_kept(tmp_path, caplog):
    """A page that somebody changed, or the version before wrote, is moved aside."""
    write_run(tmp_path / "run")
    update_runs(tmp_path)
    update_runs(tmp_path)
    assert not list(tmp_path.glob("index.html.*"))
    changed = (tmp_path / "index.html").read_text().replace("All runs", "My runs")
    (tmp_path / "index.html").write_text(changed)
    update_runs(tmp_path)
    (aside,) = tmp_path.glob("index.html.*")
    assert aside.read_text() == changed and aside.name in caplog.text
    assert "All runs" in (tmp_path / "index.html").read_text()


def test_update_deletes_old_runs(tmp_path):
    """After a run the oldest of its series are gone from disk and page."""
    for day in (1, 2, 3):
        started = f"2026-01-0{day}T02:00:00+00:00"
        write_run(tmp_path / f"n-2026-01-0{day}", RIGHT, started=started)
    prune_runs(tmp_path / "n-2026-01-03", keep=2)
    update_runs(tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert "n-2026-01-02" in text and "n-2026-01-01" not in text


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("name", ["index.html", "second/comparisons/first.html"])
def test_in_a_browser(browser, written, name, width):
    """In Chromium nothing is loaded or complained of, figures have words, nothing is too wide."""
    browser.open(written / name, width)
    assert browser.list_requests() == []
    assert browser.list_problems() == []
    assert browser.run("document.querySelectorAll('svg:not([aria-label])').length") == 0
    assert browser.run("document.querySelectorAll('svg').length") == (name == "index.html")
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.list_cut() == []


@needs_chromium
def test_browser_notices_faults(browser, tmp_path):
    """The look in the browser finds what it is there to find."""
    page = tmp_path / "faulty.html"
    fetched = '<img src="https://example.com/a.png" style="width: 900px">'
    view = "<meta name='viewport' content='width=device-width'>"
    page.write_text(f"{view}<body>{fetched}<script>console.error('fish')</script></body>")
    browser.open(page, 390)
    assert "fish" in "".join(browser.list_problems())
    assert browser.list_requests() == ["https://example.com/a.png"]
    assert browser.run("document.documentElement.scrollWidth") > 390
    assert browser.list_cut() == ["IMG: "]


@needs_chromium
@pytest.mark.parametrize(("scheme", "paper"), [("light", "255, 255, 255"), ("dark", "20, 23, 26")])
def test_colours_follow_the_reader(browser, written, scheme, paper):
    """Who prefers dark pages gets one."""
    browser.open(written / "index.html", scheme=scheme)
    assert browser.run("getComputedStyle(document.body).backgroundColor") == f"rgb({paper})"
