"""Show the progress of a run as bars on a terminal."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TextIO

from lib.reports import print_duration
from lib.workflow import (
    RunProgress,
    Show,
    Step,
    describe_failures,
    describe_left,
    describe_rate,
    describe_usage,
)

if TYPE_CHECKING:  # rich takes a tenth of a second to import
    from rich.console import Console, RenderableType


def has_terminal() -> bool:
    """Return whether standard error is a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


@contextmanager
def show_bars(console: Console | None = None) -> Iterator[Show]:
    """Show bars on standard error, from the first call on; until then the log is as usual.

    Yields:
        The function that draws the bars anew; only warnings of the log appear, above them.
    """
    from rich.console import Console
    from rich.live import Live

    live = Live(console=console or Console(stderr=True), auto_refresh=False)

    def draw(progress: RunProgress) -> None:
        if not live.is_started:
            handlers = list_terminal_handlers()
            stack.enter_context(live)
            stack.enter_context(log_warnings_only(handlers))  # standard error is now rich's
        live.update(draw_progress(progress), refresh=True)

    with ExitStack() as stack:
        yield draw


@contextmanager
def log_warnings_only(handlers: Sequence[logging.StreamHandler[TextIO]]) -> Iterator[None]:
    """Let handlers of the log write only warnings, and to standard error as it is now."""
    before = [(handler, handler.stream, handler.level) for handler in handlers]
    for handler in handlers:
        handler.setStream(sys.stderr)
        handler.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for handler, stream, level in before:
            handler.setStream(stream)
            handler.setLevel(level)


def list_terminal_handlers() -> list[logging.StreamHandler[TextIO]]:
    """List the handlers of the log that write to standard error."""
    handlers = logging.getLogger().handlers
    streams = [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]
    return [handler for handler in streams if handler.stream is sys.stderr]


def draw_progress(progress: RunProgress, is_alive: bool = True) -> RenderableType:
    """Draw a bar for each notebook, and what fails and what is used below them.

    Args:
        progress: How far the run is.
        is_alive: Whether it goes on; of a killed one, no time left is promised.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    for step in progress.steps:
        table.add_row(*_draw_step(step, is_alive))
    lines = (Text(line, "dim", no_wrap=True, overflow="ellipsis") for line in _describe(progress))
    return Group(table, *lines)


def _draw_step(step: Step, is_alive: bool) -> list[RenderableType]:
    """Draw a notebook: its name, bar, items, rate and time left."""
    from rich.progress_bar import ProgressBar

    has_rate = bool(step.works) or not step.running
    bar = ProgressBar(
        total=max(1, step.total) if has_rate else None,  # without a total it moves to and fro
        completed=max(1, step.total) if step.is_done else step.done,
        pulse=not has_rate,
        complete_style="cyan",  # rich's own is red, as if something had failed
    )
    count = f"{step.done:,.0f}/{step.total:,} {step.unit}"
    running = (describe_left(step) or "running") if is_alive else "stopped"
    state = "done" if step.is_done else running if step.running else "waiting"
    return [step.name.replace("_", " "), bar, count, describe_rate(step), state]


def _describe(progress: RunProgress) -> list[str]:
    """Describe the run in lines, the failures and the machine."""
    seconds, now = print_duration(progress.seconds), ", ".join(progress.running)
    if progress.has_ended:
        return [f"{seconds}: stopped in {now}" if now else f"{seconds}: ended"]
    is_done = all(step.is_done for step in progress.steps)
    return [
        f"{seconds}: {now or ('writing the pages' if is_done else 'starting')}",
        describe_failures(progress),
        describe_usage(progress.usage),
    ]
