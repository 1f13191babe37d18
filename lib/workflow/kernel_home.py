"""Give kernels writable folders elsewhere when the home folder cannot be written."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path

from lib.io import find_write_problem

VARIABLES: dict[str, str] = {
    "JUPYTER_CONFIG_DIR": "jupyter/config",
    "JUPYTER_DATA_DIR": "jupyter/data",
    "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
    "IPYTHONDIR": "ipython",
    "MPLCONFIGDIR": "matplotlib",
    "XDG_CACHE_HOME": "cache",
}
"""Environment variables that name such folders, and the folders' names here."""


def kernel_folders(folder: Path) -> dict[str, str]:
    """Return folders for kernels if the home folder cannot be written, as in many containers.

    Variables that the environment already sets are left alone.

    Args:
        folder: Parent of these folders; created if needed.

    Returns:
        Environment variables by name, none if the home folder can be written.
    """
    home = os.path.expanduser("~")  # stays "~" for a user whom the system does not know
    if home != "~" and not find_write_problem(Path(home)):
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    named = {name: str(folder / place) for name, place in VARIABLES.items()}
    if home == "~":  # some packages require one
        named["HOME"] = str(folder)
    torch = os.path.join(os.environ.get("XDG_CACHE_HOME", f"{home}/.cache"), "torch")
    if glob(f"{torch}/hub/checkpoints/*"):  # existing weights can still be read
        named["TORCH_HOME"] = torch
    return {name: value for name, value in named.items() if name not in os.environ}


@contextmanager
def find_home(folder: Path) -> Iterator[dict[str, str]]:
    """Provide folders for kernels if the home folder cannot be written, and delete them at the end.

    Args:
        folder: As for `kernel_folders`.

    Yields:
        Environment variables that name them.
    """
    folders = kernel_folders(folder)
    os.environ |= folders  # for the pages, which are made in this process
    try:
        yield folders
    finally:
        for name in folders:
            del os.environ[name]
        shutil.rmtree(folder, ignore_errors=True)
