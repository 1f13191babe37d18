"""Read corrected truths from any CSV file, and join them with what runs have shown."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from lib.evaluation.labels import COLUMNS, key_images, read_texts
from lib.evaluation.outcomes import find_fault, normalise_answer
from lib.evaluation.scored_predictions import find_scored_predictions
from lib.io import normalise_truth
from lib.quantities import ENTITIES

UNLABELLED: str = "?"  # the value of a row that nobody has labelled yet
SHOWN: list[str] = ["index", "split", *COLUMNS[:3], "sha256", "prediction"]

Row = dict[Hashable, str]


def read_corrections(path: Path, shown: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Read corrected truths from a CSV file; leave out the rows that cannot be used.

    Args:
        path: File with `entity_value`, and `image_link` and `entity_name`, or else `index` as the
            first run numbers its rows. An empty value says that the image states none;
            `UNLABELLED` rows are left out. Other columns of `labels.COLUMNS` are kept.
        shown: What runs have shown, from `read_shown`.

    Returns:
        Labels for `labels.save_labels`, and a message for each refused row or contradiction.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read, or lacks a column.
    """
    return match_corrections(read_texts(path), str(path), shown)


def match_corrections(
    table: pd.DataFrame, name: str, shown: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Join a table of corrections with what runs have shown, as `read_corrections` does.

    Args:
        table: As text, indexed from 0; `sha256` may stand in place of `image_link`.
        name: The table's name for messages, which count its heading as row 1.
        shown: What runs have shown, from `read_shown`.

    Raises:
        ValueError: A column is missing.
    """
    key = _find_key(table, name)
    asked = shown if len(key) > 1 else _select_indexed(shown)
    known = {tuple(row[column] for column in key): row for row in asked[::-1].to_dict("records")}
    labels, refused = [], []
    for number, row in zip(table.index + 2, table.to_dict("records"), strict=True):
        label, fault = _match_row(row, key, known)
        if fault:
            refused.append(f"{name}, row {number}: {fault}")
        elif label["entity_value"] != UNLABELLED:
            labels.append(dict.fromkeys(COLUMNS, "") | label | {"row": str(number)})
    found = _complete(pd.DataFrame(labels, columns=[*COLUMNS, "row"]), shown)
    contradicting = find_contradictions(found)
    refused += [f"{name}, {message}" for message in contradicting.unique()]
    return found.drop(index=contradicting.index, columns="row"), refused


def _find_key(table: pd.DataFrame, name: str) -> list[str]:
    """Find the columns that name the questions.

    Raises:
        ValueError: They or `entity_value` are missing.
    """
    if "entity_value" in table:
        for key in (["image_link", "entity_name"], ["sha256", "entity_name"], ["index"]):
            if set(key) <= set(table):
                return key
    raise ValueError(
        f"{name} lacks columns: labels need entity_value, and image_link and entity_name, or "
        f"index; found {', '.join(map(str, table))[:300]}."
    )


def _select_indexed(shown: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that `index` refers to: the first run's test rows, or else its train rows."""
    first = shown[shown["run"] == shown["run"].iloc[0]] if len(shown) else shown
    test = first[first["split"] == "test"]
    return test if len(test) else first


def _match_row(row: Row, key: list[str], known: Mapping[tuple[str, ...], Row]) -> tuple[Row, str]:
    """Join a correction with what was shown; return it and the reason to refuse it, or `""`."""
    name = tuple(row[column].strip() for column in key)
    if key[0] != "image_link" and name not in known:
        return row, f"the run has no {' and '.join(key)} {' '.join(name)!r}."
    if not name[0]:
        return row, "it names no image."
    value = row["entity_value"].strip()
    given = {one: row[one].strip() for one in COLUMNS if row.get(one)}
    label = known.get(name, {}) | given
    entity = label["entity_name"]
    label["entity_value"] = normalise_truth(value, entity)
    if entity not in ENTITIES:
        return label, f"the entity {entity!r} is unknown; known are {', '.join(ENTITIES)}."
    return label, "" if value == UNLABELLED else find_fault(label["entity_value"], entity)


def _complete(labels: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Fill in group and sha256 of images that were shown with another question."""
    by_link = shown[::-1].set_index("image_link")
    filled = labels.copy()
    for name in ("group_id", "sha256"):
        values = filled["image_link"].map(by_link[name].to_dict()).fillna("")
        filled[name] = filled[name].where(filled[name] != "", values)
    return filled


def find_contradictions(labels: pd.DataFrame) -> pd.Series:
    """Find the labels that contradict another label of the same question.

    Returns:
        The message for each such label; labels of one question share one.
    """
    messages: dict[Hashable, str] = {}
    for _, own in labels.groupby([key_images(labels), labels["entity_name"]], sort=False):
        values = own["entity_value"].map(normalise_answer).unique()
        if len(values) > 1:
            first, rows = own.iloc[0], ", ".join(own["row"])
            question = f"{first['entity_name']} of {first['image_link']}"
            message = f"rows {rows}: contradicting labels for {question}: {[*values]}."
            messages |= dict.fromkeys(own.index, message)
    return pd.Series(messages, dtype=str)


def read_shown(runs: Sequence[Path]) -> pd.DataFrame:
    """Read the questions and answers that runs have shown.

    Returns:
        `SHOWN` and `run`, one row a sample and run, as text; `sha256` is `""` without an image.

    Raises:
        FileNotFoundError: A run is not finished.
    """
    parts = []
    for run in runs:
        path = find_scored_predictions(run)
        if not path.is_file():
            raise FileNotFoundError(f"{run} is no finished run: it has no answers.")
        parts.append(pd.read_parquet(path, columns=SHOWN).assign(run=str(run)))
    return pd.concat(parts, ignore_index=True).astype(str)
