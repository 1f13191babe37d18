"""Show the progress of long work as a bar, and report it to whoever watches the run."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn, Self

from tqdm import tqdm

DELAY: float = 5.0  # seconds; shorter work shows no bar
PROGRESS_VARIABLE: str = "PRODUCT_MEASUREMENTS_PROGRESS"
"""Environment variable that names the folder in which the notebooks of a run report progress."""
STAGE_VARIABLE: str = "PRODUCT_MEASUREMENTS_STAGE"
"""Environment variable that names the stage of a run that a notebook is."""
SESSION_VARIABLE: str = "JPY_SESSION_NAME"
"""Environment variable that a Jupyter server sets for a notebook opened by hand."""
INTERVAL: float = 1.0  # seconds between two reports


class Progress:
    """A progress bar that counts failures by reason.

    In a run it also reports to a file of its own, replaced at most once a second.

    Args:
        total: Number of items.
        unit: Name of an item.
        name: Name of the work.
        done: Number of items that are done already.
    """

    def __init__(self, total: int, unit: str, name: str, done: int) -> None:
        what = {"total": total, "unit": unit, "desc": name, "initial": done}
        self.bar = choose_bar()(**what, mininterval=1, delay=DELAY)
        self.failures: Counter[str] = Counter()
        self._name, self._known = name, done
        self._reported_at = -INTERVAL

    def count(self, reason: str = "") -> None:
        """Count one more item; a reason says why it failed."""
        if reason:
            self.failures[reason.partition(":")[0]] += 1
        self.bar.set_postfix(failed=self.failures.total(), refresh=False)
        self.bar.update()
        if time.monotonic() >= self._reported_at + INTERVAL:
            self._report()

    def __enter__(self) -> Self:
        self._report()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()
        self._report()

    def _report(self) -> None:
        """Replace this work's file, if a run asks for it; a full disk does not end the work."""
        self._reported_at = time.monotonic()
        folder, stage = os.environ.get(PROGRESS_VARIABLE), os.environ.get(STAGE_VARIABLE)
        if not folder or not stage:
            return
        state = self.bar.format_dict
        report = {
            "stage": stage,
            "total": state["total"],
            "done": state["n"],
            "known": self._known,
            "seconds": state["elapsed"],
            "failures": self.failures,
        }
        path = Path(folder, re.sub(r"[^\w.-]", "_", f"{stage}.{self._name}.json"))
        with suppress(OSError):
            path.with_suffix(".part").write_text(json.dumps(report), encoding="utf-8")
            path.with_suffix(".part").replace(path)


def choose_bar() -> Callable[..., tqdm[NoReturn]]:
    """Choose a widget in a notebook opened by hand, else a line of text.

    Under papermill a widget would stay at 0 %.
    """
    by_hand = SESSION_VARIABLE in os.environ and STAGE_VARIABLE not in os.environ
    if not by_hand or not find_spec("ipywidgets"):
        return tqdm
    from tqdm.notebook import tqdm as widget

    return widget


def show_progress(total: int, unit: str, name: str = "", done: int = 0) -> Progress:
    """Show progress while the work goes on; the arguments are those of `Progress`."""
    return Progress(total, unit, name, done)
