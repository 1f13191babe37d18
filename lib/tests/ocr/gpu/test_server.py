"""Processes share a server of networks: answers, deaths of either side, and short memory."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import psutil
import pytest

from lib.ocr.engines import EngineError
from lib.ocr.gpu import client as client_module
from lib.ocr.gpu import remote
from lib.ocr.gpu.client import NetworkClient
from lib.ocr.gpu.server import STARTS, start_server
from lib.parallel import WorkerProcess
from lib.tests.ocr.gpu import stub_server
from lib.tests.ocr.gpu.stub_server import DIE, MOST, SHORT, SLOW, SUM

TIMEOUT = 20.0  # seconds; far more than any of these takes


@contextmanager
def start_stub(serve=stub_server.serve):
    """Start a server without networks."""
    with start_server("stub", "float32", serve) as server:
        yield server


@pytest.fixture(scope="module")
def folder():
    """The folder of a server that tests leave alive."""
    with start_stub() as server:
        yield server.folder


def draw_noise(seed, *sizes):
    """Make inputs of random pixels, two images each."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 255, (2, *size, 3), np.uint8) for size in sizes]


def is_answered(client, inputs):
    """Ask a client, and tell whether each input got the answer that is its own."""
    found = client.run(SUM, MOST, inputs)
    expected = map(stub_server.add_up, inputs)
    return all(
        np.array_equal(one, other)
        for answer, own in zip(found, expected, strict=True)
        for one, other in zip(answer, own, strict=True)
    )


def find_server(server):
    """Return the process that has the networks, once there is one."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if found := psutil.Process(server._process._process.pid).children():
            return found[0]
        time.sleep(0.02)
    raise TimeoutError


def await_true(check):
    """Wait until something is so."""
    end = time.monotonic() + TIMEOUT
    while not check():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_answers_go_to_who_asked(folder):
    """Clients that ask at the same time, for inputs of several sizes, get what is theirs."""

    def ask(seed):
        client = NetworkClient(folder)
        sizes = [(16, 16), (16, 48), (32, 16), (16, 16)]
        return all(is_answered(client, draw_noise(seed + i, *sizes)) for i in range(5))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(0, 80, 10)))


def test_inputs_outgrow_the_memory(folder, monkeypatch):
    """A client shares more memory when inputs need it, and less does not harm the others."""
    monkeypatch.setattr(client_module, "MEMORY", 1000)
    client = NetworkClient(folder)
    for side in (8, 64, 16):
        assert is_answered(client, draw_noise(side, (side, side)))
    assert client.run(SUM, MOST, []) == []


def test_a_killed_client_leaves_nothing(folder):
    """Its threads and its memory go with it, in the middle of a request, too."""
    client = NetworkClient(folder)
    assert is_answered(client, draw_noise(0, (8, 8)))  # what is loaded once is loaded
    server = next(one for one in psutil.Process().children(True) if count_maps(one))
    before = server.num_threads(), server.num_fds(), count_maps(server)
    victim = WorkerProcess(stub_server.ask_forever)
    victim.call(folder)
    await_true(lambda: server.num_threads() > before[0] and count_maps(server) > before[2])
    victim.close()
    threads = before[0] + 1  # which runs the network that only this client asked for
    after = threads, *before[1:]
    await_true(lambda: (server.num_threads(), server.num_fds(), count_maps(server)) == after)


def count_maps(process):
    """Count the shared memory that a process has mapped."""
    return sum("memfd:ocr" in one.path for one in process.memory_maps(grouped=False))


def test_short_memory_is_an_error_of_one_image(folder):
    """The message says what to do; the client goes on."""
    client = NetworkClient(folder)
    with pytest.raises(EngineError, match="too little memory for this image; set DEVICE to cpu"):
        client.run(SHORT, MOST, draw_noise(0, (8, 8)))
    assert is_answered(client, draw_noise(1, (8, 8)))


def test_a_killed_server_is_started_again():
    """A client that waits for its answer asks the next one."""
    with start_stub() as server, ThreadPoolExecutor() as pool:
        client = NetworkClient(server.folder)
        assert is_answered(client, draw_noise(0, (8, 8)))
        first = find_server(server)
        waiting = pool.submit(client.run, SLOW, MOST, draw_noise(1, (8, 8)))
        time.sleep(0.1)
        first.kill()
        assert waiting.result(TIMEOUT)[0][0].shape == (2,)
        assert is_answered(client, draw_noise(2, (8, 8)))
        server.check()
        assert find_server(server) != first


def test_a_server_that_keeps_dying_is_given_up():
    """The image that kills it fails with that reason; after a few starts, all do, at once."""
    with start_stub() as server:
        client = NetworkClient(server.folder)
        with pytest.raises(EngineError, match="died while it read this image"):
            client.run(DIE, MOST, draw_noise(0, (8, 8)))
        server.check()
        with pytest.raises(EngineError, match=f"on stub died {STARTS} times"):
            client.run(DIE, MOST, draw_noise(0, (8, 8)))
        with pytest.raises(EngineError, match=f"on stub died {STARTS} times"):
            NetworkClient(server.folder).run(SUM, MOST, draw_noise(0, (8, 8)))
        await_true(lambda: fails(server))


def fails(server):
    """Tell whether a server was given up."""
    try:
        server.check()
    except EngineError:
        return True
    return False


def test_a_missing_device_is_told_at_once():
    """There is no second start; client and stage learn why."""
    with start_stub(stub_server.serve_nobody) as server:
        with pytest.raises(EngineError, match="there is no stub"):
            NetworkClient(server.folder).run(SUM, MOST, draw_noise(0, (8, 8)))
        await_true(lambda: fails(server))


def test_the_server_ends_with_the_block():
    """No process and no file is left."""
    with start_stub() as server:
        process = find_server(server)
        is_answered(NetworkClient(server.folder), draw_noise(0, (8, 8)))
    process.wait(TIMEOUT)
    with pytest.raises(EngineError, match="no process with the networks"):
        client_module.START_TIMEOUT, before = 0.1, client_module.START_TIMEOUT
        try:
            NetworkClient(server.folder).run(SUM, MOST, draw_noise(0, (8, 8)))
        finally:
            client_module.START_TIMEOUT = before


def test_a_process_asks_the_server_that_it_is_given(folder, monkeypatch):
    """Without one, as on a cluster, it starts its own once, on the device that is asked for."""
    started = []

    @contextmanager
    def start(device, precision):
        started.append((device, precision))
        with start_stub() as server:
            yield server

    monkeypatch.setattr(remote, "start_server", start)
    monkeypatch.setattr(remote, "_given", [])

    def read(seed):
        return is_answered(remote.find_client("cuda", "float16"), draw_noise(seed, (8, 8)))

    assert remote.read_with_server(folder, "cuda:1", read, 1) and not started
    for seed in (2, 3):
        assert remote.read_with_server("", "cuda:1", read, seed)
    assert started == [("cuda:1", "float16")]
    remote._start_own.cache_clear()
