"""Answer each question with the best candidate of its page, or with nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from lib.evaluation import find_fault
from lib.extraction.candidates import Candidate, find_candidates, is_same
from lib.extraction.page_scans import iterate_samples
from lib.extraction.rules import choose_candidate
from lib.extraction.scan import Scan
from lib.extraction.scoring import weigh_candidates
from lib.io import find_errors
from lib.ocr import CORNERS
from lib.parallel import InternalError, report_internal_errors, try_item

Arguments = ParamSpec("Arguments")
Seen = TypeVar("Seen")


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
    """

    prediction: str
    candidate: Candidate | None
    probability: float
    reason: str
    runner_up: str = ""
    error: InternalError | None = None


UNREAD = Choice("", None, 0.0, "the picture could not be read")


def choose_by_rules(scan: Scan, entity: str) -> Choice:
    """Answer one question by fixed rules.

    Args:
        scan: The scanned page.
        entity: What is asked for.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
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
    prediction = print_answer(chosen, entity)
    others = (str(candidates[i].quantity) for i in order if i != best)
    runner_up = next((other for other in others if other != prediction), "")
    return Choice(prediction, chosen, guess_probability(scores[best]), reason, runner_up)


def try_choice(
    choose: Callable[Arguments, Choice], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Choice:
    """Answer one question; give no answer if an unexpected error occurs."""
    found = try_item(choose, *args, **kwargs)
    return refuse(found) if isinstance(found, InternalError) else found


def refuse(error: InternalError) -> Choice:
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
    if not chosen.reading.mention.conversion:
        return chosen
    line = chosen.reading.line
    same = [c for c in candidates if c.reading.line is line]
    return next(c for c in same if is_same(c.reading.base, chosen.reading.base))


def answer_samples(
    samples: pd.DataFrame, scans: Mapping[str, Seen], choose: Callable[[Seen, str], Choice]
) -> pd.DataFrame:
    """Answer every sample; give no answer where an unexpected error occurs.

    Args:
        samples: `sample_id`, `entity_name`, `sha256` (`""` if there is no image), and the columns
            that `item_names.name_samples` needs.
        scans: sha256 -> the page as `choose` takes it; unreadable images are missing.
        choose: Answers one question about one page.

    Returns:
        One row per sample in the given order: `sample_id`, `sha256`, `prediction`, `probability`
        (0-1), `reason`, `runner_up`, `surface`, and the corners of the chosen text in pixels,
        `x1` to `y4`, NaN if there is no answer.

    Raises:
        StageFault: All samples failed with the same unexpected error.
    """
    parts, errors = [], {}
    for some in iterate_samples(samples.reset_index(drop=True), scans):
        choices = [
            try_choice(answer_sample, sha256, entity, scans, choose)
            for sha256, entity in zip(some["sha256"], some["entity_name"], strict=True)
        ]
        errors |= find_errors(some, [choice.error for choice in choices])
        parts.append(tabulate_choices(some, choices))
    report_internal_errors("answering", errors, len(samples))
    return pd.concat(parts).sort_index()


def answer_sample(
    sha256: str, entity: str, scans: Mapping[str, Seen], choose: Callable[[Seen, str], Choice]
) -> Choice:
    """Answer one sample; return `UNREAD` if its image has no page."""
    return choose(scans[sha256], entity) if sha256 in scans else UNREAD


def tabulate_choices(samples: pd.DataFrame, choices: Sequence[Choice]) -> pd.DataFrame:
    """Tabulate choices, one row per sample, as `answer_samples` returns them; keep the index."""
    types = {name: type(value) for name, value in describe_choice(UNREAD).items()}
    said = pd.DataFrame(map(describe_choice, choices), index=samples.index, columns=list(types))
    asked = samples[["sample_id", "sha256"]].astype({"sha256": str})
    return pd.concat([asked, said.astype(types)], axis=1)


def describe_choice(choice: Choice) -> dict[str, object]:
    """Convert a choice to the cells of a table row."""
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
        One row per sample and candidate, in reading order: `sample_id`, `sha256`, `entity_name`,
        `quantity` (official form), `surface`, `line` (text of its line), `keywords` and the corners
        in pixels.

    Raises:
        StageFault: All samples failed with the same unexpected error.
    """
    columns = ["sample_id", "sha256", "entity_name", "quantity", "surface", "line", "keywords"]
    parts, errors = [], {}
    for some in iterate_samples(samples.reset_index(drop=True), scans):
        found = [try_item(list_own_candidates, row, scans) for row in some.itertuples()]
        errors |= find_errors(some, found)
        rows = [row for own in found if not isinstance(own, InternalError) for row in own]
        parts.append(pd.DataFrame(rows, columns=["row", *columns, *CORNERS]).set_index("row"))
    report_internal_errors("listing candidates", errors, len(samples))
    types = {"sample_id": int} | dict.fromkeys(columns[1:], str) | dict.fromkeys(CORNERS, float)
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True).astype(types)


def list_own_candidates(sample: NamedTuple, scans: Mapping[str, Scan]) -> list[tuple]:
    """List the candidates of one sample as table rows that begin with the sample's index."""
    if sample.sha256 not in scans:
        return []
    own = (sample.Index, sample.sample_id, sample.sha256, sample.entity_name)
    found = find_candidates(scans[sample.sha256], sample.entity_name)
    return [(*own, *describe_candidate(candidate)) for candidate in found]


def describe_candidate(candidate: Candidate) -> tuple:
    """Convert a candidate to the cells of a table row."""
    reading = candidate.reading
    keywords = ", ".join(f"{meaning} ({place})" for place, meaning in reading.cues)
    cells = (str(candidate.quantity), reading.mention.surface, reading.line.text, keywords)
    return (*cells, *np.ravel(reading.quad).tolist())
