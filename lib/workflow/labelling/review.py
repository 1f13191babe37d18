"""Write the answers that need a human eye to a workbook and a page."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lib.evaluation import (
    LABELS,
    are_labelled,
    find_scored_predictions,
    read_labels,
    read_texts,
)
from lib.extraction import FAILED, REVIEW, suggest_rows
from lib.io import PROJECT, from_project, read_record, read_table
from lib.parallel import InternalError, try_item
from lib.reports import (
    Heading,
    ReviewRow,
    find_answers,
    find_run,
    make_review_rows,
    write_review_page,
    write_review_workbook,
)
from lib.workflow.outputs import open_manifest

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
    answers = read_answers(run)
    rows = select_rows(answers, labels, entities, decision)
    if rows.empty:
        return [f"No answer of {run.name} is left to review."]
    chosen = rows.head(count)
    suggested = _find_suggested(run, answers, rows.iloc[count:])
    sheets = _make_sheets(run, {REVIEW_SHEET: chosen, SUGGESTED_SHEET: suggested})
    book = name_workbook(run)
    page = book.with_suffix(".html")
    command = f"{repeat_command('review', run_name, data_dir)} --read"
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


def repeat_command(command: str, run_name: str, data_dir: Path) -> str:
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
        **dict.fromkeys(["decision", "next_runner_up"], pd.Series("", rows.index)),
        "conflict": _read_conflicts(run, rows),
    }
    rows = rows.assign(**{name: value for name, value in usual.items() if name not in rows})
    withheld = (rows["decision"] == REVIEW) & (rows["prediction"] == "")
    return rows.assign(
        prediction=rows["prediction"].mask(withheld, rows["runner_up"]),
        runner_up=rows["runner_up"].mask(withheld, rows["next_runner_up"]),
    )


def _read_conflicts(run: Path, rows: pd.DataFrame) -> pd.Series:
    """Read which answers of the same product contradict each, `""` where none does."""
    path = find_answers(run)
    table = _read_answer_table(path) if path else rows[:0]
    if not {"index", "conflict"} <= set(table):
        return pd.Series("", rows.index)
    named = dict(zip(table["index"], table["conflict"], strict=True))
    split = "test" if "test" in set(rows["split"]) else "train"  # the one that the answers hold
    found = [named.get(index, "") for index in rows["index"]]
    return pd.Series(found, rows.index, dtype=str).where(rows["split"] == split, "")


def _read_answer_table(path: Path) -> pd.DataFrame:
    """Read the answers that a run gives to its user, in any of its formats."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return next(iter(read_workbook(path).values())) if path.suffix == ".xlsx" else read_texts(path)


def read_workbook(path: Path) -> dict[str, pd.DataFrame]:
    """Read all sheets of a workbook as text.

    Raises:
        ValueError: It cannot be read.
    """
    sheets = try_item(_open_workbook, path)  # damaged files raise many kinds of errors
    if isinstance(sheets, InternalError):
        raise ValueError(f"{path} cannot be read as a workbook: {sheets.message}")
    return {name: sheet.fillna("") for name, sheet in sheets.items()}


def _open_workbook(path: Path) -> dict[str, pd.DataFrame]:
    """Open a workbook of any kind that calamine reads."""
    return pd.read_excel(path, sheet_name=None, dtype=str, keep_default_na=False, engine="calamine")


def select_rows(
    rows: pd.DataFrame, labels: pd.DataFrame, entities: Sequence[str], decision: str
) -> pd.DataFrame:
    """Select the rows to review, contradicted ones first, then by confidence; a question once."""
    read = rows[rows["read"] & (rows["decision"] != FAILED)]
    asked = next((part for part in (read[~read["has_truth"]], read) if len(part)), read)
    if entities:
        asked = asked[asked["entity_name"].isin(entities)]
    if decision:
        asked = asked[asked["decision"] == decision]
    left = asked[~are_labelled(asked, labels)]
    order = left.assign(agreed=left["conflict"].fillna("") == "")
    order = order.sort_values(["agreed", "confidence"], kind="stable")
    return order.drop_duplicates(QUESTION, ignore_index=True)


def _find_suggested(run: Path, answers: pd.DataFrame, rest: pd.DataFrame) -> pd.DataFrame:
    """Find the rows among the rest whose labels would teach most once all others are labelled."""
    others = answers[~are_labelled(answers, rest)]
    found = suggest_rows(run, others, MOST_SUGGESTED)
    places = pd.MultiIndex.from_frame(rest[["image_link", "entity_name"]])
    wanted = pd.MultiIndex.from_frame(found[["image_link", "entity_name"]])
    return rest.iloc[places.get_indexer(wanted[wanted.isin(places)])]


def name_workbook(run: Path) -> Path:
    """Name the workbook: the run's own is renewed, one that was changed keeps its name."""
    manifest = open_manifest(run)
    names = (run / f"review{f'-{n}' if n > 1 else ''}.xlsx" for n in range(1, 10_000))
    return next(path for path in names if not path.exists() or manifest.owns(path))
