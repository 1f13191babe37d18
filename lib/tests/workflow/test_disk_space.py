"""Disk space: what a run is estimated to need, and how a lack is described."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.workflow import disk_space
from lib.workflow.disk_space import (
    UNITS,
    compare_sizes,
    explain_full_disk,
    find_lack,
    foresee_needs,
)

SIZES = st.integers(0, 10**13)


@given(SIZES, SIZES)
def test_what_is_lacking_is_seen(free, need):
    """The two numbers differ in one unit, and none is rounded to look better than it is."""
    said = compare_sizes(free, need)
    found = re.findall(r"(\d[\d,]*) (\w+)", said)
    numbers = [int(number.replace(",", "")) * UNITS[unit] for number, unit in found]
    assert len({unit for _, unit in found}) == 1
    if need > free:
        assert numbers[0] <= free < need <= numbers[1]
        assert numbers[0] < numbers[1]
    else:
        assert "needs" not in said and numbers[0] <= free


@pytest.fixture
def full_disk(monkeypatch):
    """A disk with 4,999,999 bytes left."""
    monkeypatch.setattr(disk_space, "_free", lambda folder: 4_999_999)


def test_lack_is_found_at_the_byte(full_disk, tmp_path):
    """A need of one byte more than there is cannot be met, and is not put as the same number."""
    assert find_lack({tmp_path: 4_999_999}) == ""
    assert "has 4 MB free, and this run needs about 5 MB" in find_lack({tmp_path: 5_000_000})


@pytest.mark.parametrize(
    ("need", "said"),
    [
        (5_000_000, "has 4 MB free, and this run needs about 5 MB there"),  # as was foreseen
        (0, "ran full, and has 4,999,999 bytes free now"),  # foreseen was nothing
        (4_000_000, "ran full, and has 4 MB free now"),  # somebody freed space meanwhile
    ],
)
def test_full_disk_is_explained(full_disk, tmp_path, need, said):
    """A disk that ran full is named with what is known, never with a need that is met."""
    error = OSError(28, "No space left on device")
    assert f"The disk of {tmp_path} {said}." in explain_full_disk(error, {tmp_path: need})
    assert explain_full_disk(OSError(5, "Input/output error"), {tmp_path: need}) == ""


def test_needs_are_by_folder():
    """Tables go with the run, images with the data."""
    needs = foresee_needs(Path("run"), Path("data"), images=10, batches=2, kept=5)
    assert needs[Path("run")] > 2 * disk_space.BATCH and needs[Path("data")] > 5 * disk_space.IMAGE
