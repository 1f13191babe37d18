"""Progress can be read in a terminal, in a notebook and in a log file."""

import io

import pytest

from lib.parallel import progress
from lib.parallel.progress import show_progress


class Terminal(io.StringIO):
    """Text that a person looks at while it changes."""

    def isatty(self) -> bool:
        """Tell that it is one."""
        return True


class Notebook(io.StringIO):
    """A notebook's output, where a line can be written over, too."""


Notebook.__module__ = "ipykernel.iostream"


def show(file: io.StringIO) -> str:
    """Work through four items, one of which fails."""
    with show_progress(4, "image", file) as shown:
        for number in range(4):
            shown.count(failed=number == 1)
    return file.getvalue()


@pytest.mark.parametrize("kind", [Terminal, Notebook])
def test_is_one_line_where_it_can_be(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal and a notebook show one line that changes."""
    monkeypatch.setattr(progress, "REDRAWN", 0.0)
    text = show(kind())
    assert text.count("\r") >= 4 and text.count("\n") == 1
    assert "4/4" in text.splitlines()[-1] and "failed=1" in text.splitlines()[-1]


def test_is_lines_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets whole lines with count, time left, rate and failures."""
    monkeypatch.setattr(progress, "LOGGED", 0.0)
    lines = show(io.StringIO()).split("\n")
    assert not any("\r" in line for line in lines)
    assert "2/4" in lines[2] and "failed=1" in lines[2]
    assert "<" in lines[2] and "image/s" in lines[2], "time left and rate"
    assert "100%" in lines[-2] and lines[-1] == ""


def test_a_log_does_not_fill() -> None:
    """Lines come now and then, not with each item."""
    assert len(show(io.StringIO()).splitlines()) == 2
