"""Write the answers that need a human eye to a workbook and a page, and read corrections back."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lib.evaluation import (
    CORRECT,
    LABELS,
    are_labelled,
    find_scored_predictions,
    match_corrections,
    name_outcomes,
    read_labels,
    read_shown,
    read_texts,
    save_labels,
)
from lib.extraction import REVIEW, suggest_rows
from lib.io import PROJECT, from_project, read_record, read_table
from lib.parallel import InternalError, try_item
from lib.quantities import ENTITIES, ENTITY_UNITS, parse_typed
from lib.reports import (
    NOT_STATED,
    Heading,
    ReviewRow,
    find_run,
    make_review_rows,
    write_review_page,
    write_review_workbook,
)
from lib.workflow.outputs import open_manifest

LOG = logging.getLogger(__name__)

REVIEW_SHEET, SUGGESTED_SHEET = "review", "suggested"
MOST_SUGGESTED: int = 50
QUESTION: list[str] = ["sha256", "entity_name"]


def write_review(
    run_name: str,
    data_dir: Path,
    entities: Sequence[str] = (),
    decision: str = "",
    count: int = 200,
) -> list[str]:
    """Write the least sure answers of a run to a workbook and a page in its folder.

    Questions that are labelled already are left out, and those whose truth the tables hold,
    unless they hold all.

    Args:
        run_name: A finished run, as for `find_run`.
        data_dir: The user's folder, in which the labels lie.
        entities: Only these, none for all.
        decision: Only answers with this decision, `""` for all.
        count: Most rows.

    Returns:
        Lines on what was written and what to do with it.

    Raises:
        OSError: The run or one of its tables is missing.
        ValueError: The file of labels is damaged.
    """
    run = find_run(run_name)
    labels = _read_known(data_dir / LABELS)
    rows = select_rows(read_answers(run), labels, entities, decision)
    if rows.empty:
        return [f"No answer of {run.name} is left to review."]
    chosen = rows.head(count)
    suggested = _find_suggested(run, rows, labels, chosen)
    sheets = _make_sheets(run, {REVIEW_SHEET: chosen, SUGGESTED_SHEET: suggested})
    book = name_workbook(run)
    page = book.with_suffix(".html")
    command = f"{_repeat('review', run_name, data_dir)} --read"
    listed = [row for sheet in sheets.values() for row in sheet]
    write_review_workbook(book, sheets)
    write_review_page(page, run.name, listed, f"{command} {page.stem}.csv")
    missing = sum(not row.views.image for row in listed)
    lines = {
        f"{len(chosen):,} of {len(rows):,} answers, the least sure first: {book}": len(chosen),
        f"Its second sheet: {len(suggested):,} more that would teach most": len(suggested),
        f"{missing:,} rows have no image: it was deleted or moved": missing,
        f"The same for the keyboard, in a browser: {page}": len(listed),
        f"Fill in the column {Heading.CORRECT}, then: {command} {shlex.quote(str(book))}": len(
            listed
        ),
    }
    return [line for line, count in lines.items() if count]


def _make_sheets(run: Path, parts: Mapping[str, pd.DataFrame]) -> dict[str, list[ReviewRow]]:
    """Make the rows of each sheet that has some."""
    candidates = read_table(run / "tables/candidates.parquet", "04_extraction.ipynb")
    images = from_project(str(read_record(run)["parameters"]["DATA_DIR"]))
    filled = {name: part for name, part in parts.items() if len(part)}
    return {name: make_review_rows(part, candidates, images) for name, part in filled.items()}


def _repeat(command: str, run_name: str, data_dir: Path) -> str:
    """Return the command line of another command for the same run and folder."""
    folder = [] if data_dir == PROJECT / "data" else ["--data-dir", str(data_dir)]
    run = ["--run", run_name] if command == "fit" else [run_name]
    return shlex.join(["python", "-m", "lib", command, *run, *folder])


def _read_known(path: Path) -> pd.DataFrame:
    """Read the labels, an empty table if there are none.

    Raises:
        ValueError: The file is damaged.
    """
    columns = ["image_link", *QUESTION]
    if not path.is_file():
        return pd.DataFrame(columns=columns, dtype=str)
    return read_labels(path)[columns]


def read_answers(run: Path) -> pd.DataFrame:
    """Read the answers of a run, those withheld from its predictions too.

    Returns:
        Scored predictions, with `confidence`, `decision` and `conflict`.

    Raises:
        FileNotFoundError: The run is not finished.
    """
    rows = read_table(find_scored_predictions(run), "05_evaluation.ipynb")
    usual = {  # runs of earlier versions lack some
        "confidence": rows["probability"].where(rows["prediction"] != ""),
        **dict.fromkeys(["decision", "conflict", "next_runner_up"], pd.Series("", rows.index)),
    }
    rows = rows.assign(**{name: value for name, value in usual.items() if name not in rows})
    withheld = (rows["decision"] == REVIEW) & (rows["prediction"] == "")
    return rows.assign(
        prediction=rows["prediction"].mask(withheld, rows["runner_up"]),
        runner_up=rows["runner_up"].mask(withheld, rows["next_runner_up"]),
    )


def select_rows(
    rows: pd.DataFrame, labels: pd.DataFrame, entities: Sequence[str], decision: str
) -> pd.DataFrame:
    """Select the rows to review, contradicted ones first, then by confidence; a question once."""
    read = rows[rows["read"]]
    asked = next((part for part in (read[~read["has_truth"]], read) if len(part)), read)
    if entities:
        asked = asked[asked["entity_name"].isin(entities)]
    if decision:
        asked = asked[asked["decision"] == decision]
    left = asked[~are_labelled(asked, labels)]
    order = left.assign(agreed=left["conflict"].fillna("") == "")
    order = order.sort_values(["agreed", "confidence"], kind="stable")
    return order.drop_duplicates(QUESTION, ignore_index=True)


def _find_suggested(
    run: Path, rows: pd.DataFrame, labels: pd.DataFrame, chosen: pd.DataFrame
) -> pd.DataFrame:
    """Find the rows whose labels would teach most once the chosen ones are labelled."""
    known = pd.concat([labels, chosen[labels.columns]], ignore_index=True)
    found = suggest_rows(run, known, min(len(chosen), MOST_SUGGESTED))
    places = pd.MultiIndex.from_frame(rows[["image_link", "entity_name"]])
    wanted = pd.MultiIndex.from_frame(found[["image_link", "entity_name"]])
    return rows.iloc[places.get_indexer(wanted[wanted.isin(places)])]


def name_workbook(run: Path) -> Path:
    """Name the workbook: the run's own is renewed, one that was changed keeps its name."""
    manifest = open_manifest(run)
    names = (run / f"review{f'-{n}' if n > 1 else ''}.xlsx" for n in range(1, 10_000))
    return next(path for path in names if not path.exists() or manifest.owns(path))


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
    then = f"Added to {data_dir / LABELS}; then: {_repeat('fit', run_name, data_dir)}"
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
        read = try_item(
            pd.read_excel,
            path,
            sheet_name=None,
            dtype=str,
            keep_default_na=False,
            engine="calamine",
        )
        if isinstance(read, InternalError):
            raise ValueError(f"{path} cannot be read as a workbook: {read.message}")
        sheets = {f"{path}, sheet {name}": sheet.fillna("") for name, sheet in read.items()}
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
