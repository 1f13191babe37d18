"""Measure the drift between two sets of images and answers; no truth is needed."""

from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from lib.evaluation.outcomes import read_units
from lib.evaluation.paired_answers import read_answers
from lib.io import read_parts

ROWS: int = 5000
"""Most values kept of each measure: enough to compare distributions, few enough to store."""


class Measure(StrEnum):
    """A distribution of numbers or names that two sets of answers are compared by."""

    WORDS = "words on an image"
    CONFIDENCE = "confidence of an answer"
    ENTITY = "entity asked for"
    ANSWERED = "answered or not"
    UNIT = "unit answered"

    @property
    def column(self) -> str:
        """Return the column of a profile that holds the values."""
        return "number" if self in {Measure.WORDS, Measure.CONFIDENCE} else "name"


def gather_profiles(
    run_dir: Path, predictions: pd.DataFrame, reference: Path | None = None, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profile a run's rows and the rows that they are compared with.

    Args:
        run_dir: The run's folder.
        predictions: Scored predictions of the method that answers, one row a sample.
        reference: Folder of another finished run, such as the training run; `None` compares the
            test rows of this run with its train rows.
        seed: Seed of the subsample of values.

    Returns:
        Two profiles: the test rows (all rows where there are none), and the reference's train rows
        (all rows where it has none). The second is empty where there is nothing to compare with.

    Raises:
        NotComparableError: The reference is not a finished run of this version.
    """
    pages = read_parts(run_dir / "tables/pages", "03_ocr.ipynb")
    here = take_split(predictions, "test")
    if reference is None:
        splits = predictions["split"]
        there = predictions[(splits == "train") & ("test" in set(splits))]
        return profile(here, pages, "test", seed), profile(there, pages, "train", seed)
    there = take_split(read_reference(reference), "train")
    other_pages = read_parts(reference / "tables/pages", "03_ocr.ipynb")
    ours = profile(here, pages, "this run", seed)
    return ours, profile(there, other_pages, f"run {reference.name}", seed)


def read_reference(run_dir: Path) -> pd.DataFrame:
    """Read the answers of a run that another is compared with, as far as `profile` needs them.

    Raises:
        NotComparableError: It is not a finished run of this version.
    """
    columns = ("split", "sha256", "engine", "entity_name", "prediction", "probability")
    return read_answers(run_dir, columns)


def take_split(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    """Select the rows of one split, or all rows if the split has none."""
    rows = predictions[predictions["split"] == split]
    return rows if len(rows) else predictions


def profile(
    predictions: pd.DataFrame, pages: pd.DataFrame, group: str, seed: int = 0
) -> pd.DataFrame:
    """Tabulate the distributions that describe a set of answers, without using a truth.

    Args:
        predictions: One row a sample, as `read_scored_predictions` gives them.
        pages: One row an image and engine: `sha256`, `engine`, `status`, `words`.
        group: Name of the set.
        seed: Seed of the subsample of values.

    Returns:
        One row a value: `group`, `measure` (of `Measure`), `number` or `name`.
    """
    answered = predictions["prediction"] != ""
    given = predictions[answered]
    units = read_units(given["prediction"])
    engines = predictions["engine"].unique()
    read = pages["engine"].isin(engines) & pages["sha256"].isin(predictions["sha256"])
    values = {
        Measure.WORDS: pages.loc[read & (pages["status"] == "ok"), "words"],
        Measure.CONFIDENCE: given["probability"].dropna(),
        Measure.ENTITY: predictions["entity_name"],
        Measure.ANSWERED: pd.Series(np.where(answered, "answered", "nothing")),
        Measure.UNIT: units[units != ""],
    }
    parts = [
        pd.DataFrame({"measure": measure.value, measure.column: found})
        for measure, found in values.items()
        for found in [found.sample(min(ROWS, len(found)), random_state=seed)]
    ]
    table = pd.concat(parts, ignore_index=True).assign(group=group)
    columns = ["group", "measure", "number", "name"]
    return table.reindex(columns=columns).astype({"number": float})


def compare_profiles(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Measure the distance between two profiles.

    Returns:
        One row a measure: `measure`, `here` and `there` (descriptions in words), `distance` (from
        0, equal, to 1, disjoint: the Kolmogorov-Smirnov statistic for numbers, the total variation
        distance for names) and `chance` (the p-value).
    """
    rows = []
    for measure in Measure:
        a, b = (pick(table, measure) for table in (ours, theirs))
        if len(a) and len(b):
            distance, chance = measure_gap(a, b)
            rows.append((measure.value, describe(a), describe(b), distance, chance))
    return pd.DataFrame(rows, columns=["measure", "here", "there", "distance", "chance"])


def pick(table: pd.DataFrame, measure: Measure) -> pd.Series:
    """Select one measure's values from a profile."""
    return table.loc[table["measure"] == measure, measure.column]


def measure_gap(a: pd.Series, b: pd.Series) -> tuple[float, float]:
    """Return the distance of two sets and its p-value.

    Numbers are compared by Kolmogorov-Smirnov, names by total variation and a chi-squared test.

    >>> measure_gap(pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0]))
    (0.0, 1.0)
    >>> measure_gap(pd.Series(["volt"] * 9), pd.Series(["watt"] * 9))[0]
    1.0
    """
    from scipy.stats import chi2_contingency, ks_2samp  # Imported here: it takes a second.

    if pd.api.types.is_numeric_dtype(a):
        found = ks_2samp(a, b, method="asymp")
        return float(found.statistic), float(found.pvalue)
    counts = pd.DataFrame({"a": a.value_counts(), "b": b.value_counts()}).fillna(0)
    shares = counts / counts.sum()
    chance = chi2_contingency(counts).pvalue if len(counts) > 1 else 1.0
    return float((shares["a"] - shares["b"]).abs().sum() / 2), float(chance)


def describe(values: pd.Series) -> str:
    """Summarise values in a few words.

    >>> describe(pd.Series([3.0, 4.0, 12.0])), describe(pd.Series(["volt", "volt", "watt", "volt"]))
    ('median 4, middle half 3.5 to 8', 'mostly volt (75%)')
    """
    if pd.api.types.is_numeric_dtype(values):
        low, middle, high = values.quantile([0.25, 0.5, 0.75])
        return f"median {middle:.3g}, middle half {low:.3g} to {high:.3g}"
    shares = values.value_counts(normalize=True)
    return f"mostly {str(shares.index[0]).replace('_', ' ')} ({shares.iloc[0]:.0%})"
