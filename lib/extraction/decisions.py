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


def explain_failures(
    decided: pd.DataFrame, samples: pd.DataFrame, images: pd.DataFrame, pages: pd.DataFrame
) -> pd.DataFrame:
    """Give failed answers the reason of what failed first: their row, its link, or its page.

    Args:
        decided: As from `decide_answers`.
        samples: `sample_id`, `image_link` and `problem`, `""` if the row can be asked.
        images: `link` and `reason`, `""` if there is an image.
        pages: `sha256`, `engine` and `reason`, `""` if the engine has read the image.
    """
    keys = ["sha256", "engine"]
    asked = samples.set_index("sample_id").loc[decided["sample_id"]]
    fetched = asked.merge(images, "left", left_on="image_link", right_on="link")["reason"]
    read = decided[keys].merge(pages.drop_duplicates(keys), "left", keys)["reason"]
    causes = {"row": asked["problem"], "link": fetched, "page": NO_IMAGE.reason + ": " + read}
    table = pd.DataFrame({name: cause.to_numpy(object) for name, cause in causes.items()})
    first = table.where(table != "").bfill(axis=1)["row"].set_axis(decided.index)
    failed = (decided["reason"] == NO_IMAGE.reason) | (asked["problem"] != "").to_numpy()
    return decided.assign(reason=first.where(failed).fillna(decided["reason"]).astype(str))


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
