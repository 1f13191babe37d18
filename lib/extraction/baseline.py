"""Answer with the first number followed by a unit word: the simplest baseline."""

import re
from collections.abc import Iterable

from lib.quantities import Quantity

# The first version of this project: eight unit words and their official form.
UNIT_WORDS: dict[str, str] = {
    "kg": "kilogram",
    "g": "gram",
    "cm": "centimetre",
    "mm": "millimetre",
    "inch": "inch",
    "ml": "millilitre",
    "v": "volt",
    "w": "watt",
}
_MATCH = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(UNIT_WORDS)})\b", re.IGNORECASE)


def match_first(texts: Iterable[str]) -> str:
    """Answer with the first number and unit word of a page's text, `""` if there is none.

    >>> match_first(["Model 5", "Dose 2.5 ml", "Net 500 g"])
    '2.5 millilitre'
    >>> match_first(["no numbers"])
    ''
    """
    found = _MATCH.search(" ".join(texts))
    if not found:
        return ""
    return str(Quantity(float(found[1]), UNIT_WORDS[found[2].lower()]))
