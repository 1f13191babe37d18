"""Answer each question with the best candidate of its page, or with nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np
import pandas as pd

from lib.evaluation import find_fault
from lib.extraction.candidates import Candidate, find_candidates, is_same
from lib.extraction.page_scans import iterate_samples
from lib.extraction.rules import choose_candidate
from lib.extraction.scan import Scan
from lib.extraction.scoring import ScoredCandidates, score_candidates
from lib.io import find_errors
from lib.ocr import CORNERS
from lib.parallel import InternalError, report_internal_errors, try_item

Arguments = ParamSpec("Arguments")
Scanned = TypeVar("Scanned")
Cells = tuple[str | int | float, ...]


@dataclass(frozen=True)
class Choice:
    """An answer and its reason.

    Attributes:
        prediction: The answer in the official form, `""` for no answer.
        candidate: The chosen candidate, None for no answer.
        probability: Probability of being right, 0-1; uncalibrated if from the rules.
        reason: A few plain words.
        runner_up: The next best answer in the official form, `""` for none.
        error: Unexpected error while choosing, else None.
        runner_up_probability: Probability that the next best answer is right, 0-1; NaN if unknown.
        stated: Probability that the image states an answer, 0-1; NaN if unknown.
    """

    prediction: str
    candidate: Candidate | None
    probability: float
    reason: str
    runner_up: str = ""
    error: InternalError | None = None
    runner_up_probability: float = math.nan
    stated: float = math.nan


NO_CANDIDATE: str = "no quantity in a fitting unit"
NO_IMAGE = Choice("", None, 0.0, "the image could not be read")


def choose_by_rules(scan: Scan, entity: str) -> Choice:
    """Answer one question by fixed rules.

    Args:
        scan: The scanned page.
        entity: What is asked for.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
    """
    scored = score_candidates(scan, entity)
    if not scored.candidates:
        return Choice("", None, 0.0, NO_CANDIDATE)
    return print_choice(scored, *choose_candidate(scan, entity), entity)


def print_choice(scored: ScoredCandidates, best: int, reason: str, entity: str) -> Choice:
    """Make the rules' answer from the candidate that they choose.

    Args:
        scored: The candidates of the question, at least one.
        best: Number of the chosen candidate, below 0 if none is.
        reason: Why, in a few words.
        entity: What is asked for.

    Raises:
        ValueError: The candidate has no official form.
    """
    candidates, scores = scored.candidates, scored.scores
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    if best < 0:
        return Choice("", None, guess_probability(scores[order[0]]), reason)
    chosen = first_printed(candidates, candidates[best])
    prediction = print_answer(chosen, entity)
    others = (str(candidates[i].quantity) for i in order if i != best)
    runner_up = next((other for other in others if other != prediction), "")
    return Choice(prediction, chosen, guess_probability(scores[best]), reason, runner_up)


def try_choice(
    choose: Callable[Arguments, Choice], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Choice:
    """Answer one question; give no answer if an unexpected error occurs."""
    found = try_item(choose, *args, **kwargs)
    return answer_error(found) if isinstance(found, InternalError) else found


def answer_error(error: InternalError) -> Choice:
    """Return an empty answer because of an error."""
    return Choice("", None, 0.0, error.reason, error=error)


def print_answer(candidate: Candidate, entity: str) -> str:
    """Format a candidate as an answer in the official form.

    Raises:
        ValueError: It has no such form, by a fault of the parser that must cost only this answer.
    """
    answer = str(candidate.quantity)
    fault = find_fault(answer, entity)
    if fault:
        raise ValueError(fault)
    return answer


def guess_probability(score: float) -> float:
    """Map a score of the rules to 0-1 by a sigmoid; uncalibrated, for ordering only.

    >>> guess_probability(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-score))


def first_printed(candidates: Sequence[Candidate], chosen: Candidate) -> Candidate:
    """Return the first print of a measure: `6.1 in (15.5 cm)` answers in inches."""
    if not chosen.placed.mention.conversion:
        return chosen
    line = chosen.placed.line
    same = [c for c in candidates if c.placed.line is line]
    return next(c for c in same if is_same(c.placed.base, chosen.placed.base))


def answer_samples(
    samples: pd.DataFrame, scans: Mapping[str, Scanned], choose: Callable[[Scanned, str], Choice]
) -> pd.DataFrame:
    """Answer every sample; give no answer where an unexpected error occurs.

    Args:
        samples: `sample_id`, `entity_name`, `sha256` (`""` if there is no image), and the columns
            that `item_names.name_samples` needs.
        scans: sha256 -> the page as `choose` takes it; unreadable images are missing.
        choose: Answers one question about one page.

    Returns:
        One row per sample in the given order: `sample_id`, `sha256`, `prediction`, `probability`
        (0-1), `reason`, `runner_up`, `runner_up_probability` and `stated` (0-1, NaN if
        unknown), `surface`, and the corners of the chosen text in pixels,
        `x1` to `y4`, NaN if there is no answer.

    Raises:
        StageFault: All samples failed with the same unexpected error.
    """
    parts: list[pd.DataFrame] = []
    errors: dict[str, InternalError] = {}
    for batch in iterate_samples(samples.reset_index(drop=True), scans):
        choices = [
            try_choice(answer_sample, sha256, entity, scans, choose)
            for sha256, entity in zip(batch["sha256"], batch["entity_name"], strict=True)
        ]
        errors |= find_errors(batch, [choice.error for choice in choices])
        parts.append(tabulate_choices(batch, choices))
    report_internal_errors("answering", errors, len(samples))
    return pd.concat(parts).sort_index()


def answer_sample(
    sha256: str, entity: str, scans: Mapping[str, Scanned], choose: Callable[[Scanned, str], Choice]
) -> Choice:
    """Answer one sample; return `NO_IMAGE` if its image has no page."""
    return choose(scans[sha256], entity) if sha256 in scans else NO_IMAGE


def tabulate_choices(samples: pd.DataFrame, choices: Sequence[Choice]) -> pd.DataFrame:
    """Tabulate choices, one row per sample, as `answer_samples` returns them; keep the index."""
    types = {name: type(value) for name, value in describe_choice(NO_IMAGE).items()}
    described = pd.DataFrame(
        map(describe_choice, choices), index=samples.index, columns=list(types)
    )
    asked = samples[["sample_id", "sha256"]].astype({"sha256": str})
    return pd.concat([asked, described.astype(types)], axis=1)


def describe_choice(choice: Choice) -> dict[str, object]:
    """Convert a choice to the cells of a table row."""
    corners = np.full(8, np.nan)
    if choice.candidate:
        corners = np.ravel(choice.candidate.placed.quad)
    return {
        "prediction": choice.prediction,
        "probability": choice.probability,
        "reason": choice.reason,
        "runner_up": choice.runner_up,
        "runner_up_probability": choice.runner_up_probability,
        "stated": choice.stated,
        "surface": choice.candidate.placed.mention.surface if choice.candidate else "",
        **dict(zip(CORNERS, corners.tolist(), strict=True)),
    }


def list_candidates(samples: pd.DataFrame, scans: Mapping[str, Scan]) -> pd.DataFrame:
    """List every quantity that could answer a sample.

    Args:
        samples: `sample_id`, `entity_name` and `sha256`.
        scans: sha256 -> scan.

    Returns:
        One row per sample and candidate, in reading order: `sample_id`, `sha256`, `entity_name`,
        `quantity` (official form), `surface`, `line` (text of its line), `keywords` and the corners
        in pixels.

    Raises:
        StageFault: All samples failed with the same unexpected error.
    """
    columns = ["sample_id", "sha256", "entity_name", "quantity", "surface", "line", "keywords"]
    parts: list[pd.DataFrame] = []
    errors: dict[str, InternalError] = {}
    for batch in iterate_samples(samples.reset_index(drop=True), scans):
        asked = zip(batch.index, *(batch[name] for name in columns[:3]), strict=True)
        found = [try_item(list_own_candidates, scans, *sample) for sample in asked]
        errors |= find_errors(batch, found)
        rows = [row for own in found if not isinstance(own, InternalError) for row in own]
        parts.append(pd.DataFrame(rows, columns=["row", *columns, *CORNERS]).set_index("row"))
    report_internal_errors("listing candidates", errors, len(samples))
    types = {"sample_id": int} | dict.fromkeys(columns[1:], str) | dict.fromkeys(CORNERS, float)
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True).astype(types)


def list_own_candidates(
    scans: Mapping[str, Scan], row: int, sample_id: int, sha256: str, entity: str
) -> list[Cells]:
    """List the candidates of one sample as table rows that begin with the sample's row number."""
    if sha256 not in scans:
        return []
    found = find_candidates(scans[sha256], entity)
    return [(row, sample_id, sha256, entity, *describe_candidate(one)) for one in found]


def describe_candidate(candidate: Candidate) -> Cells:
    """Convert a candidate to the cells of a table row."""
    placed = candidate.placed
    keywords = ", ".join(f"{meaning} ({position})" for position, meaning in placed.keywords)
    cells = (str(candidate.quantity), placed.mention.surface, placed.line.text, keywords)
    return (*cells, *np.ravel(placed.quad).tolist())
