"""The answer to each question: the best candidate of its page, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib.candidates import Candidate, Scan, find_candidates, is_same
from lib.page_table import CORNERS
from lib.rules import choose_candidate, weigh_candidates
from lib.scans import iterate_samples

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and the rules need none of it
    from lib.ranking import Question, Ranker


@dataclass(frozen=True)
class Choice:
    """What was answered and why.

    Attributes:
        prediction: The official print, `""` for no answer.
        candidate: The one chosen, None for no answer.
        probability: Of being right, 0-1; the rules give an uncalibrated guess of it.
        reason: A few plain words.
        runner_up: The next best answer in its official print, `""` for none.
    """

    prediction: str
    candidate: Candidate | None
    probability: float
    reason: str
    runner_up: str = ""


UNREAD = Choice("", None, 0.0, "the picture could not be read")


def choose_by_rules(scan: Scan, entity: str) -> Choice:
    """Answer one question by fixed rules.

    Args:
        scan: The page's quantities.
        entity: What is asked for.

    Raises:
        ValueError: When the entity is not one of the challenge's eight.
    """
    weighed = weigh_candidates(scan, entity)
    candidates, scores = weighed.candidates, weighed.scores
    if not candidates:
        return Choice("", None, 0.0, "no quantity in a fitting unit")
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    best, reason = choose_candidate(scan, entity)
    if best < 0:
        return Choice("", None, guess_probability(scores[order[0]]), reason)
    chosen = first_printed(candidates, candidates[best])
    prediction = str(chosen.quantity)
    others = (str(candidates[i].quantity) for i in order if i != best)
    runner_up = next((other for other in others if other != prediction), "")
    return Choice(prediction, chosen, guess_probability(scores[best]), reason, runner_up)


def rank_questions(questions: Sequence[Question], ranker: Ranker) -> list[Choice]:
    """Answer questions by a fitted ranker, all in one go."""
    estimates = ranker.estimate(questions)
    return [
        choose_by_ranker(question, estimate, ranker.thresholds[question.entity])
        for question, estimate in zip(questions, estimates, strict=True)
    ]


def choose_by_ranker(question: Question, estimate: np.ndarray, threshold: float) -> Choice:
    """Answer one question by the probabilities of its candidates.

    Args:
        question: With its candidates.
        estimate: (N,) probability of each, 0-1.
        threshold: Least probability of an answer.
    """
    if question.scan is None:
        return UNREAD
    candidates = question.candidates
    if not candidates:
        return Choice("", None, 0.0, "no quantity in a fitting unit")
    order = np.argsort(-estimate, kind="stable")
    best, probability = candidates[order[0]], float(estimate[order[0]])
    chosen = first_printed(candidates, best)
    prediction = str(chosen.quantity)
    if probability < threshold:
        reason = f"{prediction} is right with {probability:.0%} only, {threshold:.0%} are needed"
        return Choice("", None, probability, reason, prediction)
    others = (
        candidates[i] for i in order if not is_same(candidates[i].reading.base, best.reading.base)
    )
    runner_up = next((str(other.quantity) for other in others), "")
    reason = weigh_candidates(question.scan, question.entity).tell_reason(order[0])
    return Choice(prediction, chosen, probability, reason, runner_up)


def guess_probability(score: float) -> float:
    """Squeeze a score of the rules into 0-1, for ordering only.

    >>> guess_probability(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-score))


def first_printed(candidates: Sequence[Candidate], chosen: Candidate) -> Candidate:
    """Give the first print of a measure: `6.1 in (15.5 cm)` answers in inches."""
    if not chosen.reading.mention.conversion:
        return chosen
    line = chosen.reading.line
    same = [c for c in candidates if c.reading.line is line]
    return next(c for c in same if is_same(c.reading.base, chosen.reading.base))


def answer_samples(
    samples: pd.DataFrame, scans: Mapping[str, Scan], choose: Callable[[Scan, str], Choice]
) -> pd.DataFrame:
    """Answer every sample.

    Args:
        samples: `sample_id`, `entity_name` and `sha256`, `""` where there is no picture.
        scans: sha256 -> the scanned page; a picture that could not be read has none.
        choose: Answers one question about one page.

    Returns:
        One row a sample in the given order: `sample_id`, `sha256`, `prediction`, `probability`
        (0-1), `reason`, `runner_up`, `surface`, and the corners of the chosen text in pixels,
        `x1` to `y4`, NaN where nothing is answered.
    """
    asked = samples[["sample_id", "sha256", "entity_name"]].reset_index(drop=True)
    parts = []
    for some in iterate_samples(asked, scans):
        choices = [
            choose(scans[sha256], entity) if sha256 in scans else UNREAD
            for sha256, entity in zip(some["sha256"], some["entity_name"], strict=True)
        ]
        parts.append(tabulate_choices(some, choices))
    return pd.concat(parts).sort_index()


def tabulate_choices(samples: pd.DataFrame, choices: Sequence[Choice]) -> pd.DataFrame:
    """Lay out choices, one row a sample, as `answer_samples` gives them; the index stays."""
    columns = list(describe_choice(UNREAD))
    said = pd.DataFrame(map(describe_choice, choices), index=samples.index, columns=columns)
    return pd.concat([samples[["sample_id", "sha256"]], said], axis=1)


def describe_choice(choice: Choice) -> dict[str, object]:
    """Lay out a choice as the cells of a table's row."""
    corners = np.full(8, np.nan)
    if choice.candidate:
        corners = np.ravel(choice.candidate.reading.quad)
    return {
        "prediction": choice.prediction,
        "probability": choice.probability,
        "reason": choice.reason,
        "runner_up": choice.runner_up,
        "surface": choice.candidate.reading.mention.surface if choice.candidate else "",
        **dict(zip(CORNERS, corners.tolist(), strict=True)),
    }


def list_candidates(samples: pd.DataFrame, scans: Mapping[str, Scan]) -> pd.DataFrame:
    """List every quantity that could answer a sample.

    Args:
        samples: `sample_id`, `entity_name` and `sha256`.
        scans: sha256 -> scan.

    Returns:
        One row a sample and candidate, in reading order: `sample_id`, `sha256`, `entity_name`,
        `quantity` (official print), `surface`, `line` (the text it stands in), `keywords` and the
        corners in pixels.
    """
    columns = ["sample_id", "sha256", "entity_name", "quantity", "surface", "line", "keywords"]
    parts = []
    for some in iterate_samples(samples.reset_index(drop=True), scans):
        found = [
            (row, candidate)
            for row in some.itertuples()
            if row.sha256 in scans
            for candidate in find_candidates(scans[row.sha256], row.entity_name)
        ]
        rows = [
            (row.sample_id, row.sha256, row.entity_name, *describe_candidate(candidate))
            for row, candidate in found
        ]
        index = [row.Index for row, _ in found]
        parts.append(pd.DataFrame(rows, index=index, columns=[*columns, *CORNERS]))
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def describe_candidate(candidate: Candidate) -> tuple:
    """Lay out a candidate as the cells of a table's row."""
    reading = candidate.reading
    keywords = ", ".join(f"{meaning} ({place})" for place, meaning in reading.cues)
    cells = (str(candidate.quantity), reading.mention.surface, reading.line.text, keywords)
    return (*cells, *np.ravel(reading.quad).tolist())
