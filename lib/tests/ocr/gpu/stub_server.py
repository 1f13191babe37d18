"""Servers of networks without networks, for tests; quick to import."""

import os
import time
from pathlib import Path

import numpy as np

from lib.ocr.gpu.client import NetworkClient
from lib.ocr.gpu.server import Networks, listen

SUM, DIE, SHORT, SLOW = (Path(name) for name in ("sum", "die", "short", "slow"))
MOST = 1 << 20  # pixels


def load(path):
    """Stand in for loading a network: its name says what it does."""

    def start(batch):
        if path == DIE:
            os._exit(1)
        if path == SHORT:
            raise MemoryError
        if path == SLOW:
            time.sleep(0.5)
        return lambda: [add_up(pixels) for pixels in batch]

    return start


def add_up(pixels):
    """Return the sum of each of an input's images, and their first channel."""
    return pixels.sum((1, 2, 3), np.int32), pixels[..., 0].astype(np.float16)


def serve(folder, device, precision):
    """Serve the stand-ins."""
    listen(folder, Networks(load))


def serve_nobody(folder, device, precision):
    """Stand in for a machine without the device."""
    return f"there is no {device}"


def ask_forever(folder):
    """Be a client that is killed while it asks."""
    client = NetworkClient(folder)
    while True:
        client.run(SLOW, MOST, [np.zeros((1, 64, 64, 3), np.uint8)])
