"""Compare two runs on the same samples: changed answers, score differences, significance."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.evaluation.intervals import (
    METRICS,
    Interval,
    bootstrap_difference,
    bootstrap_interval,
)
from lib.evaluation.outcomes import CORRECT, count_outcomes, exact_match_f1, normalise_answer
from lib.evaluation.paired_answers import (
    KEY,
    NotComparableError,
    check_truth,
    pair_answers,
    read_answers,
)
from lib.evaluation.scored_predictions import headline_rows
from lib.io import read_record

EDITED: str = ", with changes"  # follows a commit's hash, as on the run's page
# Parameters that change no answer.
UNIMPORTANT: frozenset[str] = frozenset(
    {"RUN_DIR", "KEEP_RUNS", "KEEP_IMAGES", "KEEP_COLUMNS", "ANSWERS_FORMAT", "OUTPUT_UNITS"}
)

# How an answer changed where the truth is known ...
GAINED, LOST, STILL_WRONG = "now right", "no longer right", "wrong before and after"
# ... and where it is not.
APPEARED, VANISHED, REPLACED = "answered now", "no longer answered", "answered differently"
# In the order of a reader's interest, new errors first.
WAYS: tuple[str, ...] = (LOST, GAINED, STILL_WRONG, VANISHED, REPLACED, APPEARED)


@dataclass(frozen=True)
class MetricChange:
    """A metric of both runs on the same samples, with its paired difference."""

    name: str
    before: Interval
    after: Interval
    difference: Interval


@dataclass(frozen=True)
class RunComparison:
    """The differences between two runs.

    Attributes:
        before: Name of the first run.
        after: Name of the second run.
        judged: Whether both runs know the truth of the compared samples.
        shared: Number of samples that both runs answered.
        asked: Number of samples of each run.
        pairs: The compared samples from `pair_answers`, with `way`, how the answer changed: the
            rows of the headline, or all shared rows where no truth is known.
        settings: From `find_settings`.
    """

    before: str
    after: str
    judged: bool
    shared: int
    asked: tuple[int, int]
    pairs: pd.DataFrame
    settings: list[tuple[str, object, object]]

    @property
    def rows(self) -> str:
        """Name the split of the compared samples, such as `"test"`."""
        return " and ".join(sorted(self.pairs["split"].unique()))

    @property
    def images(self) -> int:
        """Count the images of the compared samples."""
        return int(self.pairs["image_after"].nunique())

    @property
    def gained(self) -> int:
        """Count the samples that only the second run gets right."""
        return int((self.pairs["way"] == GAINED).sum())

    @property
    def lost(self) -> int:
        """Count the samples that only the first run gets right."""
        return int((self.pairs["way"] == LOST).sum())

    @cached_property
    def p_value(self) -> float:
        """Return the p-value of McNemar's exact test, two-sided.

        The test assumes independent samples, which samples of one image are not.
        """
        from scipy.stats import binomtest  # Imported here: it takes a second.

        parted = self.gained + self.lost
        return float(binomtest(self.gained, parted).pvalue) if parted else 1.0

    @cached_property
    def changed(self) -> pd.DataFrame:
        """List the changed answers: `KEY`, `truth`, `before`, `after`, `way`; sorted as `WAYS`."""
        names = {"prediction_before": "before", "prediction_after": "after"}
        rows = self.pairs[self.pairs["way"] != ""].rename(columns=names)
        rows = rows.assign(truth=rows["entity_value_after"] if self.judged else "")
        rows = rows.sort_values("way", key=lambda ways: ways.map(WAYS.index), kind="stable")
        return rows[[*KEY, "truth", "before", "after", "way"]].reset_index(drop=True)

    @cached_property
    def scores(self) -> list[MetricChange]:
        """Compare F1, precision and recall; empty where no truth is known."""
        if not self.judged:
            return []
        first, second = self.pairs["outcome_before"], self.pairs["outcome_after"]
        images = self.pairs["image_after"]
        return [
            MetricChange(
                name,
                bootstrap_interval(first, images, metric),
                bootstrap_interval(second, images, metric),
                bootstrap_difference(first, second, images, metric),
            )
            for name, metric in METRICS.items()
        ]

    @cached_property
    def by_entity(self) -> pd.DataFrame:
        """Compare each entity: `entity`, `samples`, `changed`, and F1 where a truth is known."""
        groups = self.pairs.groupby("entity_name")
        rows = [self._describe_entity(str(entity), rows) for entity, rows in groups]
        return pd.DataFrame(rows).sort_values("samples", ascending=False, ignore_index=True)

    def _describe_entity(self, entity: str, rows: pd.DataFrame) -> dict[str, object]:
        changed = int((rows["way"] != "").sum())
        found: dict[str, object] = {"entity": entity, "samples": len(rows), "changed": changed}
        if not self.judged:
            return found
        first, second = rows["outcome_before"], rows["outcome_after"]
        return found | {
            "f1_before": exact_match_f1(count_outcomes(first)),
            "f1_after": exact_match_f1(count_outcomes(second)),
            "difference": bootstrap_difference(first, second, rows["image_after"]),
            "gained": int((rows["way"] == GAINED).sum()),
            "lost": int((rows["way"] == LOST).sum()),
        }


def compare_runs(before: Path, after: Path) -> RunComparison:
    """Compare two runs on the samples that both answered.

    Args:
        before: Folder of the first run.
        after: Folder of the second run.

    Raises:
        NotComparableError: A run has no scored answers, the runs share no sample, or their tables
            disagree about the truth.
    """
    first, second = read_answers(before), read_answers(after)
    pairs = pair_answers(first, second)
    if pairs.empty:
        raise NotComparableError(
            f"{before.name} ({len(first):,} samples) and {after.name} ({len(second):,}) share no "
            "sample: their tables are about other images. Compare runs on the same tables."
        )
    check_truth(pairs, before.name, after.name)
    known = headline_rows(pairs)
    judged = not known.empty
    pairs, shared = known if judged else pairs, len(pairs)
    pairs = pairs.assign(way=_find_ways(pairs, judged)).reset_index(drop=True)
    counts = (len(first), len(second))
    settings = find_settings(before, after)
    return RunComparison(before.name, after.name, judged, shared, counts, pairs, settings)


def _find_ways(pairs: pd.DataFrame, judged: bool) -> npt.NDArray[np.str_]:
    """Name how each answer changed, `""` where it is the same."""
    said = pairs[["prediction_before", "prediction_after"]].map(normalise_answer)
    first, second = said.iloc[:, 0], said.iloc[:, 1]
    good = pairs["outcome_before"].isin(CORRECT)
    better = pairs["outcome_after"].isin(CORRECT)
    if judged:
        kinds = {"": first == second, GAINED: better & ~good, LOST: good & ~better}
        return np.select(list(kinds.values()), list(kinds), STILL_WRONG)
    kinds = {"": first == second, APPEARED: first == "", VANISHED: second == ""}
    return np.select(list(kinds.values()), list(kinds), REPLACED)


def find_settings(before: Path, after: Path) -> list[tuple[str, object, object]]:
    """List the settings in which two runs differ: parameters, commit, versions.

    A commit with uncommitted changes is always listed, since the changes themselves may differ.
    """
    first, second = (_read_settings(run_dir) for run_dir in (before, after))
    names = [name for name in {**first, **second} if name not in UNIMPORTANT]
    both = [(name, first.get(name), second.get(name)) for name in names]
    return [row for row in both if row[1] != row[2] or str(row[2]).endswith(EDITED)]


def _read_settings(run_dir: Path) -> dict[str, object]:
    record = read_record(run_dir)
    versions = dict(record.get("versions", {}))
    engines = versions.pop("engines", None)
    git = record.get("git", {})
    commit = f"{git['commit']}{EDITED if git['dirty'] else ''}" if git.get("commit") else None
    packages = versions | (engines if isinstance(engines, dict) else {})
    return {**record.get("parameters", {}), "commit": commit, **packages}
