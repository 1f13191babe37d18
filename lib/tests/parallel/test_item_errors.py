"""The net under items: what it catches, what it says, and that it hides no general fault."""

import logging
from functools import partial

import pytest

from lib.parallel.item_errors import (
    InternalError,
    StageFault,
    describe_error,
    report_internal_errors,
    try_each,
    try_item,
)


def fail(number: int) -> int:
    """Return an even number, fail with an odd one."""
    if number % 2:
        raise KeyError(f"no\n{number}")
    return number


def make_errors(numbers) -> dict[str, InternalError]:
    """Collect the errors of some numbers by name."""
    found = {f"item {number}": try_item(fail, number) for number in numbers}
    return {name: error for name, error in found.items() if isinstance(error, InternalError)}


def test_each_item_has_a_value_or_another_instead(caplog):
    """An item that meets an error is logged by name; the others and their order are kept."""
    calls = [(f"item {number}", partial(fail, number)) for number in (2, 3, 4)]
    with caplog.at_level(logging.ERROR):
        found = try_each("counting", calls, lambda error: -len(error.kind))
    assert found == [2, -len("KeyError"), 4]
    assert "item 3: internal error" in caplog.text and "while counting" in caplog.text


def test_error_becomes_a_reason_on_one_line():
    """The reason names the kind of the error, and breaks no table."""
    error = try_item(fail, 3)
    assert error.reason == r"internal error: KeyError: 'no\n3'"
    assert "in fail" in error.traceback


def test_stop_is_no_item_error():
    """Ctrl-C ends the work; it is no item's fault."""
    with pytest.raises(KeyboardInterrupt):
        try_item(lambda: (_ for _ in ()).throw(KeyboardInterrupt()))


def test_each_kind_is_logged_once_with_its_first_item(caplog):
    """Twenty errors of two kinds make two entries, whose first lines name an item."""
    errors = make_errors(range(20)) | {"item x": describe_error(ValueError("other"))}
    with caplog.at_level(logging.ERROR):
        report_internal_errors("counting", errors, 21)
    assert len(caplog.records) == 2
    first = caplog.records[0].getMessage().splitlines()[0]
    assert first == r"item 1: internal error: KeyError: 'no\n1' while counting, and 9 more like it"


@pytest.mark.parametrize(
    ("numbers", "items"),
    [
        ([1] * 1, 1),  # one item may fail by itself
        ([1, 1, 1, 1], 4),  # names collapse: one error of four items
        (range(1, 13, 2), 6),  # all fail, each with another message
        (range(6), 6),  # some are well
    ],
)
def test_single_items_fail_no_stage(numbers, items):
    """A stage goes on while its items fail for reasons of their own."""
    report_internal_errors("counting", make_errors(numbers), items)


def test_the_same_error_everywhere_fails_the_stage():
    """Five items with one and the same error: the message holds the traceback."""
    errors = {f"item {n}": try_item(fail, 1) for n in range(5)}
    with pytest.raises(StageFault, match=r"(?s)all 5 items .*item 0.*in fail"):
        report_internal_errors("counting", errors, 5)
    report_internal_errors("counting", errors, 6)  # the sixth was well
