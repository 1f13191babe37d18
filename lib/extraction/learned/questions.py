"""Gather the candidates of questions, and turn labelled questions into plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.lib.npyio import NpzFile

from lib.evaluation import normalise_answer
from lib.extraction.answers import NO_CANDIDATE, first_printed
from lib.extraction.candidates import Candidate, is_same
from lib.extraction.learned.features import FEATURES, describe_candidates
from lib.extraction.rules import choose_candidate
from lib.extraction.scan import Scan
from lib.extraction.scoring import ScoredCandidates, score_candidates
from lib.io import connect_samples, replace_file
from lib.parallel import InternalError
from lib.quantities import ENTITIES

NOTHING: int = -1  # in place of a candidate's number: none is chosen
MAY_BE_EMPTY: str = "EMPTY"  # among accepted answers: giving no answer is accepted, too

NO_FEATURES: npt.NDArray[np.float32] = np.empty((0, len(FEATURES)), np.float32)
NO_MEASURES: npt.NDArray[np.int16] = np.empty(0, np.int16)
NO_CANDIDATES = ScoredCandidates((), (), ())
# What numpy and zipfile raise for a file that is damaged or holds something else.
DAMAGE: tuple[type[Exception], ...] = (
    *(BadZipFile, EOFError, KeyError, MemoryError, OSError, RuntimeError, TypeError, ValueError),
)


@dataclass(frozen=True, eq=False)
class Question:
    """A sample with its candidates.

    Attributes:
        scan: The scanned page, None if there is no image.
        entity: What is asked for.
        scored: Its candidates, in reading order, and their scores by the rules.
        chosen: Number of the candidate that the rules choose, `NOTHING` if none, and why.
        features: (N, F) float32, from `features.describe_candidates`.
        measures: (N,) number of the first candidate with the same value, to pool reprints.
        image: Any name of the image, such as its sha256.
        group: Name of the product group, `""` if unknown.
        error: Unexpected error while gathering the candidates, else None.
    """

    scan: Scan | None = field(repr=False)
    entity: str
    scored: ScoredCandidates = NO_CANDIDATES
    chosen: tuple[int, str] = (NOTHING, NO_CANDIDATE)
    features: npt.NDArray[np.float32] = field(default_factory=NO_FEATURES.copy, repr=False)
    measures: npt.NDArray[np.int16] = field(default_factory=NO_MEASURES.copy, repr=False)
    image: str = ""
    group: str = ""
    error: InternalError | None = None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Return the candidates, in reading order; there may be none."""
        return self.scored.candidates

    @property
    def scores(self) -> tuple[float, ...]:
        """Return the scores of the candidates by the rules."""
        return self.scored.scores


def make_question(scan: Scan | None, entity: str, image: str = "", group: str = "") -> Question:
    """Gather the candidates of one question.

    Args:
        scan: The scanned page, None if there is no image.
        entity: What is asked for.
        image: Any name of the image, such as its sha256.
        group: Name of the product group, `""` if unknown.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
    """
    scored = score_candidates(scan, entity) if scan else None
    if scan is None or scored is None or not scored.candidates:
        return Question(scan, entity, image=image, group=group)
    return Question(
        scan,
        entity,
        scored,
        choose_candidate(scan, entity),
        describe_candidates(scan, entity),
        find_measures(scored.candidates),
        image,
        group,
    )


def find_measures(candidates: Sequence[Candidate]) -> npt.NDArray[np.int16]:
    """Return for each candidate the number of the first one with the same value, (N,)."""
    values = [candidate.placed.base for candidate in candidates]
    firsts = [next(i for i, one in enumerate(values) if is_same(one, value)) for value in values]
    return np.array(firsts, np.int16)


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Labelled questions as numbers: no text, no link, no image.

    Attributes:
        entity: Index into `ENTITIES`, (Q,).
        stated: Whether the image states an answer, (Q,).
        required: Whether giving no answer is a miss, (Q,); some labels accept both.
        rules: Candidate that the rules choose, `NOTHING` if they do not answer, (Q,).
        image: Digest of the image, (Q,).
        group: Digest of the product group, 0 if unknown, (Q,).
        source: Index into `SOURCES`, (Q,).
        question: Question of each candidate, ascending, (N,).
        measure: As in `Question`, (N,).
        right: Whether the candidate is printed as an accepted answer, (N,).
        score: Score by the rules, (N,).
        features: (N, F).
    """

    entity: npt.NDArray[np.int8]
    stated: npt.NDArray[np.bool]
    required: npt.NDArray[np.bool]
    rules: npt.NDArray[np.int16]
    image: npt.NDArray[np.uint64]
    group: npt.NDArray[np.uint64]
    source: npt.NDArray[np.int8]
    question: npt.NDArray[np.int32]
    measure: npt.NDArray[np.int16]
    right: npt.NDArray[np.bool]
    score: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Return the first candidate of each question and, last, their number; (Q + 1,)."""
        return np.searchsorted(self.question, np.arange(len(self) + 1))

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Return the weight of each question in a fit, (Q,)."""
        weights: npt.NDArray[np.float64] = np.array(list(SOURCES.values()))[self.source]
        return weights

    @property
    def clusters(self) -> npt.NDArray[np.int32]:
        """Label questions that share an image or a group, directly or through others; (Q,)."""
        keys = pd.DataFrame({"image": self.image, "group": self.group}).astype(str)
        return connect_samples(keys.replace("0", ""), ("image", "group"))

    def select(self, rows: npt.NDArray[np.intp]) -> LabelledRows:
        """Return some of the questions, in ascending order."""
        kept = np.isin(self.question, rows)
        renumbered = np.searchsorted(rows, self.question[kept]).astype(np.int32)
        values = {
            one.name: getattr(self, one.name)[rows if one.name in QUESTION_FIELDS else kept]
            for one in fields(self)
        }
        return LabelledRows(**values | {"question": renumbered})


QUESTION_FIELDS: tuple[str, ...] = (
    *("entity", "stated", "required", "rules", "image", "group", "source"),
)
SOURCES: dict[str, float] = {
    "user": 3.0,
    "dev": 1.0,
    "statements": 1.0,
    "other": 1.0,
    "labelled": 0.3,
}
"""Set of labels -> weight in a fit.

A user's own labels count more: for a habit planted in 25 of them, the F1 is 0.89 with a weight of
3, 0.84 with 1 and 0.52 without them (`lib.dev.simulate_labels`). About a fifth of the challenge's
own labels (`labelled`) is disputable. Synthetic pages teach nothing: with the 494 samples of
`data/sample` beside these rows, with a weight of 0.3 or 1, the ROC area of the confidence on
`statements.csv` is 0.806 or 0.805 over three splits, and 0.808 without, at the same F1."""
TRUSTED: tuple[str, ...] = tuple(name for name, weight in SOURCES.items() if weight >= 1)
"""Sets whose labels are not disputable; promises rest on them."""


def make_rows(
    questions: Sequence[Question], truths: Sequence[Iterable[str]], sources: Sequence[str]
) -> LabelledRows:
    """Turn labelled questions into numbers.

    Args:
        questions: Questions with a readable image.
        truths: Accepted answers of each in the official form, none if the image states none;
            `MAY_BE_EMPTY` among them if giving no answer is accepted, too.
        sources: Set that each label comes from, one of `SOURCES`.
    """
    accepted = [frozenset(map(normalise_answer, own)) - {""} for own in truths]
    both = normalise_answer(MAY_BE_EMPTY)
    right = [mark_right(*pair) for pair in zip(questions, accepted, strict=True)]
    counts = [len(question.candidates) for question in questions]
    entities = [ENTITIES.index(question.entity) for question in questions]
    return LabelledRows(
        entity=np.array(entities, np.int8),
        stated=np.array([bool(own - {both}) for own in accepted], bool),
        required=np.array([bool(own) and both not in own for own in accepted], bool),
        rules=np.array([question.chosen[0] for question in questions], np.int16),
        image=np.array([digest(question.image) for question in questions], np.uint64),
        group=np.array([digest(question.group) for question in questions], np.uint64),
        source=np.array([list(SOURCES).index(source) for source in sources], np.int8),
        question=np.repeat(np.arange(len(questions), dtype=np.int32), counts),
        measure=np.concatenate([NO_MEASURES, *(question.measures for question in questions)]),
        right=np.concatenate([np.empty(0, bool), *right]),
        score=np.array([score for question in questions for score in question.scores], np.float32),
        features=np.concatenate([NO_FEATURES, *(question.features for question in questions)]),
    )


def mark_right(question: Question, accepted: frozenset[str]) -> npt.NDArray[np.bool]:
    """Mark the candidates whose printed answer is accepted, (N,)."""
    candidates = question.candidates
    printed = [str(first_printed(candidates, one).quantity) for one in candidates]
    return np.array([normalise_answer(answer) in accepted for answer in printed], bool)


def digest(name: str) -> int:
    """Return a 64-bit number for the name of an image or group, 0 for the empty name."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big") if name else 0


def join_rows(first: LabelledRows, second: LabelledRows) -> LabelledRows:
    """Join labelled rows; the first ones' label counts where both label a question."""
    asked = set(zip(first.image.tolist(), first.entity.tolist(), strict=True))
    others = zip(second.image.tolist(), second.entity.tolist(), strict=True)
    second = second.select(np.flatnonzero([key not in asked for key in others]))
    values = {
        one.name: np.concatenate([getattr(first, one.name), getattr(second, one.name)])
        for one in fields(LabelledRows)
    }
    shifted = [first.question, second.question + np.int32(len(first))]
    return LabelledRows(**values | {"question": np.concatenate(shifted)})


def count_labels(rows: LabelledRows) -> dict[str, object]:
    """Count labelled rows by their set, and their images, for a model's card."""
    counts = pd.Series(np.array(list(SOURCES))[rows.source]).value_counts()
    return {
        "rows": {str(name): int(count) for name, count in counts.items()},
        "images": len(np.unique(rows.image)),
    }


def write_rows(rows: LabelledRows, path: Path) -> None:
    """Write labelled rows atomically."""
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, names=np.array(FEATURES), **vars(rows))


def read_rows(path: Path) -> LabelledRows:
    """Read labelled rows.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: They are damaged, or hold other features than this version computes.
    """
    with open_arrays(path) as arrays:
        if tuple(arrays["names"].tolist()) == FEATURES:
            return LabelledRows(**{one.name: arrays[one.name] for one in fields(LabelledRows)})
    raise ValueError(f"{path} holds the features of another version; make it again")


@contextmanager
def open_arrays(path: Path) -> Iterator[NpzFile]:
    """Open a file of arrays by name, and refuse a damaged or foreign one in one line.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or the block fails on its content.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise ValueError(f"{path} is damaged, or no file of this project; make it again") from error
