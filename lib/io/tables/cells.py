"""Read the cells of a sample table, and find the rows that cannot be asked."""

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.io.item_names import SHORT
from lib.io.tables.columns import normalise_name
from lib.io.tables.raw_table import RawTable
from lib.io.tables.truths import LONGEST_EMPTY, is_empty, map_truths, normalise_truth
from lib.quantities import ENTITIES

_ENTITIES: dict[str, str] = {normalise_name(entity): entity for entity in ENTITIES} | {
    "weight": "item_weight",
    "volume": "item_volume",
    "maxweight": "maximum_weight_recommendation",
    "maximumweight": "maximum_weight_recommendation",
    "maxweightrecommendation": "maximum_weight_recommendation",
}
_CHECKSUM = re.compile(r"(?:[0-9a-f]{64}|[0-9a-f]{32})?")
_UNSEEN = "\ufeff\u200b\u200e\u200f"  # marks that are no blank, yet cannot be seen


def find_entity(name: str) -> str:
    """Find the entity that a cell names, `""` for none.

    >>> [find_entity(name) for name in (" Height", "item volume", "Max weight recommendation", "x")]
    ['height', 'item_volume', 'maximum_weight_recommendation', '']
    """
    return _ENTITIES.get(normalise_name(name), "")


def read_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Read each cell: links trimmed, entities by their names, truths in the official form."""
    links = table["image_link"].str.strip().str.strip(_UNSEEN).str.strip()
    short = links[links.str.len() <= LONGEST_EMPTY]
    read = table.assign(
        image_link=links.where(
            ~links.isin([link for link in short.unique() if is_empty(link)]), ""
        ),
        product_id=_map(table["product_id"], lambda text: "" if is_empty(text) else text.strip()),
        checksum=_map(table["checksum"], lambda text: "" if is_empty(text) else text.lower()),
        entity_name=_map(table["entity_name"], lambda text: find_entity(text) or text.strip()),
    )
    read["entity_value"] = map_truths(read, normalise_truth).astype(str)
    return read


def _map(column: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """Change each different value once."""
    return column.replace(
        {one: new for one in column.unique() if (new := change(one)) != one}
    ).astype(str)


def find_problems(table: pd.DataFrame, raw: RawTable) -> pd.Series:
    """Find why each row cannot be asked, with its line; `""` where it can.

    >>> cells = pd.DataFrame({"index": ["7", "7"], "image_link": ["a.jpg"] * 2, "checksum": ""})
    >>> raw = RawTable(cells, np.array([2, 3]), "comma")
    >>> find_problems(cells.assign(entity_name="width"), raw).tolist()
    ['', "line 3: index '7' is used before"]

    Args:
        table: As from `read_cells`.
        raw: What it was read from, with the same rows.
    """
    checks: list[tuple[pd.Series | npt.NDArray[np.bool_], str, str]] = [
        (table.index.isin(find_blank(raw.cells)), "the row is empty", ""),
        (table["image_link"] == "", "no link", ""),
        (~table["entity_name"].isin(ENTITIES), "unknown entity {}", "entity_name"),
        (table["index"].str.strip() == "", "no index", ""),
        (table["index"].duplicated(), "index {} is used before", "index"),
        (~table["checksum"].str.fullmatch(_CHECKSUM), "no SHA-256 or MD5: {}", "checksum"),
    ]
    found = dict(raw.faults)
    for mask, text, column in checks:
        for row in np.flatnonzero(mask):
            value = SHORT.repr(table[column].iloc[row]) if column else ""
            found.setdefault(int(row), text.format(value))
    problems = [
        f"line {raw.lines[row]}: {found[row]}" if row in found else "" for row in range(len(table))
    ]
    return pd.Series(problems, table.index, dtype=str)


def find_blank(cells: pd.DataFrame) -> pd.Index:
    """Find the rows that hold nothing, such as rows of commas."""
    rest = cells
    for name in cells:
        rest = rest[rest[name].str.strip() == ""]
    return rest.index
