"""A run to review, and the command that reviews it."""

import pytest

from lib import __main__ as program
from lib.tests.reviewed_run import write_reviewed_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run over eight labels."""
    return write_reviewed_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def call(tmp_path, capsys):
    """Run `review` with labels in the test's folder; return exit code, output and errors."""

    def call(*arguments):
        own = ["--data-dir", str(tmp_path / "mine")]
        code = program.main(["review", *map(str, arguments), *own])
        return (code, *capsys.readouterr())

    return call
