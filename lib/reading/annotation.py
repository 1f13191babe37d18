"""Save images with the words that answered outlined."""

from __future__ import annotations

import itertools
import math
import os
from pathlib import Path

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from lib.io import find_write_problem, open_image, replace_file
from lib.reading.images import ReadImages

COLORS: tuple[str, ...] = ("#d6006c", "#0057c8", "#00803c", "#b34700", "#7a00b8", "#00707a")
MIN_LETTERS: int = 14  # pixels; height of a label's letters on a small image
LETTERS: float = 0.025  # of the longer side, on a larger one
LINE: float = 0.004  # width of a line, likewise

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


def check_target(target: Path, named: list[str]) -> str:
    """Explain why annotated images cannot be saved to a path, `""` if they can.

    Args:
        target: As for `save_annotated`.
        named: What the user named as images; they are never overwritten.
    """
    if _is_folder(target, len(named)):
        problem = find_write_problem(target)
        return problem and f"{target} cannot be written ({problem})"
    if target.suffix.lower() not in Image.registered_extensions():
        return f"{target} has no suffix of an image, such as .png; name a file or a folder"
    if target.exists() and any(Path(name).resolve() == target.resolve() for name in named):
        return f"{target} is the image itself; name another file"
    problem = find_write_problem(target.absolute().parent)
    return problem and f"{target.parent} cannot be written ({problem})"


def save_annotated(
    found: ReadImages, asked: pd.DataFrame, answers: pd.DataFrame, target: Path
) -> list[Path]:
    """Save each image that was read, with the words that answered outlined.

    Args:
        found: The images.
        asked: The questions, as for `answer_images`.
        answers: As from `answer_images`.
        target: A file for one image; for several, or if it is one or has no suffix, a folder, where
            each gets its own name and `.png`.

    Returns:
        The files written; in a folder none that exists is replaced.

    Raises:
        FileExistsError: The file for one image is the image itself.
    """
    read = [i for i, why in enumerate(found.reasons) if not why]
    in_folder = _is_folder(target, len(found.sources))
    saved: list[Path] = []
    for position in read:
        source = found.sources[position]
        path = _name_file(target, source.name) if in_folder else target
        if source.path:
            if path.exists() and path.samefile(source.path):
                raise FileExistsError(f"{path} is the image itself; name another file")
            image = draw_answers(source.path, answers[asked["position"] == position])
            kind = Image.registered_extensions()[path.suffix.lower()]
            with replace_file(path) as temporary:
                image.save(temporary, kind)
            saved.append(path)
    return saved


def _is_folder(target: Path, images: int) -> bool:
    return images > 1 or target.is_dir() or not target.suffix


def _name_file(folder: Path, name: str) -> Path:
    """Name a new file for an image in a folder; where its name is taken, it has a number."""
    stem = Path(name).stem
    numbered = (folder / f"{stem}-{number}.png" for number in itertools.count(2))
    paths = itertools.chain([folder / f"{stem}.png"], numbered)
    return next(path for path in paths if not os.path.lexists(path))


def draw_answers(path: Path, answers: pd.DataFrame) -> Image.Image:
    """Draw the outlines and the answers of one image.

    Args:
        path: Its file.
        answers: Its rows of `answer_images`; those without an answer are left out.
    """
    image = Image.fromarray(open_image(path))
    draw, side = ImageDraw.Draw(image), max(image.size)
    font = ImageFont.load_default(max(MIN_LETTERS, round(LETTERS * side)))
    width = max(2, round(LINE * side))
    given = answers[answers["corners"] != ""].groupby("corners", sort=False)
    outlines = [[float(value) for value in str(corners).split()] for corners, _ in given]
    taken = [_bound(points) for points in outlines]
    colors = itertools.cycle(COLORS)
    for points, color, (_, rows) in zip(outlines, colors, given, strict=False):
        draw.polygon(points, outline=color, width=width)
        asked = ", ".join(rows["entity_name"].str.replace("_", " "))
        text = f"{asked}: {rows['prediction'].iloc[0]}"
        right, bottom = draw.textbbox((0, 0), text, font, anchor="lt")[2:]
        label = _place_label(_bound(points), (right + 8, bottom + 8), taken, image.size)
        draw.rectangle(label, fill=color)
        draw.text((label[0] + 4, label[1] + 4), text, "white", font, anchor="lt")
        taken.append(label)
    return image


def _bound(points: list[float]) -> Rectangle:
    return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])


def _place_label(
    box: Rectangle, size: tuple[float, float], taken: list[Rectangle], image: tuple[int, int]
) -> Rectangle:
    """Find the place of a label above, below or beside a box that covers least of what is taken."""
    (left, top, right, bottom), (width, height) = box, size
    spots = [(left, top - height - 4), (left, bottom + 4)]
    spots += [(right + 4, top), (left - width - 4, top)]
    inside = [
        (max(0.0, min(x, image[0] - width)), max(0.0, min(y, image[1] - height))) for x, y in spots
    ]
    labels = [(x, y, x + width, y + height) for x, y in inside]
    return min(labels, key=lambda label: sum(_overlap(label, other) for other in taken))


def _overlap(one: Rectangle, other: Rectangle) -> float:
    """Measure the area that two rectangles share."""
    sides = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    return math.prod(max(0.0, side) for side in sides)
