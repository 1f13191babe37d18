"""What to label next."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.labels import COLUMNS
from lib.extraction.learned.suggestions import choose_spread, suggest_rows
from lib.io.files import write_table
from lib.tests.labelled_run import write_labelled_run


@pytest.fixture
def run(tmp_path):
    """A run whose first answers are the least sure; two images a group."""
    return write_labelled_run(tmp_path / "run", 8)


def list_links(rows):
    """List the numbers of the suggested images."""
    return [int(link.removeprefix("images/").removesuffix(".jpg")) for link in rows["image_link"]]


def test_unsure_rows_come_first_one_a_group(run):
    """The least sure of each group, then the others; a certain answer teaches nothing."""
    rows = suggest_rows(run, None)
    assert list_links(rows) == [0, 2, 4, 6, 1, 3, 5]
    assert list_links(suggest_rows(run, None, 2)) == [0, 2]
    assert rows["index"].tolist()[:2] == ["100", "102"]
    assert (rows["entity_value"] == "?").all()


def test_labelled_rows_are_left_out(run):
    """By the image's content or by its link, for the same question only."""
    labels = pd.DataFrame("", index=range(3), columns=list(COLUMNS))
    labels["image_link"] = ["elsewhere.jpg", "images/2.jpg", "images/4.jpg"]
    labels["sha256"] = ["sha0", "", ""]
    labels["entity_name"] = ["item_weight", "item_weight", "width"]
    assert list_links(suggest_rows(run, labels)) == [1, 3, 4, 6, 5]


def test_rows_with_a_truth_are_left_out(run):
    """What is labelled in the run's own table needs no label."""
    path = run / "tables/scored_predictions.parquet"
    scored = pd.read_parquet(path)
    write_table(scored.assign(has_truth=scored["sample_id"] % 2 == 0), path)
    assert list_links(suggest_rows(run, None)) == [1, 3, 5]


def test_run_by_rules_is_ranked_by_what_was_learned(run):
    """Probabilities of the rules are not calibrated; without the model's they are taken."""
    path = run / "tables/scored_predictions.parquet"
    write_table(pd.read_parquet(path).assign(probability=[*np.linspace(0.9, 0.5, 8)]), path)
    assert list_links(suggest_rows(run, None, 1)) == [0]
    predictions = run / "tables/predictions.parquet"
    write_table(pd.read_parquet(predictions).assign(method="rules (rapidocr)"), predictions)
    assert list_links(suggest_rows(run, None, 1)) == [7]


@pytest.mark.parametrize(
    ("worth", "groups", "chosen"),
    [
        ([0.1, 0.2, 0.2, 0.0], "aabc", [1, 2, 0]),  # ties in the given order, nothing of worth 0
        ([0.2, 0.2, 0.1], "aab", [0, 2, 1]),  # a group's second after the last group's first
        ([0.0, np.nan], "ab", []),
        ([], "", []),
    ],
)
def test_spread_over_groups(worth, groups, chosen):
    """The best of each group, then the second of each."""
    found = choose_spread(np.array(worth, float), pd.Series(list(groups), dtype=str), 9)
    assert found.tolist() == chosen


def test_unfinished_run_is_named(tmp_path):
    """The message names the notebook that is missing."""
    with pytest.raises(FileNotFoundError, match=r"05_evaluation\.ipynb"):
        suggest_rows(tmp_path, None)
