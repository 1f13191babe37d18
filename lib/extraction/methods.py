"""The methods that are compared on the same samples, from the stupid baseline upwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pandas as pd

from lib.extraction.answers import Choice, answer_samples
from lib.extraction.baseline import match_first
from lib.extraction.page_scans import Scans
from lib.extraction.scan import Scan
from lib.ocr import Page

PLAIN: str = "tesseract_plain"  # The engine whose text the first match reads.
FIRST_MATCH: str = "first match (plain Tesseract)"


def name_method(method: str, engine: str) -> str:
    """Name a rung of the ladder.

    >>> name_method("rules", "rapidocr")
    'rules (rapidocr)'
    """
    return f"{method} ({engine})"


def answer_by_first_match(samples: pd.DataFrame, pages: Mapping[str, Page]) -> pd.DataFrame:
    """Answer every sample with the first match of its page's plain text, as `answer_samples` does.

    Args:
        samples: As `answer_samples` takes them.
        pages: sha256 -> page, as plain Tesseract has read it.
    """
    return answer_samples(samples, pages, choose_first_match)


def choose_first_match(page: Page, entity: str) -> Choice:
    """Answer with the first match of a page's text, whatever is asked for."""
    prediction = match_first(word.text for word in page.words)
    return Choice(prediction, None, math.nan, "first number with a unit word")


def answer_by_all_methods(
    samples: pd.DataFrame,
    scans: Mapping[str, Scans],
    choose: Callable[[Scan, str], Choice],
    ranked: pd.DataFrame,
    method: str,
) -> pd.DataFrame:
    """Answer every sample by each rung of the ladder.

    Args:
        samples: `sample_id`, `entity_name` and `sha256`, `""` where there is no picture.
        scans: Engine -> sha256 -> scan; the first engine is the one that answers.
        choose: Answers one question about one page.
        ranked: The ranker's answers on the first engine.
        method: `rules` or `ranker`: whose answers are the run's.

    Returns:
        One row a sample and method: the columns of `extraction.answer_samples`, `method`,
        `engine`, `answers` (whether this method's answers are the run's) and `fold`, -1 where no
        model was kept from seeing the sample.
    """
    rungs, first = [], next(iter(scans))
    if PLAIN in scans:
        rungs.append(
            answer_by_first_match(samples, scans[PLAIN].pages).assign(
                method=FIRST_MATCH, engine=PLAIN
            )
        )
    for engine in reversed([engine for engine in scans if engine != PLAIN or engine == first]):
        answers = answer_samples(samples, scans[engine], choose)
        rungs.append(answers.assign(method=name_method("rules", engine), engine=engine))
    rungs.append(ranked.assign(method=name_method("ranker", first), engine=first))
    ladder = pd.concat(rungs, ignore_index=True)
    return ladder.assign(
        answers=ladder["method"] == name_method(method, first),
        fold=ladder["fold"].fillna(-1).astype(int),
    )


def choose_rows(ladder: pd.DataFrame, method: str, engine: str) -> pd.DataFrame:
    """Take the answers of one rung; where there are no answers at all, none.

    Raises:
        ValueError: No rung has that name.
    """
    name = name_method(method, engine)
    if len(ladder) and name not in set(ladder["method"]):
        raise ValueError(f"no method {name!r}; there are {sorted(set(ladder['method']))}")
    return ladder[ladder["method"] == name].reset_index(drop=True)


METHODS: tuple[str, ...] = ("ranker", "rules")
