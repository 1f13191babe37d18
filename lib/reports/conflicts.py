"""Show the products whose images contradict each other, each answer beside its image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from lib.extraction import REVIEW
from lib.reports.answer_cards import Card, make_cards
from lib.reports.plots import Row

MOST_SHOWN: int = 20
"""Conflicts on a page, those with the most contradicting images."""
MOST_ANSWERS: int = 8
"""Different answers shown of one conflict, the most confident first."""


@dataclass(frozen=True)
class Conflict:
    """Answers to one question about one product that contradict each other.

    Attributes:
        product: Row of the table of products.
        answers: Card of each answer, and the address of its image relative to the page, `""` if
            there is none.
    """

    product: Row
    answers: list[tuple[Card, str]]


def show_conflicts(
    products: pd.DataFrame,
    predictions: pd.DataFrame,
    candidates: pd.DataFrame,
    data_dir: Path,
    run_dir: Path,
) -> list[Conflict]:
    """Show the conflicts with the most contradicting images.

    Args:
        products: As from `extraction.products.summarise_products`.
        predictions: Scored predictions of the method that answers, of the rows that `products` is
            about.
        candidates: All candidates of the run.
        data_dir: Folder that relative paths of images start from.
        run_dir: Folder of the page.
    """
    conflicts = []
    for product in list_conflicts(products).head(MOST_SHOWN).to_dict("records"):
        rows = find_answers(product, predictions)
        cards = make_cards(rows, candidates, data_dir)
        addresses = [find_address(row, data_dir, run_dir) for row in rows.to_dict("records")]
        conflicts.append(Conflict(product, list(zip(cards, addresses, strict=True))))
    return conflicts


def list_conflicts(products: pd.DataFrame) -> pd.DataFrame:
    """List the products' answers that an image contradicts, the most contradicted first."""
    if products.empty:  # of a run that wrote none
        return products
    conflicts = products[products["contradict"] > 0]
    return conflicts.sort_values("contradict", ascending=False, kind="stable")


def find_answers(product: Row, predictions: pd.DataFrame) -> pd.DataFrame:
    """Find the different answers to a question about a product, the most confident row of each.

    Answers that are left to a reviewer are among them.
    """
    same = predictions["product_id"] == product["product_id"]
    rows = predictions[same & (predictions["entity_name"] == product["entity_name"])]
    proposed = rows["prediction"].mask(rows["decision"] == REVIEW, rows["runner_up"])
    answered: pd.DataFrame = rows.assign(prediction=proposed)[proposed != ""]
    answered = answered.sort_values("confidence", ascending=False, kind="stable")
    return answered.drop_duplicates("prediction").head(MOST_ANSWERS)


def find_address(row: Row, data_dir: Path, run_dir: Path) -> str:
    """Find the address of an image: its file, or else its link; `""` if it has neither."""
    path = data_dir / str(row["path"])
    if row["path"] and path.is_file():
        return quote(Path(os.path.relpath(path, run_dir)).as_posix())
    link = str(row["image_link"])
    return link if link.startswith(("http://", "https://")) else ""
