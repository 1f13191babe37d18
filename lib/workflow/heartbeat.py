"""Give signs of life of a run: write how far it is, show it and log it, until it ends."""

import logging
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from lib.parallel import try_item
from lib.workflow.outputs import DOWNLOAD, FINAL_STEPS, READ_STEPS, open_manifest
from lib.workflow.plan import Plan
from lib.workflow.progress import (
    BEAT,
    HEAD,
    NAME,
    RunProgress,
    Step,
    Usage,
    add_works,
    describe_progress,
    name_host,
    read_works,
)

LOG = logging.getLogger(__name__)

LOOK, LINE = 2.0, 30.0  # seconds between two looks, and between two lines in the log
Show = Callable[[RunProgress], None]
"""Shows how far a run is."""


class ProgressKeeper:
    """Keeper of a run's progress, whose threads say which stages begin and end.

    Args:
        folder: Of the progress; it exists.
        run_dir: The run's folder.
        steps: The five notebooks, nothing of them done.
    """

    def __init__(self, folder: Path, run_dir: Path, steps: list[Step]) -> None:
        now = time.time()
        self.folder, self._run_dir = folder, run_dir
        self._known = RunProgress(
            host=name_host(), pid=os.getpid(), started=now, beat=now, usage=Usage(), steps=steps
        )
        self._lock = threading.Lock()
        self.beat()

    def begin(self, stage: str, items: int) -> None:
        """Note that a stage begins."""
        with self._lock:
            step = self._find(stage)
            step.running[stage] = items
            step.waiting -= 1
        self.beat()

    def end(self, stage: str) -> None:
        """Note that a stage that was begun has ended well."""
        with self._lock:
            step, done = self._find(stage), self._find(stage).done
            for work in read_works(self.folder, f"{stage}."):
                step.add(work)
            step.done = done + step.running.pop(stage)  # failed downloads have no image to read
        self.beat()  # first: whoever reads meanwhile finds the stage running or done
        for path in self.folder.glob(f"{stage}.*"):
            path.unlink(missing_ok=True)

    def reuse(self, stage: str, items: int) -> None:
        """Note that a stage was done before."""
        with self._lock:
            step = self._find(stage)
            step.waiting -= 1
            step.done += items

    def read(self) -> RunProgress:
        """Return how far the run is now."""
        with self._lock:
            now = self._known.model_copy(update={"beat": time.time()})
            return add_works(now, self.folder)

    def beat(self) -> None:
        """Give a sign of life; a disk that is full or does not answer does not end the run."""
        with self._lock:
            self._known.beat = time.time()
            with suppress(OSError):
                self._known.usage = measure_usage(self._run_dir)
                part = self.folder / f"{HEAD}.part"
                part.write_text(self._known.model_dump_json(), encoding="utf-8")
                part.replace(self.folder / HEAD)

    def _find(self, stage: str) -> Step:
        return next(step for step in self._known.steps if stage.startswith(step.name))


def list_steps(plan: Plan, links: int, samples: int) -> list[Step]:
    """List the five notebooks of a run, nothing of them done."""
    stages = [(stage.source.stem, stage.parameters) for stage in plan.stages.values()]
    batches = Counter(name for name, _ in stages)
    return [
        Step(
            name=name,
            unit="rows" if name in FINAL_STEPS else "images",
            total=samples if name in FINAL_STEPS else links,
            works=_count_works(name, parameters),
            waiting=batches[name],
        )
        for name, parameters in dict(stages).items()
    ]


def _count_works(step: str, parameters: Mapping[str, object]) -> int:
    """Count how many times a notebook goes through its images."""
    engines = parameters.get("OCR_ENGINES")
    read = len(engines) if isinstance(engines, list) else 1
    return dict(zip((DOWNLOAD, *READ_STEPS), (1, 1, read), strict=True)).get(step, 0)


@contextmanager
def keep_progress(plan: Plan, steps: list[Step], show: Show) -> Iterator[ProgressKeeper]:
    """Keep the progress of a run until it ends, show it and log it.

    Args:
        plan: Of the run, whose folder is claimed.
        steps: As `list_steps` gives them.
        show: Called every two seconds with how far the run is.
    """
    folder = open_manifest(plan.run_dir).new_temporary(plan.run_dir / NAME)
    folder.mkdir()
    keeper, ended = ProgressKeeper(folder, plan.run_dir, steps), threading.Event()
    try_item(show, keeper.read())
    watching = threading.Thread(target=_watch, args=(keeper, show, ended), daemon=True)
    watching.start()
    try:
        yield keeper
    finally:
        ended.set()
        watching.join()
        shutil.rmtree(folder, ignore_errors=True)


def _watch(keeper: ProgressKeeper, show: Show, ended: threading.Event) -> None:
    """Show the progress, log it and give signs of life, until the run has ended."""
    beat_at = line_at = time.monotonic()
    while not ended.wait(LOOK):
        now = time.monotonic()
        if now >= beat_at + BEAT:
            beat_at = now
            keeper.beat()
        progress = keeper.read()
        if now >= line_at + LINE:
            line_at = now
            LOG.info("progress: %s", describe_progress(progress))
        try_item(show, progress)  # a terminal that has gone does not end the run
    try_item(show, keeper.read().model_copy(update={"has_ended": True}))


def measure_usage(run_dir: Path) -> Usage:
    """Measure what this process and its children use."""
    memory = 0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            memory += process.memory_info().rss
    used = psutil.virtual_memory().percent / 100
    return Usage(memory=memory, used=used, free=shutil.disk_usage(run_dir).free)
