"""The counts of pages for the record of a run."""

from lib.ocr.counts import count_results
from lib.ocr.page import Page
from lib.ocr.reading import ReadResult


def test_engines_are_counted_and_added_up():
    """Each engine has its counts and version; the totals are those of all engines."""
    page = Page(10, 10, "a", ())
    first = ReadResult("a", "1.0", pages={"aa": page}, failures={"bb": "hung"}, hits=1, misses=1)
    second = ReadResult("b", "2.0", pages={"aa": page, "bb": page}, hits=0, misses=2)
    counts = count_results([first, second])
    assert counts["engines"] == {
        "a": {"hits": 1, "misses": 1, "failures": 1, "version": "1.0"},
        "b": {"hits": 0, "misses": 2, "failures": 0, "version": "2.0"},
    }
    totals = {name: counts[name] for name in ("cache_hits", "cache_misses", "failures")}
    assert totals == {"cache_hits": 1, "cache_misses": 3, "failures": 1}


def test_no_engine_counts_nothing():
    """Without a result all totals are zero."""
    assert count_results([]) == {"cache_hits": 0, "cache_misses": 0, "failures": 0, "engines": {}}
