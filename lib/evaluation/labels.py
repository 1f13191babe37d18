"""Keep hand-corrected truths in a CSV file that a run accepts as its train table."""

import getpass
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from filelock import FileLock

from lib.evaluation.outcomes import find_fault, normalise_answer
from lib.io import read_raw_table, write_csv

LABELS: str = "labels.csv"  # in DATA_DIR
COLUMNS: tuple[str, ...] = (
    *("image_link", "group_id", "entity_name", "entity_value"),
    *("sha256", "prediction", "labelled_by", "labelled_at", "earlier"),
)
"""`sha256` is that of the image, `""` if unknown; `prediction` the answer that was shown;
`labelled_at` in UTC; `earlier` holds replaced labels. There is no `index`, as two runs may use the
same one."""


def save_label(path: Path, row: Mapping[Hashable, object], value: str, by: str = "") -> None:
    """Save a corrected truth.

    Links are written unchanged: set `LOCAL_IMAGES`, or keep the file beside the sample table.

    Args:
        path: The CSV file.
        row: The sample, with the first columns of `COLUMNS`; `value` replaces its `entity_value`.
        value: The truth in the official form, `""` where the image does not show one.
        by: Who labelled it, by default the user of this process.

    Raises:
        ValueError: The value is neither empty nor a number with a unit allowed for the entity, or
            the file is no file of labels.
    """
    fault = find_fault(value, str(row["entity_name"]))
    if fault:
        raise ValueError(fault)
    label = {name: row.get(name, "") for name in COLUMNS[:6]} | {"entity_value": value}
    save_labels(path, pd.DataFrame([label]), by)


def save_labels(path: Path, labels: pd.DataFrame, by: str = "") -> None:
    """Merge labels into the file; the latest of each question counts, `earlier` keeps the others.

    Args:
        path: The CSV file; it and its folder are made if they are missing.
        labels: Valid labels, with `COLUMNS`; the last three may be missing or empty.
        by: Who labelled those without `labelled_by`, by default the user of this process.

    Raises:
        ValueError: The file is no file of labels.
    """
    defaults = {
        "labelled_by": by or find_user(),
        "labelled_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "earlier": "",
    }
    filled = labels.assign(**{name: "" for name in defaults if name not in labels})
    filled = filled.replace({name: {"": value} for name, value in defaults.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        known = read_labels(path) if path.is_file() else filled[:0]
        merged = merge_labels(pd.concat([known, filled], ignore_index=True))
        write_csv(merged, path)


def find_user() -> str:
    """Return the name of the user of this process, `"unknown"` if it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user, as in some containers
        return "unknown"


def read_labels(path: Path) -> pd.DataFrame:
    """Read the file of labels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no file of labels.
    """
    table = read_texts(path)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(f"{path} is no file of labels: it lacks {', '.join(missing)}; move it.")
    return table[list(COLUMNS)]


def read_texts(path: Path) -> pd.DataFrame:
    """Read a file as text, nothing interpreted, in any form that sample tables may have.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read as a table, or a row has cells beyond the head.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No file {path}; give a CSV file.")
    table = read_raw_table(path)
    for row, fault in table.faults.items():
        raise ValueError(f"{path}, line {table.lines[row]}: {fault}.")
    return table.cells


def merge_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """Keep the latest label of each question; note the values that it replaces in `earlier`."""
    merged: dict[tuple[str, str], dict[Hashable, str]] = {}
    keys = key_images(labels)
    ordered = labels.assign(key=keys).sort_values("labelled_at", kind="stable")
    for row in ordered.to_dict("records"):
        question = row.pop("key"), row["entity_name"]
        before = merged.get(question)
        if before and normalise_answer(before["entity_value"]) == normalise_answer(
            row["entity_value"]
        ):
            before["sha256"] = before["sha256"] or row["sha256"]
            before["labelled_at"] = row["labelled_at"]
            continue
        if before:
            parts = before["earlier"], row["earlier"], describe_label(before)
            row["earlier"] = "; ".join(filter(None, parts))
        merged[question] = row
    return pd.DataFrame(list(merged.values()), columns=list(COLUMNS))


def key_images(labels: pd.DataFrame) -> pd.Series:
    """Return the sha256 of each label's image, or its link if no label of the link has one."""
    known = labels[labels["sha256"] != ""].drop_duplicates("image_link")
    names = dict(zip(known["image_link"], known["sha256"], strict=True))
    by_link = labels["image_link"].map(lambda link: names.get(link, link))
    return labels["sha256"].where(labels["sha256"] != "", by_link)


def are_labelled(rows: pd.DataFrame, labels: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which rows ask what is labelled already, of the same link or the same image."""
    known = set(zip(key_images(labels), labels["entity_name"], strict=True))
    asked = zip(rows["image_link"], rows["sha256"], rows["entity_name"], strict=True)
    found = [(link, entity) in known or (image, entity) in known for link, image, entity in asked]
    return np.array(found, bool)


def describe_label(label: Mapping[Hashable, str]) -> str:
    """Describe a replaced label.

    >>> at = "2026-01-02T03:04:05+00:00"
    >>> describe_label({"entity_value": "", "labelled_by": "ann", "labelled_at": at})
    'not stated (ann, 2026-01-02T03:04:05+00:00)'
    """
    value = label["entity_value"] or "not stated"
    return f"{value} ({label['labelled_by']}, {label['labelled_at']})"
