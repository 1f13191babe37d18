"""Arrange decided answers in the tables that a run gives: long, wide, and one row a product."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.extraction.candidates import ENTITY_KIND
from lib.extraction.decisions import FAILED, REVIEW
from lib.extraction.products import find_conflicts, summarise_products
from lib.ocr import CORNERS
from lib.quantities import UNIT_KIND, convert_quantity, parse_answer

COLUMNS: list[str] = [
    *("index", "prediction", "confidence", "decision", "reason", "corners"),
    *("runner_up", "runner_up_confidence", "text"),
]
IN_UNITS: list[str] = ["output_value", "output_unit"]
SAMPLE: list[str] = ["sample_id", "index", "image_link", "entity_name", "product_id"]
ROW: list[str] = ["sample_id", "index", "image_link", "product_id"]


def give_answers(
    decided: pd.DataFrame,
    samples: pd.DataFrame,
    units: Mapping[str, str] | None = None,
    own: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Arrange decided answers in the order of the samples.

    Args:
        decided: As from `decide_answers`, of the run's own method.
        samples: `SAMPLE`.
        units: Kind of measure, such as `"length"` -> unit in which to give such answers, too.
        own: `sample_id` and the columns of the user's table, to give back.

    Returns:
        `answers`, one row a sample: `COLUMNS`; with `units`, also `IN_UNITS`; with products, also
        `conflict`, the answers of the product's other images that contradict this one.
        `answers_wide`, as from `widen_answers`; no rows if the table asks one question a row.
        `products`, as from `summarise_products`; no rows if there are no products.
    """
    units = units or {}
    answers = gather_answers(decided, samples)
    products = summarise_products(answers)
    if units:
        answers, products = add_units(answers, units), add_units(products, units)
    added = [*(IN_UNITS if units else []), *(["conflict"] if len(products) else [])]
    wide = widen_answers(answers, units) if is_expanded(answers) else answers[ROW][:0]
    if not len(products):
        wide = wide.drop(columns=["product_id", "conflict"], errors="ignore")
    return {
        "answers": join_own_columns(answers[["sample_id", *COLUMNS, *added]], own),
        "answers_wide": join_own_columns(wide, own),
        "products": products,
    }


def gather_answers(decided: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Join samples and answers; add `corners`, `conflict`, and `image`, which tells images apart.

    `corners` are x and y in pixels, clockwise from the top left of the text that the answer was
    read from, `""` if there is none.
    """
    table = samples[SAMPLE].merge(decided, on="sample_id")
    points = table[list(CORNERS)].round(1)
    corners = [" ".join(f"{value:g}" for value in row) for row in points.to_numpy()]
    table["corners"] = np.where(points["x1"].isna(), "", corners)
    table["image"] = table["sha256"].where(table["sha256"] != "", table["image_link"])
    table["conflict"] = find_conflicts(table)
    named = {"runner_up_probability": "runner_up_confidence", "surface": "text"}
    return table.rename(columns=named)


def add_units(table: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """Add `IN_UNITS`: the number and unit of each `prediction` in the unit wanted for its kind."""
    converted = [convert_answer(answer, units) for answer in table["prediction"]]
    added = pd.DataFrame(converted, table.index, IN_UNITS)
    return table.join(added.astype({"output_value": float, "output_unit": str}))


def convert_answer(answer: str, units: Mapping[str, str]) -> tuple[float, str]:
    """Convert an answer to the unit wanted for its kind; without one it stays as it is.

    >>> convert_answer("9.4 inch", {"length": "centimetre"}), convert_answer("5.0 volt", {})
    ((23.9, 'centimetre'), (5.0, 'volt'))
    """
    quantity = parse_answer(answer)
    if quantity is None:
        return math.nan, ""
    value, unit = convert_quantity(quantity, units.get(UNIT_KIND[quantity.unit], quantity.unit))
    return value, unit


def is_expanded(answers: pd.DataFrame) -> bool:
    """Return whether all rows are questions that were made of a table without `entity_name`."""
    pairs = zip(answers["index"], answers["entity_name"], strict=True)
    return len(answers) > 0 and all(index.endswith(f":{entity}") for index, entity in pairs)


def widen_answers(answers: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """Put all answers about an image into one row, in the order of the user's table.

    Returns:
        `ROW`, with the `index` of the user's table and the `sample_id` of the first question; for
        each question its answer, its confidence and, with `units`, the number in that unit; the
        questions left to a `review`, whose answers are empty here; those in `conflict` with
        another image of the product; `failed`, why the image has no answers.
    """
    asked = number_rows(answers)
    reviewed, failed = asked["decision"] == REVIEW, asked["decision"] == FAILED
    asked["prediction"] = asked["prediction"].mask(reviewed, "")
    wide = asked[ROW].groupby(level="row").first()
    for entity, own in asked.groupby("entity_name", sort=False):
        wide[entity] = own["prediction"]
        wide[f"{entity}_confidence"] = own["confidence"]
        if unit := units.get(ENTITY_KIND[str(entity)]):
            number = own["output_value"].where(own["prediction"] != "")
            wide[f"{entity}_{unit.replace(' ', '_')}"] = number
    wide["review"] = list_questions(asked[reviewed])
    wide["conflict"] = list_questions(asked[asked["conflict"] != ""])
    wide["failed"] = asked.loc[failed, "reason"].groupby(level="row").first()
    texts = wide.select_dtypes(exclude="number").columns
    return wide.fillna(dict.fromkeys(texts, ""))


def number_rows(answers: pd.DataFrame) -> pd.DataFrame:
    """Restore the `index` of the user's rows; number the rows, also where two have one index."""
    pairs = zip(answers["index"], answers["entity_name"], strict=True)
    names = [index.removesuffix(f":{entity}") for index, entity in pairs]
    asked = answers.assign(index=names)
    repeat = asked.groupby(["index", "entity_name"]).cumcount()
    return asked.set_index(asked.groupby(["index", repeat], sort=False).ngroup().rename("row"))


def list_questions(asked: pd.DataFrame) -> pd.Series:
    """List the questions of each row that are in the table."""
    return asked["entity_name"].groupby(level="row").agg(", ".join)


def join_own_columns(table: pd.DataFrame, own: pd.DataFrame | None) -> pd.DataFrame:
    """Put the columns of the user's table before ours, and drop `sample_id`.

    A column that is named like one of ours gets ` (table)` after its name; an `index` that is
    ours too, in each row, is there once. Columns that only another table has are left out.
    """
    if own is None:
        return table.drop(columns="sample_id")
    theirs = own.set_index("sample_id").reindex(table["sample_id"])
    theirs = theirs.loc[:, theirs.notna().any() | theirs.empty].fillna("")
    ours = table.set_index("sample_id")
    if "index" in theirs and theirs["index"].equals(ours["index"]):
        ours = ours.drop(columns="index")
    names = {name: f"{name} (table)" for name in theirs if name in ours}
    return theirs.rename(columns=names).join(ours, validate="one_to_one").reset_index(drop=True)
