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

Answer = tuple[npt.NDArray[np.generic], ...]
"""The outputs for one input: of a detector the heat map (N, 1, H, W); of a recogniser chance and
number of the best letter at each step, (N, T) float32 and (N, T) int32."""
Finish = Callable[[], Sequence[Answer]]
Start = Callable[[Sequence[Pixels]], Finish]
"""Begins to run inputs (N, H, W, 3) of one height and width, N may differ, and returns the function
that waits for their answers."""


@dataclass(frozen=True, eq=False)
class Input:
    """An input (N, H, W, 3), uint8, that waits since a time of `time.monotonic`."""

    pixels: Pixels
    answer: Future[Answer] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)

    @property
    def area(self) -> int:
        """Return the number of its pixels."""
        return math.prod(self.pixels.shape[:3])


Running = tuple[list[Input], Finish]


class Batcher:
    """A thread that runs inputs of equal height and width together.

    A batch starts when it is full or its oldest input has waited for `WAIT`; the next is begun
    before its answers are waited for. Sizes are not padded to fewer: both kinds of network average
    over the whole input, so padding changes what they find.

    Args:
        start: Begins a batch; raises `MemoryError` if it is too large.
        most: Pixels in a batch, unless a single input has more; halved when memory is short.
        wait: Seconds that an input waits for others.
    """

    def __init__(self, start: Start, most: int, wait: float = WAIT) -> None:
        self._begin, self._most, self._wait = start, most, wait
        self._waiting: defaultdict[tuple[int, ...], deque[Input]] = defaultdict(deque)
        self._changed = threading.Condition()
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, inputs: Sequence[Pixels]) -> list[Future[Answer]]:
        """Begin to run inputs, (N, H, W, 3) each, of any size."""
        found = [Input(pixels) for pixels in inputs]
        with self._changed:
            for one in found:
                self._waiting[one.pixels.shape[1:3]].append(one)
            self._changed.notify()
        return [one.answer for one in found]

    def _work(self) -> None:
        running: list[Running] = []
        while True:
            batch = self._take(is_idle=not running)
            started = self._start(batch) if batch else []
            self._finish(running)
            running = started

    def _finish(self, running: Sequence[Running]) -> None:
        """Hand out the answers of batches that have begun; then nothing holds their inputs."""
        for inputs, finish in running:
            for one, answer in zip(inputs, finish(), strict=True):
                one.answer.set_result(answer)

    def _take(self, is_idle: bool) -> list[Input]:
        """Return the batch that is due; if there is none, wait for it, or return an empty one."""
        with self._changed:
            while True:
                queues = sorted(self._waiting.values(), key=lambda queue: queue[0].since)
                due = queues[0][0].since + self._wait if queues else math.inf
                is_due = due <= time.monotonic()
                for queue in queues[:1] if is_due else queues:
                    if is_due or sum(one.area for one in queue) >= self._most:
                        return self._cut(queue)
                if not is_idle:
                    return []
                self._changed.wait(None if math.isinf(due) else due - time.monotonic())

    def _cut(self, queue: deque[Input]) -> list[Input]:
        """Take as many inputs as a batch holds, at least one."""
        batch = [queue.popleft()]
        area = batch[0].area
        while queue and area + queue[0].area <= self._most:
            batch.append(queue.popleft())
            area += batch[-1].area
        if not queue:
            del self._waiting[batch[0].pixels.shape[1:3]]
        return batch

    def _start(self, batch: list[Input]) -> list[Running]:
        """Begin a batch; where memory is short, halve it, and all later ones."""
        finish = self._try([one.pixels for one in batch])
        if finish:
            return [(batch, finish)]
        if len(batch) == 1:
            batch[0].answer.set_exception(MemoryError("too little memory"))
            return []
        half = len(batch) // 2
        self._most = min(self._most, sum(one.area for one in batch[:half]))
        return [*self._start(batch[:half]), *self._start(batch[half:])]

    def _try(self, inputs: Sequence[Pixels]) -> Finish | None:
        """Begin to run inputs; return `None` if memory is too short."""
        try:
            return self._begin(inputs)
        except MemoryError:
            return None
