"""Represent questions and the ranker that estimates how likely each candidate is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np
import numpy.typing as npt
import skops.io
from sklearn.calibration import CalibratedClassifierCV

from lib.evaluation import normalise_answer
from lib.extraction.candidates import ENTITY_KIND, Candidate, is_same
from lib.extraction.ranking.features import describe_candidates, list_features
from lib.extraction.scan import Scan
from lib.extraction.scoring import score_candidates
from lib.io import PROJECT
from lib.parallel import InternalError

DEFAULT: Path = PROJECT / "lib/models/ranker.skops"
TRUSTED: tuple[str, ...] = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.tree._tree.Tree",
)
"""Types of scikit-learn that skops does not trust by default. A forged tree cannot run code but
could crash the process: read only the project's rankers or your own."""


@dataclass(frozen=True)
class Question:
    """A sample with its candidates.

    Attributes:
        scan: The scanned page, None if there is no image.
        entity: What is asked for.
        candidates: In reading order; there may be none.
        features: (N, F), from `features.describe_candidates`.
        truths: Normalised right answers; empty if the image does not show the value.
        error: Unexpected error while gathering the candidates, else None.
    """

    scan: Scan | None = field(repr=False)
    entity: str
    candidates: tuple[Candidate, ...]
    features: npt.NDArray[np.float64] = field(repr=False)
    truths: frozenset[str] = frozenset()
    error: InternalError | None = None

    @property
    def kind(self) -> str:
        """Return the model that answers it: `lengths` or `labels`."""
        return find_kind(self.entity)

    @property
    def right(self) -> npt.NDArray[np.bool]:
        """Mark the candidates that print a right answer or the same measure; (N,) bool."""
        hits = [c for c in self.candidates if normalise_answer(str(c.quantity)) in self.truths]
        return np.array(
            [any(is_same(c.placed.base, hit.placed.base) for hit in hits) for c in self.candidates],
            dtype=bool,
        )


@dataclass(frozen=True)
class Ranker:
    """Two fitted forests and the thresholds above which they answer.

    Attributes:
        models: `lengths` and `labels` -> calibrated classifier; one may be missing.
        thresholds: Entity -> lowest probability of an answer.
    """

    models: dict[str, CalibratedClassifierCV]
    thresholds: dict[str, float]

    def estimate(self, questions: Sequence[Question]) -> list[npt.NDArray[np.float64]]:
        """Estimate the probability of each candidate of each question, in one batch.

        Returns:
            For each question (N,) in 0-1, with N its number of candidates.
        """
        found = [np.zeros(len(question.candidates)) for question in questions]
        for kind, model in self.models.items():
            rows = [i for i, q in enumerate(questions) if q.kind == kind and q.candidates]
            if not rows:
                continue
            features = np.concatenate([questions[i].features for i in rows])
            ends = np.cumsum([len(questions[i].candidates) for i in rows])[:-1]
            for i, part in zip(
                rows, np.split(model.predict_proba(features)[:, 1], ends), strict=True
            ):
                found[i] = part
        return found


def find_kind(entity: str) -> str:
    """Name the model of an entity.

    >>> find_kind("depth"), find_kind("voltage")
    ('lengths', 'labels')
    """
    return "lengths" if ENTITY_KIND[entity] == "length" else "labels"


def make_question(scan: Scan | None, entity: str, truths: Iterable[str] = ()) -> Question:
    """Gather the candidates of one question.

    Args:
        scan: The scanned page, None if there is no image.
        entity: What is asked for.
        truths: All right answers in the official form.
    """
    right = frozenset(normalise_answer(truth) for truth in truths) - {""}
    candidates = score_candidates(scan, entity).candidates if scan else ()
    if scan is None or not candidates:
        return Question(scan, entity, (), np.empty((0, len(list_features(entity)))), right)
    return Question(scan, entity, candidates, describe_candidates(scan, entity), right)


def write_ranker(ranker: Ranker, path: Path) -> None:
    """Write a ranker in the skops format, which, unlike a pickle, runs no code when read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"models": ranker.models, "thresholds": ranker.thresholds}
    skops.io.dump(content, path, compression=ZIP_DEFLATED, compresslevel=9)


def read_ranker(path: Path = DEFAULT) -> Ranker:
    """Read a ranker that `write_ranker` wrote; by default the one shipped with the project.

    Raises:
        FileNotFoundError: There is no such file.
        UntrustedTypesFoundException: The file contains types that are not trusted.
    """
    content = skops.io.load(path, trusted=list(TRUSTED))
    return Ranker(content["models"], content["thresholds"])
