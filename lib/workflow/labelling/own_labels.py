"""Add corrected truths to the user's file, fit a model on them, and suggest what to label."""

import logging
from collections.abc import Sequence
from pathlib import Path

from lib.evaluation import LABELS, read_corrections, read_labels, read_shown, save_labels
from lib.extraction import fit_own_model, suggest_rows
from lib.io import PROJECT, write_csv
from lib.reports import find_newest, find_run

LOG = logging.getLogger(__name__)

MOST_NAMED: int = 3  # images named in one message


def fit_labels(
    files: Sequence[Path], run_names: Sequence[str], data_dir: Path, by: str = ""
) -> list[str]:
    """Add labels to `labels.csv` in the user's folder and fit a model on all that are there.

    Args:
        files: CSV files, as for `evaluation.read_corrections`; none to use what is there.
        run_names: Runs that have read the images, as for `find_run`; none for the newest.
        data_dir: The user's folder.
        by: Who labelled, by default the user of this process.

    Returns:
        Lines on what changed, by entity, and on where the model is.

    Raises:
        OSError: A file or a run is missing.
        ValueError: A file cannot be read, or the labels are too few or all alike.
    """
    runs = [find_run(name) for name in run_names] or [find_newest()]
    known = data_dir / LABELS
    add_labels(files, known, runs, by)
    LOG.info("Comparing a model of the shipped rows with one of both by cross-validation.")
    fit = fit_own_model(read_labels(known), runs, data_dir)
    if fit.unread:
        LOG.warning(
            "No named run has read %d of the labelled images, so their labels are not used: %s. "
            "Name their run with --run.",
            len(fit.unread),
            ", ".join(fit.unread[:MOST_NAMED]),
        )
    lines = [fit.table.round(3).to_string(index=False), "", str(fit)]
    if fit.path is None:
        return [*lines, "It may be worse, so nothing was written."]
    card = fit.path.with_suffix(".md")
    return [
        *lines,
        f"Model: {fit.path}; runs with this DATA_DIR and fewer than 500 train rows use it",
        f"Its card: {card}",
    ]


def add_labels(files: Sequence[Path], known: Path, runs: Sequence[Path], by: str) -> None:
    """Add labels to the user's file; log how many, and each row that is refused.

    Raises:
        OSError: A file or a run is missing.
        ValueError: A file cannot be read, or there are no labels at all.
    """
    shown = read_shown(runs)
    found = [read_corrections(path, shown) for path in files]
    for path, (labels, refused) in zip(files, found, strict=True):
        for message in refused:
            LOG.warning("Refused: %s", message)
        save_labels(known, labels, by)
        LOG.info("%s: %d labels added to %s, %d refused.", path, len(labels), known, len(refused))
    if not known.is_file():
        raise ValueError(f"{known} does not exist; name a CSV file of labels.")


def suggest_labels(
    run_name: str, data_dir: Path, count: int = 50, path: Path | None = None
) -> list[str]:
    """List the rows of a run whose labels would teach most; write them to be filled in.

    Args:
        run_name: A finished run, as for `find_run`.
        data_dir: The user's folder; rows that are labelled there are left out.
        count: Most rows to list.
        path: CSV file to write, None for none.

    Returns:
        Lines that list the rows and say what to do with them.

    Raises:
        OSError: The run or one of its tables is missing.
        ValueError: The file of labels is damaged.
    """
    known = data_dir / LABELS
    labels = read_labels(known) if known.is_file() else None
    run = find_run(run_name)
    rows = suggest_rows(run, labels, count)
    if rows.empty:
        return [
            f"Nothing is left to label in {run.name}: each question has a label, a truth in the "
            f"table, or no unsure answer{f'; {path} is not written' if path else ''}."
        ]
    listed = rows.drop(columns=["group_id", "entity_value"]).round({"probability": 2})
    lines = [listed.to_string(index=False)]
    if path:
        write_csv(rows, path)
        folder = "" if data_dir == PROJECT / "data" else f" --data-dir {data_dir}"
        lines += [
            f"\nIn {path}, replace each ? by the value, or by nothing where none is stated; then",
            f"python -m lib fit {path} --run {run_name}{folder}",
        ]
    return lines
