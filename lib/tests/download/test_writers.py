"""Tests of the processes that check and write images."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lib.download.image_files import Body, StoredBody, store_image
from lib.download.writers import EACH, Task, WriterPool
from lib.parallel import InternalError, WorkerProcess
from lib.tests.drawing import make_image

START: float = 60.0  # seconds in which a process has started, however busy the machine


def list_bodies(count: int) -> list[Body]:
    """Give bodies of which every third is no image."""
    return [
        Body(f"link {i}", make_image(seed=i) if i % 3 else b"no image", f"{i:064x}")
        for i in range(count)
    ]


def die_of_some(body: Body, data_dir: Path, temporary: str) -> StoredBody:
    """Store a body, or die of it, or fail."""
    if body.data == b"deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if body.data == b"unforeseen":
        raise KeyError("engine")
    if body.data == b"too much":
        raise OSError(errno.ENOSPC, "No space left on device")
    return store_image(body, data_dir, temporary)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Give what the processes are to do, in an empty folder."""
    (tmp_path / "images/unfinished").mkdir(parents=True)
    return Task(tmp_path, tmp_path / "images/unfinished")


@pytest.fixture
def pool(task: Task) -> Iterator[WriterPool]:
    """Give two processes that are ready, which die of some bodies."""
    pool = WriterPool(Task(task.data_dir, task.folder, die_of_some), processes=2)
    pool.store(list_bodies(EACH + 1))
    assert all(writer.await_ready(START) for writer in pool._writers)
    yield pool
    pool.close()


def test_processes_do_what_the_own_thread_does(task: Task, pool: WriterPool) -> None:
    """Outcomes come in the order of the bodies, whoever stored them."""
    bodies = list_bodies(2 * EACH)
    kept = pool.store(bodies)
    again = WriterPool(task, processes=0).store(bodies)
    assert [found.outcome for found in kept] == [found.outcome for found in again]
    assert [found.outcome.status for found in kept[:4]] == ["failed", "ok", "ok", "failed"]
    ok = sum(found.outcome.status == "ok" for found in kept)
    assert len(list(task.data_dir.rglob("*.jpg"))) == ok
    assert not list(task.folder.iterdir())


def test_body_that_crashes_its_process_is_lost_alone(pool: WriterPool) -> None:
    """The others of its lot are stored, and so are the next."""
    bodies = list_bodies(4)
    bodies[1] = Body("link 1", b"deadly", "1" * 64)
    kept = [found.outcome for found in pool.store(bodies)]
    assert kept[1].reason == "damaged image: its decoder crashed"
    assert [outcome.status for outcome in kept] == ["failed", "failed", "ok", "failed"]
    assert pool.store(bodies[2:])[0].outcome.status == "ok"


def test_body_that_fails_for_an_unforeseen_reason_is_lost_alone(pool: WriterPool) -> None:
    """The error comes back with its traceback from the process, and so does one of the disk."""
    bodies = list_bodies(3)
    bodies[0] = Body("link 0", b"unforeseen", "0" * 64)
    bodies[1] = Body("link 1", b"too much", "1" * 64)
    unforeseen, full, kept = pool.store(bodies)
    assert isinstance(unforeseen, InternalError) and "in die_of_some" in unforeseen.traceback
    assert isinstance(full, OSError) and full.errno == errno.ENOSPC
    assert kept.outcome.status == "ok"


def test_interrupt_leaves_no_answer_for_the_next_lot(
    pool: WriterPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while a lot is stored: what is stored afterwards gets its own outcomes."""

    def interrupt(writer: WorkerProcess, seconds: float) -> None:
        raise KeyboardInterrupt

    bodies = list_bodies(5)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(WorkerProcess, "receive", interrupt)
        pool.store(bodies[:2])
    kept = [found.outcome.link for found in pool.store(bodies[2:])]
    assert kept == ["link 2", "link 3", "link 4"]


def test_processes_that_cannot_start_are_done_without(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no process starts, as without memory, the own thread stores all."""
    monkeypatch.setattr("lib.parallel.worker_process.sys.executable", "/bin/false")
    pool = WriterPool(task)
    for count in range(1, 60):
        assert pool.store(list_bodies(2))[1].outcome.status == "ok"
        time.sleep(0.02 * count)
        if not pool._most:
            break
    assert not pool._writers and not pool._most


def test_folder_that_was_removed_is_made_again(task: Task) -> None:
    """Somebody who clears temporary files away costs no image."""
    task.folder.rmdir()
    assert [k.outcome.status for k in task.do(list_bodies(2))] == ["failed", "ok"]


def test_processes_end_with_their_owner(task: Task) -> None:
    """A process whose owner was killed does not stay behind."""
    owner = (
        "import os, psutil, signal\n"
        "from pathlib import Path\n"
        "from lib.download.writers import Task, WorkerProcess\n"
        f"task = Task(Path({str(task.data_dir)!r}), Path({str(task.folder)!r}))\n"
        "writer = WorkerProcess(task.do)\n"
        f"writer.await_ready({START})\n"
        "print(*(p.pid for p in psutil.Process().children()), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", owner], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL
    processes = [psutil.Process(int(p)) for p in ended.stdout.split() if psutil.pid_exists(int(p))]
    assert ended.stdout and not psutil.wait_procs(processes, timeout=START)[1]
