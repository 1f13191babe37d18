"""Hand inputs and answers of networks from process to process in memory that both have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from mmap import mmap

import numpy as np

from lib.ocr.engines import Pixels
from lib.ocr.gpu.batching import Answer

Shape = tuple[int, ...]
Layout = list[tuple[Shape, str]]
"""Shape and type of each output of an answer."""
NO_MEMORY: Pixels = np.empty(0, np.uint8)


def map_memory(descriptor: int, size: int) -> Pixels:
    """Map a file into this process, and return its bytes."""
    return np.frombuffer(mmap(descriptor, size), np.uint8)


def find_places(shapes: Sequence[Shape]) -> list[slice]:
    """Find a place in the memory for each input, (N, H, W, 3), and later for its answer.

    The answer is written over the input; a heat map in float32 has four bytes a pixel, three of
    which are the input's.

    >>> find_places([(1, 32, 32, 3), (2, 1, 1, 3)])
    [slice(0, 4096, None), slice(4096, 4104, None)]
    """
    ends = itertools.accumulate((math.prod(shape[:3]) * 4 for shape in shapes), initial=0)
    return [slice(*pair) for pair in itertools.pairwise(ends)]


def write_answer(place: Pixels, answer: Answer) -> Layout:
    """Write the outputs of an answer one after another; return what lies there."""
    start = 0
    for output in answer:
        place[start : start + output.nbytes] = output.reshape(-1).view(np.uint8)
        start += output.nbytes
    return [(output.shape, output.dtype.str) for output in answer]


def read_answer(place: Pixels, layout: Layout) -> Answer:
    """Copy the outputs of an answer out of the memory, floating-point numbers as float32."""
    found, start = [], 0
    for shape, kind in layout:
        size = math.prod(shape) * np.dtype(kind).itemsize
        output = place[start : start + size].view(kind).reshape(shape)
        found.append(output.astype(np.float32 if output.dtype.kind == "f" else output.dtype))
        start += size
    return tuple(found)
