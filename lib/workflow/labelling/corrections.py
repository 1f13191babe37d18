"""Read the corrections of a review back into the user's labels."""

import logging
from pathlib import Path

import pandas as pd

from lib.evaluation import (
    CORRECT,
    LABELS,
    match_corrections,
    name_outcomes,
    read_shown,
    read_texts,
    save_labels,
)
from lib.quantities import ENTITIES, ENTITY_UNITS, parse_typed
from lib.reports import NOT_STATED, Heading, find_run
from lib.workflow.labelling.review import read_answers, read_workbook, repeat_command

LOG = logging.getLogger(__name__)


def read_review(run_name: str, path: Path, data_dir: Path, by: str = "") -> list[str]:
    """Add the corrections of a workbook, or of a CSV file of the page, to the user's labels.

    An empty `correct` is not reviewed, one equal to the answer confirms it.

    Args:
        run_name: The run that was reviewed, as for `find_run`.
        path: The workbook or CSV file.
        data_dir: The user's folder.
        by: Who labelled, by default the user of this process.

    Returns:
        Lines on what was read, and how many of the reviewed answers were right.

    Raises:
        OSError: The file or the run is missing.
        ValueError: The file cannot be read, or is no review.
    """
    run = find_run(run_name)
    shown = read_shown([run]).assign(prediction=read_answers(run)["prediction"])
    parts, refused = [], []
    sheets = read_sheets(path)
    for name, sheet in sheets.items():
        labels, faults = match_reviewed(sheet, name, shown)
        parts.append(labels)
        refused += faults
    for message in refused:
        LOG.warning("Refused: %s", message)
    found = pd.concat(parts, ignore_index=True)
    if len(found):
        save_labels(data_dir / LABELS, found, by)
    rows = pd.concat(sheets.values())[Heading.CORRECT].str.strip()
    filled = int((rows != "").sum())
    counted = (
        f"{len(found):,} of {len(rows):,} rows reviewed, {filled - len(found):,} refused, "
        f"{len(rows) - filled:,} left empty."
    )
    if found.empty:
        return [counted]
    then = f"Added to {data_dir / LABELS}; then: {repeat_command('fit', run_name, data_dir)}"
    return [counted, score_reviewed(found), then]


def read_sheets(path: Path) -> dict[str, pd.DataFrame]:
    """Read the sheets of a workbook that hold a review, or its CSV file, as text.

    Returns:
        Name for messages -> sheet, with the headings that are read back.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read, or is no review.
    """
    if path.suffix.lower() == ".csv" or not path.is_file():
        sheets = {str(path): read_texts(path)}
    else:
        sheets = {f"{path}, sheet {name}": one for name, one in read_workbook(path).items()}
    needed = {Heading.QUESTION, Heading.CORRECT, Heading.IMAGE}
    found = {name: sheet for name, sheet in sheets.items() if needed <= set(sheet)}
    if not found:
        raise ValueError(f"{path} is no review: no sheet has the columns {', '.join(needed)}.")
    return found


def match_reviewed(
    sheet: pd.DataFrame, name: str, shown: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Make labels of the rows that are filled in; refuse what is no allowed quantity.

    Returns:
        Labels for `save_labels`, and a message for each refused row.
    """
    filled = sheet[sheet[Heading.CORRECT].str.strip() != ""]
    entities = filled[Heading.QUESTION].str.strip().str.replace(" ", "_")
    texts = filled[Heading.CORRECT].str.strip()
    values = [_read_value(*pair) for pair in zip(texts, entities, strict=True)]
    table = pd.DataFrame({"sha256": filled[Heading.IMAGE], "entity_name": entities})
    table["entity_value"] = pd.Series(values, table.index, dtype=object)
    wrong = table["entity_value"].isna()
    labels, refused = match_corrections(table[~wrong], name, shown)
    faults = [
        f"{name}, row {place + 2}: {texts[place]!r} is no quantity that {entities[place]} allows, "
        f"such as 12.5 {next(iter(sorted(ENTITY_UNITS.get(entities[place], ['unit']))))}, nor "
        f"{NOT_STATED!r}."
        for place in table.index[wrong]
    ]
    return labels, [*faults, *refused]


def _read_value(text: str, entity: str) -> str | None:
    """Read what a reviewer entered: the official form, `""` for not stated, None for nonsense."""
    if text.lower() == NOT_STATED:
        return ""
    quantity = parse_typed(text, entity) if entity in ENTITIES else None
    return str(quantity) if quantity else None


def score_reviewed(labels: pd.DataFrame) -> str:
    """Describe how many of the reviewed answers were right."""
    answered = labels["prediction"] != ""
    right = name_outcomes(labels["entity_value"], labels["prediction"]).isin(CORRECT)
    precision = f" (precision {right[answered].mean():.3f})" if answered.any() else ""
    return (
        f"Of the rows reviewed, {right.sum():,} were right ({right.mean():.1%}): "
        f"{right[answered].sum():,} of {answered.sum():,} answers{precision}, "
        f"{right[~answered].sum():,} of {(~answered).sum():,} rows without an answer."
    )
