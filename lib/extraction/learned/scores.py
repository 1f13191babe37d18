"""Score rules and a model on labelled rows: by set and entity, and against each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.evaluation import (
    EMPTY,
    MISSED,
    RIGHT,
    WRONG,
    WRONG_VALUE,
    compare_all,
    expected_calibration_error,
    precision_of_surest,
    roc_area,
    score_by,
    score_samples,
)
from lib.extraction.learned.model import DECIMALS
from lib.extraction.learned.questions import SOURCES, LabelledRows
from lib.extraction.learned.training import Answers
from lib.quantities import ENTITIES

SURE: float = 0.8  # share of the answers, the most confident first, whose precision is scored
AREA: list[str] = ["roc_area", "roc_area_low", "roc_area_high"]
DIFFERENCE: str = "learned - rules"
MIN_COUNTED: int = 20
"""Answers, given or missed, from which a card shows the score of an entity in a set."""

MIN_WRONG: int = 5
"""Wrong answers from which a card shows the ROC area: of one or two, the bootstrap interval is far
too narrow."""


def tabulate_outcomes(rows: LabelledRows, answers: Answers) -> pd.DataFrame:
    """Tabulate the outcome of each answer by the challenge's rule.

    Returns:
        One row per labelled row: `set`, `entity`, `image`, `outcome` and `probability`.
    """
    right, answered = answers.mark_right(rows), answers.answered
    conditions = [answered & right, answered, rows.required]
    return pd.DataFrame(
        {
            "set": np.array(list(SOURCES))[rows.source],
            "entity": np.array(ENTITIES)[rows.entity],
            "image": rows.image,
            "outcome": np.select(conditions, [RIGHT, WRONG_VALUE, MISSED], EMPTY),
            "probability": answers.right,
        }
    )


def take_given(table: pd.DataFrame) -> pd.DataFrame:
    """Take the rows of `tabulate_outcomes` in which an answer was given."""
    return table[table["outcome"].isin([RIGHT, *WRONG])]


def score_table(table: pd.DataFrame, seed: int = 0) -> dict[str, float | int]:
    """Score the answers in a table of `tabulate_outcomes`.

    Returns:
        As `score_samples`; and of the confidence of the given answers `roc_area`, `surest_80`
        (precision of the surest 80 %) and `calibration_error`, each with the bounds of its 95 %
        interval, as in `roc_area_low`.
    """
    given = take_given(table)
    known = (given["probability"], given["outcome"] == RIGHT, given["image"], seed)
    measures = {
        "roc_area": roc_area(*known),
        "surest_80": precision_of_surest(SURE, *known),
        "calibration_error": expected_calibration_error(*known),
    }
    bounds = {
        f"{name}{end}": getattr(value, part)
        for name, value in measures.items()
        for end, part in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    return {**score_samples(table["outcome"], table["image"], seed), **bounds}


def score_sets(rows: LabelledRows, answers: Mapping[str, Answers], seed: int = 0) -> pd.DataFrame:
    """Score `rules` and `learned` on each set of labels.

    Returns:
        One row per set and method, as from `score_table`; then per set the paired `DIFFERENCE` of
        F1; then one row per set, method and `entity`, as from `score_by`.
    """
    tables = {name: tabulate_outcomes(rows, own) for name, own in answers.items()}
    parts = {
        (one, name): table[table["set"] == one]
        for one in SOURCES
        for name, table in tables.items()
        if (table["set"] == one).any()
    }
    scores = [
        {"set": one, "method": name, **score_table(own, seed)} for (one, name), own in parts.items()
    ]
    gaps = [
        {"set": one, **compare_methods(parts[one, "rules"], own, seed)}
        for (one, name), own in parts.items()
        if name == "learned"
    ]
    entities = [
        score_by(own, "entity", seed).assign(set=one, method=name)
        for (one, name), own in parts.items()
    ]
    return pd.concat([pd.DataFrame([*scores, *gaps]), *entities], ignore_index=True).round(DECIMALS)


def compare_methods(rules: pd.DataFrame, learned: pd.DataFrame, seed: int) -> dict[str, object]:
    """Compare the model with the rules on the same rows, paired by image."""
    outcomes = pd.DataFrame({"rules": rules["outcome"], "learned": learned["outcome"]})
    gap = compare_all(outcomes, "learned", rules["image"], seed).iloc[0]
    bounds = {"f1": gap["difference"], "low": gap["low"], "high": gap["high"]}
    return {"method": DIFFERENCE, **bounds}


def describe_scores(
    scores: pd.DataFrame, ablation: pd.DataFrame | None = None
) -> dict[str, list[dict[str, object]]]:
    """Describe the scores of a model for its card.

    Args:
        scores: As from `score_sets`.
        ablation: As from `study_model`, if there is one.

    Returns:
        Lists of rows, without cells that are not known: `scores` by set, `gaps` to the rules by
        set, `entities` by set and entity where at least `MIN_COUNTED` answers count, `ablation`.
        With fewer than `MIN_WRONG` wrong answers, the ROC area counts as not known.
    """
    whole, counted = scores["entity"].isna(), scores[["tp", "fp", "fn"]].sum(axis=1)
    is_learned = scores["method"] == "learned"
    scores = scores.copy()
    scores.loc[scores["fp"] < MIN_WRONG, AREA] = np.nan
    parts = {
        "scores": scores[whole & is_learned],
        "gaps": scores[scores["method"] == DIFFERENCE],
        "entities": scores[~whole & is_learned & (counted >= MIN_COUNTED)],
        "ablation": pd.DataFrame() if ablation is None else ablation.round(DECIMALS),
    }
    return {name: list_known(part) for name, part in parts.items()}


def list_known(table: pd.DataFrame) -> list[dict[str, object]]:
    """List the rows of a table, without cells that are not known."""
    records = table.to_dict(orient="records")
    return [{str(key): value for key, value in row.items() if pd.notna(value)} for row in records]
