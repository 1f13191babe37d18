"""Tests of pages that are read and scanned when they are asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.extraction import page_scans as module
from lib.extraction.answers import answer_samples, choose_by_rules, list_candidates
from lib.extraction.page_scans import Parts, iterate_samples, open_scans
from lib.extraction.scan import scan_page
from lib.io.files import write_table
from lib.ocr.page_table import tabulate_line_segments, tabulate_words
from lib.tests.drawing import page, word

PAGES = {f"sha{i}": page(word(f"Net weight {i + 1} g", 0, 0)) for i in range(6)}
SEGMENTS = {"sha3": np.array([[0, 30, 100, 30]], np.float32)}
SAMPLES = pd.DataFrame(
    {
        "sample_id": range(7),
        "entity_name": "item_weight",
        "sha256": ["sha5", "sha0", "sha2", "", "sha4", "sha0", "lost"],
    }
)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Give the tables of a run of three batches, in which a second engine has read all too."""
    for batch in range(3):
        own = dict(list(PAGES.items())[2 * batch : 2 * batch + 2])
        other = {sha256: replace(one, engine="other", words=()) for sha256, one in own.items()}
        rows = [
            {"sha256": sha256, "engine": one.engine, "status": "ok", "width": 500, "height": 400}
            for pages in (own, other)
            for sha256, one in pages.items()
        ]
        rows.append(rows[0] | {"sha256": "lost", "status": "failed"})
        words = pd.concat([tabulate_words(own), tabulate_words(other)])
        segments = {sha256: found for sha256, found in SEGMENTS.items() if sha256 in own}
        part = f"part-{batch:05d}.parquet"
        write_table(pd.DataFrame(rows), tmp_path / "pages" / part)
        write_table(words, tmp_path / "words" / part)
        write_table(tabulate_line_segments(segments), tmp_path / "line_segments" / part)
    return tmp_path


def test_answers_are_those_of_all_pages_in_memory(tables: Path) -> None:
    """Whether pages come from three parts or from memory, answers and candidates are the same."""
    scans = open_scans(tables, "rapidocr", {"sha1": 0.7})
    known = {sha256: scan_page(one) for sha256, one in PAGES.items()}
    assert list(scans) == list(PAGES) and scans["sha1"].roundness == 0.7
    assert [len(scans[name].drawing.found) for name in ("sha2", "sha3")] == [0, 1]
    for answer in (lambda s: answer_samples(SAMPLES, s, choose_by_rules), candidates_of):
        pd.testing.assert_frame_equal(answer(scans), answer(known), check_exact=False)
    assert "lost" not in scans and scans.get("lost") is None


def candidates_of(scans) -> pd.DataFrame:
    """List the candidates of the samples."""
    return list_candidates(SAMPLES, scans)


def test_each_part_is_read_once_and_each_page_scanned_once(
    tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answering goes from part to part, however the samples are mixed."""
    asked = []
    scan = module.scan_page
    monkeypatch.setattr(module, "scan_page", lambda p, *rest: asked.append(p) or scan(p, *rest))
    reads = []
    read = module._read_pages
    monkeypatch.setattr(module, "_read_pages", lambda p, e: reads.append(p.name) or read(p, e))
    answer_samples(SAMPLES, open_scans(tables, "rapidocr", {}), choose_by_rules)
    assert reads == [f"part-{batch:05d}.parquet" for batch in range(3)]
    assert len(asked) == 4


def test_only_the_last_scans_are_kept(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds so many scans, whatever the number of pages."""
    monkeypatch.setattr(module, "MAX_SCANS", 2)
    scans = open_scans(tables, "rapidocr", {})
    first = scans["sha0"]
    assert scans["sha0"] is first
    assert [scans[name] for name in ("sha1", "sha2")] and scans["sha0"] is not first


def test_samples_come_in_the_order_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those without a page come last; all keep their index."""
    monkeypatch.setattr(module, "BATCH_SIZE", 3)
    given = [list(some.index) for some in iterate_samples(SAMPLES, dict.fromkeys(PAGES))]
    assert given == [[1, 5, 2], [4, 0, 3], [6]]
    assert [len(some) for some in iterate_samples(SAMPLES[:0], {})] == [0]


def test_key_of_several_parts_is_read_in_the_first() -> None:
    """An image behind two links may be in two batches."""
    values = {"a": {"x": 1}, "b": {"x": 2, "y": 3}}
    parts = Parts(
        [Path("a"), Path("b")], lambda p: pd.Series(list(values[p.name])), lambda p: values[p.name]
    )
    assert dict(parts) == {"x": 1, "y": 3} and len(parts) == 2


def test_missing_parts_name_the_notebook(tmp_path: Path) -> None:
    """Where nothing was read, the message says what to run."""
    with pytest.raises(FileNotFoundError, match=r"03_ocr\.ipynb"):
        open_scans(tmp_path, "rapidocr", {})
