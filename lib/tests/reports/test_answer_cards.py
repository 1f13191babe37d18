"""Answers to look at: how many and which, and what each card shows."""

import base64

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.reports.answer_cards import MOST_ERRORS, MOST_OTHERS, SIDE, choose_rows, make_cards
from lib.reports.plots.gallery import CORNERS
from lib.tests.breaking import break_at

OUTCOMES = ["right", "wrong value", "wrong unit", "answered where empty", "missed", "rightly empty"]


def make_predictions(count, has_truth=True, entities=("width", "voltage")):
    """Make scored predictions of every outcome, in turn."""
    places = np.arange(count)
    outcome = np.array(OUTCOMES)[places % len(OUTCOMES)]
    silent = np.isin(outcome, ["missed", "rightly empty"])
    return pd.DataFrame(
        {
            "sample_id": places,
            "index": places.astype(str),
            "entity_name": np.array(entities)[places // len(OUTCOMES) % len(entities)],
            "outcome": outcome if has_truth else "truth not known",
            "prediction": np.where(silent, "", "2.0 inch"),
            "entity_value": "3.0 inch" if has_truth else "",
            "has_truth": has_truth,
            "probability": places / count,
            "surface": np.where(silent, "", "2 in"),
            "runner_up": "",
            "reason": "large print",
            "path": "",
            **{
                name: np.where(silent, np.nan, 10.0 + 5 * (k % 3)) for k, name in enumerate(CORNERS)
            },
        }
    )


def test_cards_are_few_however_long_the_run():
    """A run of 50,000 samples has as many cards as one of 500, and every entity has some."""
    sizes = []
    for count in (500, 50_000):
        groups = choose_rows(make_predictions(count))
        sizes.append({title: len(rows) for title, rows in groups.items()})
        assert all(set(rows["entity_name"]) == {"width", "voltage"} for rows in groups.values())
    assert sizes[0] == sizes[1]
    assert list(sizes[0].values()) == [2 * MOST_ERRORS, 2 * MOST_OTHERS, 2 * MOST_OTHERS]


def test_errors_are_the_surest():
    """The most confident errors come first, right answers are none of them."""
    predictions = make_predictions(500)
    errors = choose_rows(predictions)["The most confident errors"]
    assert errors["probability"].is_monotonic_decreasing
    assert errors["outcome"].isin(OUTCOMES[1:4]).all()
    wrong = predictions[predictions["outcome"].isin(OUTCOMES[1:4])]
    assert errors["probability"].iloc[0] == wrong["probability"].max()


def test_without_truth_the_least_sure_are_shown():
    """Where nobody knows what is right, doubt is what to look at."""
    groups = choose_rows(make_predictions(100, has_truth=False))
    doubted = groups["The least confident answers"]
    assert doubted["probability"].is_monotonic_increasing
    assert (doubted["prediction"] != "").all()


def test_empty_groups_are_left_out():
    """A run without errors has no heading over nothing."""
    assert choose_rows(make_predictions(0)) == {}
    assert list(choose_rows(make_predictions(1))) == ["Random right answers"]


NONE = pd.DataFrame({"sample_id": [], **{name: [] for name in CORNERS}})


@pytest.mark.parametrize(
    ("has_truth", "value", "shown"),
    [
        (True, "3.0 inch", "3.0 inch"),  # as the table says
        (True, "", ""),  # known to be nothing
        (False, "", None),  # not known at all
    ],
)
def test_card_tells_truth_from_ignorance(tmp_path, has_truth, value, shown):
    """Nothing to answer and nothing known are not the same."""
    rows = make_predictions(1).assign(has_truth=has_truth, entity_value=value)
    assert make_cards(rows, NONE, tmp_path)[0].truth == shown


def decode(address):
    """Open a thumbnail."""
    kind, _, content = address.partition(",")
    assert kind == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR_RGB)


def test_thumbnail_shows_the_chosen_text(tmp_path):
    """It is small, with a red frame where the wrong answer was read and grey ones beside."""
    Image.new("RGB", (1600, 800), "white").save(tmp_path / "image.png")
    corners = dict(zip(CORNERS, (400, 200, 800, 200, 800, 400, 400, 400), strict=True))
    rows = make_predictions(2)[1:].assign(path="image.png", **corners)
    aside = {name: value + 600 if name[0] == "x" else value for name, value in corners.items()}
    candidates = pd.DataFrame([{"sample_id": 1, **corners}, {"sample_id": 1, **aside}])
    pixels = decode(make_cards(rows, candidates, tmp_path)[0].image).astype(int)
    assert pixels.shape == (SIDE // 2, SIDE, 3)
    red, _, blue = pixels[60:122, 117:245].reshape(-1, 3).T
    assert ((red > 150) & (blue < 90)).sum() > 200
    grey = pixels[60:122, 297:425].reshape(-1, 3)
    assert ((grey.max(axis=1) < 220) & (np.ptp(grey, axis=1) < 40)).sum() > 100
    assert pixels[90, 180].min() > 200  # the text itself stays readable


def test_lost_image_has_a_card(tmp_path):
    """An image that was deleted or never downloaded is a grey square, its words are all there."""
    card = make_cards(make_predictions(1).assign(path="gone.jpg"), NONE, tmp_path)[0]
    assert decode(card.image).std() < 10
    assert "boxed" in card.alt and card.prediction == "2.0 inch"


def test_probability_may_be_missing(tmp_path):
    """Such answers sort below all others."""
    card = make_cards(make_predictions(1).assign(probability=np.nan), NONE, tmp_path)[0]
    assert card.confidence == -1.0


def test_card_that_cannot_be_made_says_why(tmp_path, monkeypatch, caplog):
    """An error that nobody foresaw costs one thumbnail; the log names link and sample."""
    rows = make_predictions(6).assign(path=[f"{i}.jpg" for i in range(6)], split="test")
    break_at(monkeypatch, "lib.reports.answer_cards.draw_thumbnail", "'3.jpg'")
    cards = make_cards(rows.assign(image_link=rows["path"]), NONE, tmp_path)
    assert [card.index for card in cards] == list("012345")
    assert cards[3].reason == "internal error: KeyError: 'broken'"
    assert caplog.messages[0].startswith("3.jpg (test sample 3): internal error")
    assert decode(cards[0].image).shape == decode(cards[5].image).shape
