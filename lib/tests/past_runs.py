"""Folders of past runs with a few samples, written with the project's own functions."""

import time
from pathlib import Path

import pandas as pd

from lib.evaluation.intervals import summarise
from lib.evaluation.scored_predictions import headline_rows, score_predictions
from lib.io.files import write_csv, write_json, write_table
from lib.io.run_dir import claim_run_dir
from lib.workflow import run_record as record
from lib.workflow.parameters import Parameters

TRUTH = ["1.0 inch", "2.0 inch", "", "4.0 gram", "5.0 gram", ""] * 5
RIGHT = list(TRUTH)
ENTITIES = ["width", "width", "depth", *["item_weight"] * 3]
# The first answer wrong, the second missing, the third invented.
WORSE = ["9.0 inch", "", "3.0 inch", *TRUTH[3:]]


def write_run(
    folder: Path,
    answers=RIGHT,
    truth=TRUTH,
    started: str = "2026-01-02T02:00:00+00:00",
    status: str = "finished",
    **changes: object,
) -> Path:
    """Write what a run over a small table leaves behind.

    Args:
        folder: The run's folder; its table goes beside it, in the place of the last run's.
        answers: Prediction for each sample.
        truth: Truth of each sample, `None` where nobody knows any.
        started: ISO time.
        status: Of the record; only a finished run has answers.
        changes: Columns of the samples that differ from the usual ones.
    """
    samples = pd.DataFrame(
        {
            "sample_id": range(len(answers)),
            "split": "test",
            "index": [str(number) for number in range(len(answers))],
            "image_link": [f"{number // 2}.jpg" for number in range(len(answers))],
            "group_id": "1",
            "entity_name": [ENTITIES[number % 6] for number in range(len(answers))],
            "entity_value": truth or "",
            "has_truth": truth is not None,
        }
    ).assign(**changes)
    claim_run_dir(folder)
    parameters = write_tables(samples, folder)
    log = record.start_record(parameters, len(samples), samples["image_link"].nunique(), 1)
    log |= {"started": started, "git": {"commit": "abc", "dirty": False}}
    if status == "finished":
        write_answers(samples.assign(prediction=answers), folder)
    error = "ValueError: fish\nand more" if status == "failed" else ""
    record.end_record(log, folder, status, time.monotonic(), error)
    return folder


def write_tables(samples: pd.DataFrame, folder: Path) -> Parameters:
    """Write the table that a run is asked about, and give its parameters."""
    table = folder.parent / "test.csv"
    write_csv(samples, table)
    paths = {"TRAIN_CSV": "", "TEST_CSV": str(table), "RUN_DIR": str(folder)}
    return Parameters.model_construct(**paths, MAX_ROWS=0, METHOD="rules", SEED=0)


def write_answers(answered: pd.DataFrame, folder: Path) -> None:
    """Write scored predictions and metrics as the last notebook does."""
    answered = answered.assign(image=answered["image_link"], downloaded=True, read=True)
    scored = score_predictions(answered)
    write_table(scored, folder / "tables/scored_predictions.parquet")
    judged = headline_rows(scored)
    metrics = summarise(judged["outcome"], judged["image"])
    metrics |= {"method": "rules", "rows": "test", "counts": {"judged": len(judged)}}
    write_json(metrics, folder / "metrics.json")
    write_csv(scored[["index", "prediction"]], folder / "predictions.csv")
