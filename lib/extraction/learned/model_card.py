"""Print a model's card in the form of Hugging Face's model cards."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from lib.extraction.learned.features import FEATURES
from lib.extraction.learned.model import Model
from lib.extraction.learned.scores import MIN_COUNTED, MIN_WRONG
from lib.quantities import ENTITIES

METRICS: dict[str, tuple[str, str]] = {
    "f1": ("f1", "exact match F1"),
    "roc_area": ("roc_auc", "ROC area of the confidence among answers"),
}
"""Score in a card -> its type and name in the header."""
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

{scores}

The last column is the difference to the F1 of the fixed rules, paired by image; where its interval
contains 0, neither is shown to be better.

### Confidence

Of the answers given: the probability that a right one has a higher confidence than a wrong one
(ROC area), the precision of the surest 80 %, and the mean gap between confidence and share right
(expected calibration error). A dash stands where fewer than {wrong} answers are wrong.

{confidence}

### F1 by question

Only where at least {counted} answers were given or missed.

{entities}{ablation}{gain}

## Limitations

The confidence is calibrated on the rows above; on other kinds of images it may be wrong, and so
may promises that rest on it. `labelled` rows have a weight of 0.3 in the fit, since a fifth of
them is disputable.
"""

ABLATION: str = """

### Ablation

Each model was fitted without one family of features and scored, as the rules are, on the same
{samples:,} hold-out rows.

{table}"""
GAIN: str = """

### What the `user` rows add

On the {rows:,} `user` rows, by models that have not seen their images and groups: F1
{f1_before:.3f} with the other rows alone, {f1_after:.3f} with all; difference {value:+.3f}
({level:.0%} interval {low:+.3f} to {high:+.3f}). Brier score of the confidence, the lower the
better: {brier_before:.3f}, {brier_after:.3f}."""
DASH: str = "-"

Card = dict[str, Any]
"""Content of a card, as read from JSON."""


def print_card(model: Model) -> str:
    """Print the card of a model as Markdown with a YAML header."""
    card: Card = dict(model.card)
    scores = card.get("scores", [])
    return TEXT.format(
        header=yaml.safe_dump(_describe_header(card), sort_keys=False),
        trees=len(model.forest.roots),
        features=len(FEATURES),
        rows=_print_counts(card.get("rows", {})),
        count=card.get("images", 0),
        labels=_print_labels(card),
        scores=_print_scores(scores, card.get("gaps", [])),
        confidence=_print_confidence(scores),
        wrong=MIN_WRONG,
        counted=MIN_COUNTED,
        entities=_print_entities(card.get("entities", [])),
        ablation=_print_ablation(card.get("ablation", [])),
        gain=_print_gain(card),
    )


def _describe_header(card: Card) -> Card:
    """Describe a model in the fields that Hugging Face reads."""
    results = [
        {
            "task": {"type": TASK},
            "dataset": {"name": one["set"], "type": "product-images"},
            "metrics": [
                {"type": kind, "value": round(one[key], 4), "name": name}
                for key, (kind, name) in METRICS.items()
                if key in one
            ],
        }
        for one in card.get("scores", [])
    ]
    return {
        "library_name": "product-measurements",
        "pipeline_tag": TASK,
        "tags": ["tabular", "random-forest", "product-images"],
        "metrics": ["f1", "roc_auc"],
        "model-index": [{"name": "product-measurements", "results": results}],
    }


def _print_labels(card: Card) -> str:
    """Print who labelled the user's rows and when, `""` for a model without such rows."""
    if "labelled_by" not in card:
        return ""
    first, last = card["labelled_at"]
    people = ", ".join(card["labelled_by"])
    return f" The `user` rows are by {people}, from {first} to {last}; fitted {card['made_at']}."


def _print_counts(counts: Mapping[str, int]) -> str:
    """Print the number of rows of each set, the largest first."""
    largest = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return print_table(("set", "rows"), [(name, f"{count:,}") for name, count in largest])


def _print_scores(scores: Sequence[Card], gaps: Sequence[Card]) -> str:
    """Print how a model answers each set of labels, beside the rules."""
    of_set = {gap["set"]: gap for gap in gaps}
    rows = [
        (
            *(one["set"], print_interval(one, "f1")),
            *(f"{one[name]:.3f}" for name in ("precision", "recall")),
            print_interval(of_set.get(one["set"], {}), "f1", "+.3f"),
        )
        for one in scores
    ]
    return print_table(("set", "F1", "precision", "recall", "model - rules"), rows)


def _print_confidence(scores: Iterable[Card]) -> str:
    """Print how well the confidence ranks the answers to each set, and is calibrated."""
    names = ("roc_area", "surest_80", "calibration_error")
    rows = [(one["set"], *(print_interval(one, name) for name in names)) for one in scores]
    return print_table(("set", "ROC area", "surest 80 %", "calibration error"), rows)


def _print_entities(entities: Sequence[Card]) -> str:
    """Print F1 by question and set."""
    sets = list(dict.fromkeys(one["set"] for one in entities))
    known = {(one["entity"], one["set"]): print_interval(one, "f1") for one in entities}
    rows = [[entity, *(known.get((entity, one), DASH) for one in sets)] for entity in ENTITIES]
    return print_table(("question", *sets), rows)


def _print_ablation(rows: Sequence[Card]) -> str:
    """Print what models without one family of features score, `""` if none was fitted."""
    if not rows:
        return ""
    names = ("f1", "roc_area")
    cells = [(one["method"], *(print_interval(one, name) for name in names)) for one in rows]
    table = print_table(("features", "F1", "ROC area"), cells)
    return ABLATION.format(samples=rows[0]["samples"], table=table)


def _print_gain(card: Card) -> str:
    """Print what the user's rows add on themselves, `""` for a model without such rows."""
    if "gain" not in card:
        return ""
    names = ("entity", "rows", "f1_before", "f1_after", "gained", "lost")
    rows = [
        [f"{one[name]:.3f}" if name.startswith("f1") else str(one[name]) for name in names]
        for one in card.get("changes", [])
    ]
    heading = ("question", "rows", "F1 before", "F1 after", "gained", "lost")
    return f"{GAIN.format(**card['gain'])}\n\n{print_table(heading, rows)}"


def print_interval(scores: Mapping[str, float], name: str, form: str = ".3f") -> str:
    """Print a score with its interval, a dash if either is not known.

    >>> print_interval({"f1": 0.9, "low": 0.85, "high": 0.9412}, "f1")
    '0.900 (0.850 to 0.941)'
    >>> print_interval({"f1": 0.01, "low": -0.0001, "high": 0.02}, "f1", "+.3f")
    '+0.010 (+0.000 to +0.020)'
    >>> print_interval({"roc_area": 0.5}, "roc_area")
    '-'
    """
    ends = ("low", "high") if name == "f1" else (f"{name}_low", f"{name}_high")
    parts = [scores.get(one, math.nan) for one in (name, *ends)]
    value, low, high = (format(round(part, 3) + 0.0, form) for part in parts)  # no -0.000
    return DASH if any(map(math.isnan, parts)) else f"{value} ({low} to {high})"


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Print a table in Markdown.

    >>> print(print_table(("set", "rows"), [("dev", "495")]))
    | set | rows |
    | --- | --- |
    | dev | 495 |
    """
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
