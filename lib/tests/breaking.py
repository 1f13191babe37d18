"""Functions that break at one item, as nobody foresaw."""

import functools
import pkgutil

import pytest


def break_at(patch: pytest.MonkeyPatch, function: str, item: str) -> None:
    """Let a function raise `KeyError` wherever an item's text stands in its arguments.

    Args:
        patch: Puts the function back in the end.
        function: Where it is looked up, such as `"lib.extraction.page_scans.scan_page"`.
        item: The text, `""` for all items.
    """
    whole = pkgutil.resolve_name(function)

    @functools.wraps(whole)
    def broken(*args: object, **named: object) -> object:
        if item in repr((args, named)):
            raise KeyError("broken")
        return whole(*args, **named)

    patch.setattr(function, broken)
