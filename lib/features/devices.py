"""Choose the device and the arithmetic of a network, without torch where there is no GPU."""

from __future__ import annotations

import ctypes
from contextlib import suppress

from lib.parallel import has_bfloat16


def choose_device(device: str, cluster: str = "") -> str:
    """Choose the device to compute on, by torch's name.

    Args:
        device: `"auto"` (CUDA where present), `"cpu"`, `"cuda"` or one of several, `"cuda:1"`.
        cluster: Address of a Dask scheduler, on whose workers `"auto"` is the CPU; `""` for none.

    Raises:
        ValueError: The name is unknown, or CUDA is asked for and absent.
    """
    if device == "auto":
        return "cuda" if not cluster and has_driver() and _count_devices() else "cpu"
    if device.partition(":")[0] not in {"cpu", "cuda"}:
        raise ValueError(f"DEVICE is {device!r}; expected auto, cpu or cuda.")
    if device.startswith("cuda"):
        _check_cuda(device)
    return device


def has_driver() -> bool:
    """Tell whether this machine has a driver for CUDA, without which torch finds no device."""
    with suppress(OSError):
        return bool(ctypes.CDLL("libcuda.so.1"))
    return False


def _check_cuda(device: str) -> None:
    import torch

    count = _count_devices()
    if not count:
        raise ValueError(f"DEVICE is {device!r}, but torch finds no CUDA device; use auto or cpu.")
    if (torch.device(device).index or 0) >= count:
        raise ValueError(f"DEVICE is {device!r}, but there are {count} CUDA devices, from cuda:0.")


def _count_devices() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def choose_precision(device: str, precision: str = "auto") -> str:
    """Choose the arithmetic of a network.

    Args:
        device: From `choose_device`.
        precision: `"float32"`, `"bfloat16"`, `"float16"` (CUDA) or `"auto"`: bfloat16 where the
            device computes in it, and float32 elsewhere.

    Raises:
        ValueError: The name is unknown, or the device does not compute in that precision.
    """
    on_cuda = device.startswith("cuda")
    is_able = _has_cuda_bfloat16() if on_cuda else has_bfloat16()
    native = {"float32": True, "bfloat16": is_able, "float16": on_cuda}
    if precision == "auto":
        return "bfloat16" if is_able else "float32"
    if not native.get(precision):
        known = ", ".join(name for name, is_native in native.items() if is_native)
        raise ValueError(f"PRECISION is {precision!r}; on {device} expected auto, {known}.")
    return precision


def _has_cuda_bfloat16() -> bool:
    import torch

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))
