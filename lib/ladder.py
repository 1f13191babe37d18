"""The methods that are compared on the same samples, from the stupid baseline upwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from lib.candidates import NO_STROKES, Scan, scan_page
from lib.extraction import Choice, answer_samples
from lib.first_match import match_first
from lib.page_table import iterate_pages

PLAIN: str = "tesseract_plain"  # The engine whose text the first match reads.
FIRST_MATCH: str = "first match (plain Tesseract)"


def name_method(method: str, engine: str) -> str:
    """Name a rung of the ladder.

    >>> name_method("rules", "rapidocr")
    'rules (rapidocr)'
    """
    return f"{method} ({engine})"


def read_engine(name: str) -> str:
    """Read the engine out of a rung's name.

    >>> read_engine("rules (rapidocr)")
    'rapidocr'
    """
    return name.partition("(")[2].rstrip(")")


def scan_engine(
    engine: str,
    words: pd.DataFrame,
    pages: pd.DataFrame,
    strokes: Mapping[str, np.ndarray],
    roundness: Mapping[str, float],
) -> dict[str, Scan]:
    """Scan all pages that one engine has read.

    Args:
        engine: Its name in the tables.
        words: As `page_table.tabulate_words` gives them, of all engines.
        pages: One row a picture and engine that was read: sha256, engine, width, height.
        strokes: sha256 -> (N, 4) in pixels.
        roundness: sha256 -> probability that it shows a round thing.

    Returns:
        sha256 -> scan.
    """
    own_words, own_pages = words[words["engine"] == engine], pages[pages["engine"] == engine]
    return {
        sha256: scan_page(page, strokes.get(sha256, NO_STROKES), roundness.get(sha256, math.nan))
        for sha256, page in iterate_pages(own_words, own_pages)
    }


def answer_by_first_match(samples: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Answer every sample with the first match of its page's plain text.

    Args:
        samples: `sample_id` and `sha256`.
        words: As `page_table.tabulate_words` gives them.

    Returns:
        One row a sample: `sample_id`, `sha256`, `prediction`, `probability`, `reason`.
    """
    plain = words[words["engine"] == PLAIN].groupby("sha256", sort=False)["text"]
    answers = {sha256: match_first(texts) for sha256, texts in plain}
    return pd.DataFrame(
        {
            "sample_id": samples["sample_id"].to_numpy(),
            "sha256": samples["sha256"].to_numpy(),
            "prediction": samples["sha256"].map(answers).fillna("").to_numpy(),
            "probability": np.nan,
            "reason": "first number with a unit word",
        }
    )


def answer_by_all_methods(
    samples: pd.DataFrame,
    scans: Mapping[str, Mapping[str, Scan]],
    words: pd.DataFrame,
    choose: Callable[[Scan, str], Choice],
    ranked: pd.DataFrame,
    method: str,
) -> pd.DataFrame:
    """Answer every sample by each rung of the ladder.

    Args:
        samples: `sample_id`, `entity_name` and `sha256`, `""` where there is no picture.
        scans: Engine -> sha256 -> scan; the first engine is the one that answers.
        words: Of all engines.
        choose: Answers one question about one page.
        ranked: The ranker's answers on the first engine.
        method: `rules` or `ranker`: whose answers are the run's.

    Returns:
        One row a sample and method: the columns of `extraction.answer_samples`, `method`,
        `answers` (whether this method's answers are the run's) and `fold`, -1 where no model was
        kept from seeing the sample.
    """
    rungs = []
    if PLAIN in scans:
        rungs.append(answer_by_first_match(samples, words).assign(method=FIRST_MATCH))
    for engine in reversed([engine for engine in scans if engine != PLAIN]):
        answers = answer_samples(samples, scans[engine], choose)
        rungs.append(answers.assign(method=name_method("rules", engine)))
    rungs.append(ranked.assign(method=name_method("ranker", next(iter(scans)))))
    ladder = pd.concat(rungs, ignore_index=True)
    return ladder.assign(
        answers=ladder["method"] == name_method(method, next(iter(scans))),
        fold=ladder["fold"].fillna(-1).astype(int),
    )


def choose_rows(ladder: pd.DataFrame, method: str, engine: str) -> pd.DataFrame:
    """Take the answers of one rung.

    Raises:
        ValueError: No rung has that name.
    """
    name = name_method(method, engine)
    if name not in set(ladder["method"]):
        raise ValueError(f"no method {name!r}; there are {sorted(set(ladder['method']))}")
    return ladder[ladder["method"] == name].reset_index(drop=True)
