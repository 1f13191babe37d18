"""Conflicts of products on the run's page: which are shown, and each answer beside its image."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.extraction.products import summarise_products
from lib.reports.conflicts import MOST_ANSWERS, MOST_SHOWN, find_address, show_conflicts
from lib.reports.plots.gallery import CORNERS


def make_predictions(answers, **changes):
    """Make scored predictions of one question about one product."""
    count = len(answers)
    table = {
        "sample_id": range(count),
        "index": [str(number) for number in range(count)],
        "product_id": "p",
        "entity_name": "item_weight",
        "prediction": answers,
        "decision": "answered",
        "confidence": np.linspace(0.9, 0.5, count),
        "probability": np.linspace(0.9, 0.5, count),
        "runner_up": "1.0 gram",
        "image": [f"sha{number}" for number in range(count)],
        "image_link": [f"https://a.example/{number}.jpg" for number in range(count)],
        "path": "",
        "outcome": "truth not known",
        "entity_value": "",
        "has_truth": False,
        "surface": answers,
        "reason": "weight line",
        **dict.fromkeys(CORNERS, 10.0),
    }
    return pd.DataFrame(table).assign(**changes)


def show(predictions, tmp_path, products=None):
    """Show the conflicts of predictions."""
    found = summarise_products(predictions) if products is None else products
    candidates = pd.DataFrame({"sample_id": pd.Series(dtype=int)})
    return show_conflicts(found, predictions, candidates, tmp_path, tmp_path / "reports/run")


def test_each_answer_stands_beside_its_surest_image(tmp_path):
    """One card a different answer, the most confident first, with the address of its image."""
    predictions = make_predictions(["5.0 gram", "7.0 gram", "5.0 gram", "9.0 gram", ""])
    (conflict,) = show(predictions, tmp_path)
    assert conflict.product["prediction"] == "5.0 gram"
    assert [card.prediction for card, _ in conflict.answers] == ["5.0 gram", "7.0 gram", "9.0 gram"]
    assert [address[-5:] for _, address in conflict.answers] == ["0.jpg", "1.jpg", "3.jpg"]


def test_answers_left_to_a_reviewer_are_shown(tmp_path):
    """They are withheld from the predictions, yet conflict with others."""
    predictions = make_predictions(["5.0 gram", "7.0 gram"])
    products = summarise_products(predictions)
    withheld = predictions.assign(
        decision="review", runner_up=predictions["prediction"], prediction=""
    )
    (conflict,) = show(withheld, tmp_path, products)
    assert [card.prediction for card, _ in conflict.answers] == ["5.0 gram", "7.0 gram"]


def test_agreement_is_no_conflict(tmp_path):
    """Equal answers, also in two units, and a run without products have nothing to show."""
    assert show(make_predictions(["500.0 gram", "1.1 pound", ""]), tmp_path) == []
    assert show(make_predictions(["5.0 gram", "7.0 gram"], product_id=""), tmp_path) == []
    assert show(make_predictions(["5.0 gram", "7.0 gram"]), tmp_path, pd.DataFrame()) == []


def test_the_worst_conflicts_are_shown(tmp_path):
    """A page shows so many conflicts, those first that most images contradict."""
    few = [
        make_predictions(["5.0 gram", "7.0 gram"], product_id=f"p{number}")
        for number in range(MOST_SHOWN + 5)
    ]
    worst = make_predictions([f"{n}.0 gram" for n in range(10, 30)], product_id="worst")
    conflicts = show(pd.concat([*few, worst], ignore_index=True), tmp_path)
    assert len(conflicts) == MOST_SHOWN
    assert conflicts[0].product["product_id"] == "worst"
    assert len(conflicts[0].answers) == MOST_ANSWERS
    assert conflicts[1].product["product_id"] == "p0"


ADDRESSES = [
    ({"path": "images/a b.jpg", "image_link": "x"}, "../../images/a%20b.jpg", "the kept file"),
    ({"path": "images/gone.jpg", "image_link": "http://a.example/x"}, "http://a.example/x", "gone"),
    ({"path": "", "image_link": "https://a.example/x"}, "https://a.example/x", "never had"),
    ({"path": "", "image_link": "javascript:alert(1)"}, "", "no address of a web page"),
    ({"path": "", "image_link": "images/x.jpg"}, "", "relative to a table that may be elsewhere"),
]


@pytest.mark.parametrize(("row", "expected", "reason"), ADDRESSES)
def test_images_are_linked(tmp_path, row, expected, reason):
    """The file on this machine where it is kept, else the web's; nothing that is no image."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "images/a b.jpg")
    assert find_address(row, tmp_path, tmp_path / "reports/run") == expected, reason
