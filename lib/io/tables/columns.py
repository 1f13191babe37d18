"""Find the columns of a sample table, whatever they are called, and add those that it lacks."""

import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from lib.io.tables.delimited import is_link

KNOWN_COLUMNS: dict[str, tuple[str, ...]] = {
    "index": ("index",),
    "image_link": ("image_link",),
    "group_id": ("group_id",),
    "entity_name": ("entity_name",),
    "entity_value": ("entity_value",),
    "product_id": ("product_id",),
    "checksum": ("checksum", "sha256", "md5"),
}
"""Columns of the samples, and how tables call them."""

LONGEST_NAME: int = 80  # letters of a column's name that a message repeats


def normalise_name(name: str) -> str:
    """Normalise a name: case, blanks and punctuation do not matter.

    >>> normalise_name(" Image-Link "), normalise_name("ENTITY_name"), normalise_name("GroupId")
    ('imagelink', 'entityname', 'groupid')
    """
    return re.sub(r"[\W_]+", "", name.casefold())


def find_columns(names: Sequence[str], renamed: Mapping[str, str], place: str) -> dict[str, str]:
    """Find the table's name of each column that it has.

    Args:
        names: Names of the table's columns.
        renamed: Our name -> the table's, for columns that are called otherwise.
        place: The table, for messages.

    Returns:
        Our name -> the table's, without those that it lacks.

    Raises:
        ValueError: The table lacks a column that `renamed` names.
    """
    lost = [theirs for theirs in renamed.values() if _find_name(names, [theirs]) is None]
    if lost:
        raise ValueError(
            f"{place} lacks {', '.join(map(repr, lost))}, which COLUMNS names; found "
            f"{', '.join(names)[:300]}."
        )
    called = KNOWN_COLUMNS | {ours: (theirs,) for ours, theirs in renamed.items()}
    taken = set(renamed.values())
    found = {
        ours: _find_name([name for name in names if ours in renamed or name not in taken], theirs)
        for ours, theirs in called.items()
    }
    return {ours: theirs for ours, theirs in found.items() if theirs is not None}


def _find_name(names: Sequence[str], called: Iterable[str]) -> str | None:
    """Find the first column of one of some names, one written exactly so before others."""
    for wanted in called:
        same = [name for name in names if normalise_name(name) == normalise_name(wanted)]
        if same:
            return wanted if wanted in same else same[0]
    return None


def take_columns(
    cells: pd.DataFrame, renamed: Mapping[str, str], split: str, place: str
) -> pd.DataFrame:
    """Take the columns of a sample table under our names; those that it lacks are added.

    Without `index`, rows are numbered from 0; without `group_id`, each image is a group.

    Args:
        cells: The table, as text.
        renamed: As for `find_columns`.
        split: `"train"`, which needs a truth, or `"test"`.
        place: The table, for messages.

    Returns:
        The columns of `KNOWN_COLUMNS` and `has_truth`; without `entity_name` if there is none.

    Raises:
        ValueError: A column is missing.
    """
    found = find_columns(cells.columns.tolist(), renamed, place)
    needed = ["image_link"] if split == "test" else ["image_link", "entity_name", "entity_value"]
    needed += ["entity_name"] if "entity_value" in found else []
    if missing := [name for name in dict.fromkeys(needed) if name not in found]:
        raise ValueError(describe_missing(missing, cells, split, place))
    table = cells[list(found.values())].set_axis(list(found), axis=1)
    if "index" not in found:
        table["index"] = [str(number) for number in range(len(table))]
    if "group_id" not in found:
        table["group_id"] = table["image_link"]
    lacking = [name for name in KNOWN_COLUMNS if name not in (*table, "entity_name")]
    table = table.assign(**dict.fromkeys(lacking, "")).astype(str)  # also where there is no row
    return table.assign(has_truth="entity_value" in found)


def describe_missing(missing: Sequence[str], cells: pd.DataFrame, split: str, place: str) -> str:
    """Describe the columns that a table lacks, and which of its own may be meant."""
    firsts = cells.head(1)
    short = [name for name in map(str, cells) if len(name) <= LONGEST_NAME]
    like_links = [name for name in short if firsts[name].map(is_link).any()]
    hint = f", such as COLUMNS: {{image_link: {like_links[0]}}}" if like_links else ""
    hint = hint if "image_link" in missing else ""
    return (
        f"{place} lacks {', '.join(missing)}; found {', '.join(map(str, cells))[:300]}. "
        f"A {split} table needs {', '.join(missing)}; COLUMNS names a column that is called "
        f"otherwise{hint}."
    )


def ask_questions(rows: pd.DataFrame, questions: Sequence[str]) -> pd.DataFrame:
    """Ask some questions about each image of a table without `entity_name`.

    >>> rows = pd.DataFrame({"index": ["17"], "image_link": ["a.jpg"]})
    >>> ask_questions(rows, ["width", "height"])["index"].tolist()
    ['17:width', '17:height']

    Args:
        rows: One row an image.
        questions: Names of entities.

    Returns:
        One row a question, in the order of the rows; the row's label in `rows` is repeated.
    """
    table = rows.loc[rows.index.repeat(len(questions))]
    entities = [*questions] * len(rows)
    names = [f"{index}:{entity}" for index, entity in zip(table["index"], entities, strict=True)]
    return table.assign(index=names, entity_name=entities)
