"""The progress of long work on one line: rate, failures, time left; in a log, now and then."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

REDRAWN: float = 1.0  # seconds between two states of a line that is written over
LOGGED: float = 30.0  # seconds between two lines of a log


class LogLines:
    """A text file that gets each state of a progress bar as a line of its own.

    Args:
        file: Where the lines go.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write the state of a bar, without what would write over the last one."""
        state = text.strip()
        if state:
            self._file.write(f"{state}\n")

    def flush(self) -> None:
        """Let readers see it."""
        self._file.flush()


class Progress:
    """Progress through work of known length.

    Args:
        bar: Shows it.
    """

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._failed = 0

    def count(self, failed: bool) -> None:
        """Count one more, well or failed."""
        self._failed += failed
        self._bar.set_postfix_str(f"failed={self._failed}", refresh=False)
        self._bar.update()


@contextmanager
def show_progress(total: int, unit: str, file: TextIO | None = None) -> Iterator[Progress]:
    """Show progress while the work goes on.

    As text also in notebooks: a widget is lost, stuck at 0 %, when papermill runs one.

    Args:
        total: How many there are.
        unit: What is counted.
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
    """Tell whether a line can be written over there: in a terminal or a notebook."""
    return file.isatty() or type(file).__module__.startswith("ipykernel")
