"""Show the progress of long work: rate, failures and time left, on one line."""

from __future__ import annotations

from tqdm import tqdm

DELAY: float = 5.0  # seconds; shorter work shows no bar


class Progress(tqdm):  # type: ignore[type-arg]  # has no arguments at run time
    """A progress bar that also counts failures."""

    failed = 0

    def count(self, failed: bool) -> None:
        """Count one more item, successful or failed."""
        self.failed += failed
        self.set_postfix(failed=self.failed, refresh=False)
        self.update()


def show_progress(total: int, unit: str, name: str | None = None, done: int = 0) -> Progress:
    """Show progress while the work goes on.

    The bar is text in notebooks too: under papermill a widget stays at 0 %.

    Args:
        total: Number of items.
        unit: Name of an item.
        name: Name of the work.
        done: Number of items that are done already.
    """
    return Progress(total=total, unit=unit, desc=name, initial=done, mininterval=1, delay=DELAY)
