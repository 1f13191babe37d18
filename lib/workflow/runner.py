"""Run one notebook in a process of its own, so that its memory is freed when it ends."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import tenacity

from lib.io import PROJECT, replace_file
from lib.io.manifest import new_temporary
from lib.io.run_dir import log_to_run
from lib.parallel import STAGE_VARIABLE
from lib.workflow.kernels import ForkedKernelManager, KernelProcess

LOG = logging.getLogger(__name__)

IS_POSIX: bool = os.name == "posix"
CONTEXT: ForkServerContext | SpawnContext = (
    multiprocessing.get_context("forkserver") if IS_POSIX else multiprocessing.get_context("spawn")
)
STOP_TIMEOUT: float = 3.0  # seconds a stopped process has to exit by itself
PRELOADED: dict[str, tuple[str, ...]] = {
    "02_features": ("openvino", "lib.features.neighbours", "lib.features.reading"),
    "03_ocr": ("openvino", "lib.ocr.reading"),
    "04_extraction": ("lib.extraction.methods", "lib.extraction.learned.answering"),
    "05_evaluation": ("lib.features.neighbours", "lib.reports.captions"),
}
"""What a notebook's kernel imports before it is told to start."""
STARTS: int = 3  # attempts to start a notebook's kernel


class StageError(RuntimeError):
    """A notebook failed; the message shows where and why."""


@dataclass(frozen=True)
class Stage:
    """A notebook to run.

    Attributes:
        source: The notebook.
        target: Path of the executed copy, complete or failed.
        counts: JSON file in which the notebook counts what it did.
        parameters: Only those that the notebook knows.
        makes: Files that exist when it has succeeded.
        batch: Number of the batch, `None` for a notebook that runs once over all.
    """

    source: Path
    target: Path
    counts: Path
    parameters: dict[str, object]
    makes: tuple[Path, ...] = ()
    batch: int | None = None

    @property
    def name(self) -> str:
        """Return the name: `03_ocr-00002`, or `04_extraction` for a notebook that runs once."""
        return self.target.stem


@dataclass(frozen=True)
class End:
    """How a notebook's process ended.

    Attributes:
        problem: The error, `""` if there was none.
        has_died: Whether its process or its kernel died for an unknown reason.
    """

    problem: str = ""
    has_died: bool = False


@dataclass(frozen=True)
class StageProcess:
    """The process of a stage, which waits for the word to begin.

    Attributes:
        process: The process.
        connection: To it.
        log: File of what it prints.
    """

    process: BaseProcess
    connection: Connection
    log: Path

    def run(self) -> End | None:
        """Let the stage run, and return how it ended; `None` if its process died."""
        with self.connection, suppress(EOFError, BrokenPipeError, ConnectionResetError):
            self.connection.send("run")
            end: End = self.connection.recv()
            self.process.join()
            return end
        self.process.join()
        return None


@dataclass
class Runner:
    """A runner of stages that several threads may call, and that can stop them all.

    Attributes:
        environment: Variables for each notebook's process.
        stopped: Set once all stages must end.
    """

    environment: dict[str, str] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    _running: set[BaseProcess] = field(default_factory=set)
    _prepared: dict[str, StageProcess] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if IS_POSIX:  # so these imports are paid once
            CONTEXT.set_forkserver_preload(["lib.workflow.preloaded", "lib.workflow.runner"])

    def prepare(self, stage: Stage) -> None:
        """Start the process of a stage that runs soon, so that it has imported what is slow."""
        if not self.stopped.is_set():
            self._prepared[stage.name] = self._start(stage)

    def discard(self, name: str) -> None:
        """End the process of a prepared stage that need not run."""
        if prepared := self._prepared.pop(name, None):
            end_processes([prepared.process.pid or 0])
            self._running.discard(prepared.process)
            prepared.connection.close()
            prepared.log.unlink(missing_ok=True)

    def run(self, stage: Stage) -> float:
        """Run a notebook to its end.

        Returns:
            Seconds taken.

        Raises:
            StageError: A cell failed, the process died, or the runner was stopped.
        """
        started = time.monotonic()
        end = self._run_once(stage)
        if end.has_died and not self.stopped.is_set():
            LOG.warning("%s is started once more: %s", stage.name, end.problem)
            end = self._run_once(stage)
        if end.problem:
            raise StageError(f"{stage.name} failed: {end.problem}\n{_say_copy(stage)}")
        return time.monotonic() - started

    def _run_once(self, stage: Stage) -> End:
        """Run a notebook in a process and wait until it ends."""
        if self.stopped.is_set():
            raise StageError(f"{stage.name} was not started: the run was stopped.")
        prepared = self._prepared.pop(stage.name, None)
        started = prepared or self._start(stage)
        end = started.run()
        self._running.discard(started.process)
        end = end or _explain_death(started.log, started.process.exitcode)
        _settle_log(started.log, stage.target.with_suffix(".log"), end)
        return end

    def _start(self, stage: Stage) -> StageProcess:
        ours, theirs = CONTEXT.Pipe()
        stage.target.parent.mkdir(parents=True, exist_ok=True)
        log = new_temporary(stage.target.with_suffix(".log"))
        environment = self.environment | {STAGE_VARIABLE: stage.name}
        work = (stage, log, environment, theirs)
        process = CONTEXT.Process(target=_execute, args=work, name=stage.name)
        process.start()
        theirs.close()
        self._watch(process)
        return StageProcess(process, ours, log)

    def _watch(self, process: BaseProcess) -> None:
        """Register a process for `stop`, or stop it now if `stop` was called meanwhile."""
        self._running.add(process)
        if self.stopped.is_set():
            end_processes([process.pid or 0])

    def open_writers(self) -> Executor:
        """Open an executor, to be shut down, whose one process writes pages."""
        begin, given = _begin_writing, (self.environment,)
        return ProcessPoolExecutor(1, mp_context=CONTEXT, initializer=begin, initargs=given)

    def stop(self) -> None:
        """End all running stages and the processes they started; refuse new ones."""
        self.stopped.set()
        end_processes(process.pid for process in tuple(self._running) if process.pid)
        for name in tuple(self._prepared):
            self.discard(name)


def end_processes(pids: Iterable[int]) -> None:
    """End processes and all their descendants: terminate them, then kill those that remain."""
    family: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            family += [*parent.children(recursive=True), parent]
    for step in (psutil.Process.terminate, psutil.Process.kill):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                step(process)
        family = psutil.wait_procs(family, timeout=STOP_TIMEOUT)[1]


def _explain_death(log: Path, exit_code: int | None) -> End:
    """Describe the death of a process, with the last lines it printed."""
    last = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.is_file() else ""
    killed = exit_code == -signal.SIGKILL
    hint = "; it was killed, perhaps for lack of memory: try fewer WORKERS" if killed else ""
    return End(f"its process ended with code {exit_code}{hint}\n{last}", has_died=True)


def _settle_log(log: Path, target: Path, end: End) -> None:
    """Keep the output of a failed stage's processes; delete that of a successful one."""
    if log.is_file() and log.stat().st_size and end.problem:
        with replace_file(target) as path:
            log.replace(path)
    log.unlink(missing_ok=True)


def _say_copy(stage: Stage) -> str:
    return f"Its executed copy is {stage.target}" if stage.target.is_file() else ""


# Two kernels that start at the same moment may choose the same port, and one of them dies: rare,
# but a long run starts dozens. See github.com/nteract/papermill/issues/511.
@tenacity.retry(
    retry=tenacity.retry_if_exception_message(match="Kernel died before replying"),
    stop=tenacity.stop_after_attempt(STARTS),
    reraise=True,
)
def execute(stage: Stage, copy: Path) -> None:
    """Execute a stage's notebook in this process; retry if its kernel does not start."""
    import papermill

    papermill.execute_notebook(
        stage.source,
        copy,
        parameters=stage.parameters,
        cwd=PROJECT,
        progress_bar=False,
        kernel_manager_class=ForkedKernelManager,
    )


def _execute(stage: Stage, log: Path, environment: dict[str, str], connection: Connection) -> None:
    """Execute the notebook in the child process once told to, and send how it ended."""
    _detach(log)
    os.environ |= environment
    kernel = KernelProcess(PRELOADED.get(stage.source.stem, ())) if IS_POSIX else None
    ForkedKernelManager.waiting = kernel
    _follow_parent()
    try:
        if _is_told_to_begin(connection):
            connection.send(_try(stage))
    finally:
        if kernel:
            kernel.close()


def _is_told_to_begin(connection: Connection) -> bool:
    """Wait for the word to begin, which does not come if the run goes on without this stage."""
    with suppress(EOFError, ConnectionResetError):
        connection.recv()
        return True
    return False


def _try(stage: Stage) -> End:
    """Execute the notebook; on a full disk neither its copy nor a log can be written."""
    try:
        with replace_file(stage.target) as copy:
            return _explain_end(stage, copy)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return End(str(error))


def _explain_end(stage: Stage, copy: Path) -> End:
    """Execute the notebook, and explain why a cell failed or its kernel died."""
    from nbclient.exceptions import DeadKernelError
    from papermill import PapermillExecutionError

    try:
        execute(stage, copy)
    except PapermillExecutionError as error:
        return End(f"{error.ename}: {error.evalue}\n{error}")
    except DeadKernelError as error:
        hint = "perhaps for lack of memory: try fewer WORKERS"
        return End(f"its kernel died, {hint} ({error})", has_died=True)
    return End()


def _detach(log: Path) -> None:
    """Detach from the terminal's output and Ctrl-C, but end with the pipeline."""
    with log.open("wb") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    if IS_POSIX:
        os.setsid()


def _begin_writing(environment: dict[str, str]) -> None:
    """Let the process that writes pages end with the pipeline and log to the run's files."""
    _follow_parent()
    os.environ |= environment
    log_to_run()


def _follow_parent() -> None:
    """End this process as soon as the pipeline has ended."""
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """End this process and its kernel when the pipeline has ended.

    A kernel would end by itself, but not while it starts.
    """
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
    os._exit(1)
