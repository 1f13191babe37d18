"""Tests for kernels that are forked from the process of their notebook."""

import asyncio
import os
import queue
import signal
import sys

import nbformat
import psutil
import pytest

from lib.tests.workflow.test_pipeline import make_stage, wait_for
from lib.workflow.kernels import (
    ForkedKernelManager,
    ForkedProvisioner,
    KernelProcess,
    PromptClient,
)
from lib.workflow.runner import Runner

# Multiprocessing knows the parent of a forked process, and none of a program of its own.
IS_FORKED = "import multiprocessing as m; assert m.parent_process()"
IS_PROGRAM = "import multiprocessing as m; assert not m.parent_process()"


@pytest.fixture
def waiting():
    """Give a process that waits to become a kernel."""
    kernel = KernelProcess()
    yield kernel
    kernel.close()
    kernel.kill()
    kernel.wait()


@pytest.fixture
def runner():
    """Give a runner whose stages end with the test."""
    runner = Runner()
    yield runner
    runner.stop()


def find_prepared(runner: Runner) -> list[psutil.Process]:
    """Return the process of the only prepared stage and that of its kernel, once there."""
    (prepared,) = runner._prepared.values()
    stage = psutil.Process(prepared.process.pid)
    wait_for(stage.children)
    return [stage, *stage.children()]


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process has ended, be it waited for or not."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("is_prepared", [False, True])
def test_kernel_is_forked(tmp_path, runner, is_prepared):
    """A notebook's kernel is a fork, whether its stage was prepared or not."""
    stage = make_stage(tmp_path, IS_FORKED)
    if is_prepared:
        runner.prepare(stage)
    assert runner.run(stage) > 0
    assert not runner._prepared


def test_figures_are_inline(tmp_path, runner):
    """A figure that a forked kernel draws is in the executed notebook."""
    stage = make_stage(tmp_path, f"{IS_FORKED}\nimport pandas as pd\npd.Series([1, 2]).plot();")
    runner.run(stage)
    outputs = nbformat.read(stage.target, as_version=4).cells[-1].outputs
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("end", [lambda runner: runner.discard("source"), Runner.stop])
def test_prepared_stage_that_is_not_run(tmp_path, runner, end):
    """A prepared stage that is not needed, or not any more, leaves no process and no file."""
    runner.prepare(make_stage(tmp_path, "1"))
    processes = find_prepared(runner)
    end(runner)
    assert all(map(has_ended, processes))
    assert not runner._running
    assert not list((tmp_path / "out").iterdir())


def test_forgotten_runner_ends_what_it_prepared(tmp_path):
    """A prepared stage ends by itself, kernel included, once nobody can tell it to begin."""
    runner = Runner()
    runner.prepare(make_stage(tmp_path, "1"))
    processes = find_prepared(runner)
    runner._prepared.clear()
    wait_for(lambda: all(map(has_ended, processes)))


def test_discard_of_a_stage_that_was_not_prepared(runner):
    """Most stages are not prepared: nothing is to be ended."""
    runner.discard("01_download-00000")
    assert not runner.stopped.is_set()


def test_kernel_killed_while_it_waits(tmp_path, runner, caplog):
    """A kernel that died before its command is replaced by Jupyter's own, at no second start."""
    stage = make_stage(tmp_path, IS_PROGRAM)
    runner.prepare(stage)
    _, kernel = find_prepared(runner)
    kernel.kill()
    wait_for(lambda: has_ended(kernel))
    assert runner.run(stage) > 0
    assert "started once more" not in caplog.text


def test_stage_killed_while_it_waits(tmp_path, runner, caplog):
    """A prepared process that died is replaced, and its kernel does not outlive it."""
    stage = make_stage(tmp_path, IS_FORKED)
    runner.prepare(stage)
    processes = find_prepared(runner)
    processes[0].kill()
    assert runner.run(stage) > 0
    assert "started once more" in caplog.text
    wait_for(lambda: all(map(has_ended, processes)))


def test_stopped_runner_prepares_nothing(tmp_path, runner):
    """A run that was stopped starts no further process."""
    runner.stop()
    runner.prepare(make_stage(tmp_path, "1"))
    assert not runner._running


def test_unused_process_ends(waiting):
    """A process whose kernel is not started ends in order."""
    assert waiting.poll() is None
    waiting.close()
    assert waiting.wait() == 0


def test_process_takes_signals(waiting):
    """Jupyter may signal a process as any other."""
    waiting.send_signal(signal.SIGKILL)
    assert waiting.wait() == -signal.SIGKILL


def test_second_manager_starts_its_own(monkeypatch, waiting):
    """A waiting process is used once: whoever tries again gets a kernel as Jupyter starts it."""
    monkeypatch.setattr(ForkedKernelManager, "waiting", waiting)
    first, second = (ForkedKernelManager(kernel_name="python3") for _ in range(2))
    assert isinstance(first.provisioner, ForkedProvisioner)
    assert first.provisioner.waiting is waiting
    assert second.provisioner is None


def test_other_program_is_started(waiting):
    """A command that starts no Python kernel is started as it is, and the process ends."""
    provisioner = ForkedProvisioner(kernel_id="1")
    provisioner.waiting = waiting
    asyncio.run(provisioner.launch_kernel([sys.executable, "-c", "raise SystemExit(7)"]))
    assert provisioner.process.wait() == 7
    assert waiting.wait() == 0
    assert provisioner.pid not in (waiting.pid, os.getpid())


class ScriptedClient(PromptClient):
    """A client whose kernel says what is listed for each request: (number of request, state)."""

    def __init__(self, *said, alive=True):
        super().__init__()
        self.said, self.alive, self.requests = said, alive, 0

    def kernel_info(self):
        """Count the request."""
        self.requests += 1
        self.coming = iter(self.said[self.requests - 1] if self.requests <= len(self.said) else [])
        return str(self.requests)

    async def get_shell_msg(self, timeout):
        """Reply, unless nothing is listed for the request."""
        if self.requests > len(self.said):
            raise queue.Empty
        return {"content": {"protocol_version": "5.3"}}

    async def get_iopub_msg(self, timeout):
        """Return the next message."""
        if not (said := next(self.coming, None)):
            raise queue.Empty
        return {"parent_header": {"msg_id": str(said[0])}, "content": {"execution_state": said[1]}}

    async def is_alive(self):
        """Tell what was given."""
        return self.alive


def test_kernel_is_ready_once_idle():
    """A request whose end was not heard is repeated; messages about the first one do not count."""
    client = ScriptedClient([(1, "busy")], [(1, "idle"), (2, "busy"), (2, "idle")])
    asyncio.run(client.wait_for_ready(60))
    assert client.requests == 2


@pytest.mark.parametrize(
    ("alive", "said"), [(False, "Kernel died before replying"), (True, "respond in 0 seconds")]
)
def test_kernel_that_does_not_answer_is_told(alive, said):
    """The first message is that by which a run knows a kernel that may be started once more."""
    with pytest.raises(RuntimeError, match=said):
        asyncio.run(ScriptedClient(alive=alive).wait_for_ready(0))
