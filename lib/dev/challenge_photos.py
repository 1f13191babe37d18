"""Read the labelled challenge images: questions, tags, pages, line segments and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Memory

from lib.features import embed_images, load_shape_network, read_all_line_segments
from lib.io import PHOTOS, PROJECT, connect_samples, digest_file
from lib.ocr import Page, default_settings, read_pages

TAGS: Path = PROJECT / "lib/models/round_tags.csv"
ENGINE: str = "rapidocr"
# The challenge's images, and drawings and labels from elsewhere.
FOLDERS: tuple[Path, ...] = (PHOTOS / "images", PHOTOS.parent / "other/images")


@dataclass(frozen=True)
class LabelledImages:
    """The labelled images with their pages, line segments and vectors.

    Attributes:
        samples: The questions: `entity_name`, `image_file`, `truths` (all right answers),
            `cluster` (questions that share an image or a group, directly or through others).
        tags: 1 for an image of a round product, else 0, by file name; undecided ones left out.
        clusters: Of each tagged image, by file name; an image in no table is left out.
        pages: By file name.
        segments: By file name.
        shapes: Vectors (1280,) by file name.
    """

    samples: pd.DataFrame
    tags: pd.Series
    clusters: pd.Series
    pages: Mapping[str, Page]
    segments: Mapping[str, np.ndarray]
    shapes: Mapping[str, np.ndarray]


def read_labelled_images(memory: Memory) -> LabelledImages:
    """Read tables, tags and images; text, line segments and vectors come from the cache."""
    samples = pd.read_csv(PHOTOS / "dev.csv", dtype=str, keep_default_na=False)
    others = pd.read_csv(PHOTOS / "labelled.csv", dtype=str, keep_default_na=False)
    everything = pd.concat([samples, others], ignore_index=True)
    everything["cluster"] = connect_samples(everything, ("image_file", "group_id"))
    answers = samples["answer"] + "|" + samples["accept"]
    samples["truths"] = [frozenset(map(str.strip, text.split("|"))) - {""} for text in answers]
    samples["cluster"] = everything["cluster"][: len(samples)]
    clusters = everything.drop_duplicates("image_file").set_index("image_file")["cluster"]
    tags = pd.read_csv(TAGS, dtype={"round": int}).set_index("image_file")["round"]
    tags = tags[(tags < 2) & tags.index.isin(clusters.index)]
    pages, segments = read_texts(samples["image_file"].unique(), memory)
    shapes = embed_shapes(sorted({*tags.index, *samples["image_file"]}), memory)
    tags = tags[tags.index.isin(shapes)]
    return LabelledImages(samples, tags, clusters[tags.index], pages, segments, shapes)


def find_images(names: Sequence[str]) -> dict[str, Path]:
    """Return the paths of images by sha256, their key in the cache; missing ones are left out."""
    paths = [folder / name for folder in FOLDERS for name in names]
    return {digest_file(path): path for path in paths if path.is_file()}


def read_texts(
    names: Sequence[str], memory: Memory
) -> tuple[dict[str, Page], dict[str, np.ndarray]]:
    """Read text and line segments of images, by file name; damaged images are left out."""
    paths = find_images(names)
    found = read_pages(paths, ENGINE, default_settings(ENGINE), memory)
    segments = read_all_line_segments(paths, memory)
    return (
        {paths[sha256].name: page for sha256, page in found.pages.items()},
        {paths[sha256].name: own for sha256, own in segments.items()},
    )


def embed_shapes(names: Sequence[str], memory: Memory) -> dict[str, np.ndarray]:
    """Compute the shape vectors of images, by file name; damaged images are left out."""
    paths = find_images(names)
    found = embed_images(paths, load_shape_network("cpu"), memory)
    return {paths[sha256].name: row for sha256, row in zip(found.sha256, found.values, strict=True)}
