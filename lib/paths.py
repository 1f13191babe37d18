"""Where the project lies, so that notebooks run from any folder find their files."""

from pathlib import Path

PROJECT: Path = Path(__file__).resolve().parent.parent
PHOTOS: Path = PROJECT.parent / "shared/data/challenge"
"""Labelled photos beside the project, which are not ours to give; what uses them does without."""


def from_project(path: str | Path) -> Path:
    """Take a relative path from the project's folder, whatever the working folder.

    >>> from_project("data/sample").relative_to(PROJECT).as_posix()
    'data/sample'
    """
    return PROJECT / path
