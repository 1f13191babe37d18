"""Count the pages that engines read, for the record of a run."""

from __future__ import annotations

from collections.abc import Sequence

from lib.ocr.reading import ReadResult


def count_results(results: Sequence[ReadResult]) -> dict[str, object]:
    """Count the pages taken from the cache, read and failed: in all, and by engine."""
    engines = {
        result.engine: {
            "hits": result.hits,
            "misses": result.misses,
            "failures": len(result.failures),
            "version": result.version,
        }
        for result in results
    }
    return {
        "cache_hits": sum(result.hits for result in results),
        "cache_misses": sum(result.misses for result in results),
        "failures": sum(len(result.failures) for result in results),
        "engines": engines,
    }
