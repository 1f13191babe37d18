"""Read JSON as a table: an object a line, or a list of objects."""

import json
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import TextIO

from lib.io.tables.raw_table import RawTable, make_table
from lib.parallel import InternalError, try_item

_parse = partial(json.loads, parse_int=str, parse_float=str, parse_constant=str)


def read_objects(stream: TextIO, max_rows: int, encoding: str, is_list: bool) -> RawTable:
    """Read JSON objects; numbers stay as they are written, nested values stay JSON.

    A line that holds no object is a faulty row; in a list, rows are counted instead of lines.

    Raises:
        ValueError: The list is no JSON.
    """
    lines = ((number, line) for number, line in enumerate(stream, 1) if line.strip())
    values: Iterable[tuple[int, object]] = (
        enumerate(_parse(stream.read()), 1)
        if is_list
        else ((number, try_item(_parse, line)) for number, line in lines)
    )
    found = list(islice(values, max_rows or None))
    objects = [value if isinstance(value, dict) else {} for _, value in found]
    head = list(dict.fromkeys(name for one in objects for name in one))
    rows = ([_to_text(one.get(name)) for name in head] for one in objects)
    faults = {
        row: f"not JSON: {value.message}" if isinstance(value, InternalError) else "no JSON object"
        for row, (_, value) in enumerate(found)
        if not isinstance(value, dict)
    }
    form = f"{'JSON' if is_list else 'JSON lines'}, {encoding}"
    return make_table(head, zip((line for line, _ in found), rows, strict=True), form, faults)


def _to_text(value: object) -> str:
    """Write a value as a cell.

    >>> _to_text("0001"), _to_text(None), _to_text({"ä": [True]})
    ('0001', '', '{"ä": [true]}')
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "" if value is None else text
    return text.encode("utf-8", "backslashreplace").decode()  # half of a surrogate pair
