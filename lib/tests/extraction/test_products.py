"""Tests of products: the surest answer of their images, which agree and which contradict it."""

import time

import pandas as pd
import pytest

from lib.extraction.products import COLUMNS, MOST_NAMED, find_conflicts, summarise_products

LOST = ("", 0.0, "failed")
NONE = ("", 0.7, "silent")


def answers(*given, product="p", entity="item_weight"):
    """Tabulate answers of one product: text, confidence and, if it is no answer, decision."""
    rows = [
        {
            "index": str(number),
            "prediction": text,
            "confidence": confidence,
            "decision": next(iter(decision), "answered"),
            "image": f"sha{number}",
        }
        for number, (text, confidence, *decision) in enumerate(given)
    ]
    return pd.DataFrame(rows).assign(product_id=product, entity_name=entity)


SUREST = [  # answers, the product's, its confidence, images: all, agreeing, contradicting; reason
    ([("5.0 gram", 0.9)], "5.0 gram", 0.9, 1, 1, 0, "one image"),
    ([("5.0 gram", 0.6), ("7.0 gram", 0.9)], "7.0 gram", 0.9, 2, 1, 1, "the surest of two"),
    ([("5.0 gram", 0.9), ("0.005 kilogram", 0.2)], "5.0 gram", 0.9, 2, 2, 0, "in another unit"),
    ([("1.0 pound", 0.9), ("454.0 gram", 0.8)], "1.0 pound", 0.9, 2, 2, 0, "a conversion"),
    ([("5.0 gram", 0.9), NONE, LOST], "5.0 gram", 0.9, 3, 1, 0, "silence contradicts nothing"),
    ([("5.0 gram", 0.1), NONE], "5.0 gram", 0.1, 2, 1, 0, "an answer is more than a sure silence"),
    ([NONE, ("", 0.4, "silent")], "", 0.4, 2, 0, 0, "no answer: as sure as the least sure silence"),
    ([LOST, NONE], "", 0.7, 2, 0, 0, "a failure says nothing of the product"),
    ([LOST, LOST], "", 0.0, 2, 0, 0, "nothing was seen at all"),
    ([("5.0 gram", 0.5), ("6.0 gram", 0.5)], "5.0 gram", 0.5, 2, 1, 1, "the first of equal ones"),
    ([("5.0 gram", float("nan")), ("6.0 gram", 0.1)], "6.0 gram", 0.1, 2, 1, 1, "NaN comes last"),
]


@pytest.mark.parametrize(
    ("given", "answer", "confidence", "images", "agree", "contradict", "reason"), SUREST
)
def test_product_has_its_surest_answer(
    given, answer, confidence, images, agree, contradict, reason
):
    """One row a product and question: the surest answer, and how many images say the same."""
    products = summarise_products(answers(*given))
    assert products.columns.tolist() == list(COLUMNS)
    (row,) = products.to_dict("records")
    assert (row["prediction"], row["confidence"]) == (answer, confidence), reason
    assert (row["images"], row["agree"], row["contradict"]) == (images, agree, contradict), reason


def test_conflicts_name_values_and_rows():
    """Each answer tells what contradicts it, by value and index; agreeing units are no conflict."""
    table = answers(("500.0 gram", 0.9), ("510.0 gram", 0.8), ("1.1 pound", 0.7), NONE)
    assert find_conflicts(table) == [
        "510.0 gram (1)",
        "500.0 gram (0)",
        "",  # 1.1 pounds may be either
        "",
    ]
    table = answers(("5.0 volt", 0.9), ("9.0 volt", 0.8), ("9.0 volt", 0.7))
    assert find_conflicts(table) == ["9.0 volt (1, 2)", "5.0 volt (0)", "5.0 volt (0)"]
    assert summarise_products(table)["contradicting"].tolist() == ["9.0 volt (1, 2)"]


def test_products_and_questions_are_apart():
    """Answers of other products and to other questions contradict nothing; nor without one."""
    parts = [
        answers(("5.0 gram", 0.9)),
        answers(("6.0 gram", 0.9), product="q"),
        answers(("7.0 gram", 0.9), entity="maximum_weight_recommendation"),
        answers(("8.0 gram", 0.9), ("9.0 gram", 0.9), product=""),
    ]
    table = pd.concat(parts, ignore_index=True)
    assert find_conflicts(table) == [""] * 5
    found = summarise_products(table)
    assert found[["product_id", "entity_name"]].to_numpy().tolist() == [
        ["p", "item_weight"],
        ["q", "item_weight"],
        ["p", "maximum_weight_recommendation"],
    ]


def test_one_image_counts_once():
    """An image under two links, or asked about twice, is one voice."""
    table = answers(("5.0 gram", 0.9), ("5.0 gram", 0.9), ("6.0 gram", 0.5), ("6.0 gram", 0.5))
    found = summarise_products(table.assign(image=["a", "a", "b", "b"]))
    assert found[["images", "agree", "contradict"]].to_numpy().tolist() == [[2, 1, 1]]


def test_long_lists_are_cut():
    """A few values and rows are named; the ellipsis tells that there are more."""
    many = [(f"{number}.0 gram", 0.5) for number in range(10, 30)]
    text = find_conflicts(answers(("5.0 gram", 0.9), *many))[0]
    assert text.startswith("10.0 gram (1); 11.0 gram (2)")
    assert text.count("gram") == MOST_NAMED and text.endswith("…")
    same = [("9.0 gram", 0.5)] * 20
    assert find_conflicts(answers(("5.0 gram", 0.9), *same))[0] == "9.0 gram (1, 2, 3, 4, 5, …)"


def test_a_column_that_names_one_product_only():
    """A whole table under one product, all values different, takes seconds and little memory."""
    table = answers(*((f"{number / 10} gram", 0.5) for number in range(1, 20_001)))
    began = time.monotonic()
    conflicts = find_conflicts(table)
    assert time.monotonic() - began < 20
    assert max(map(len, conflicts)) < 500


def test_no_answers_make_an_empty_table():
    """The columns are there without a row."""
    empty = answers(NONE)[:0]
    assert summarise_products(empty).columns.tolist() == list(COLUMNS)
    assert find_conflicts(empty) == []
