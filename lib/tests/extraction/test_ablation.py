"""What a fitted ranker gains from more rows and from each part, on pages where that is known."""

import numpy as np
import pandas as pd
import pytest

from lib.extraction.ranking.ablation import (
    ABLATION,
    LEARNING,
    SIZES,
    drop_line_segments,
    hide_entity,
    study_ranker,
)
from lib.extraction.ranking.ranker import make_question
from lib.extraction.scan import scan_page
from lib.tests.breaking import break_at
from lib.tests.drawing import page, word

COUNT = 60
SEGMENT = np.float32([[0, 60, 200, 60]])
SCANS = {
    f"sha{i}": scan_page(
        page(word(f"Dose {i % 5 + 1} g", 0, 0), word(f"Net weight {i + 90} g", 0, 40)), SEGMENT, 0.5
    )
    for i in range(COUNT)
}
SAMPLES = pd.DataFrame(
    {
        "sample_id": range(COUNT),
        "sha256": list(SCANS),
        "group_id": [f"g{i // 2}" for i in range(COUNT)],
        "entity_name": "item_weight",
        "entity_value": [f"{i + 90}.0 gram" for i in range(COUNT)],
        "has_truth": True,
        "split": "train",
    }
)


@pytest.fixture
def _small(monkeypatch):
    """Let a few rows be enough, and a few trees."""
    monkeypatch.setattr("lib.extraction.ranking.ablation.MIN_TRAIN_ROWS", COUNT)
    monkeypatch.setattr("lib.extraction.ranking.training.TREES", 20)


def test_few_rows_are_not_studied():
    """Below the rows that a ranker takes there is nothing to say, in tables of the right form."""
    curve, parts = study_ranker(SAMPLES, SCANS)
    assert (curve.columns.tolist(), parts.columns.tolist()) == (LEARNING, ABLATION)
    assert curve.empty and parts.empty


@pytest.mark.usefixtures("_small")
def test_curve_grows_and_is_judged_on_others():
    """Each point takes more rows, judged on rows it has not seen; the last is the whole ranker."""
    curve, parts = study_ranker(SAMPLES, SCANS)
    assert len(curve) == len(SIZES)
    assert curve["rows"].is_monotonic_increasing
    assert curve["judged"].nunique() == 1
    assert curve["rows"].iloc[-1] + curve["judged"].iloc[-1] == COUNT
    assert curve["f1"].iloc[-1] > 0.9  # the net weight is easily told from the dose
    assert parts["f1"].iloc[0] == curve["f1"].iloc[-1]
    assert parts["method"].tolist() == [
        "ranker", "without shape", "without line segments", "without the entity"
    ]  # fmt: skip
    assert ((curve["low"] <= curve["f1"]) & (curve["f1"] <= curve["high"])).all()


@pytest.mark.usefixtures("_small")
def test_test_rows_are_not_studied():
    """Rows of the test table, or without a truth or image, take no part."""
    others = [SAMPLES.assign(split="test"), SAMPLES.assign(has_truth=False)]
    curve, _ = study_ranker(pd.concat([SAMPLES, *others], ignore_index=True), SCANS)
    assert curve["rows"].iloc[-1] + curve["judged"].iloc[-1] == COUNT


def test_parts_are_taken_away():
    """Each view lacks its part and keeps the rest."""
    scan = SCANS["sha0"]
    bare = drop_line_segments(scan)
    assert len(scan.drawing.segments) and not len(bare.drawing.segments)
    assert bare.roundness == scan.roundness and len(bare.quantities) == len(scan.quantities)
    question = make_question(scan, "item_weight")
    hidden = hide_entity(question)
    assert question.features[:, 0].all() and not hidden.features[:, 0].any()
    assert (question.features[:, 1:] == hidden.features[:, 1:]).all()


@pytest.mark.usefixtures("_small")
def test_page_that_breaks_costs_only_itself(monkeypatch, caplog):
    """A page that cannot be scanned again is left out, and named in the log."""
    break_at(monkeypatch, "lib.extraction.ranking.ablation.drop_line_segments", "Net weight 95 g")
    named = SAMPLES.assign(image_link=SAMPLES["sha256"] + ".jpg", index=SAMPLES["sample_id"])
    _, parts = study_ranker(named, SCANS)
    assert len(parts) == 4
    assert caplog.messages[0].startswith("sha5.jpg (train sample 5): internal error")
