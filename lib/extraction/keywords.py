"""Find the keywords of `keywords.toml`, which name a quantity or whose quantity it is."""

import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from lib.quantities import strip_accents

# Meaning -> language -> what labels print for it.
MEANINGS: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Keyword:
    """A keyword in a text: its meaning and its span."""

    meaning: str
    start: int
    end: int


# One token is a run of letters or a single Chinese or Japanese character.
_TOKEN = re.compile(r"[\u3040-\u9fff]|[^\W\d_\u3040-\u9fff]+|[øφ]")

_DIGIT = re.compile(r"\d")  # no keyword goes on behind a number


def _split(text: str) -> list[re.Match[str]]:
    """Split a text into lower-case tokens without accents; positions refer to the text."""
    lowered = strip_accents(text.lower())
    return list(_TOKEN.finditer(lowered if len(lowered) == len(text) else text.lower()))


def _index_keywords() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Index the keywords by their first token, the longest first."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for meaning, languages in MEANINGS.items():
        for word in itertools.chain.from_iterable(languages.values()):
            tokens = tuple(token[0] for token in _split(word))
            index.setdefault(tokens[0], []).append((tokens, meaning))
    return {first: sorted(words, key=lambda w: -len(w[0])) for first, words in index.items()}


_KEYWORDS = _index_keywords()


def find_keywords(text: str) -> list[Keyword]:
    """Find the keywords of a text, in order; the longest if several begin at one position.

    >>> [keyword.meaning for keyword in find_keywords("Poids net: 500 g, Höhe 12 cm")]
    ['net weight', 'height']
    >>> find_keywords("Wholesale")
    []
    """
    tokens = _split(text)
    found: list[Keyword] = []
    for i, token in enumerate(tokens):
        if token[0] not in _KEYWORDS or (found and token.start() < found[-1].end):
            continue
        for words, meaning in _KEYWORDS[token[0]]:
            span = tokens[i : i + len(words)]
            if tuple(token[0] for token in span) != words:
                continue
            if len(words) == 1 or not _DIGIT.search(text, token.start(), span[-1].end()):
                found.append(Keyword(meaning, token.start(), span[-1].end()))
                break
    return found
