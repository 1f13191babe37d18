"""Answer samples with every method to compare, from the simplest baseline to the learned model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pandas as pd

from lib.extraction.answers import Choice, answer_samples
from lib.extraction.baseline import match_first
from lib.extraction.page_scans import Scans
from lib.extraction.scan import Scan
from lib.ocr import Page

PLAIN: str = "tesseract_plain"  # The engine whose text the first-match baseline reads.
FIRST_MATCH: str = "first match (plain Tesseract)"


def name_method(method: str, engine: str) -> str:
    """Name a method on an engine.

    >>> name_method("rules", "rapidocr")
    'rules (rapidocr)'
    """
    return f"{method} ({engine})"


def answer_by_first_match(samples: pd.DataFrame, pages: Mapping[str, Page]) -> pd.DataFrame:
    """Answer every sample with the first match on its page, in the table of `answer_samples`.

    Args:
        samples: As in `answer_samples`.
        pages: sha256 -> page read by plain Tesseract.
    """
    return answer_samples(samples, pages, choose_first_match)


def choose_first_match(page: Page, entity: str) -> Choice:
    """Answer with the first match of a page's text; the entity is ignored."""
    prediction = match_first(word.text for word in page.words)
    return Choice(prediction, None, math.nan, "first number with a unit word")


def answer_by_all_methods(
    samples: pd.DataFrame,
    scans: Mapping[str, Scans],
    choose: Callable[[Scan, str], Choice],
    own: Mapping[str, pd.DataFrame],
    method: str,
) -> pd.DataFrame:
    """Answer every sample by each method.

    Args:
        samples: `sample_id`, `entity_name` and `sha256`, `""` if there is no image.
        scans: Engine -> sha256 -> scan; the first engine is the run's own.
        choose: Answers one question about one page.
        own: Method -> the answers on the first engine, as from `learned.answer_by_model`.
        method: `rules` or `learned`: the method whose answers are the run's.

    Returns:
        One row per sample and method: the columns of `answers.answer_samples`, `method`, `engine`,
        `answers` (whether this method's answers are the run's) and `fold`, as from
        `learned.answer_by_model`, -1 for other methods.
    """
    tables, first = [], next(iter(scans))
    if PLAIN in scans:
        tables.append(
            answer_by_first_match(samples, scans[PLAIN].pages).assign(
                method=FIRST_MATCH, engine=PLAIN
            )
        )
    for engine in reversed([engine for engine in scans if engine not in (PLAIN, first)]):
        others = answer_samples(samples, scans[engine], choose)
        tables.append(others.assign(method=name_method("rules", engine), engine=engine))
    for name, answers in own.items():
        tables.append(answers.assign(method=name_method(name, first), engine=first))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(
        answers=table["method"] == name_method(method, first),
        fold=table["fold"].fillna(-1).astype(int),
    )


def choose_rows(answers: pd.DataFrame, method: str, engine: str) -> pd.DataFrame:
    """Select the answers of one method; none if the table is empty.

    Raises:
        ValueError: No method has that name.
    """
    name = name_method(method, engine)
    if len(answers) and name not in set(answers["method"]):
        raise ValueError(f"no method {name!r}; there are {sorted(set(answers['method']))}")
    return answers[answers["method"] == name].reset_index(drop=True)


METHODS: tuple[str, ...] = ("learned", "rules")
