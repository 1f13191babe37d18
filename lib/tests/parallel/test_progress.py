"""Progress is one line that counts items and failures."""

import pytest

from lib.parallel.progress import show_progress


def test_is_one_line_that_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Items done before count, failures are told apart, and rate and time left are there."""
    with show_progress(5, "image", "rapidocr", done=1) as shown:
        shown.delay = shown.mininterval = 0
        for number in range(4):
            shown.count(failed=number == 1)
    text = capsys.readouterr().err
    assert text.count("\r") >= 4 and text.count("\n") == 1
    assert "rapidocr:  40%" in text
    last = text.splitlines()[-1]
    assert "5/5" in last and "failed=1" in last and "<" in last and "image/s" in last


def test_short_work_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Work of a few images ends before its line is worth reading."""
    with show_progress(2, "image") as shown:
        shown.count(failed=False)
        shown.count(failed=True)
    assert capsys.readouterr().err == ""


def test_line_is_not_drawn_for_each_item(capsys: pytest.CaptureFixture[str]) -> None:
    """Thousands of quick items cost a few updates, at most one a second."""
    with show_progress(1000, "image") as shown:
        for _ in range(1000):
            shown.count(failed=False)
    assert capsys.readouterr().err.count("\r") < 5
