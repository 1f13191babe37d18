"""Two sets of answers compared without a truth."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.drift import (
    ROWS,
    Measure,
    compare_profiles,
    gather_profiles,
    pick,
    profile,
)
from lib.evaluation.paired_answers import NotComparableError


def make_rows(count, split="test", unit="inch", seed=0):
    """Make scored predictions and their pages, about 5 words on an image."""
    random = np.random.default_rng(seed)
    sha256 = [f"{split}{i}" for i in range(count)]
    rows = pd.DataFrame(
        {
            "sha256": sha256,
            "split": split,
            "method": "rules (rapidocr)",
            "engine": "rapidocr",
            "entity_name": random.choice(["width", "height"], count),
            "prediction": np.where(random.random(count) < 0.8, f"2.0 {unit}", ""),
            "probability": random.random(count),
        }
    )
    words = random.poisson(5, count)
    pages = pd.DataFrame({"sha256": sha256, "engine": "rapidocr", "words": words, "status": "ok"})
    return rows, pages


def test_profile_counts_the_answering_engine_only():
    """Words of other engines, of unread pages and of other images are left out."""
    rows, pages = make_rows(3)
    others = [pages.assign(engine="tesseract"), pages.assign(status="failed"), make_rows(2, "x")[1]]
    table = profile(rows, pd.concat([pages, *others]), "test")
    assert pick(table, Measure.WORDS).tolist() == pytest.approx(pages["words"].tolist(), abs=99)
    assert len(pick(table, Measure.WORDS)) == 3
    assert set(table["group"]) == {"test"}
    assert set(pick(table, Measure.UNIT)) <= {"inch"}


def test_profile_is_bounded():
    """A long run stores as many values as a short one."""
    rows, pages = make_rows(ROWS + 500)
    assert profile(rows, pages, "test")["measure"].value_counts().max() == ROWS


def test_alike_sets_are_close_and_unlike_ones_apart():
    """Chance is great where nothing changed, and small where words and units did."""
    rows, pages = make_rows(400)
    ours = profile(rows, pages, "here")
    again = profile(*make_rows(400, seed=1), "there")
    same = compare_profiles(ours, again).set_index("measure")
    assert (same["distance"] < 0.15).all() and (same["chance"] > 0.001).all()
    other_rows, other_pages = make_rows(400, unit="volt", seed=1)
    moved = profile(other_rows, other_pages.assign(words=other_pages["words"] * 3), "there")
    apart = compare_profiles(ours, moved).set_index("measure")
    assert apart.loc[Measure.WORDS, "distance"] > 0.5
    assert apart.loc[Measure.UNIT, "distance"] == 1.0
    assert (apart.loc[[Measure.WORDS, Measure.UNIT], "chance"] < 1e-6).all()
    assert apart.loc["confidence of an answer", "chance"] > 0.001


def write_run(folder, rows, pages):
    """Write what is looked at of a finished run."""
    (folder / "tables/pages").mkdir(parents=True)
    rows.to_parquet(folder / "tables/scored_predictions.parquet")
    pages.to_parquet(folder / "tables/pages/part-00000.parquet")


def test_test_rows_are_compared_with_train_rows(tmp_path):
    """Of one run, test beside train; of a single table, nothing."""
    parts = [make_rows(40), make_rows(30, "train")]
    rows, pages = (pd.concat(tables) for tables in zip(*parts, strict=True))
    write_run(tmp_path, rows, pages)
    ours, theirs = gather_profiles(tmp_path, rows)
    assert (set(ours["group"]), set(theirs["group"])) == ({"test"}, {"train"})
    assert len(pick(ours, Measure.ENTITY)) == 40 and len(pick(theirs, Measure.ENTITY)) == 30
    for split in ("test", "train"):
        alone = gather_profiles(tmp_path, rows[rows["split"] == split])
        assert len(alone[0]) and not len(alone[1])
        assert compare_profiles(*alone).empty


def test_reference_is_another_run(tmp_path):
    """Of the reference its train rows count, whatever rows this run has."""
    write_run(tmp_path / "here", *make_rows(20))
    parts = [make_rows(40), make_rows(30, "train")]
    write_run(tmp_path / "training", *(pd.concat(tables) for tables in zip(*parts, strict=True)))
    ours, theirs = gather_profiles(tmp_path / "here", make_rows(20)[0], tmp_path / "training")
    assert set(theirs["group"]) == {"run training"}
    assert (len(pick(ours, Measure.ENTITY)), len(pick(theirs, Measure.ENTITY))) == (20, 30)


def test_reference_must_be_a_run(tmp_path):
    """A folder that is no finished run is named."""
    write_run(tmp_path, *make_rows(3))
    with pytest.raises(NotComparableError, match=r"No .*nothing.*the run did not get so far"):
        gather_profiles(tmp_path, make_rows(3)[0], tmp_path / "nothing")


def test_reference_of_the_previous_version_is_refused(tmp_path):
    """Version 0.1 did not record which engine an answer is from: one line says what to do."""
    rows, pages = make_rows(3)
    write_run(tmp_path, rows.drop(columns="engine"), pages)
    name = tmp_path / "tables/verdicts.parquet"
    (tmp_path / "tables/scored_predictions.parquet").rename(name)
    with pytest.raises(NotComparableError, match=r"verdicts.*run it again.*engine") as found:
        gather_profiles(tmp_path, rows, tmp_path)
    assert "\n" not in str(found.value)
