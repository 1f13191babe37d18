"""Define the types of parameters: each checks its value, and says in words what it expects."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator

from lib.io import KNOWN_COLUMNS, find_entity, from_project, split_sheet
from lib.io.cache import SIZES, is_size
from lib.ocr import ENGINES
from lib.parallel import InternalError, try_item
from lib.quantities import ENTITIES, UNIT_KIND

# Bytes; file systems take 255, and a lock's name is longer than its run's.
LONGEST_NAME: int = 200
# Not allowed in a path, name or header: it ends them, is invisible in a log or cannot be encoded.
CONTROL: re.Pattern[str] = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")
LONGEST_AGENT: int = 500  # characters; servers refuse long headers
WEIGHTS: tuple[str, ...] = ("IMAGENET1K_V1", "IMAGENET1K_V2", "random")
FOLDER: str = f"a folder's name, its last part of at most {LONGEST_NAME} bytes"

UNITS_OF_KINDS: str = "a unit of its own for each kind: " + "; ".join(
    f"{kind}: {', '.join(unit for unit, own in UNIT_KIND.items() if own == kind)}"
    for kind in dict.fromkeys(UNIT_KIND.values())
)

Method = Literal["learned", "rules"]
TableFormat = Literal["csv", "xlsx", "parquet"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]

Value = TypeVar("Value")


def _expect(expected: str, is_right: Callable[[Value], bool]) -> AfterValidator:
    """Make a validator that names what it expects."""

    def check(value: Value) -> Value:
        if not is_right(value):
            raise ValueError(expected)
        return value

    return AfterValidator(check)


def _is_file_or_empty(value: str) -> bool:
    return not value or is_found(value, Path.is_file)


def _is_table_or_empty(value: str) -> bool:
    """Return whether a value is `""`, a file, a sheet of one, or a folder."""
    file, _ = split_sheet(value)
    return not value or is_found(str(file), lambda path: path.is_file() or path.is_dir())


def _is_folder_or_empty(value: str) -> bool:
    return not value or is_found(value, Path.is_dir)


def is_found(value: str, is_kind: Callable[[Path], bool]) -> bool:
    """Return whether a path is accessible and of the right kind."""
    try:
        return is_kind(from_project(value))
    except (OSError, ValueError, RuntimeError):  # name too long, unknown user's home, symlink loop
        return False


def _is_folder_name(value: str) -> bool:
    name = Path(value).name
    return bool(value.strip()) and not CONTROL.search(value) and count_bytes(name) <= LONGEST_NAME


def _is_run_folder(value: str) -> bool:
    return _is_folder_name(value) and not set("{}") & set(value)


def count_bytes(text: str) -> int:
    """Count the bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def _are_weights(value: str) -> bool:
    return value in WEIGHTS or (value.endswith((".pth", ".pt")) and is_found(value, Path.is_file))


def _are_different(value: list[str]) -> bool:
    return bool(value) and len(set(value)) == len(value)


def _are_columns(value: dict[str, str]) -> bool:
    return set(value) <= set(KNOWN_COLUMNS) and all(map(str.strip, value.values()))


def _are_questions(value: list[str]) -> bool:
    entities = [find_entity(name) for name in value]
    return all(entities) and len(set(entities)) == len(entities)


def _is_agent(value: str) -> bool:
    is_plain = value.isprintable() and value == value.strip() and len(value) <= LONGEST_AGENT
    return is_plain and all(ord(letter) < 256 for letter in value)


def _is_host(name: str) -> bool:
    """Return whether a text is a host as written in links.

    >>> [_is_host(name) for name in ("localhost", "10.0.0.1", "[::1]", "http://x", "a b", "*.x")]
    [True, True, True, False, False, False]
    """
    labels = name.removesuffix(".").split(".")
    if len(name) <= 253 and all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in labels):
        return True
    return not isinstance(try_item(ip_address, name.strip("[]")), InternalError)


def _are_units(value: dict[str, str]) -> bool:
    return all(UNIT_KIND.get(unit) == kind for kind, unit in value.items())


def _is_size_or_empty(value: str) -> bool:
    return not value or is_size(value)


def split_address(address: str) -> tuple[str, int] | None:
    """Split a scheduler's address into host and port; `None` if it is not an address.

    >>> split_address("tcp://[::1]:8786"), split_address("tcp://x:99999"), split_address("x:1")
    (('::1', 8786), None, None)
    """
    found = re.fullmatch(r"(?:tcp|tls|ucx|wss?)://(\[[^]\s]+\]|[^/:@\s]+):(\d{1,5})", address)
    if not found or not _is_host(found[1]) or not 0 < int(found[2]) < 1 << 16:
        return None
    return found[1].strip("[]"), int(found[2])


def _is_address(value: str) -> bool:
    return not value or split_address(value) is not None


def _is_device(value: str) -> bool:
    return value in ("auto", "cpu") or bool(re.fullmatch(r"cuda(:\d{1,3})?", value))


File = Annotated[str, _expect('a file that exists, or ""', _is_file_or_empty)]
Table = Annotated[
    str, _expect('a table or folder of images, a file that exists, or ""', _is_table_or_empty)
]
Columns = Annotated[
    dict[str, str],
    _expect(f"names of columns, for {', '.join(KNOWN_COLUMNS)}", _are_columns),
]
Questions = Annotated[
    list[str], _expect(f"different names out of {', '.join(ENTITIES)}", _are_questions)
]
Folder = Annotated[str, _expect('a folder that exists, or ""', _is_folder_or_empty)]
RunFolder = Annotated[
    str, _expect(f"{FOLDER}, no braces but {{date}} and {{time}}", _is_run_folder)
]
DataFolder = Annotated[str, _expect(FOLDER, _is_folder_name)]
Address = Annotated[
    str, _expect('the address of a Dask scheduler, such as "tcp://host:8786", or ""', _is_address)
]
Host = Annotated[str, _expect("host names or IP addresses, without scheme and port", _is_host)]
Agent = Annotated[str, _expect(f"one line of at most {LONGEST_AGENT} Latin-1 letters", _is_agent)]
Engine = Annotated[str, _expect(" or ".join(map(repr, ENGINES)), ENGINES.__contains__)]
Engines = Annotated[list[Engine], _expect("different names, one or more", _are_different)]
WeightsName = Annotated[
    str, _expect(f"{', '.join(WEIGHTS)}, or a .pth or .pt file that exists", _are_weights)
]
Device = Annotated[str, _expect("auto, cpu, cuda or cuda:NUMBER", _is_device)]
OutputUnits = Annotated[dict[str, str], _expect(UNITS_OF_KINDS, _are_units)]
Size = Annotated[str, _expect(f'{SIZES}, or "" for no bound', _is_size_or_empty)]
