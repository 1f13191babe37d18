"""Guard work on many items: an unexpected error loses only its item, and is reported."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

LOG = logging.getLogger(__name__)

INTERNAL: str = "internal error"
"""Prefix of an item's reason when its error was unexpected."""
MIN_ITEMS: int = 5
"""Fewer items than these may all fail alike by chance."""

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


class StageFault(RuntimeError):
    """All items of a stage ended in the same internal error: the stage is at fault, not they."""


@dataclass(frozen=True)
class InternalError:
    """An unexpected error, met at one item.

    Attributes:
        kind: Name of the exception's class, such as `"KeyError"`.
        message: Its text, on one line.
        traceback: Where it was raised.
    """

    kind: str
    message: str
    traceback: str

    @property
    def reason(self) -> str:
        """Return the item's reason, such as `"internal error: KeyError: 'engine'"`."""
        return f"{INTERNAL}: {self.kind}: {self.message}"


def try_item(
    function: Callable[Arguments, Value], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Value | InternalError:
    """Call a function for one item; an exception becomes the item's `InternalError`.

    This is the one broad handler of the project. Expected errors have reasons of their own
    and are caught before they come here.

    >>> try_item(int, "7"), try_item(int, "x").reason
    (7, "internal error: ValueError: invalid literal for int() with base 10: 'x'")
    """
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return describe_error(error)


def try_each(
    work: str,
    calls: Iterable[tuple[str, Callable[[], Value]]],
    instead: Callable[[InternalError], Value],
) -> list[Value]:
    """Make a value for each item, and report the items that met an internal error.

    Args:
        work: As for `report_internal_errors`.
        calls: Name of each item, and the function that makes its value.
        instead: Makes the value of an item that met an error.

    Raises:
        StageFault: All items met the same error.
    """
    found = [(name, try_item(make)) for name, make in calls]
    errors = {name: value for name, value in found if isinstance(value, InternalError)}
    report_internal_errors(work, errors, len(found))
    return [instead(value) if isinstance(value, InternalError) else value for _, value in found]


def describe_error(error: BaseException) -> InternalError:
    """Describe an exception so that it can be sent to another process."""
    lines = traceback.format_exception(error)
    return InternalError(type(error).__name__, " ".join(str(error).split()), "".join(lines))


_reported: dict[str, set[str]] = {}  # the items met by each reason, since they were last counted
_logged: set[str] = set()  # tracebacks


def count_reported() -> dict[str, int]:
    """Count the items that were reported in this process since the last count, by reason.

    An item that meets the same error in several pieces of work counts once.
    """
    counts = {reason: len(items) for reason, items in _reported.items()}
    _reported.clear()
    _logged.clear()
    return counts


def report_internal_errors(
    work: str,
    errors: Mapping[str, InternalError],
    items: int,
    names: Mapping[str, str] | None = None,
) -> None:
    """Log the traceback of each kind of error once, and remember the items to be counted.

    Args:
        work: What was done with the items, such as `"reading text"`.
        errors: By the item's name, such as `"https://x.org/1.jpg (sample 17)"`.
        items: How many items there were, the good ones included.
        names: Names for the log by those in `errors`; a name that is not here stays.

    Raises:
        StageFault: There were at least `MIN_ITEMS` items, and all met the same error.
    """
    errors = {(names or {}).get(name, name): error for name, error in errors.items()}
    counts = Counter((error.kind, error.message) for error in errors.values())
    firsts: dict[str, tuple[str, InternalError]] = {}
    for name, error in errors.items():
        _reported.setdefault(error.reason, set()).add(name)
        firsts.setdefault(error.kind, (name, error))
    for name, error in firsts.values():
        if error.traceback in _logged:
            continue
        _logged.add(error.traceback)
        alike = sum(count for (kind, _), count in counts.items() if kind == error.kind)
        more = f", and {alike - 1:,} more like it" if alike > 1 else ""
        LOG.error("%s: %s while %s%s\n%s", name, error.reason, work, more, error.traceback)
    if items >= MIN_ITEMS and list(counts.values()) == [items]:
        name, error = next(iter(errors.items()))
        raise StageFault(
            f"{work}: all {items:,} items ended in the same {error.reason} (first: {name}). "
            f"The fault is not theirs.\n{error.traceback}"
        )
