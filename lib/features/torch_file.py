"""Read the tensors of a file that torch saved in its first format, without torch."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

Array = npt.NDArray[np.number]
Floats = npt.NDArray[np.float32]
Stored = tuple[type[np.number], str]
"""Type of a storage's numbers, and its key."""
Shape = tuple[int, ...]
Entry = tuple[Stored, Shape, Shape]
"""The storage of a tensor, its shape and its strides."""


def _make_entry(stored: Stored, offset: int, shape: Shape, strides: Shape, *rest: object) -> Entry:
    if offset:
        raise pickle.UnpicklingError("tensors share a storage")
    return stored, shape, strides


KNOWN: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "FloatStorage"): np.float32,
    ("torch", "LongStorage"): np.int64,
    ("torch._utils", "_rebuild_tensor_v2"): _make_entry,
}
"""What the file may name; anything else is refused, so that reading runs no code of the file."""


class _Unpickler(pickle.Unpickler):
    """Unpickle tensors as entries that say where their numbers are."""

    def find_class(self, module: str, name: str) -> object:
        """Return what stands for a name; refuse unknown ones."""
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return KNOWN[module, name]

    def persistent_load(self, pid: tuple[str, type[np.number], str, *tuple[object, ...]]) -> Stored:
        """Return type and key of a storage."""
        _, kind, key, *_ = pid
        return kind, key


def read_tensors(path: Path) -> dict[str, Floats]:
    """Read the float32 tensors of a state dictionary; the others are counters.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or of another format.
    """
    try:
        with path.open("rb") as file:
            for _ in ("magic number", "protocol", "machine"):
                _Unpickler(file).load()
            entries: dict[str, Entry] = dict(_Unpickler(file).load())
            numbers = _read_storages(file, dict(stored[::-1] for stored, *_ in entries.values()))
            floats = {name: one for name, one in entries.items() if one[0][0] is np.float32}
            return {name: _view(numbers[key], *form) for name, ((_, key), *form) in floats.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{path} is no file of tensors: {error!r}") from error


def _read_storages(file: BinaryIO, kinds: dict[str, type[np.number]]) -> dict[str, Array]:
    """Read all storages: each has its number of elements in front."""
    keys = _Unpickler(file).load()
    return {
        key: np.fromfile(file, kinds[key], int(np.fromfile(file, np.int64, 1)[0])) for key in keys
    }


def _view(numbers: Array, shape: Shape, strides: Shape) -> Floats:
    """View a storage as a tensor.

    Raises:
        ValueError: The storage is too short.
    """
    last = sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    if last >= len(numbers):
        raise ValueError("a storage is too short")
    return as_strided(numbers, shape, [step * numbers.itemsize for step in strides])
