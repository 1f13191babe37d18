"""The models that come with the project: fitted again on real photos, and judged on unseen ones."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lib.dev.challenge_photos import Photos, read_photos
from lib.evaluation import name_outcomes, normalise_answer, score_by, score_samples
from lib.extraction import NO_LINE_SEGMENTS, Scan, choose_by_rules, scan_page
from lib.extraction.ranking import (
    DEFAULT,
    Question,
    Ranker,
    ask,
    deal,
    drop_line_segments,
    fit_ranker,
    rank_questions,
    write_ranker,
)
from lib.features import SHAPE_WEIGHTS, Roundness, fit_roundness, write_roundness
from lib.io import PHOTOS, PROJECT, open_cache

MODELS: Path = PROJECT / "lib/models"
FOLDS: int = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the methods on hold-out photos, then fit on all photos and store the models."""
    options = _parse(arguments)
    if not PHOTOS.is_dir():
        print(
            f"The labelled photos are not at {PHOTOS}; see lib/models/README.md.", file=sys.stderr
        )
        return 2
    photos = read_photos(open_cache(PROJECT / "data"))
    tables = [judge(photos, seed) for seed in range(options.seeds)]
    print("\n\n".join(table.to_string(index=False) for table in tables))
    print(f"\nRoundness, ROC AUC on unseen pictures: {judge_shape(photos):.3f}")
    if not options.dry_run:
        write_models(photos, tables[0])
        print(f"Stored in {MODELS.relative_to(PROJECT)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lib.dev.fit_models", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="judge only, store nothing")
    parser.add_argument("--seeds", type=int, default=1, help="ways to deal the folds")
    return parser.parse_args(arguments)


def fit_shape(photos: Photos, names: Sequence[str]) -> Roundness:
    """Fit the roundness model on some of the tagged images."""
    vectors = np.array([photos.shapes[name] for name in names])
    return fit_roundness(vectors, photos.tags[names].to_numpy(), SHAPE_WEIGHTS.stem)


def scan_photos(photos: Photos, asked: Iterable[str], roundness: Roundness) -> dict[str, Scan]:
    """Scan the pages, by file name, with the roundness that this model estimates."""
    names = [name for name in asked if name in photos.pages and name in photos.shapes]
    values = roundness.estimate(np.array([photos.shapes[name] for name in names]))
    return {
        name: scan_page(
            photos.pages[name], photos.segments.get(name, NO_LINE_SEGMENTS), float(value)
        )
        for name, value in zip(names, values, strict=True)
    }


def gather(photos: Photos, scans: Mapping[str, Scan]) -> list[Question]:
    """Collect all questions."""
    return [
        ask(scans.get(row.image_file), row.entity_name, row.truths)
        for row in photos.samples.itertuples()
    ]


def judge(photos: Photos, seed: int) -> pd.DataFrame:
    """Score rules, ranker and ablations in cross-validation by image and group.

    Returns:
        One row per method, then one row per entity for rules and ranker: F1 with its 95 %
        bootstrap interval (resampling images), precision, recall, counts.
    """
    clusters = photos.samples["cluster"].to_numpy()
    scans = scan_unseen(photos, seed)
    views = {
        "": scans,
        " without shape": {name: replace(scan, roundness=math.nan) for name, scan in scans.items()},
        " without line segments": {name: drop_line_segments(scan) for name, scan in scans.items()},
    }
    answers = {}
    for view, pages in views.items():
        questions = gather(photos, pages)
        answers[f"rules{view}"] = [choose_by_rules(q.scan, q.entity).prediction for q in questions]
        answers[f"ranker{view}"] = cross_answer(questions, clusters, seed)
    return tabulate(photos.samples, answers)


def cross_answer(questions: Sequence[Question], clusters: np.ndarray, seed: int) -> list[str]:
    """Answer each question by a ranker whose fit and thresholds come from other clusters."""
    answers = [""] * len(questions)
    for rows, others in deal(clusters, FOLDS, seed):
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


def write_models(photos: Photos, scores: pd.DataFrame) -> None:
    """Fit on all photos and store the models with their hold-out scores."""
    roundness = fit_shape(photos, photos.tags.index)
    write_roundness(roundness, MODELS / "roundness.json")
    # Cross-fitting: the ranker is trained on roundness estimated for unseen images.
    scans = scan_unseen(photos)
    ranker: Ranker = fit_ranker(gather(photos, scans), photos.samples["cluster"].to_numpy())
    write_ranker(ranker, DEFAULT)
    scores.assign(fitted=f"{datetime.now(UTC):%Y-%m-%d}").to_csv(MODELS / "scores.csv", index=False)


def scan_unseen(photos: Photos, seed: int = 0) -> dict[str, Scan]:
    """Scan all pages with the roundness from a model fitted on other clusters."""
    files = photos.samples.drop_duplicates("image_file")
    names, clusters = files["image_file"].to_numpy(), files["cluster"].to_numpy()
    scans: dict[str, Scan] = {}
    for rows, _ in deal(clusters, FOLDS, seed):
        seen = photos.clusters[~photos.clusters.isin(clusters[rows])].index
        scans |= scan_photos(photos, names[rows], fit_shape(photos, seen))
    return scans


def judge_shape(photos: Photos, seed: int = 0) -> float:
    """Return the ROC AUC of the roundness model on tagged images of unseen clusters."""
    names, clusters = photos.tags.index.to_numpy(), photos.clusters.to_numpy()
    values = np.zeros(len(names))
    for rows, others in deal(clusters, FOLDS, seed):
        fitted = fit_shape(photos, names[others])
        values[rows] = fitted.estimate(np.array([photos.shapes[name] for name in names[rows]]))
    return float(roc_auc_score(photos.tags, values))


if __name__ == "__main__":
    sys.exit(main())
