"""Work on a Dask cluster: a real scheduler and two workers over TCP, and what may befall them."""

import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

import numpy as np
import psutil
import pytest
from joblib import Memory

pytest.importorskip("distributed", reason="distributed is not installed; see requirements.txt")

from lib.io.cache import open_cache
from lib.io.paths import PROJECT
from lib.ocr.reading import read_pages
from lib.ocr.tesseract import PLAIN
from lib.parallel import cluster
from lib.parallel.cluster import ClusterError, run_on_cluster
from lib.tests.stand_in import OddError, halve, read_width
from lib.tests.workflow.test_pipeline import wait_for

LIMIT = 2.0


class Cluster:
    """A scheduler and two workers, each with a nanny that starts it again."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0")
        wait_for(lambda: self.find_address())
        self.address = self.find_address()
        self.workers = self.start_workers()

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a part of the cluster; what kills two workers is given up.

        Workers are forked, as each would take seconds to import all anew.
        """
        log = (self.folder / f"{arguments[0]}.log").open("a")
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        settings = os.environ | {
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "forkserver",
        }
        return subprocess.Popen(command, stderr=log, stdout=log, cwd=PROJECT, env=settings)

    def start_workers(self) -> subprocess.Popen:
        """Start two workers with their nannies."""
        arguments = ("worker", self.address, "--nthreads", "1", "--nworkers", "2")
        return self.start(*arguments, "--local-directory", str(self.folder))

    def find_address(self) -> str:
        """Find the scheduler's address in what it prints."""
        said = (self.folder / "scheduler.log").read_text()
        found = re.search(r"Scheduler at: +(tcp://\S+)", said)
        return found[1] if found else ""

    def list_forked(self) -> list[psutil.Process]:
        """List the processes that work, which their nannies have forked."""
        children = psutil.Process(self.workers.pid).children()
        return [member for child in children for member in child.children()]

    def stop(self) -> None:
        """End all processes."""
        stop(self.workers)
        stop(self.scheduler)


def stop(process: subprocess.Popen) -> None:
    """End a process and its descendants."""
    for member in (process, *psutil.Process(process.pid).children(recursive=True)):
        member.kill()
    process.wait()


def read_names(count):
    """Name images that need not exist."""
    return [f"{number:064x}" for number in range(count)]


@contextmanager
def in_the_middle(folder, act):
    """Act once some of the images, whose cache lies in the folder, were read."""

    def wait_and_act() -> None:
        wait_for(lambda: any(folder.rglob("output.pkl")))
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    yield
    thread.join()


@pytest.fixture(autouse=True)
def long_timeout(monkeypatch):
    """On a busy machine a Dask worker takes long to start, at first and after its death."""
    monkeypatch.setattr(cluster, "CONNECT", 120.0)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A cluster that lives as long as these tests."""
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


def test_results_are_those_of_this_machine(here):
    """Values, errors, deaths and hangs come out as they do without a cluster."""
    numbers = [2, 4, 666, 6, 777, 8, 9, 13, 10]
    items = {str(n): (n,) for n in numbers}
    outcomes = dict(run_on_cluster(halve, items, here.address, LIMIT, (OddError,)))
    assert {name: outcome.value for name, outcome in outcomes.items() if not outcome.reason} == {
        "2": 1, "4": 2, "6": 3, "8": 4, "10": 5,
    }  # fmt: skip
    assert outcomes["9"].reason == "OddError: 9 is odd"
    assert "in halve" in outcomes["13"].error.traceback
    assert outcomes["666"].reason == outcomes["777"].reason == "the process working on it died"


def read(data_dir, names, address=""):
    """Read images that need not exist, here or on the cluster."""
    files = {name: data_dir / name for name in names}
    return read_pages(
        files, "tesseract_plain", PLAIN, open_cache(data_dir), 1, 60.0, read_width, address
    )


def test_pages_are_the_same_and_cached(here, tmp_path):
    """Pages read on the cluster are those read here, and lie in the shared cache."""
    names = [f"{n:064x}" for n in range(2**255, 2**255 + 3)]
    there = read(tmp_path / "there", names, here.address)
    assert (there.misses, there.failures) == (3, {})
    assert there.pages == read(tmp_path / "here", names).pages
    assert read(tmp_path / "there", names).hits == 3


def test_killed_worker_costs_time_only(here, tmp_path):
    """A worker that dies in the middle loses nothing: its image is read by another one."""
    wait_for(lambda: len(here.list_forked()) == 2)
    victim = here.list_forked()[0]
    timer = threading.Timer(1.0, victim.kill)
    timer.start()
    reading = read(tmp_path, read_names(60), here.address)
    assert not victim.is_running()
    assert reading.failures == {} and len(reading.pages) == 60


def test_vectors_are_the_same(here, tmp_path):
    """Features computed on the cluster equal those computed here."""
    from lib.features.embedding import embed_images
    from lib.features.resnet50 import load_network

    chosen = sorted((PROJECT / "data/sample/images").glob("*"))[:3]
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in chosen}
    network = load_network("random", "cpu", seed=0, precision="float32")
    ours = embed_images(files, network, Memory(None))
    theirs = embed_images(files, network, open_cache(tmp_path), batch_size=2, cluster=here.address)
    assert theirs.sha256 == ours.sha256 and theirs.misses == 3
    assert np.allclose(theirs.values, ours.values, rtol=2e-3, atol=2e-2)  # float16


def test_no_scheduler_is_told(monkeypatch):
    """An address where nobody answers is an error that says what to start."""
    monkeypatch.setattr(cluster, "CONNECT", 1.0)
    with pytest.raises(ClusterError, match=r"No Dask scheduler answers at tcp://127.0.0.1:1 "):
        list(run_on_cluster(halve, {"2": (2,)}, "tcp://127.0.0.1:1", LIMIT))


def test_nothing_to_do_needs_no_cluster():
    """No items, no connection."""
    assert list(run_on_cluster(halve, {}, "tcp://127.0.0.1:1", LIMIT)) == []


def test_busy_scheduler_is_waited_for(here, tmp_path, monkeypatch):
    """A scheduler that says nothing for long is not lost while its connection stands."""
    monkeypatch.setattr(cluster, "SILENCE", 0.1)
    frozen = psutil.Process(here.scheduler.pid)

    def freeze() -> None:
        frozen.suspend()
        time.sleep(20 * cluster.SILENCE)
        frozen.resume()

    with in_the_middle(tmp_path, freeze):
        reading = read(tmp_path, read_names(30), here.address)
    assert reading.failures == {} and len(reading.pages) == 30


def test_lost_workers_are_told(here, tmp_path, monkeypatch):
    """When all workers are gone and none comes back, the run ends and says so."""
    wait_for(lambda: len(here.list_forked()) == 2)
    monkeypatch.setattr(cluster, "SILENCE", 0.1)

    def stop_all() -> None:
        monkeypatch.setattr(cluster, "CONNECT", 1.0)
        stop(here.workers)

    with (
        in_the_middle(tmp_path, stop_all),
        pytest.raises(ClusterError, match=r"scheduler at tcp://.* has no workers; start some"),
    ):
        read(tmp_path, read_names(60), here.address)
    here.workers = here.start_workers()


def test_results_that_lie_on_lost_workers_are_not_waited_for(monkeypatch):
    """Workers may be lost between the end of an item and the fetch of its result."""

    class Lost:
        status, ncores = "running", dict

        def wait_for_workers(self, count, timeout):
            """Find none."""
            raise TimeoutError

    monkeypatch.setattr(cluster, "SILENCE", 0.1)
    never = partial(cluster._take_results, Future())
    with pytest.raises(ClusterError, match="has no workers"):
        cluster._watch(never, Lost(), "tcp://127.0.0.1:1")


def test_lost_scheduler_is_told_and_survived(here, tmp_path):
    """Without its scheduler a run ends with a clear error; what was read is not read again.

    It comes last: the cluster does not survive it.
    """
    with (
        in_the_middle(tmp_path, here.scheduler.kill),
        pytest.raises(ClusterError, match=r"scheduler at tcp://.* was lost; .* goes on"),
    ):
        read(tmp_path, read_names(60), here.address)
    again = read(tmp_path, read_names(60))
    assert 0 < again.hits < 60 and len(again.pages) == 60
