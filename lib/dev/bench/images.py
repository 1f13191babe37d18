"""Choose the benchmark's images and answers: the challenge's photos, else the sample."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.extraction import find_candidates, scan_page
from lib.io import PHOTOS, PROJECT
from lib.ocr import Page
from lib.quantities import parse_answer

SAMPLE: Path = PROJECT / "data/sample"
SAMPLE_TABLES: tuple[str, ...] = ("train.csv", "test.csv")


@dataclass(frozen=True)
class AskedImage:
    """An image with the questions that it answers.

    Attributes:
        path: Of the file.
        answers: (entity, accepted answers) of each question.
    """

    path: Path
    answers: tuple[tuple[str, frozenset[str]], ...]


def find_images(count: int, seed: int = 0) -> list[AskedImage]:
    """Choose images that answer a question, mixed from all tables.

    Args:
        count: Maximum number of images.
        seed: Seed of the random choice.

    Returns:
        Images of the challenge's dev and labelled tables, half of each, if they are available;
        otherwise images of the sample.
    """
    if not (PHOTOS / "dev.csv").is_file():
        images = read_sample_images()
        return random.Random(seed).sample(images, min(count, len(images)))
    halves = [read_dev_images(), read_labelled_images()]
    chosen = [random.Random(seed).sample(half, min(count // 2, len(half))) for half in halves]
    mixed = [image for half in chosen for image in half]
    random.Random(seed).shuffle(mixed)
    return mixed


def read_dev_images() -> list[AskedImage]:
    """List the hand-labelled images; none if the challenge's photos are not available."""
    if not (PHOTOS / "dev.csv").is_file():
        return []
    table = pd.read_csv(PHOTOS / "dev.csv", keep_default_na=False)
    table["answers"] = table["answer"] + "|" + table["accept"]
    return group_images(table[table["answer"] != ""], PHOTOS / "images")


def read_labelled_images() -> list[AskedImage]:
    """List the images with the challenge's own labels, with corrections applied."""
    table = pd.read_csv(PHOTOS / "labelled.csv", keep_default_na=False)
    table["answers"] = table["curated_value"].where(
        table["curated_value"] != "", table["entity_value"]
    )
    return group_images(table[table["answers"] != "NA"], PHOTOS / "images")


def read_sample_images() -> list[AskedImage]:
    """List the synthetic images that come with the project."""
    parts = [pd.read_csv(SAMPLE / name, keep_default_na=False) for name in SAMPLE_TABLES]
    table = pd.concat(parts)
    table = table[table["entity_value"] != ""]
    table = table.assign(answers=table["entity_value"], image_file=table["image_link"])
    return group_images(table, SAMPLE)


def group_images(table: pd.DataFrame, folder: Path) -> list[AskedImage]:
    """Group the questions by image; accepted answers in `answers` are separated by `|`."""
    found: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for row in table.itertuples():
        parsed = (parse_answer(answer.strip()) for answer in row.answers.split("|"))
        right = frozenset(str(quantity) for quantity in parsed if quantity)
        if right and (folder / row.image_file).is_file():
            found.setdefault(row.image_file, []).append((row.entity_name, right))
    return [AskedImage(folder / name, tuple(answers)) for name, answers in sorted(found.items())]


def recall_candidates(images: list[AskedImage], pages: list[Page]) -> float:
    """Measure candidate recall: the share of questions whose answer is among the quantities read.

    Args:
        images: Images with their questions.
        pages: The page of each image.
    """
    hits = [
        bool(right & {str(c.quantity) for c in find_candidates(scan, entity)})
        for image, scan in zip(images, map(scan_page, pages), strict=True)
        for entity, right in image.answers
    ]
    return sum(hits) / len(hits)
