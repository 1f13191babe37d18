"""Show the progress of long work (rate, failures, time left) on one line or in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

from tqdm import tqdm

REDRAWN: float = 1.0  # seconds between two updates of a line that is overwritten
LOGGED: float = 30.0  # seconds between two lines of a log


class LogLines:
    """A text file that receives each state of a progress bar as a line of its own.

    Args:
        file: Where the lines go.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write the state of a bar, without the characters that overwrite the last one."""
        state = text.strip()
        if state:
            self._file.write(f"{state}\n")

    def flush(self) -> None:
        """Flush the lines to the file."""
        self._file.flush()


class Progress:
    """Progress through work of known length.

    Args:
        bar: The bar that shows it.
    """

    def __init__(self, bar: tqdm[NoReturn]) -> None:
        self._bar = bar
        self._failed = 0

    def count(self, failed: bool) -> None:
        """Count one more item, successful or failed."""
        self._failed += failed
        self._bar.set_postfix_str(f"failed={self._failed}", refresh=False)
        self._bar.update()


@contextmanager
def show_progress(total: int, unit: str, file: TextIO | None = None) -> Iterator[Progress]:
    """Show progress while the work goes on.

    The bar is text in notebooks too: under papermill a widget stays at 0 %.

    Args:
        total: Number of items.
        unit: Name of an item.
        file: Where it is shown; standard error if `None`.
    """
    file = file or sys.stderr
    redrawn = is_redrawn(file)
    bar = tqdm(
        total=total,
        unit=unit,
        file=file if redrawn else LogLines(file),
        mininterval=REDRAWN if redrawn else LOGGED,
        smoothing=0.05,
    )
    with bar:
        yield Progress(bar)


def is_redrawn(file: TextIO) -> bool:
    """Tell whether lines in a file can be overwritten, as in a terminal or a notebook."""
    return file.isatty() or type(file).__module__.startswith("ipykernel")
