"""Simulate a user who labels rows: which rows teach most, and how soon a shop's habits do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from lib.evaluation import compare_all, score_samples
from lib.extraction.learned import (
    NOTHING,
    SHIPPED_ROWS,
    SOURCES,
    Answers,
    LabelledRows,
    Model,
    answer_unseen,
    choose_spread,
    fit_model,
    join_rows,
    read_rows,
    score_confidence,
    tabulate_outcomes,
)
from lib.quantities import ENTITIES

LABELS: int = 100  # rows that the simulated user labels
SHOP_REPEATS: int = 2  # random halves of each shop
PLANTED: str = "the same, width and depth swapped"
LARGEST: int = 6  # groups of `statements` whose habits are learned
LENGTHS: tuple[str, ...] = ("width", "depth", "height")
FAR: float = 5.0  # standard deviations; features beyond do not count more

BRIER: list[str] = ["brier_before", "brier_after"]

Rows = npt.NDArray[np.intp]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what labels teach by each way to choose them, and what single shops' labels do."""
    parser = argparse.ArgumentParser(prog="python -m lib.dev.simulate_labels", description=__doc__)
    parser.add_argument("--repeats", type=int, default=10, help="random halves of the groups")
    repeats = parser.parse_args(arguments).repeats
    rows = read_rows(SHIPPED_ROWS)
    print(f"F1 on one half of the groups of statements, {LABELS} rows of the other half labelled;")
    print("difference to rows at random, 95 % interval (resampling groups):")
    print(compare_ways(rows, repeats).round(4).to_string(index=False))
    print("\nF1 on one half of a shop's images, the other half labelled; difference to no labels,")
    print("95 % interval (resampling images):")
    print(compare_shops(rows, SHOP_REPEATS).round(4).to_string(index=False))
    return 0


def compare_ways(rows: LabelledRows, repeats: int) -> pd.DataFrame:
    """Compare ways to choose rows of `statements` to label, beside all rows of the other sets.

    Returns:
        As `tabulate_gains`, against a choice at random.
    """
    is_asked = rows.source == list(SOURCES).index("statements")
    asked, start = rows.select(np.flatnonzero(is_asked)), rows.select(np.flatnonzero(~is_asked))
    base = fit_model(start)
    known = take_best(start, ask_model(start, base))
    parts = []
    for seed in range(repeats):
        for own, others in split_halves(asked.group, seed):
            pool, judged = asked.select(own), asked.select(others)
            ways = choose_ways(pool, ask_model(pool, base), known, seed)
            models = {"no labels": base} | {
                name: fit_model(join_rows(pool.select(np.sort(chosen)), start), seed)
                for name, chosen in ways.items()
            }
            tables = {name: ask_model(judged, model) for name, model in models.items()}
            parts.append(tabulate_all(judged, tables).assign(cluster=judged.group))
    return tabulate_gains(pd.concat(parts, ignore_index=True), "at random")


def ask_model(rows: LabelledRows, model: Model) -> Answers:
    """Answer labelled rows that a model has not seen by what it has learned."""
    return answer_unseen(rows, model)["learned"]


def split_halves(groups: npt.NDArray[np.uint64], seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield the rows of a random half of the groups and those of the others, both ways."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    is_first = np.isin(groups, names[: len(names) // 2])
    for half in (is_first, ~is_first):
        yield np.flatnonzero(half), np.flatnonzero(~half)


def choose_ways(
    pool: LabelledRows, answers: Answers, known: npt.NDArray[np.float32], seed: int
) -> dict[str, Rows]:
    """Choose the rows to label in each way."""
    asked, groups = answers.chosen != NOTHING, pd.Series(pool.group)
    chance = np.random.default_rng(seed).random(len(pool))
    unsure = answers.right * (1 - answers.right) * asked
    unlike = np.zeros(len(pool))
    unlike[asked] = measure_distance(take_best(pool, answers), known)
    both = (rankdata(unsure) + rankdata(unlike)) * asked
    return {
        "at random": chance.argsort()[:LABELS],
        "at random, with a candidate": (-chance * asked).argsort()[:LABELS],
        "unsure": (-unsure).argsort(kind="stable")[:LABELS],
        "unsure, one a group": choose_spread(unsure, groups, LABELS),
        "unlike, one a group": choose_spread(unlike, groups, LABELS),
        "unsure and unlike, one a group": choose_spread(both, groups, LABELS),
        "all rows": np.arange(len(pool)),
    }


def take_best(rows: LabelledRows, answers: Answers) -> npt.NDArray[np.float32]:
    """Return the features of the best candidate of each question that has one."""
    asked = answers.chosen != NOTHING
    return rows.features[rows.starts[:-1][asked] + answers.chosen[asked]]


def measure_distance(
    features: npt.NDArray[np.float32], known: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Measure how far candidates are from the nearest known one, in standard deviations."""
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-3
    scaled = [np.clip((part - mean) / spread, -FAR, FAR) for part in (features, known)]
    nearest: npt.NDArray[np.float64] = cdist(*scaled).min(axis=1)
    return nearest


def compare_shops(rows: LabelledRows, repeats: int) -> pd.DataFrame:
    """Compare models with and without the labels of one half of a shop's images or groups.

    Returns:
        As `tabulate_gains`, of each shop and of all real ones; and the Brier score of the
        confidence without and with the labels.
    """
    outcomes, errors = [], []
    for name, own, rest, keys in list_shops(rows):
        base = fit_model(rest)
        for seed in range(repeats):
            for half, others in split_halves(keys, seed):
                judged = own.select(others)
                models = {"before": base, "after": fit_model(join_rows(own.select(half), rest))}
                answers = {one: ask_model(judged, model) for one, model in models.items()}
                outcomes.append(
                    tabulate_all(judged, answers).assign(cluster=judged.image, shop=name)
                )
                scores = [score_confidence(judged, one) for one in answers.values()]
                errors.append((name, *scores))
    table, scored = pd.concat(outcomes), pd.DataFrame(errors, columns=["shop", *BRIER])
    real, known = table[table["shop"] != PLANTED], scored[scored["shop"] != PLANTED]
    shops = [*table.groupby("shop", sort=False), ("all real ones", real)]
    gains = [
        tabulate_gains(own.drop(columns="shop").reset_index(drop=True), "before").assign(shop=name)
        for name, own in shops
    ]
    means = (
        pd.concat([scored, known.assign(shop="all real ones")]).groupby("shop").mean().reset_index()
    )
    return pd.concat(gains).merge(means, on="shop")


def list_shops(
    rows: LabelledRows,
) -> Iterator[tuple[str, LabelledRows, LabelledRows, npt.NDArray[np.uint64]]]:
    """Yield the name of each shop, its rows, all others, and the groups or images to halve it by.

    Shops are the furniture drawings, the same with a planted habit, and the largest groups.
    """
    of_source = np.array(list(SOURCES))[rows.source]
    lengths = np.isin(np.array(ENTITIES)[rows.entity], LENGTHS)
    drawings, rest = split_shop(rows, (of_source == "other") & lengths)
    yield "furniture drawings", drawings, rest, drawings.group
    yield PLANTED, swap_lengths(drawings), rest, drawings.group
    groups = pd.Series(rows.group[of_source == "statements"]).value_counts().head(LARGEST)
    for group in groups.index:
        own, rest = split_shop(rows, rows.group == group)
        yield f"a group of {len(np.unique(own.image))} images", own, rest, own.image


def split_shop(
    rows: LabelledRows, is_own: npt.NDArray[np.bool]
) -> tuple[LabelledRows, LabelledRows]:
    """Split rows into those of a shop, as the user's, and all others."""
    own, rest = (rows.select(np.flatnonzero(part)) for part in (is_own, ~is_own))
    return replace(own, source=np.zeros(len(own), np.int8)), rest


def swap_lengths(rows: LabelledRows) -> LabelledRows:
    """Swap the labels of width and depth, as a shop would that means the other by each."""
    places = {key: i for i, key in enumerate(zip(rows.image, rows.entity, strict=True))}
    width, depth = (ENTITIES.index(name) for name in ("width", "depth"))
    other = {width: depth, depth: width}
    order = [places.get((im, other.get(e, e)), i) for i, (im, e) in enumerate(places)]
    starts, right = rows.starts, rows.right.copy()
    for i, j in enumerate(order):
        own, theirs = slice(*starts[i : i + 2]), slice(*starts[j : j + 2])
        right[own] = rows.right[theirs]  # all lengths of a page are candidates of both
    return replace(rows, right=right, stated=rows.stated[order], required=rows.required[order])


def tabulate_all(rows: LabelledRows, answers: dict[str, Answers]) -> pd.DataFrame:
    """Tabulate the outcome of each row by each method, one column a method."""
    return pd.DataFrame(
        {name: tabulate_outcomes(rows, a)["outcome"] for name, a in answers.items()}
    )


def tabulate_gains(outcomes: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Tabulate F1 of each method and its difference to one of them.

    Args:
        outcomes: One column a method, and `cluster`, which is resampled.
        reference: The method to compare with.
    """
    clusters, named = outcomes["cluster"], outcomes.drop(columns="cluster")
    table = []
    for name in named:
        row = {"labelled": name, "f1": score_samples(named[name], clusters)["f1"]}
        if name != reference:
            gap = compare_all(named[[reference, name]], str(name), clusters).iloc[0]
            row |= {one: gap[one] for one in ("difference", "low", "high")}
        table.append(row)
    return pd.DataFrame(table)


if __name__ == "__main__":
    sys.exit(main())
