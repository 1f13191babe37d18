"""Tests of the processes that check and write pictures."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lib.download.image_files import Body, Kept, keep_image
from lib.download.writers import EACH, Task, Writer, WriterPool
from lib.parallel.item_errors import InternalError
from lib.tests.drawing import make_picture

START: float = 60.0  # seconds in which a process has started, however busy the machine


def list_bodies(count: int) -> list[Body]:
    """Give bodies of which every third is no picture."""
    return [
        Body(f"link {i}", make_picture(seed=i) if i % 3 else b"no picture", f"{i:064x}")
        for i in range(count)
    ]


def die_of_some(body: Body, data_dir: Path, temporary: str) -> Kept:
    """Keep a body, or die of it, or fail."""
    if body.data == b"deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if body.data == b"unforeseen":
        raise KeyError("engine")
    if body.data == b"too much":
        raise OSError(errno.ENOSPC, "No space left on device")
    return keep_image(body, data_dir, temporary)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Give what the processes are to do, in an empty folder."""
    (tmp_path / "images/unfinished").mkdir(parents=True)
    return Task(tmp_path, tmp_path / "images/unfinished")


@pytest.fixture
def keepers(task: Task) -> WriterPool:
    """Give two processes that are ready, which die of some bodies."""
    keepers = WriterPool(Task(task.data_dir, task.folder, die_of_some), processes=2)
    keepers.keep(list_bodies(EACH + 1))
    assert all(keeper.wait(START) for keeper in keepers._keepers)
    yield keepers
    keepers.close()


def test_processes_do_what_the_own_thread_does(task: Task, keepers: WriterPool) -> None:
    """Outcomes come in the order of the bodies, whoever kept them."""
    bodies = list_bodies(2 * EACH)
    kept = keepers.keep(bodies)
    again = WriterPool(task, processes=0).keep(bodies)
    assert [found.outcome for found in kept] == [found.outcome for found in again]
    assert [found.outcome.status for found in kept[:4]] == ["failed", "ok", "ok", "failed"]
    ok = sum(found.outcome.status == "ok" for found in kept)
    assert len(list(task.data_dir.rglob("*.jpg"))) == ok
    assert not list(task.folder.iterdir())


def test_body_that_crashes_its_process_is_lost_alone(keepers: WriterPool) -> None:
    """The others of its lot are kept, and so are the next."""
    bodies = list_bodies(4)
    bodies[1] = Body("link 1", b"deadly", "1" * 64)
    kept = [found.outcome for found in keepers.keep(bodies)]
    assert kept[1].reason == "damaged picture: its decoder crashed"
    assert [outcome.status for outcome in kept] == ["failed", "failed", "ok", "failed"]
    assert keepers.keep(bodies[2:])[0].outcome.status == "ok"


def test_body_that_fails_for_an_unforeseen_reason_is_lost_alone(keepers: WriterPool) -> None:
    """The error comes back with its traceback from the process, and so does one of the disk."""
    bodies = list_bodies(3)
    bodies[0] = Body("link 0", b"unforeseen", "0" * 64)
    bodies[1] = Body("link 1", b"too much", "1" * 64)
    unforeseen, full, kept = keepers.keep(bodies)
    assert isinstance(unforeseen, InternalError) and "in die_of_some" in unforeseen.traceback
    assert isinstance(full, OSError) and full.errno == errno.ENOSPC
    assert kept.outcome.status == "ok"


def test_interrupt_leaves_no_answer_for_the_next_lot(
    keepers: WriterPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while a lot is kept: what is kept afterwards gets its own outcomes."""

    def interrupt(keeper: Writer) -> None:
        raise KeyboardInterrupt

    bodies = list_bodies(5)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Writer, "receive", interrupt)
        keepers.keep(bodies[:2])
    kept = [found.outcome.link for found in keepers.keep(bodies[2:])]
    assert kept == ["link 2", "link 3", "link 4"]


def test_processes_that_cannot_start_are_done_without(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no process starts, as without memory, the own thread keeps all."""
    monkeypatch.setattr("lib.download.writers.serve", die)
    keepers = WriterPool(task)
    for count in range(1, 60):
        assert keepers.keep(list_bodies(2))[1].outcome.status == "ok"
        time.sleep(0.02 * count)
        if not keepers._most:
            break
    assert not keepers._keepers and not keepers._most


def die(*arguments: object) -> None:
    """Stand in for the work of a process that cannot do it."""
    os._exit(1)


def test_folder_that_was_removed_is_made_again(task: Task) -> None:
    """Somebody who clears temporary files away costs no picture."""
    task.folder.rmdir()
    assert [k.outcome.status for k in task.do(list_bodies(2))] == ["failed", "ok"]


def test_processes_end_with_their_owner(task: Task) -> None:
    """A process whose owner was killed does not stay behind."""
    owner = (
        "import os, psutil, signal\n"
        "from pathlib import Path\n"
        "from lib.download.writers import Writer, Task\n"
        f"keeper = Writer(Task(Path({str(task.data_dir)!r}), Path({str(task.folder)!r})))\n"
        f"keeper.wait({START}); print(*(p.pid for p in psutil.Process().children()), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", owner], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL
    processes = [psutil.Process(int(p)) for p in ended.stdout.split() if psutil.pid_exists(int(p))]
    assert ended.stdout and not psutil.wait_procs(processes, timeout=START)[1]
