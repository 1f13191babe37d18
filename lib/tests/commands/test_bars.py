"""Bars on a terminal: what they say, where they fit, and who may write above them."""

import io
import logging
import sys

import pytest
from rich.console import Console

from lib.commands import bars
from lib.tests.workflow.test_progress import make_progress
from lib.workflow.progress import Usage


def draw(progress, width=100) -> list[str]:
    """Draw the progress as text, a line each."""
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(bars.draw_progress(progress))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [70, 100, 200])
def test_each_notebook_has_a_bar(width):
    """Name, bar, items, rate and time left stand on one line, however wide the terminal."""
    found = make_progress()
    found.steps[1] = found.steps[1].model_copy(update={"done": 100, "new": 50, "seconds": 25})
    lines = draw(found, width)
    assert len(lines) == 6 and max(map(len, lines)) <= width
    assert lines[0].startswith("01 download") and lines[0].rstrip().endswith("done")
    assert "100/300 images" in lines[1] and "2.0/s" in lines[1] and "1 min 40 s left" in lines[1]
    assert lines[1].count("━") or lines[1].count("╸")
    assert lines[2].startswith("04 extraction") and lines[2].rstrip().endswith("waiting")
    assert lines[3].startswith("1 min 0 s: 03_ocr-00000")
    assert lines[4] == "none failed"
    assert lines[5] == "memory 0.0 GB, 0% of the machine's in use; 0.0 GB of disk free"


def test_running_notebook_without_items_moves():
    """A notebook that does not say how far it is has a moving bar, and says that it runs."""
    found = make_progress()
    rows = {"waiting": 0, "running": {"04_extraction": 900}}
    found.steps[2] = found.steps[2].model_copy(update=rows)
    assert draw(found)[2].rstrip().endswith("running")


def test_pages_are_written_last():
    """When all notebooks are done, the run still writes its pages."""
    found = make_progress()
    done = {"waiting": 0, "running": {}}
    found.steps = [step.model_copy(update=done) for step in found.steps]
    assert "writing the pages" in draw(found)[3]


@pytest.mark.parametrize(
    ("running", "said"),
    [({}, "1 min 0 s: ended"), ({"03_ocr-00000": 100}, "1 min 0 s: stopped in 03_ocr-00000")],
)
def test_last_state_stays(running, said):
    """What stays on the terminal says how long it took, and where it stopped if it did."""
    found = make_progress(has_ended=True)
    found.steps[1] = found.steps[1].model_copy(update={"running": running})
    assert draw(found)[3:] == [said]


def test_brackets_are_no_markup():
    """What reasons hold is shown as it is."""
    found = make_progress(usage=Usage())
    found.steps[0] = found.steps[0].model_copy(update={"failures": {"[bold] odd [/x]": 1}})
    assert "1 failed (1 [bold] odd [/x])" in draw(found)[4]


@pytest.mark.parametrize(
    ("is_terminal", "term", "has_bars"),
    [
        (True, "xterm-256color", True),  # as people have it
        (True, "dumb", False),  # an editor's window cannot move its cursor
        (True, "", False),  # cron, or a bare container
        (False, "xterm", False),  # a file or a pipe
    ],
)
def test_bars_need_a_terminal(monkeypatch, is_terminal, term, has_bars):
    """Bars are for terminals that can move their cursor; elsewhere lines are logged."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setenv("TERM", term)
    assert bars.has_terminal() == has_bars


@pytest.fixture
def handler():
    """The program's handler of its log."""
    made = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(made)
    yield made
    logging.getLogger().removeHandler(made)


def test_warnings_appear_above_the_bars(handler):
    """Meanwhile the log's lines go through rich, only warnings, and afterwards as before."""
    console = Console(width=100, file=io.StringIO(), force_terminal=True)
    stream, level = handler.stream, handler.level
    with bars.show_bars(console) as show:
        logging.getLogger().warning("early")
        show(make_progress())
        logging.getLogger().warning("odd")
        logging.getLogger("lib").info("usual")
        show(make_progress())
    said = console.file.getvalue()
    assert "early" not in said, "before the first bar the log goes where it always goes"
    assert "odd" in said and "usual" not in said and "01 download" in said
    assert said.index("odd") < said.rindex("01 download")
    assert (handler.stream, handler.level) == (stream, level)
