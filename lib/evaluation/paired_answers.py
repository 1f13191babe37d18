"""Read two runs' answers and join those to the same questions."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lib.evaluation.outcomes import normalise_answer
from lib.evaluation.scored_predictions import find_scored_predictions

# Rows with the same key are the same question.
KEY: tuple[str, ...] = ("split", "index", "image_link", "entity_name")
ANSWER: tuple[str, ...] = ("entity_value", "has_truth", "image", "prediction", "outcome")


class NotComparableError(ValueError):
    """Two runs that cannot be compared; the message says why and what to do."""


def read_answers(run_dir: Path, columns: Sequence[str] = (*KEY, *ANSWER)) -> pd.DataFrame:
    """Read some columns of a run's scored answers, one row a sample.

    Raises:
        NotComparableError: The table is missing or cannot be read, or lacks a column.
    """
    path = find_scored_predictions(run_dir)
    if not path.is_file():
        raise NotComparableError(
            f"No {path}: the folder is no run, or the run did not get so far. "
            "Start it again; it goes on where it was."
        )
    try:
        return pd.read_parquet(path, columns=list(columns))
    except (OSError, ValueError) as error:
        why = str(error).partition("\n")[0]  # the next lines list all columns
        raise NotComparableError(
            f"{path} cannot be read by this version, run it again: {why}"
        ) from error


def pair_answers(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Join two runs' answers to the same questions, in the order of the second.

    Of a question that stands twice in a table, only the first row is asked and taken.

    Returns:
        Columns `KEY`, those of `ANSWER` with `_before` and `_after`, and `has_truth`: both runs
        know the truth.
    """
    asked = [answers.drop_duplicates(list(KEY)) for answers in (second, first)]
    pairs = asked[0].merge(asked[1], on=list(KEY), suffixes=("_after", "_before"), validate="1:1")
    return pairs.assign(has_truth=pairs["has_truth_before"] & pairs["has_truth_after"])


def check_truth(pairs: pd.DataFrame, before: str, after: str) -> None:
    """Check that two runs' tables agree about the truth where both know it.

    Args:
        pairs: The table from `pair_answers`.
        before: Name of the first run.
        after: Name of the second.

    Raises:
        NotComparableError: The tables disagree; the message names a sample.
    """
    known = pairs[pairs["has_truth"]]
    truths = known[["entity_value_before", "entity_value_after"]].map(normalise_answer)
    differ = known[truths.iloc[:, 0] != truths.iloc[:, 1]]
    if differ.empty:
        return
    row = differ.iloc[0]
    raise NotComparableError(
        f"{before} and {after} share {len(pairs):,} samples, but {len(differ):,} of them have "
        f"another truth, such as {row['split']} index {row['index']}: "
        f"{row['entity_value_before']!r} and {row['entity_value_after']!r}. Run both on one table."
    )
