"""Read the labelled images: questions, tags, pages, line segments and vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Memory

from lib.extraction.learned import MAY_BE_EMPTY
from lib.features import embed_images, load_shape_network, read_all_line_segments
from lib.io import PHOTOS, PROJECT, connect_samples, digest_file
from lib.ocr import Page, default_settings, read_pages

TAGS: Path = PROJECT / "lib/models/round_tags.csv"
ENGINE: str = "rapidocr"
TABLES: dict[str, Path] = {
    "dev": PHOTOS / "dev.csv",
    "statements": PHOTOS / "statements.csv",
    "other": PHOTOS.parent / "other/dev.csv",
    "labelled": PHOTOS / "labelled.csv",
}
"""Set of labels -> its table; the images lie in `images` beside it."""
FOLDERS: tuple[Path, ...] = tuple({path.parent / "images": None for path in TABLES.values()})
UNKNOWN: str = "NA"  # in `labelled.csv`: the label's answer is not on the image


@dataclass(frozen=True)
class LabelledImages:
    """The labelled images with their pages, line segments and vectors, by sha256.

    Attributes:
        samples: The questions: `source` (set of labels), `sha256`, `group_id`, `entity_name`,
            `truths` (accepted answers, `MAY_BE_EMPTY` among them if silence is accepted, too) and
            `cluster` (questions that share an image or a group, directly or through others).
        tags: 1 for an image of a round product, else 0; undecided ones left out.
        pages: Text.
        segments: Line segments.
        shapes: Vectors (1280,).
    """

    samples: pd.DataFrame
    tags: pd.Series
    pages: Mapping[str, Page]
    segments: Mapping[str, np.ndarray]
    shapes: Mapping[str, np.ndarray]

    @property
    def clusters(self) -> pd.Series:
        """Return the cluster of each image."""
        return self.samples.drop_duplicates("sha256").set_index("sha256")["cluster"]


def read_labelled_images(memory: Memory) -> LabelledImages:
    """Read tables, tags and images; text, line segments and vectors come from the cache."""
    tables = [read_labels(source, path) for source, path in TABLES.items() if path.is_file()]
    samples = pd.concat(tables, ignore_index=True)
    names = {path: digest_file(path) for path in samples["path"].unique() if path.is_file()}
    paths = {sha256: path for path, sha256 in names.items()}
    samples["sha256"] = [names.get(path) for path in samples.pop("path")]
    samples = samples.dropna(subset="sha256").reset_index(drop=True)
    samples["cluster"] = connect_samples(samples, ("sha256", "group_id"))
    shapes = embed_images(paths, load_shape_network(), memory)
    vectors = dict(zip(shapes.sha256, shapes.values, strict=True))
    pages, segments = read_texts(paths, memory)
    return LabelledImages(samples, read_tags(paths, vectors), pages, segments, vectors)


def read_texts(
    paths: Mapping[str, Path], memory: Memory
) -> tuple[dict[str, Page], dict[str, np.ndarray]]:
    """Read text and line segments of images, by sha256; damaged images are left out."""
    found = read_pages(paths, ENGINE, default_settings(ENGINE), memory)
    return dict(found.pages), read_all_line_segments(paths, memory)


def read_labels(source: str, path: Path) -> pd.DataFrame:
    """Read a table of labels: `source`, image `path`, `group_id`, `entity_name`, `truths`."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if "answer" not in table:  # official labels; where checked by eye, that value counts
        checked = table["curated_value"].where(table["curated_value"] != "", table["entity_value"])
        table = table.assign(answer=checked.replace(UNKNOWN, ""), accept="")
    accepted = [
        {answer}
        | {other.strip() for other in accept.split("|")}
        | (set() if answer else {MAY_BE_EMPTY})
        for answer, accept in zip(table["answer"], table["accept"], strict=True)
    ]
    return table[["group_id", "entity_name"]].assign(
        source=source,
        path=[path.parent / "images" / name for name in table["image_file"]],
        truths=[sorted(own - {""}) for own in accepted],
    )


def read_tags(paths: Mapping[str, Path], vectors: Mapping[str, np.ndarray]) -> pd.Series:
    """Read which images show round products, by sha256; those without a vector are left out."""
    tags = pd.read_csv(TAGS, dtype={"round": int}).set_index("image_file")["round"]
    found = {s: tags[path.name] for s, path in paths.items() if path.name in tags and s in vectors}
    known = pd.Series(found, dtype=int)
    return known[known < 2]
