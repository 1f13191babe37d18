"""Choose the server of networks that this process asks: its parent's, or one of its own."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import ParamSpec, TypeVar

from lib.ocr.gpu.client import NetworkClient
from lib.ocr.gpu.server import start_server

Found = TypeVar("Found")
Arguments = ParamSpec("Arguments")

_given: list[tuple[str, str]] = []  # folder of the server to ask, and its device


def read_with_server(
    folder: str,
    device: str,
    read: Callable[Arguments, Found],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Found:
    """Call a function that reads an image with networks on a GPU.

    Args:
        folder: Of the server to ask; `""` for one that this process starts and keeps.
        device: Of the server, such as `"cuda:1"`.
        read: The function.
        args: Its arguments.
        kwargs: Likewise.
    """
    _given[:] = [(folder, device)]
    return read(*args, **kwargs)


def find_client(device: str, precision: str) -> NetworkClient:
    """Return a client of the server that `read_with_server` named, or of this process's own.

    Args:
        device: Of its own, if none was named.
        precision: `"float32"`, `"bfloat16"` or `"float16"`.
    """
    folder, device = _given[0] if _given else ("", device)
    return NetworkClient(folder or _start_own(device, precision))


@cache
def _start_own(device: str, precision: str) -> str:
    """Start a server that ends with this process, and return its folder."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(start_server(device, precision)).folder
