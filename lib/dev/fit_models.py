"""Fit the models that come with the project on labelled images; score them on hold-out images."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from lib.dev.challenge_photos import TABLES, LabelledImages, read_labelled_images
from lib.evaluation import RIGHT, find_threshold
from lib.extraction import NO_LINE_SEGMENTS, Scan, scan_page
from lib.extraction.learned import (
    SHIPPED,
    SHIPPED_ROWS,
    STUDY,
    TRUSTED,
    LabelledRows,
    count_labels,
    cross_answer,
    deal_folds,
    describe_scores,
    fit_model,
    make_question,
    make_rows,
    print_card,
    read_rows,
    score_sets,
    study_model,
    tabulate_outcomes,
    take_given,
    write_model,
    write_rows,
)
from lib.features import SHAPE_WEIGHTS, Roundness
from lib.io import PROJECT, open_cache

MODELS: Path = PROJECT / "lib/models"
FOLDS: int = 5
STRENGTH: float = 0.003
"""Inverse strength of the L2 penalty: 1,280 features are fitted on some 850 images."""
TARGET: float = 0.95  # of the promise that is scored
DECIMALS: int = 6  # of a score; what is printed is rounded once more


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the methods in cross-validation, then fit on all labels and store the models."""
    options = _parse(arguments)
    rows = read_photos(options.dry_run) if TABLES["dev"].is_file() else read_rows(SHIPPED_ROWS)
    if not TABLES["dev"].is_file():
        print("The labelled images are not here (see lib/models/README.md): their rows are used.")
    tables = [score_methods(rows, seed) for seed in range(options.seeds)]
    print("\n\n".join(table.round(4).to_string(index=False) for table in tables))
    studied = dict(zip(STUDY, study_model(rows), strict=True)) if options.study else {}
    print("\n\n".join(table.to_string(index=False) for table in studied.values()))
    if not options.dry_run:
        scores = describe_scores(tables[0], studied.get("ablation"))
        model = fit_model(rows, card={**count_labels(rows), **scores})
        write_model(model, SHIPPED)
        SHIPPED.with_suffix(".md").write_text(print_card(model), encoding="utf-8")
        for name, table in {"scores": tables[0], **studied}.items():
            table.round(4).to_csv(MODELS / f"{name}.csv", index=False)
        print(f"Stored in {MODELS.relative_to(PROJECT)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib.dev.fit_models", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="score only, store nothing")
    parser.add_argument("--seeds", type=int, default=1, help="number of splits into folds")
    parser.add_argument("--study", action="store_true", help="learning curve and ablation, too")
    return parser.parse_args(arguments)


def read_photos(dry_run: bool) -> LabelledRows:
    """Turn the labelled images into numbers; store them, and the roundness model."""
    labelled = read_labelled_images(open_cache(PROJECT / "data"))
    print(f"Roundness, ROC AUC on hold-out images: {score_shape(labelled):.3f}\n")
    rows = label_images(labelled)
    if not dry_run:
        write_rows(rows, SHIPPED_ROWS)
        roundness = fit_shape(labelled, list(labelled.tags.index))
        write_roundness(roundness, MODELS / "roundness.json")
    return rows


def fit_shape(labelled: LabelledImages, names: Sequence[str]) -> Roundness:
    """Fit the roundness model on some of the tagged images."""
    vectors = np.array([labelled.shapes[name] for name in names])
    return fit_roundness(vectors, labelled.tags[names].to_numpy(), SHAPE_WEIGHTS.stem)


def fit_roundness(
    vectors: npt.NDArray[np.floating], tags: npt.NDArray[np.integer], network: str
) -> Roundness:
    """Fit the logistic regression.

    Args:
        vectors: (N, 1280).
        tags: (N,) 1 where the object is round, else 0.
        network: Key of the network that computed the vectors.
    """
    scaler = StandardScaler().fit(vectors)
    model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(scaler.transform(vectors), tags)
    weights = model.coef_[0] / scaler.scale_
    return Roundness(weights, float(model.intercept_[0] - weights @ scaler.mean_), network)


def write_roundness(roundness: Roundness, path: Path) -> None:
    """Write the regression as plain JSON."""
    weights = [float(f"{weight:.6g}") for weight in roundness.weights]
    content = {"network": roundness.network, "offset": roundness.offset, "weights": weights}
    path.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")


def label_images(labelled: LabelledImages) -> LabelledRows:
    """Turn the questions about readable images into numbers, with cross-fitted roundness."""
    scans = scan_unseen(labelled)
    samples = labelled.samples[labelled.samples["sha256"].isin(scans)]
    samples = samples.sort_values("sha256", kind="stable")
    questions = [
        make_question(scans[row.sha256], row.entity_name, row.sha256, row.group_id)
        for row in samples.itertuples()
    ]
    return make_rows(questions, samples["truths"].tolist(), samples["source"].tolist())


def scan_unseen(labelled: LabelledImages, seed: int = 0) -> dict[str, Scan]:
    """Scan all pages with the roundness from a model fitted on other clusters."""
    clusters = labelled.clusters
    tagged = labelled.tags.index
    folds = pd.Series(deal_folds(clusters.to_numpy(), FOLDS, seed), clusters.index)
    scans: dict[str, Scan] = {}
    for fold in range(FOLDS):
        roundness = fit_shape(labelled, [name for name in tagged if folds[name] != fold])
        scans |= scan_images(labelled, folds.index[folds == fold], roundness)
    return scans


def scan_images(
    labelled: LabelledImages, names: Sequence[str], roundness: Roundness
) -> dict[str, Scan]:
    """Scan the pages of images with the roundness that this model estimates."""
    names = [name for name in names if name in labelled.pages and name in labelled.shapes]
    values = roundness.estimate(np.array([labelled.shapes[name] for name in names]))
    return {
        name: scan_page(
            labelled.pages[name], labelled.segments.get(name, NO_LINE_SEGMENTS), float(value)
        )
        for name, value in zip(names, values, strict=True)
    }


def score_shape(labelled: LabelledImages, seed: int = 0) -> float:
    """Return the ROC AUC of the roundness model on tagged images of unseen clusters."""
    names = labelled.tags.index.to_numpy()
    folds = deal_folds(labelled.clusters[names].to_numpy(), FOLDS, seed)
    values = np.zeros(len(names))
    for fold in range(FOLDS):
        fitted = fit_shape(labelled, names[folds != fold])
        vectors = np.array([labelled.shapes[name] for name in names[folds == fold]])
        values[folds == fold] = fitted.estimate(vectors)
    return float(roc_auc_score(labelled.tags, values))


def score_methods(rows: LabelledRows, seed: int = 0) -> pd.DataFrame:
    """Score rules and model on each set of labels, every row by a model that has not seen it.

    Returns:
        As `score_sets`, with `kept`: the share of the answers that a promise of `TARGET` keeps.
    """
    answers = cross_answer(rows, seed)
    scores = score_sets(rows, answers, seed)
    for name, own in answers.items():
        table = take_given(tabulate_outcomes(rows, own).assign(cluster=rows.clusters))
        is_kept = table["probability"] >= promise(table)
        known = (scores["method"] == name) & scores["entity"].isna()
        kept = is_kept.groupby(table["set"]).mean().round(DECIMALS)
        scores.loc[known, "kept"] = scores.loc[known, "set"].map(kept)
    return scores


def promise(given: pd.DataFrame) -> float:
    """Return the confidence above which `TARGET` of the answers of trusted labels are right."""
    own = given[given["set"].isin(TRUSTED)]
    found = find_threshold(own["probability"], own["outcome"] == RIGHT, own["cluster"], TARGET)
    print(found)
    return found.limit


if __name__ == "__main__":
    sys.exit(main())
