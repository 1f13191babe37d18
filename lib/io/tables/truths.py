"""Put truths as people write them into the official form."""

import re
from collections.abc import Callable
from typing import TypeVar

import pandas as pd

from lib.quantities import ENTITY_UNITS, Quantity, parse_answer, parse_quantities, unit_for

EMPTY: frozenset[str] = frozenset({"", "na", "nan", "nil", "null", "none", "notstated"})
"""Ways to write a missing value, normalised: no case, blanks or punctuation."""
LONGEST_EMPTY: int = 20  # characters

_MINUS = re.compile(r"[-−–]\s?$")

Value = TypeVar("Value", str, bool)


def is_empty(text: str) -> bool:
    """Return whether a cell is one of the ways to write that there is no value.

    >>> [is_empty(text) for text in ("N.A.", " - ", "None", "#N/A", "0", "5 cm")]
    [True, True, True, True, False, False]
    """
    return len(text) <= LONGEST_EMPTY and re.sub(r"[\W_]+", "", text.casefold()) in EMPTY


def normalise_truth(text: str, entity: str) -> str:
    r"""Put a truth into the official form; what is no single quantity of the entity stays.

    >>> [normalise_truth(text, "width") for text in ("9.4 in", "9,4 inch", '5\' 6"', "N.A.", "-")]
    ['9.4 inch', '9.4 inch', '66.0 inch', '', '']
    >>> normalise_truth("500g", "item_weight"), normalise_truth("12.0 inch", "width")
    ('500.0 gram', '12.0 inch')
    >>> [normalise_truth(text, "width") for text in ("10 to 15 cm", "9.4", "3 kg", "-5 cm")]
    ['10 to 15 cm', '9.4', '3 kg', '-5 cm']
    """
    if is_empty(text):
        return ""
    if parse_answer(text):
        return text
    quantity = read_single(text)
    unit = unit_for(entity, quantity.unit) if quantity and entity in ENTITY_UNITS else None
    return str(Quantity(quantity.value, unit)) if quantity and unit else text


def read_single(text: str) -> Quantity | None:
    """Read the quantity of a text that holds one, perhaps again in another unit.

    >>> str(read_single("2.2 lb (1 kg)")), read_single("100-240 V"), read_single("2 x 5 kg")
    ('2.2 pound', None, None)
    """
    found = [mention for mention in parse_quantities(text) if not mention.repaired]
    stated = [mention for mention in found if not mention.conversion]
    rest = list(text)
    for mention in found:
        rest[slice(*mention.span)] = " " * (mention.span[1] - mention.span[0])
    if len(stated) != 1 or any(letter.isdigit() for letter in rest):
        return None
    only = stated[0]
    is_part = only.bound or only.pieces > 1 or only.series != (0, 1)
    return None if is_part or _MINUS.search(text[: only.span[0]]) else only.quantity


def can_be_met(truth: str, entity: str) -> bool:
    """Return whether an answer can equal a truth: it is empty or one quantity of the entity.

    >>> can_be_met("9.4 inch", "width"), can_be_met("", "width"), can_be_met("3.0 volt", "width")
    (True, True, False)
    """
    quantity = parse_answer(truth)
    return not truth or (quantity is not None and quantity.unit in ENTITY_UNITS.get(entity, ()))


def map_truths(table: pd.DataFrame, function: Callable[[str, str], Value]) -> pd.Series:
    """Call a function once for each different truth and entity of a table's rows.

    >>> table = pd.DataFrame({"entity_name": ["width", "width"], "entity_value": ["5cm", "-"]})
    >>> map_truths(table, normalise_truth).tolist(), map_truths(table, can_be_met).tolist()
    (['5.0 centimetre', ''], [False, False])
    """
    columns = (table[name].to_numpy(object) for name in ("entity_value", "entity_name"))
    pairs = list(zip(*columns, strict=True))
    known = {pair: function(*pair) for pair in set(pairs)}
    return pd.Series([known[pair] for pair in pairs], table.index)
