"""Name each sample's outcome by the challenge's rule, and score and check predictions."""

import re
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.parallel import try_each
from lib.quantities import ENTITY_UNITS

Count = int | npt.NDArray[np.int_]
Score = float | npt.NDArray[np.float64]

RIGHT, WRONG_VALUE, WRONG_UNIT = "right", "wrong value", "wrong unit"
INVENTED, MISSED, EMPTY = "answered where empty", "missed", "rightly empty"
OUTCOMES: tuple[str, ...] = (RIGHT, WRONG_VALUE, WRONG_UNIT, INVENTED, MISSED, EMPTY)
WRONG: frozenset[str] = frozenset({WRONG_VALUE, WRONG_UNIT, INVENTED})
CORRECT: frozenset[str] = frozenset({RIGHT, EMPTY})

NOT_DOWNLOADED, NOT_READ = "not downloaded", "not read"
# Where a sample is lost, in the order of the stages, or how it ended; each sample has exactly one.
LOSSES: tuple[str, ...] = (
    *(NOT_DOWNLOADED, NOT_READ, MISSED, WRONG_VALUE, WRONG_UNIT, INVENTED, EMPTY, RIGHT),
)

# The challenge's format check.
FORMAT: re.Pattern[str] = re.compile(r"^-?\d+(\.\d+)?\s+[a-zA-Z\s]+$")

_ANSWER = re.compile(r"(\d+(?:\.\d+)?)\s+([a-z ]+)")


@dataclass(frozen=True)
class Outcomes:
    """Outcome counts by the challenge's rule, of one set of samples or many (arrays of one shape).

    Attributes:
        tp: Right answers.
        fp: Wrong answers, and answers where the truth is empty.
        fn: No answer where there is a truth.
        tn: No answer where the truth is empty.
    """

    tp: Count = 0
    fp: Count = 0
    fn: Count = 0
    tn: Count = 0


def precision(outcomes: Outcomes) -> Score:
    """Return the share of the answers that are right, 0 where there are no answers.

    >>> precision(Outcomes(tp=3, fp=1))
    0.75
    """
    return _divide(outcomes.tp, outcomes.tp + outcomes.fp)


def recall(outcomes: Outcomes) -> Score:
    """Return right answers over right and missed ones; wrong answers do not count.

    >>> recall(Outcomes(tp=3, fp=5, fn=1))
    0.75
    """
    return _divide(outcomes.tp, outcomes.tp + outcomes.fn)


def exact_match_f1(outcomes: Outcomes) -> Score:
    """Return the challenge's score, the harmonic mean of `precision` and `recall`.

    A wrong value is a false positive but not a false negative, unlike in scikit-learn's
    `f1_score`.

    >>> exact_match_f1(Outcomes(tp=2, fp=1, fn=1))
    0.6666666666666666
    >>> exact_match_f1(Outcomes(tn=9))
    0.0
    """
    return _divide(2 * outcomes.tp, 2 * outcomes.tp + outcomes.fp + outcomes.fn)


def _divide(part: Count, whole: Count) -> Score:
    """Divide; return 0 where the divisor is 0."""
    if isinstance(whole, np.ndarray):
        return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)
    return float(part / whole) if whole else 0.0


def normalise_answer(text: object) -> str:
    """Normalise an answer, so that equal answers are equal text; only trim any other text.

    Numbers are rounded to four decimals and six significant digits.

    >>> normalise_answer("15.0 gram"), normalise_answer(" 15  Gram ")
    ('15 gram', '15 gram')
    >>> normalise_answer("5 to 7 kilogram"), normalise_answer(None)
    ('5 to 7 kilogram', '')
    """
    trimmed = text.strip().lower() if isinstance(text, str) else ""
    match = _ANSWER.fullmatch(trimmed)
    if not match:
        return trimmed
    return f"{round(float(match[1]), 4):g} {' '.join(match[2].split())}"


def name_outcome(truth: object, prediction: object) -> str:
    """Name the outcome of one sample.

    >>> name_outcome("12.0 inch", "12 inch"), name_outcome("12.0 inch", "12.0 centimetre")
    ('right', 'wrong unit')
    >>> name_outcome("12.0 inch", "21.0 inch"), name_outcome("12.0 inch", "")
    ('wrong value', 'missed')
    >>> name_outcome("", "12.0 inch"), name_outcome("", "")
    ('answered where empty', 'rightly empty')
    """
    true, said = normalise_answer(truth), normalise_answer(prediction)
    if not said:
        return MISSED if true else EMPTY
    if not true:
        return INVENTED
    if true == said:
        return RIGHT
    return WRONG_UNIT if true.split(" ")[0] == said.split(" ")[0] else WRONG_VALUE


def name_outcomes(truth: pd.Series, prediction: pd.Series) -> pd.Series:
    """Name the outcome of each sample; both series have the same index."""
    pairs = zip(truth, prediction.loc[truth.index], strict=True)
    names = [name_outcome(true, said) for true, said in pairs]
    return pd.Series(names, index=truth.index, name="outcome", dtype=str)


def count_outcomes(names: pd.Series) -> Outcomes:
    """Count named outcomes by the challenge's rule."""
    counts = names.value_counts()
    return Outcomes(
        tp=int(counts.get(RIGHT, 0)),
        fp=int(sum(counts.get(name, 0) for name in WRONG)),
        fn=int(counts.get(MISSED, 0)),
        tn=int(counts.get(EMPTY, 0)),
    )


def name_losses(names: pd.Series, downloaded: pd.Series, read: pd.Series) -> pd.Series:
    """Name each sample's loss: its outcome, or why a missed one had no image or no text.

    Args:
        names: Named outcomes.
        downloaded: Whether the image was downloaded, same index.
        read: Whether the image's text was read, same index.

    Returns:
        One of `LOSSES` for each sample.
    """
    missed = names == MISSED
    losses = names.mask(missed & ~read, NOT_READ)
    return losses.mask(missed & ~downloaded, NOT_DOWNLOADED).rename("loss")


def count_losses(losses: pd.Series) -> pd.Series:
    """Count the samples of each of `LOSSES`, in that order."""
    return losses.value_counts().reindex(list(LOSSES), fill_value=0)


def count_stated(frame: pd.DataFrame) -> pd.DataFrame:
    """Count outcomes apart for questions whose answer the image states and for all others.

    Args:
        frame: Columns `entity_name` and `outcome`.

    Returns:
        One row an entity, in order of first appearance, and last one for `all`: `entity_name`;
        `stated` questions and how many of them are `right`, `wrong` and `missed`; questions that
        are `not_stated`, how many of them are `answered`, and their share, NaN if there are none.
    """
    both = pd.concat([frame, frame.assign(entity_name="all")], ignore_index=True)
    names = both["entity_name"].astype(str)
    counts = pd.crosstab(names, both["outcome"].astype(str))
    counts = counts.reindex(index=names.unique(), columns=[*OUTCOMES])
    counts = counts.fillna(0).astype(int)
    table = pd.DataFrame({"right": counts[RIGHT], "missed": counts[MISSED]})
    table.insert(1, "wrong", counts[WRONG_VALUE] + counts[WRONG_UNIT])
    table.insert(0, "stated", table.sum(axis=1))
    table["not_stated"] = counts[INVENTED] + counts[EMPTY]
    table["answered"] = counts[INVENTED]
    table["share"] = table["answered"] / table["not_stated"].where(table["not_stated"] > 0)
    return table.rename_axis("entity_name").reset_index()


def confuse_units(truth: pd.Series, prediction: pd.Series) -> pd.DataFrame:
    """Count true units (rows) against predicted ones (columns), where both have an answer."""
    true, said = read_units(truth), read_units(prediction)
    both = (true != "") & (said != "")
    table = pd.crosstab(true[both], said[both])
    order = sorted({*table.index, *table.columns})
    return table.reindex(index=order, columns=order, fill_value=0)


def read_units(answers: pd.Series) -> pd.Series:
    """Read the unit of each answer, `""` where it has none or an unexpected error occurs.

    Raises:
        StageFault: Every answer failed with the same unexpected error.
    """
    calls = (
        (f"row {row}, answer {answer!r}", partial(read_unit, answer))
        for row, answer in answers.items()
    )
    units = try_each("reading units of answers", calls, lambda error: "")
    return pd.Series(units, answers.index, dtype=str)


def read_unit(answer: object) -> str:
    """Read the unit of an answer, `""` where it has none.

    >>> read_unit("12.0 Fluid ounce"), read_unit("5 to 7 kilogram"), read_unit("")
    ('fluid ounce', '', '')
    """
    match = _ANSWER.fullmatch(normalise_answer(answer))
    return match[2] if match else ""


def check_predictions(frame: pd.DataFrame, samples: pd.DataFrame) -> None:
    """Check a table of predictions against the challenge's format.

    Args:
        frame: Columns `index` and `prediction`.
        samples: Columns `index` and `entity_name`: the rows to predict, in order.

    Raises:
        ValueError: A row is missing, extra or out of order, or a prediction is neither empty nor a
            number and a unit allowed for its entity; the message names the row.
    """
    missing = {"index", "prediction"} - set(frame.columns)
    if missing:
        raise ValueError(f"The predictions lack {sorted(missing)}; found {list(frame.columns)}.")
    if len(frame) != len(samples):
        raise ValueError(f"{len(frame)} predictions for {len(samples)} samples; give one each.")
    pairs = zip(samples["index"].astype(str), frame["index"].astype(str), strict=True)
    for row, (wanted, found) in enumerate(pairs):
        if wanted != found:
            raise ValueError(f"Row {row} has index {found}; expected {wanted}: keep the order.")
    answers = zip(frame["prediction"], samples["entity_name"], strict=True)
    for row, (prediction, entity) in enumerate(answers):
        problem = find_fault(prediction, entity)
        if problem:
            raise ValueError(f"Row {row} (index {frame['index'].iloc[row]}): {problem}")


def find_fault(prediction: object, entity: str) -> str:
    """Describe what is wrong with the format of one prediction, `""` if nothing is.

    >>> find_fault("12.0 inch", "width"), find_fault("", "width")
    ('', '')
    >>> find_fault("12 watt", "width")
    "the unit 'watt' is not allowed for width."
    >>> find_fault("12inch", "width")
    "'12inch' is not a number, a space and a unit; print it as '12.0 unit' or leave it empty."
    """
    if not isinstance(prediction, str):
        return f"{prediction!r} is not text; an empty prediction is ''."
    if not prediction:
        return ""
    if not FORMAT.match(prediction):
        return (
            f"{prediction!r} is not a number, a space and a unit; "
            "print it as '12.0 unit' or leave it empty."
        )
    unit = prediction.split(maxsplit=1)[1]
    return "" if unit in ENTITY_UNITS[entity] else f"the unit {unit!r} is not allowed for {entity}."
