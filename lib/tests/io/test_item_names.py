"""How messages name images and samples."""

import pandas as pd

from lib.io.item_names import find_errors, name_images
from lib.parallel.item_errors import InternalError

SAMPLES = pd.DataFrame(
    {"image_link": ["a", "a", "b"], "split": ["train", "test", "test"], "index": ["7", "0", "1"]}
)


def test_images_are_named_by_their_first_sample():
    """An image behind two links has the first one's name; one nobody asks about has its link."""
    images = pd.DataFrame({"link": ["a", "b", "c"], "sha256": ["A", "A", "C"]})
    assert name_images(images, SAMPLES) == {"A": "a (train sample 7)", "C": "c"}
    assert name_images(images[:0], SAMPLES[:0]) == {}


def test_errors_are_found_among_values():
    """Values that are no errors need no name."""
    error = InternalError("KeyError", "x", "")
    assert find_errors(SAMPLES, ["good", error, None]) == {"a (test sample 0)": error}
    assert find_errors(SAMPLES[["image_link"]], [None] * 3) == {}
