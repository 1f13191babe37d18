"""Run the requests of many clients in batches of one size, as a card is fastest."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lib.ocr.engines import Pixels

WAIT: float = 0.003  # seconds a request waits for others of its size
THREADS: int = 2  # batches at a time: while one computes, the next is copied

Answer = tuple[npt.NDArray[np.generic], ...]
"""The outputs for one input: of a detector the heat map (N, 1, H, W); of a recogniser chance and
number of the best letter at each step, (N, T) float32 and (N, T) int32."""
Run = Callable[[Sequence[Pixels]], Sequence[Answer]]
"""Runs inputs (N, H, W, 3) of one height and width, N may differ, and returns their answers."""


@dataclass(frozen=True, eq=False)
class Input:
    """An input (N, H, W, 3), uint8, that waits since a time of `time.monotonic`."""

    pixels: Pixels
    answer: Future[Answer] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)


class Batcher:
    """Threads that run requests of equal height and width together.

    A batch starts when it is full or its oldest request has waited for `WAIT`. Sizes are not
    padded to fewer: both kinds of network average over the whole input, so padding changes what
    they find.

    Args:
        run: Runs a batch; raises `MemoryError` if it is too large.
        most: Pixels in a batch, unless a single request has more; halved when memory is short.
        wait: Seconds that a request waits for others.
        threads: Number of batches that run at a time.
    """

    def __init__(self, run: Run, most: int, wait: float = WAIT, threads: int = THREADS) -> None:
        self._run, self._most, self._wait = run, most, wait
        self._waiting: defaultdict[tuple[int, ...], deque[Input]] = defaultdict(deque)
        self._changed = threading.Condition()
        for _ in range(threads):
            threading.Thread(target=self._work, daemon=True).start()

    def submit(self, inputs: Sequence[Pixels]) -> list[Future[Answer]]:
        """Begin to run inputs, (N, H, W, 3) each, of any size."""
        requests = [Input(pixels) for pixels in inputs]
        with self._changed:
            for request in requests:
                self._waiting[request.pixels.shape[1:3]].append(request)
            self._changed.notify()
        return [request.answer for request in requests]

    def _work(self) -> None:
        while True:
            self._answer(self._take())

    def _take(self) -> list[Input]:
        """Wait for a batch: the size that waits longest, if it has waited enough or is full."""
        with self._changed:
            while True:
                queues = sorted(self._waiting.values(), key=lambda queue: queue[0].since)
                due = queues[0][0].since + self._wait if queues else math.inf
                is_due = due <= time.monotonic()
                for queue in queues[:1] if is_due else queues:
                    if is_due or self._fills(queue):
                        return self._cut(queue)
                self._changed.wait(None if math.isinf(due) else due - time.monotonic())

    def _fills(self, queue: deque[Input]) -> bool:
        return sum(request.pixels[..., 0].size for request in queue) >= self._most

    def _cut(self, queue: deque[Input]) -> list[Input]:
        """Take as many requests as a batch holds, at least one."""
        batch = [queue.popleft()]
        size = batch[0].pixels[..., 0].size
        while queue and size + queue[0].pixels[..., 0].size <= self._most:
            batch.append(queue.popleft())
            size += batch[-1].pixels[..., 0].size
        if queue:
            self._changed.notify()
        else:
            del self._waiting[batch[0].pixels.shape[1:3]]
        return batch

    def _answer(self, batch: list[Input]) -> None:
        """Run a batch; where memory is short, halve it, and all later ones."""
        answers = self._try([one.pixels for one in batch])
        if answers is None and len(batch) == 1:
            batch[0].answer.set_exception(MemoryError("too little memory"))
        elif answers is None:  # after the handler, whose error keeps hold of the memory
            half = len(batch) // 2
            self._most = min(self._most, sum(one.pixels[..., 0].size for one in batch[:half]))
            self._answer(batch[:half])
            self._answer(batch[half:])
        else:
            for one, answer in zip(batch, answers, strict=True):
                one.answer.set_result(answer)

    def _try(self, inputs: Sequence[Pixels]) -> Sequence[Answer] | None:
        """Run inputs; return `None` if memory is too short."""
        try:
            return self._run(inputs)
        except MemoryError:
            return None
