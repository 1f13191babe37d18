"""Name images and samples in messages: by their link, and by the sample's table and index."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence

import pandas as pd

from lib.parallel import InternalError

SHORT = reprlib.Repr()
"""Formats a value for a message, however large or deep it is."""
SHORT.maxstring, SHORT.maxother, SHORT.maxlevel = 300, 100, 2


def name_samples(samples: pd.DataFrame) -> list[str]:
    """Name samples by link, table and index.

    >>> name_samples(pd.DataFrame({"image_link": ["a.jpg"], "split": ["test"], "index": ["17"]}))
    ['a.jpg (test sample 17)']
    """
    columns = (samples[name] for name in ("image_link", "split", "index"))
    return [f"{link} ({split} sample {index})" for link, split, index in zip(*columns, strict=True)]


def name_links(samples: pd.DataFrame) -> dict[str, str]:
    """Name each link after itself and the first sample that uses it."""
    firsts = samples.drop_duplicates("image_link")
    return dict(zip(firsts["image_link"], name_samples(firsts), strict=True))


def name_images(images: pd.DataFrame, samples: pd.DataFrame) -> dict[str, str]:
    """Name images after their link and the first sample that uses it.

    Args:
        images: Columns `link` and `sha256`.
        samples: Columns `image_link`, `split` and `index`.

    Returns:
        sha256 -> name; that of the first link if an image has several.
    """
    names = name_links(samples)
    links = images.drop_duplicates("sha256")
    return {
        sha256: names.get(link, link)
        for sha256, link in zip(links["sha256"], links["link"], strict=True)
    }


def find_errors(samples: pd.DataFrame, errors: Sequence[object]) -> dict[str, InternalError]:
    """Map the names of samples to the internal errors that they met.

    Args:
        samples: As for `name_samples`; its columns are needed only if there is an error.
        errors: One per sample; whatever is no `InternalError` is left out.
    """
    met = [isinstance(error, InternalError) for error in errors]
    found = [error for error in errors if isinstance(error, InternalError)]
    return dict(zip(name_samples(samples[met]), found, strict=True)) if found else {}
