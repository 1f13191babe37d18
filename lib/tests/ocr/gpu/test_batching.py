"""Requests are answered in batches of one size, and memory that is short halves them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest

from lib.ocr.gpu.batching import Batcher

TIMEOUT = 10.0  # seconds; far more than any of these takes


class Network:
    """Stands for a network: answers the mean of each input, and notes the batches it got."""

    def __init__(self, room=10**9):
        self.batches, self.room = [], room
        self.running = self.most_running = 0

    def __call__(self, batch):
        """Begin a batch, if there is room for so many images."""
        self.batches.append([pixels.shape for pixels in batch])
        if sum(map(len, batch)) > self.room:
            raise MemoryError
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        return lambda: self.finish(batch)

    def finish(self, batch):
        """Wait for the answers."""
        self.running -= 1
        return [(pixels.mean((1, 2, 3)),) for pixels in batch]


def make_inputs(*sizes, count=1):
    """Make inputs of some sizes, each of other pixels."""
    return [
        np.full((count, *size, 3), number, np.uint8) for number, size in enumerate(sizes, start=1)
    ]


def answer_all(batcher, inputs):
    """Submit inputs at once and return the first number of each answer."""
    futures = batcher.submit(inputs)
    return [float(future.result(TIMEOUT)[0][0]) for future in futures]


def test_inputs_of_many_are_one_batch():
    """Inputs that come within the wait run together, whoever sends them."""
    network = Network()
    batcher = Batcher(network, most=10**6, wait=0.2)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda one: answer_all(batcher, [one]), make_inputs(*[(8, 8)] * 6)))
    assert found == [[1], [2], [3], [4], [5], [6]]
    assert len(network.batches) < 6 and sum(map(len, network.batches)) == 6


def test_sizes_are_not_mixed():
    """A batch has one height and width; the number of images may differ."""
    network = Network()
    inputs = make_inputs((8, 8), (8, 16), (8, 8)) + make_inputs((8, 8), count=3)
    assert answer_all(Batcher(network, 10**6, wait=0.05), inputs) == [1, 2, 3, 1]
    sizes = [{shape[1:3] for shape in batch} for batch in network.batches]
    assert sorted(map(tuple, sizes)) == [((8, 8),), ((8, 16),)]


@pytest.mark.parametrize(
    ("most", "expected", "reason"),
    [
        (64 * 4, [4, 4, 1], "full batches, and what is left"),
        (63, [1] * 9, "an input larger than a batch runs alone"),
    ],
)
def test_batches_are_bounded(most, expected, reason):
    """No batch has more pixels than its bound; a full one does not wait."""
    network = Network()
    answer_all(Batcher(network, most, wait=0.1), make_inputs(*[(8, 8)] * 9))
    assert [len(batch) for batch in network.batches] == expected, reason


def test_a_full_batch_does_not_wait_for_a_rare_size():
    """While one input waits for company, a full batch of another size runs."""
    batcher = Batcher(Network(), most=64 * 2, wait=60.0)
    rare, *others = batcher.submit(make_inputs((4, 4), (8, 8), (8, 8)))
    wait(others, TIMEOUT)
    assert all(one.done() for one in others)
    assert not rare.done()


def test_the_next_batch_begins_before_the_last_is_done():
    """So a card need not wait; of two batches at most one waits."""
    network = Network()
    assert answer_all(Batcher(network, 64 * 4, wait=0.1), make_inputs(*[(8, 8)] * 40))[-1] == 40
    assert (network.most_running, network.running) == (2, 0)


def test_a_rare_size_does_not_starve():
    """However many inputs of one size come, one of another runs once it has waited."""
    network = Network()
    batcher = Batcher(network, most=64, wait=0.01)
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            batcher.submit(make_inputs((8, 8), (8, 8)))
            time.sleep(0.001)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        assert answer_all(batcher, make_inputs((4, 4))) == [1]
    finally:
        stop.set()
        thread.join()


def test_short_memory_halves_the_batch():
    """Each input is answered once, and later batches are no larger than what went well."""
    network = Network(room=3)
    batcher = Batcher(network, most=10**6, wait=0.05)
    assert answer_all(batcher, make_inputs(*[(8, 8)] * 8)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [len(batch) for batch in network.batches] == [8, 4, 2, 2, 4, 2, 2]
    network.batches.clear()
    assert answer_all(batcher, make_inputs(*[(8, 8)] * 4)) == [1, 2, 3, 4]
    assert [len(batch) for batch in network.batches] == [2, 2]


def test_an_input_that_never_fits_is_an_error_of_its_own():
    """The others of its batch are answered."""
    batcher = Batcher(Network(room=1), most=10**6, wait=0.05)
    large, small = batcher.submit(make_inputs((8, 8), count=2) + make_inputs((8, 8)))
    with pytest.raises(MemoryError):
        large.result(TIMEOUT)
    assert small.result(TIMEOUT)[0] == [1]


def test_answers_go_to_who_asked():
    """Under many threads, sizes and batches at a time, each input gets its own answer."""
    batcher = Batcher(Network(room=7), most=64 * 16, wait=0.002)

    def ask(seed):
        rng = np.random.default_rng(seed)
        sizes = rng.choice([8, 16, 24], (5, 2))
        inputs = [rng.integers(0, 255, (2, *size, 3), np.uint8) for size in sizes]
        found = [future.result(TIMEOUT)[0] for future in batcher.submit(inputs)]
        return all(
            np.array_equal(one, pixels.mean((1, 2, 3)))
            for one, pixels in zip(found, inputs, strict=True)
        )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(200)))
