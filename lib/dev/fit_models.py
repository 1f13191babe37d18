"""Fit the models that come with the project on labelled images; score them on hold-out images."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from lib.dev.challenge_photos import LabelledImages, read_labelled_images
from lib.evaluation import name_outcomes, normalise_answer, score_by, score_samples
from lib.extraction import NO_LINE_SEGMENTS, Scan, choose_by_rules, scan_page
from lib.extraction.ranking import (
    DEFAULT,
    Question,
    Ranker,
    drop_line_segments,
    fit_ranker,
    make_question,
    rank_questions,
    split_folds,
    write_ranker,
)
from lib.features import SHAPE_WEIGHTS, Roundness
from lib.io import PHOTOS, PROJECT, open_cache

MODELS: Path = PROJECT / "lib/models"
FOLDS: int = 5
STRENGTH: float = 0.003
"""Inverse strength of the L2 penalty: 1,280 features are fitted on some 850 images."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the methods on hold-out images, then fit on all images and store the models."""
    options = _parse(arguments)
    if not (PHOTOS / "dev.csv").is_file():
        print(
            f"The labelled images are not at {PHOTOS}; see lib/models/README.md.", file=sys.stderr
        )
        return 2
    labelled = read_labelled_images(open_cache(PROJECT / "data"))
    tables = [score_methods(labelled, seed) for seed in range(options.seeds)]
    print("\n\n".join(table.to_string(index=False) for table in tables))
    print(f"\nRoundness, ROC AUC on hold-out images: {score_shape(labelled):.3f}")
    if not options.dry_run:
        write_models(labelled, tables[0])
        print(f"Stored in {MODELS.relative_to(PROJECT)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib.dev.fit_models", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="score only, store nothing")
    parser.add_argument("--seeds", type=int, default=1, help="number of splits into folds")
    return parser.parse_args(arguments)


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


def scan_images(
    labelled: LabelledImages, names: Iterable[str], roundness: Roundness
) -> dict[str, Scan]:
    """Scan the pages, by file name, with the roundness that this model estimates."""
    names = [name for name in names if name in labelled.pages and name in labelled.shapes]
    values = roundness.estimate(np.array([labelled.shapes[name] for name in names]))
    return {
        name: scan_page(
            labelled.pages[name], labelled.segments.get(name, NO_LINE_SEGMENTS), float(value)
        )
        for name, value in zip(names, values, strict=True)
    }


def make_questions(labelled: LabelledImages, scans: Mapping[str, Scan]) -> list[Question]:
    """Collect all questions."""
    return [
        make_question(scans.get(row.image_file), row.entity_name, row.truths)
        for row in labelled.samples.itertuples()
    ]


def score_methods(labelled: LabelledImages, seed: int) -> pd.DataFrame:
    """Score rules, ranker and ablations in cross-validation by image and group.

    Returns:
        One row per method, then one row per entity for rules and ranker: F1 with its 95 %
        bootstrap interval (resampling images), precision, recall, counts.
    """
    clusters = labelled.samples["cluster"].to_numpy()
    scans = scan_unseen(labelled, seed)
    views = {
        "": scans,
        " without shape": {name: replace(scan, roundness=math.nan) for name, scan in scans.items()},
        " without line segments": {name: drop_line_segments(scan) for name, scan in scans.items()},
    }
    answers = {}
    for view, pages in views.items():
        questions = make_questions(labelled, pages)
        answers[f"rules{view}"] = [choose_by_rules(q.scan, q.entity).prediction for q in questions]
        answers[f"ranker{view}"] = cross_answer(questions, clusters, seed)
    return tabulate(labelled.samples, answers)


def cross_answer(questions: Sequence[Question], clusters: np.ndarray, seed: int) -> list[str]:
    """Answer each question by a ranker whose fit and thresholds come from other clusters."""
    answers = [""] * len(questions)
    for rows, others in split_folds(clusters, FOLDS, seed):
        ranker = fit_ranker([questions[i] for i in others], clusters[others], seed)
        for i, choice in zip(
            rows, rank_questions([questions[i] for i in rows], ranker), strict=True
        ):
            answers[i] = choice.prediction
    return answers


def tabulate(samples: pd.DataFrame, answers: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Score answers: one row per method, then one per entity for rules and ranker."""
    frames = {name: frame_outcomes(samples, found) for name, found in answers.items()}
    rows = [
        {"method": name, **score_samples(frame["outcome"], frame["image"])}
        for name, frame in frames.items()
    ]
    tables = [pd.DataFrame(rows)]
    for name in ("rules", "ranker"):
        by_entity = score_by(frames[name], "entity").rename(columns={"entity": "method"})
        tables.append(by_entity.assign(method=f"{name}: " + by_entity["method"]))
    return pd.concat(tables, ignore_index=True).round(4)


def frame_outcomes(samples: pd.DataFrame, answers: Sequence[str]) -> pd.DataFrame:
    """Return the outcome of each answer; any accepted answer counts as the truth."""
    truths = [
        said if normalise_answer(said) in set(map(normalise_answer, right)) else truth
        for said, truth, right in zip(answers, samples["answer"], samples["truths"], strict=True)
    ]
    outcomes = name_outcomes(pd.Series(truths), pd.Series(answers))
    return pd.DataFrame(
        {
            "outcome": outcomes,
            "image": samples["image_file"].to_numpy(),
            "entity": samples["entity_name"].to_numpy(),
        }
    )


def write_models(labelled: LabelledImages, scores: pd.DataFrame) -> None:
    """Fit on all images and store the models with their hold-out scores."""
    roundness = fit_shape(labelled, labelled.tags.index)
    write_roundness(roundness, MODELS / "roundness.json")
    # Cross-fitting: the ranker is trained on roundness estimated for unseen images.
    scans = scan_unseen(labelled)
    ranker: Ranker = fit_ranker(
        make_questions(labelled, scans), labelled.samples["cluster"].to_numpy()
    )
    write_ranker(ranker, DEFAULT)
    scores.assign(fitted=f"{datetime.now(UTC):%Y-%m-%d}").to_csv(MODELS / "scores.csv", index=False)


def scan_unseen(labelled: LabelledImages, seed: int = 0) -> dict[str, Scan]:
    """Scan all pages with the roundness from a model fitted on other clusters."""
    files = labelled.samples.drop_duplicates("image_file")
    names, clusters = files["image_file"].to_numpy(), files["cluster"].to_numpy()
    scans: dict[str, Scan] = {}
    for rows, _ in split_folds(clusters, FOLDS, seed):
        seen = labelled.clusters[~labelled.clusters.isin(clusters[rows])].index
        scans |= scan_images(labelled, names[rows], fit_shape(labelled, seen))
    return scans


def score_shape(labelled: LabelledImages, seed: int = 0) -> float:
    """Return the ROC AUC of the roundness model on tagged images of unseen clusters."""
    names, clusters = labelled.tags.index.to_numpy(), labelled.clusters.to_numpy()
    values = np.zeros(len(names))
    for rows, others in split_folds(clusters, FOLDS, seed):
        fitted = fit_shape(labelled, names[others])
        values[rows] = fitted.estimate(np.array([labelled.shapes[name] for name in names[rows]]))
    return float(roc_auc_score(labelled.tags, values))


if __name__ == "__main__":
    sys.exit(main())
