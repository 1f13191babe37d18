"""Print a model's card in the form of Hugging Face's model cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from lib.evaluation import Interval
from lib.extraction.learned.features import FEATURES
from lib.extraction.learned.model import Model

TASK: str = "document-question-answering"
TEXT: str = """\
---
{header}---

# A model that chooses a measurement among the quantities on a product image

For each quantity that was read on an image, it estimates the probability that it answers a
question such as "which width?", and for the image the probability that it states an answer.
{trees:,} decision trees over {features} numbers of the quantity, its rivals and the page,
calibrated by logistic regression.

## Uses

**Intended:** the confidence of this project's answers, and the answers of `METHOD: learned`, for
product images like those of the rows below, and eight questions: width, height, depth, weight,
maximum load, volume, voltage, wattage.

**Out of scope:** sizes that are not printed on the image; other questions; languages and kinds of
products without labelled rows of their own; uses where a wrong measurement does harm and nobody
checks it.

## Training data

{rows}

{count:,} images. The rows are numbers: no text, no link, no image.{labels}

## Evaluation

Exact match by the rule of the Amazon ML Challenge 2024, each row answered by trees that have not
seen its image or product group, with 95 % bootstrap intervals over images.

{scores}{gain}

## Limitations

The confidence is calibrated on the rows above; on other kinds of images it may be wrong, and so
may promises that rest on it. `labelled` rows have a weight of 0.3 in the fit, since a fifth of
them is disputable.
"""


Card = dict[str, Any]
"""Content of a card, as read from JSON."""


def print_card(model: Model) -> str:
    """Print the card of a model as Markdown with a YAML header."""
    card: Card = dict(model.card)
    scores = [
        (one["set"], print_interval(one), f"{one['precision']:.3f}", f"{one['recall']:.3f}")
        for one in card.get("scores", [])
    ]
    counts = [(name, f"{count:,}") for name, count in card.get("rows", {}).items()]
    return TEXT.format(
        header=yaml.safe_dump(_describe_header(card), sort_keys=False),
        trees=len(model.forest.roots),
        features=len(FEATURES),
        rows=print_table(("set", "rows"), counts),
        count=card.get("images", 0),
        labels=_print_labels(card),
        scores=print_table(("set", "F1", "precision", "recall"), scores),
        gain=_print_gain(card.get("gain")),
    )


def _describe_header(card: Card) -> Card:
    """Describe a model in the fields that Hugging Face reads."""
    results = [
        {
            "task": {"type": TASK},
            "dataset": {"name": one["set"], "type": "product-images"},
            "metrics": [{"type": "f1", "value": round(one["f1"], 4), "name": "exact match F1"}],
        }
        for one in card.get("scores", [])
    ]
    return {
        "library_name": "product-measurements",
        "pipeline_tag": TASK,
        "tags": ["tabular", "random-forest", "product-images"],
        "metrics": ["f1"],
        "model-index": [{"name": "product-measurements", "results": results}],
    }


def _print_labels(card: Card) -> str:
    """Print who labelled the user's rows and when, `""` for a model without such rows."""
    if "labelled_by" not in card:
        return ""
    first, last = card["labelled_at"]
    people = ", ".join(card["labelled_by"])
    return f" The `user` rows are by {people}, from {first} to {last}; fitted {card['made_at']}."


def _print_gain(gain: Card | None) -> str:
    """Print what the user's rows add on themselves, `""` for a model without such rows."""
    if not gain:
        return ""
    return (
        f"\n\nOn the {gain['rows']:,} `user` rows, by models that have not seen their images and "
        f"groups: F1 {gain['f1_before']:.3f} with the other rows alone, {gain['f1_after']:.3f} "
        f"with all; difference {gain['value']:+.3f} ({gain['level']:.0%} interval "
        f"{gain['low']:+.3f} to {gain['high']:+.3f}). Brier score of the confidence: "
        f"{gain['brier_before']:.3f}, {gain['brier_after']:.3f}."
    )


def print_interval(scores: Mapping[str, float]) -> str:
    """Print an F1 with its interval.

    >>> print_interval({"f1": 0.9, "low": 0.85, "high": 0.9412})
    '0.900 (0.850 to 0.941)'
    """
    return str(Interval(scores["f1"], scores["low"], scores["high"]))


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Print a table in Markdown.

    >>> print(print_table(("set", "rows"), [("dev", "495")]))
    | set | rows |
    | --- | --- |
    | dev | 495 |
    """
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
