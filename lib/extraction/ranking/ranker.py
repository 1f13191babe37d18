"""Questions with their candidates, and the ranker that says how sure each is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np
import skops.io
from sklearn.calibration import CalibratedClassifierCV

from lib.evaluation import normalise_answer
from lib.extraction.candidates import ENTITY_KIND, Candidate, is_same
from lib.extraction.ranking.features import describe_candidates, list_traits
from lib.extraction.scan import Scan
from lib.extraction.scoring import weigh_candidates
from lib.io import PROJECT
from lib.parallel import InternalError

DEFAULT: Path = PROJECT / "lib/models/ranker.skops"
TRUSTED: tuple[str, ...] = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.tree._tree.Tree",
)
"""Types of scikit-learn's own, beyond those that skops trusts unasked. A forged tree could crash
the process, though run no code: read rankers of the project's or of your own only."""


@dataclass(frozen=True)
class Question:
    """A sample with its candidates.

    Attributes:
        scan: The page, None where there is no picture.
        entity: What is asked for.
        candidates: In reading order; there may be none.
        traits: (N, F), as `traits.describe_candidates` gives them.
        truths: Normalised right answers; empty where the picture does not say.
        error: Met in gathering them, which nobody foresaw; None for none.
    """

    scan: Scan | None = field(repr=False)
    entity: str
    candidates: tuple[Candidate, ...]
    traits: np.ndarray = field(repr=False)
    truths: frozenset[str] = frozenset()
    error: InternalError | None = None

    @property
    def kind(self) -> str:
        """Which model it belongs to: `lengths` or `labels`."""
        return find_kind(self.entity)

    @property
    def right(self) -> np.ndarray:
        """Which candidates give a right answer, in any of its prints; (N,) bool."""
        hits = [c for c in self.candidates if normalise_answer(str(c.quantity)) in self.truths]
        return np.array(
            [
                any(is_same(c.reading.base, hit.reading.base) for hit in hits)
                for c in self.candidates
            ],
            dtype=bool,
        )


@dataclass(frozen=True)
class Ranker:
    """Two fitted forests and the probabilities from which they answer.

    Attributes:
        models: `lengths` and `labels` -> calibrated classifier; one may be missing.
        thresholds: Entity -> least probability of an answer.
    """

    models: dict[str, CalibratedClassifierCV]
    thresholds: dict[str, float]

    def estimate(self, questions: Sequence[Question]) -> list[np.ndarray]:
        """Give the probability of each candidate of each question, all questions in one go.

        Returns:
            (N,) 0-1 for each question, N its number of candidates.
        """
        found = [np.zeros(len(question.candidates)) for question in questions]
        for kind, model in self.models.items():
            rows = [i for i, q in enumerate(questions) if q.kind == kind and q.candidates]
            if not rows:
                continue
            traits = np.concatenate([questions[i].traits for i in rows])
            ends = np.cumsum([len(questions[i].candidates) for i in rows])[:-1]
            for i, part in zip(
                rows, np.split(model.predict_proba(traits)[:, 1], ends), strict=True
            ):
                found[i] = part
        return found


def find_kind(entity: str) -> str:
    """Name the model of an entity.

    >>> find_kind("depth"), find_kind("voltage")
    ('lengths', 'labels')
    """
    return "lengths" if ENTITY_KIND[entity] == "length" else "labels"


def ask(scan: Scan | None, entity: str, truths: Iterable[str] = ()) -> Question:
    """Gather the candidates of one question.

    Args:
        scan: The page, None where there is no picture.
        entity: What is asked for.
        truths: All right answers in the official form.
    """
    right = frozenset(normalise_answer(truth) for truth in truths) - {""}
    candidates = weigh_candidates(scan, entity).candidates if scan else ()
    if not candidates:
        return Question(scan, entity, (), np.empty((0, len(list_traits(entity)))), right)
    return Question(scan, entity, candidates, describe_candidates(scan, entity), right)


def write_ranker(ranker: Ranker, path: Path) -> None:
    """Store a ranker as skops does: no code in it, unlike a pickle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"models": ranker.models, "thresholds": ranker.thresholds}
    skops.io.dump(content, path, compression=ZIP_DEFLATED, compresslevel=9)


def read_ranker(path: Path = DEFAULT) -> Ranker:
    """Read what `write_ranker` stored; by default the ranker that comes with the project.

    Raises:
        FileNotFoundError: There is no such file.
        UntrustedTypesFoundException: It holds types beyond scikit-learn's.
    """
    content = skops.io.load(path, trusted=list(TRUSTED))
    return Ranker(content["models"], content["thresholds"])
