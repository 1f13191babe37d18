"""Save hand-corrected truths to a CSV file that a run accepts as its train table."""

import csv
from collections.abc import Hashable, Mapping
from pathlib import Path

from lib.evaluation.outcomes import find_fault

COLUMNS: tuple[str, ...] = ("index", "image_link", "group_id", "entity_name", "entity_value")


def append_label(path: Path, row: Mapping[Hashable, object], value: str) -> None:
    """Append a corrected truth; create the file and its folder if they are missing.

    Links are written unchanged: set `LOCAL_IMAGES`, or keep the file beside the sample table.

    Args:
        path: The CSV file.
        row: The sample, with `COLUMNS`; `value` replaces its `entity_value`.
        value: The truth in the official form, `""` where the image does not show one.

    Raises:
        ValueError: The value is neither empty nor a number with a unit allowed for the entity.
    """
    fault = find_fault(value, str(row["entity_name"]))
    if fault:
        raise ValueError(fault)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.is_file() or not path.stat().st_size
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(COLUMNS)
        writer.writerow([*(row[name] for name in COLUMNS[:-1]), value])
