"""Decide about each sample: answered, silent, left to a reviewer, or failed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.evaluation import Promise
from lib.extraction.answers import NO_IMAGE
from lib.parallel import INTERNAL

ANSWERED, SILENT, REVIEW, FAILED = "answered", "silent", "review", "failed"


def decide_answers(answers: pd.DataFrame, promise: Promise | None = None) -> pd.DataFrame:
    """Add the confidence in each answer or silence, and the decision about it.

    Args:
        answers: As from `methods.answer_by_all_methods`.
        promise: The precision that the run's own answers must keep, None to give all of them;
            if it has no threshold, all go to review.

    Returns:
        The table with `confidence` (0-1: that the answer is right, or that the image states none;
        0 where it failed, NaN if the method gives none) and `decision`.
    """
    answered, reason = answers["prediction"] != "", answers["reason"]
    failed = (reason == NO_IMAGE.reason) | reason.str.startswith(INTERNAL)
    confidence = answers["probability"].where(answered, 1 - answers["stated"])
    limit = promise.limit if promise else 0.0
    unsure = answers["answers"] & (confidence < limit)
    return answers.assign(
        confidence=confidence.mask(failed, 0.0),
        decision=np.select([failed, ~answered, unsure], [FAILED, SILENT, REVIEW], ANSWERED),
    )


def explain_problems(decided: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Give the reason of the samples that could not be asked: the `problem` of their row."""
    problems = decided["sample_id"].map(samples.set_index("sample_id")["problem"]).astype(str)
    return decided.assign(reason=problems.where(problems != "", decided["reason"]))


def withhold_reviewed(decided: pd.DataFrame) -> pd.DataFrame:
    """Empty the answers that are left to a reviewer; `runner_up` then holds them.

    `next_runner_up` holds what `runner_up` held, `""` for the other answers.
    """
    reviewed = decided["decision"] == REVIEW
    return decided.assign(
        runner_up=decided["runner_up"].mask(reviewed, decided["prediction"]),
        prediction=decided["prediction"].mask(reviewed, ""),
        next_runner_up=decided["runner_up"].where(reviewed, ""),
    )
