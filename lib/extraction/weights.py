"""Define the numbers of the rules: thresholds, plausible ranges, keyword weights."""

from __future__ import annotations

from lib.quantities import ENTITIES

# Score below which the rules give no answer, chosen on labelled images.
LEAST: dict[str, float] = dict.fromkeys(ENTITIES, -1.0) | {"depth": 1.5, "item_weight": 1.0}

# Roundness from which a product is taken to be as deep as wide. Answers that are right more often
# than half the F1 raise it (Lipton et al., "Optimal thresholding of classifiers to maximize F1
# measure", 2014): 0.45 at an F1 of 0.9; the estimates are somewhat low.
ROUND: float = 0.35

# Entity -> least and greatest plausible value in metre, gram, volt, watt or litre: about the 0.5 %
# and 98 % quantiles of the challenge's train labels, which contain errors themselves.
PLAUSIBLE: dict[str, tuple[float, float]] = {
    "width": (0.003, 3.0),
    "height": (0.003, 3.0),
    "depth": (0.0003, 4.0),
    "item_weight": (0.001, 500_000.0),
    "maximum_weight_recommendation": (50.0, 50_000_000.0),
    "voltage": (0.5, 1_000.0),
    "wattage": (0.05, 10_000.0),
    "item_volume": (0.0005, 1_000.0),
}

# Position of a keyword relative to the quantity -> its points.
KEYWORD_POINTS: dict[str, float] = {
    "line": 3.0,
    "after": 2.0,
    "beside": 2.0,
    "above": 2.0,
    "below": 0.5,
}
