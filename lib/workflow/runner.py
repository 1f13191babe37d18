"""One notebook run, in a process of its own that takes its memory with it when it ends."""

import errno
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import tenacity

from lib.io import PROJECT, Parameters, new_temporary, replace_file

LOG = logging.getLogger(__name__)

START_METHOD: str = "forkserver" if os.name == "posix" else "spawn"
STOP_TIMEOUT: float = 3.0  # seconds a stopped process has to end by itself
STARTS: int = 3  # of a notebook's kernel


class StageError(RuntimeError):
    """A notebook failed; the message shows where and why."""


@dataclass(frozen=True)
class Stage:
    """A notebook to run.

    Attributes:
        source: The notebook.
        target: Where the executed copy goes, be it of a whole notebook or of a failed one.
        counts: JSON file in which the notebook notes what it did.
        parameters: Only those that the notebook knows.
        makes: Files that are there when it has succeeded.
        batch: Number of the batch, `None` for a notebook that runs once over all.
    """

    source: Path
    target: Path
    counts: Path
    parameters: Parameters
    makes: tuple[Path, ...] = ()
    batch: int | None = None

    @property
    def name(self) -> str:
        """Such as `03_ocr-00002`, or `04_extraction` for a notebook that runs once."""
        return self.target.stem


@dataclass(frozen=True)
class End:
    """How a notebook's process ended.

    Attributes:
        problem: What went wrong, `""` when all went well.
        has_died: Whether its process or its kernel died, for which nobody knows the reason.
    """

    problem: str = ""
    has_died: bool = False


@dataclass
class Runner:
    """Runs stages, several at a time if called from several threads, and can stop them all.

    Attributes:
        environment: Variables that each notebook's process gets.
        stopped: Set once all is to end.
    """

    environment: dict[str, str] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    _running: set[BaseProcess] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context(START_METHOD)
        if START_METHOD == "forkserver":  # papermill's import, half a second, is paid once
            self._context.set_forkserver_preload(["papermill", "lib.workflow.runner"])

    def run(self, stage: Stage) -> float:
        """Run a notebook to its end.

        Returns:
            Seconds taken.

        Raises:
            StageError: A cell failed, the process died, or the runner was stopped.
        """
        started = time.monotonic()
        stage.target.parent.mkdir(parents=True, exist_ok=True)
        end = self._run_once(stage)
        if end.has_died and not self.stopped.is_set():
            LOG.warning("%s is started once more: %s", stage.name, end.problem)
            end = self._run_once(stage)
        if end.problem:
            raise StageError(f"{stage.name} failed: {end.problem}\n{_say_copy(stage)}")
        return time.monotonic() - started

    def _run_once(self, stage: Stage) -> End:
        """Run a notebook in a process and wait for its end."""
        if self.stopped.is_set():
            raise StageError(f"{stage.name} was not started: the run was stopped.")
        receiver, sender = self._context.Pipe(duplex=False)
        log = new_temporary(stage.target.with_suffix(".log"))
        work = (stage, log, self.environment, sender)
        process = self._context.Process(target=_execute, args=work, name=stage.name)
        process.start()
        sender.close()
        self._watch(process)
        end = _receive(receiver)
        process.join()
        self._running.discard(process)
        end = end or _explain_death(log, process.exitcode)
        _settle_log(log, stage.target.with_suffix(".log"), end)
        return end

    def _watch(self, process: BaseProcess) -> None:
        """Remember a process to be stopped, or stop it now if that was asked meanwhile."""
        self._running.add(process)
        if self.stopped.is_set():
            end_processes([process.pid])

    def stop(self) -> None:
        """End all running stages with everything they started; new ones are refused."""
        self.stopped.set()
        end_processes(process.pid for process in tuple(self._running) if process.pid)


def end_processes(pids: Iterable[int]) -> None:
    """End processes and all their descendants: politely, then for certain."""
    family: list[psutil.Process] = []
    for pid in pids:
        try:
            parent = psutil.Process(pid)
            family += [*parent.children(recursive=True), parent]
        except psutil.NoSuchProcess:
            continue
    for step in (psutil.Process.terminate, psutil.Process.kill):
        for process in family:
            _signal(process, step)
        family = psutil.wait_procs(family, timeout=STOP_TIMEOUT)[1]


def _signal(process: psutil.Process, step: object) -> None:
    try:
        step(process)
    except psutil.NoSuchProcess:
        LOG.debug("process %d had ended already", process.pid)


def _receive(receiver: Connection) -> End | None:
    """Wait for a stage's word, `None` if its process died."""
    with receiver:
        try:
            return receiver.recv()
        except EOFError:
            return None


def _explain_death(log: Path, exit_code: int | None) -> End:
    """Put the death of a process in words, with the last it printed."""
    last = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.is_file() else ""
    killed = exit_code == -signal.SIGKILL
    hint = "; it was killed, perhaps for lack of memory: try fewer WORKERS" if killed else ""
    return End(f"its process ended with code {exit_code}{hint}\n{last}", has_died=True)


def _settle_log(log: Path, target: Path, end: End) -> None:
    """Keep what a failed stage's processes printed; of one that went well delete it."""
    if log.is_file() and log.stat().st_size and end.problem:
        with replace_file(target) as path:
            log.replace(path)
    log.unlink(missing_ok=True)


def _say_copy(stage: Stage) -> str:
    return f"Its executed copy is {stage.target}" if stage.target.is_file() else ""


# Two kernels that start in one moment may choose the same port, and one of them dies: rare, but
# a long run starts dozens. See github.com/nteract/papermill/issues/511.
@tenacity.retry(
    retry=tenacity.retry_if_exception_message(match="Kernel died before replying"),
    stop=tenacity.stop_after_attempt(STARTS),
    reraise=True,
)
def execute(stage: Stage, copy: Path) -> None:
    """Execute a stage's notebook in this process, once more where its kernel does not start."""
    import papermill

    papermill.execute_notebook(
        stage.source,
        copy,
        parameters=stage.parameters,
        cwd=PROJECT,
        progress_bar=False,
    )


def _execute(stage: Stage, log: Path, environment: dict[str, str], sender: Connection) -> None:
    """Run in the child process: execute the notebook, send how that ended."""
    _detach(log)
    os.environ |= environment
    try:
        with replace_file(stage.target) as copy:
            end = _try(stage, copy)
        sender.send(end)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sender.send(End(str(error)))  # the disk is full: no copy could be written, nor a log


def _try(stage: Stage, copy: Path) -> End:
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
    """Leave the terminal to the pipeline: its output, its Ctrl-C, but not its end."""
    with log.open("wb") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    if os.name == "posix":
        os.setsid()
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """End this process and its kernel when the pipeline has gone.

    A kernel would end by itself, but not while it starts.
    """
    wait([multiprocessing.parent_process().sentinel])
    for child in psutil.Process().children(recursive=True):
        _signal(child, psutil.Process.kill)
    os._exit(1)
