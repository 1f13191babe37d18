"""Hold a table as its file has it: text under the file's own column names."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd

AT_ONCE: int = 20_000
"""Rows held as lists at a time."""


@dataclass(frozen=True)
class RawTable:
    """A table as its file has it.

    Attributes:
        cells: Text, under the file's column names, each of which occurs once.
        lines: Line of the file where each row begins, from 1.
        form: What was found out about the file, such as `"semicolon, Windows-1252"`.
        faults: Row -> what is wrong with its form.
    """

    cells: pd.DataFrame
    lines: npt.NDArray[np.int64]
    form: str
    faults: dict[int, str] = field(default_factory=dict)


def make_table(
    head: Sequence[str],
    rows: Iterable[tuple[int, Sequence[str]]],
    form: str,
    faults: Mapping[int, str] | None = None,
) -> RawTable:
    """Make a table from a head and rows of text, each with its line.

    Rows that end early are filled up; what is beyond the head makes the row faulty, unless it is
    empty; columns without name and content are left out.
    """
    width, names, found = len(head), name_columns(head), dict(faults or {})
    parts, lines, numbered = [pd.DataFrame(columns=names, dtype=str)], array("q"), iter(rows)
    while some := list(islice(numbered, AT_ONCE)):
        for number, (_, row) in enumerate(some, len(lines)):
            if len(row) > width and any(row[width:]):
                found[number] = f"{len(row)} cells where the head has {width}"
        lines.extend(line for line, _ in some)
        filled = [row if len(row) == width else _fit(row, width) for _, row in some]
        parts.append(pd.DataFrame(filled, columns=names, dtype=str))
    cells = pd.concat(parts[1:] or parts, ignore_index=True)
    unused = [
        name
        for name, given in zip(names, head, strict=True)
        if not given.strip() and (cells[name] == "").all()
    ]
    return RawTable(cells.drop(columns=unused), np.array(lines, np.int64), form, found)


def _fit(row: Sequence[str], width: int) -> list[str]:
    """Cut a row or fill it up.

    >>> _fit(["a"], 2), _fit(["a", "b", ""], 2)
    (['a', ''], ['a', 'b'])
    """
    return [*row[:width], *[""] * (width - len(row))]


def name_columns(head: Sequence[str]) -> list[str]:
    """Name each column once; a repeated name gets a number, an empty one its position.

    >>> name_columns(["a", "a", " ", "a.1"])
    ['a', 'a.1', 'column 3', 'a.1.1']
    """
    names: list[str] = []
    seen: Counter[str] = Counter()
    for position, given in enumerate(head, 1):
        name = base = given if given.strip() else f"column {position}"
        while name in names:
            seen[base] += 1
            name = f"{base}.{seen[base]}"
        names.append(name)
    return names
