"""Cards of models: every part that is known is printed, others are left out."""

from dataclasses import replace

import pytest
import yaml

from lib.extraction.learned.model import SHIPPED, read_model
from lib.extraction.learned.model_card import print_card

SCORE = {"set": "dev", "f1": 0.9, "low": 0.85, "high": 0.95, "precision": 0.91, "recall": 0.89}
AREA = {"roc_area": 0.8, "roc_area_low": 0.7, "roc_area_high": 0.9}
GAP = {"set": "dev", "f1": -0.0014, "low": -0.0046, "high": 0.0}
GAIN = {
    **{"rows": 40, "f1_before": 0.5, "f1_after": 0.9, "value": 0.4, "low": 0.3, "high": 0.5},
    **{"level": 0.9, "brier_before": 0.2, "brier_after": 0.1},
}
CHANGE = {
    **{"entity": "width", "rows": 12, "f1_before": 0.5, "f1_after": 0.75},
    **{"gained": 3, "lost": 1},
}


@pytest.mark.parametrize(
    ("card", "line"),
    [
        ({"scores": [SCORE]}, "| dev | 0.900 (0.850 to 0.950) | 0.910 | 0.890 | - |"),
        (
            {"scores": [SCORE], "gaps": [GAP]},
            "| dev | 0.900 (0.850 to 0.950) | 0.910 | 0.890 | -0.001 (-0.005 to +0.000) |",
        ),
        ({"scores": [SCORE]}, "| dev | - | - | - |"),  # no confidence was scored
        ({"scores": [SCORE | AREA]}, "| dev | 0.800 (0.700 to 0.900) | - | - |"),
        ({"entities": [SCORE | {"entity": "depth"}]}, "| depth | 0.900 (0.850 to 0.950) |"),
        ({"entities": [SCORE | {"entity": "depth"}]}, "| width | - |"),  # too few answers
        (
            {"ablation": [SCORE | AREA | {"method": "without print", "samples": 9}]},
            "| without print | 0.900 (0.850 to 0.950) | 0.800 (0.700 to 0.900) |",
        ),
        ({"gain": GAIN, "changes": [CHANGE]}, "| width | 12 | 0.500 | 0.750 | 3 | 1 |"),
        ({"gain": GAIN}, "difference +0.400"),
    ],
)
def test_what_is_known_is_printed(model, card, line):
    """Each part of a card has its table, and a dash where a cell is not known."""
    assert line in print_card(replace(model, card=card))


def test_what_is_not_known_has_no_section(model):
    """A card without ablation and without a user's rows has no such heading."""
    text = print_card(replace(model, card={}))
    assert "### Ablation" not in text and "### What the" not in text


def test_header_names_the_scores_that_are_known(model):
    """Programs read F1 and ROC area by set from the header."""
    other = SCORE | AREA | {"set": "other"}
    header = print_card(replace(model, card={"scores": [SCORE, other]})).split("---\n")[1]
    results = yaml.safe_load(header)["model-index"][0]["results"]
    kinds = [[one["type"] for one in result["metrics"]] for result in results]
    assert kinds == [["f1"], ["f1", "roc_auc"]]


def test_card_in_the_project_is_that_of_its_model():
    """The model that comes with the project and the card beside it were written together."""
    text = SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
    assert text == print_card(read_model(SHIPPED))
    assert "### Ablation" in text and "| statements |" in text
