"""What is said of a run that has ended."""

import pytest

from lib.io import WRITERS, write_json
from lib.reports.run_summary import describe_end, find_answers, list_files


@pytest.mark.parametrize("kind", WRITERS)
def test_answers_are_named_in_their_format(tmp_path, kind):
    """The answers are named, whichever format was asked for."""
    write_json({"failures": []}, tmp_path / "run.json")
    (tmp_path / f"answers.{kind}").touch()
    assert find_answers(tmp_path) == tmp_path / f"answers.{kind}"
    assert list_files(tmp_path)["answers"] == str(tmp_path / f"answers.{kind}")
    assert f"With confidences: {tmp_path / f'answers.{kind}'}" in describe_end(tmp_path)


def test_only_files_that_are_there_are_named(tmp_path):
    """A run without answers names none."""
    assert find_answers(tmp_path) is None
    assert list_files(tmp_path) == {}
