"""Stand-ins for slow or failing work; quick to import, for every process of a test does it."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lib.ocr.page import Box, Page, Word


def read_name(sha256, engine, version, settings, path) -> Page:
    """Stand in for an engine: the file's name is what it reads, or the way it fails."""
    name = Path(path).stem
    if name == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "hang":
        time.sleep(600)
    if name == "break":
        raise RuntimeError("the engine broke")
    with (Path(path).parent / "calls.txt").open("a") as calls:
        calls.write(f"{name}\n")
    return Page(10, 20, engine, (Word(name, 0.5, Box(1, 2, 3, 4).quad),))


def read_width(sha256, engine, version, settings, path) -> Page:
    """Stand in for an engine: a width made from the content, after a while."""
    time.sleep(0.1)
    text = f"Width {int(sha256[:3], 16) / 10:.1f} cm"
    return Page(640, 480, engine, (Word(text, 0.9, Box(10, 10, 200, 30).quad),))


class OddError(ValueError):
    """Stands for an error that is foreseen."""


def halve(number: int) -> int:
    """Work, or fail in the way the number asks for."""
    if number == 666:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 777:
        time.sleep(600)
    if number == 13:
        raise KeyError("unlucky")
    if number % 2:
        raise OddError(f"{number} is odd")
    return number // 2


def hang() -> None:
    """Say that the work has begun, and take minutes for it."""
    print("working", flush=True)
    time.sleep(600)


def hang_in_workers(workers: str) -> None:
    """Work on items that take minutes, in processes; to be killed meanwhile."""
    from lib.parallel.workers import run_each
    from lib.tests import stand_in

    list(run_each(stand_in.hang, dict.fromkeys("abcd", ()), int(workers), 600.0))


def run_here(function, items, workers, limit, foreseen=()):
    """Stand in for `workers.run_each`: quicker, in this process."""
    from lib.parallel.workers import Attempt

    return (Attempt(function, limit, foreseen)(*item) for item in items.items())


def draw_text(
    *texts: tuple[str, int, int, int],
    size: tuple[int, int] = (640, 480),
    ink="black",
    paper="white",
) -> np.ndarray:
    """Draw (text, left, top, letter height) on an image."""
    image = Image.new("RGB", size, paper)
    for text, left, top, height in texts:
        font = ImageFont.load_default(height)
        ImageDraw.Draw(image).text((left, top), text, fill=ink, font=font)
    return np.asarray(image)


if __name__ == "__main__":
    hang_in_workers(*sys.argv[1:])
