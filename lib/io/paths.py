"""Resolve paths as users write them, and test whether a folder is writable."""

import os
import tempfile
from pathlib import Path

PROJECT: Path = Path(__file__).resolve().parents[2]
PHOTOS: Path = PROJECT / (os.environ.get("CHALLENGE_PHOTOS") or "data/challenge")
"""Hand-labelled images; optional, since we may not redistribute them."""
OWN_MODEL: str = "model.npz"  # in DATA_DIR, written by `python -m lib fit`


def from_project(path: str | Path) -> Path:
    """Resolve a relative path from the project's folder, whatever the working folder.

    >>> from_project("data/sample").relative_to(PROJECT).as_posix()
    'data/sample'

    Raises:
        ValueError: It begins with the home folder of an unknown user.
    """
    return PROJECT / expand_home(path)


def expand_home(path: str | Path) -> Path:
    """Replace a leading `~` or `~name` by the home folder.

    >>> expand_home("a/~b").as_posix()
    'a/~b'

    Raises:
        ValueError: The system knows no such user, or no home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        user = Path(path).parts[0]
        raise ValueError(f"{path}: no home folder is known for {user}") from error


def find_write_problem(folder: Path) -> str:
    """Test by writing whether a folder, existing or not, is writable; leave nothing behind.

    Permission bits are not enough: root has them all, even on read-only disks and in `/proc`.

    Returns:
        Why it is not writable, `""` if it is.
    """
    try:
        if folder.is_symlink() and not folder.exists():
            return "it is a symbolic link that leads nowhere"
        place = folder.resolve()
        there = next(path for path in (place, *place.parents) if path.exists())
        with tempfile.TemporaryDirectory(prefix=".trial-", dir=there) as trial:
            Path(trial, place.relative_to(there)).mkdir(parents=True, exist_ok=True)
    except RuntimeError:
        return "it is too deep, or a symbolic link in it leads back to itself"
    except (OSError, ValueError) as error:  # ValueError: NUL, or half of a surrogate pair
        return getattr(error, "strerror", None) or str(error)
    return ""
