"""Compare the answers that the images of one product give to one question."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import islice

import pandas as pd

from lib.extraction.decisions import FAILED
from lib.quantities import agree_within_rounding, parse_answer

MOST_NAMED: int = 5
"""Contradicting answers that are named, and rows that are named for each."""
COLUMNS: dict[str, type] = {
    **dict.fromkeys(("product_id", "entity_name", "prediction"), str),
    **{"confidence": float, "decision": str, "index": str},
    **{"images": int, "agree": int, "contradict": int, "contradicting": str},
}
"""Name and type of each column of the table of products."""


@dataclass(frozen=True)
class ImageAnswer:
    """The answer of one image; `image` is what tells two images apart."""

    index: str
    prediction: str
    confidence: float
    decision: str
    image: str


Question = tuple[Hashable, Hashable]


def find_conflicts(answers: pd.DataFrame) -> list[str]:
    """Name for each answer those that contradict it on other images of its product.

    Args:
        answers: `product_id` (`""` for none), `entity_name`, and the fields of `ImageAnswer`.

    Returns:
        Such as `"500.0 gram (18, 19)"`, values with their indices, `""` if there are none.
    """
    found = {
        (question, value): text
        for question, given in group_answers(answers).items()
        for value, text in describe_conflicts(given).items()
    }
    keys = zip(answers["product_id"], answers["entity_name"], answers["prediction"], strict=True)
    return [found.get(((product, entity), value), "") for product, entity, value in keys]


def summarise_products(answers: pd.DataFrame) -> pd.DataFrame:
    """Take the surest answer of each product to each question.

    Args:
        answers: As for `find_conflicts`.

    Returns:
        `COLUMNS`, in order of first appearance: the answer and the `index` that it is from; how
        many distinct images there are, how many `agree` with it and how many `contradict` it, and
        what these say. Where no image has an answer, confidence is the least of the silences.
    """
    rows = [
        (*question, *summarise_answers(given)) for question, given in group_answers(answers).items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def group_answers(answers: pd.DataFrame) -> dict[Question, list[ImageAnswer]]:
    """Group the answers of products by product and question."""
    groups: dict[Question, list[ImageAnswer]] = {}
    known = answers[answers["product_id"] != ""]
    questions = zip(known["product_id"], known["entity_name"], strict=True)
    rows = zip(*(known[field.name] for field in fields(ImageAnswer)), strict=True)
    for question, row in zip(questions, rows, strict=True):
        groups.setdefault(question, []).append(ImageAnswer(*row))
    return groups


def summarise_answers(given: Sequence[ImageAnswer]) -> tuple[str | float, ...]:
    """Summarise the answers of one product to one question; see `summarise_products`."""
    best = max(given, key=rank_answer)
    answered = [one for one in given if one.prediction]
    agreeing = {one.image for one in answered if agree(one.prediction, best.prediction)}
    against = {one.image for one in answered} - agreeing
    conflicts = describe_conflicts(given).get(best.prediction, "")
    images = len({one.image for one in given})
    own = (best.prediction, best.confidence, best.decision, best.index)
    return (*own, images, len(agreeing), len(against), conflicts)


def rank_answer(one: ImageAnswer) -> tuple[bool, bool, float]:
    """Rank answers by confidence; then silences, the least sure first; then failures."""
    confidence = 0.0 if math.isnan(one.confidence) else one.confidence
    has_answer = one.prediction != ""
    return has_answer, one.decision != FAILED, confidence if has_answer else -confidence


def describe_conflicts(given: Iterable[ImageAnswer]) -> dict[str, str]:
    """Name for each value that images give those that contradict it, with their indices."""
    rows: dict[str, list[str]] = {}
    for one in given:
        if one.prediction:
            rows.setdefault(one.prediction, []).append(one.index)
    return {value: name_others(value, rows) for value in rows} if len(rows) > 1 else {}


def name_others(value: str, rows: dict[str, list[str]]) -> str:
    """Name the values that contradict one, each with the indices of its rows.

    >>> name_others("1.0 volt", {"1.0 volt": ["3"], "5.0 volt": ["4", "5"]})
    '5.0 volt (4, 5)'
    """
    others = islice((one for one in rows if not agree(value, one)), MOST_NAMED + 1)
    named = [f"{one} ({shorten(rows[one], ', ')})" for one in others]
    return shorten(named, "; ")


def shorten(texts: Sequence[str], separator: str) -> str:
    """Join the first few texts.

    >>> shorten(list("abcdefg"), ", ")
    'a, b, c, d, e, …'
    """
    return separator.join([*texts[:MOST_NAMED], *(["…"] if len(texts) > MOST_NAMED else [])])


@lru_cache(maxsize=100_000)
def agree(one: str, other: str) -> bool:
    """Return whether two answers in the official form tell the same measure.

    >>> agree("1.1 pound", "500.0 gram"), agree("1.1 pound", "1.2 pound")
    (True, False)
    """
    quantities = parse_answer(one), parse_answer(other)
    if quantities[0] is None or quantities[1] is None:
        return one == other
    return agree_within_rounding(quantities[0], quantities[1])
