"""How messages name an item: an image by its link, and a sample of it by table and index."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lib.parallel import InternalError


def name_samples(samples: pd.DataFrame) -> list[str]:
    """Name samples by link, table and index.

    >>> name_samples(pd.DataFrame({"image_link": ["a.jpg"], "split": ["test"], "index": ["17"]}))
    ['a.jpg (test sample 17)']
    """
    columns = (samples[name] for name in ("image_link", "split", "index"))
    return [f"{link} ({split} sample {index})" for link, split, index in zip(*columns, strict=True)]


def name_links(samples: pd.DataFrame) -> dict[str, str]:
    """Name each link by itself and the first sample that asks about it."""
    firsts = samples.drop_duplicates("image_link")
    return dict(zip(firsts["image_link"], name_samples(firsts), strict=True))


def name_images(images: pd.DataFrame, samples: pd.DataFrame) -> dict[str, str]:
    """Name images by their link and the first sample that asks about it.

    Args:
        images: Columns `link` and `sha256`.
        samples: Columns `image_link`, `split` and `index`.

    Returns:
        sha256 -> name; the first link's where an image has several.
    """
    names = name_links(samples)
    links = images.drop_duplicates("sha256")
    return {row.sha256: names.get(row.link, row.link) for row in links.itertuples()}


def find_errors(
    samples: pd.DataFrame, errors: Sequence[InternalError | None]
) -> dict[str, InternalError]:
    """Give the errors met at samples by the sample's name.

    Args:
        samples: As `name_samples` takes them, where an error was met.
        errors: One a sample; anything that is no error is left out.
    """
    met = [isinstance(error, InternalError) for error in errors]
    found = [error for error in errors if isinstance(error, InternalError)]
    return dict(zip(name_samples(samples[met]), found, strict=True)) if found else {}
