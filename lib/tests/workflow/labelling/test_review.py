"""Reviews: which rows, in which order, in which file."""

import pandas as pd
import pytest

from lib.tests.reviewed_run import fill_in, read_sheet, write_reviewed_run
from lib.workflow.labelling import review

NO_LABELS = pd.DataFrame(columns=["image_link", "sha256", "entity_name"], dtype=str)


@pytest.mark.parametrize(
    ("options", "indices"),
    [
        ([], "107 106 105 104 103 102 101 100"),  # the least sure first
        (["-n", 3], "107 106 105"),
        (["--decision", "silent"], "107 103"),
        (["--decision", "answered", "-n", 2], "106 105"),
        (["--entity", "item_weight", "--entity", "width", "-n", 1], "107"),
    ],
)
def test_rows_are_chosen(run, call, options, indices):
    """The least sure come first, of a question or a decision if one is named."""
    code, out, _ = call(run, *options)
    assert code == 0 and str(run / "review.xlsx") in out and str(run / "review.html") in out
    assert read_sheet(run / "review.xlsx")["index"].tolist() == indices.split()


def test_nothing_is_left(run, call):
    """Where no row is left nothing is written."""
    code, out, _ = call(run, "--entity", "width")
    assert code == 0 and "No answer of run is left" in out


def test_second_sheet_teaches(run, call):
    """It lists what `suggest` would list once the first is labelled, none twice."""
    call(run, "-n", 3)
    first, second = (read_sheet(run / "review.xlsx", name) for name in ("review", "suggested"))
    assert len(second) == 5 and not {*first["image"]} & {*second["image"]}


def test_second_sheet_is_about_the_same_question(tmp_path, call):
    """Where only some rows are asked for, no others are suggested."""
    names = ["item_weight", "maximum_weight_recommendation"] * 4
    run = write_reviewed_run(tmp_path / "run", entity_name=names)
    call(run, "--entity", "item_weight", "-n", 1)
    first, second = (read_sheet(run / "review.xlsx", name) for name in ("review", "suggested"))
    assert [*first["index"], *sorted(second["index"])] == ["106", "100", "102", "104"]
    assert {*second["question"]} == {"item weight"}


def write_run(folder, **changes):
    """Write a run with other columns; return its answers in their order of review."""
    run = write_reviewed_run(folder / "run", **changes)
    return review.select_rows(review.read_answers(run), NO_LABELS, [], "")


@pytest.mark.parametrize(
    ("changes", "indices"),
    [
        ({"conflict": ["", "5 gram"] + [""] * 6}, "101 107 106 105 104 103 102 100"),  # at odds
        ({"confidence": [0.5, None] + [0.6] * 6}, "100 102 103 104 105 106 107 101"),  # not known
        ({"read": [True] * 2 + [False] * 6}, "101 100"),  # there is nothing to look at
        ({"decision": ["answered", "silent"] + ["failed"] * 6}, "101 100"),  # nor was it answered
        ({"has_truth": [False] * 2 + [True] * 6}, "101 100"),  # the others are known already
        ({"has_truth": True}, "107 106 105 104 103 102 101 100"),  # all are: a look at the run
        ({"sha256": ["a"] * 7 + ["b"]}, "107 106"),  # one image, one question: once
    ],
)
def test_order_and_choice(tmp_path, changes, indices):
    """Contradicted answers first, then the least sure; each question about an image once."""
    assert write_run(tmp_path, **changes)["index"].tolist() == indices.split()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_conflicts_come_from_the_answers(tmp_path, kind):
    """Rows that the run's answers call contradicted come first, whatever their format."""
    run = write_reviewed_run(tmp_path / "run")
    table = pd.DataFrame({"index": ["102", "100"], "conflict": ["5.0 gram (101)", ""]})
    write = {"csv": table.to_csv, "xlsx": table.to_excel, "parquet": table.to_parquet}[kind]
    write(run / f"answers.{kind}", index=False)
    rows = review.select_rows(review.read_answers(run), NO_LABELS, [], "")
    assert rows["index"].tolist()[:2] == ["102", "107"]
    assert rows["conflict"].tolist()[:2] == ["5.0 gram (101)", ""]


def test_withheld_answer_is_shown(tmp_path):
    """What a promise has left to a reviewer is the answer, with its own runner-up."""
    held = {"prediction": "", "runner_up": "5.0 gram", "next_runner_up": "6.0 gram"}
    row = write_run(tmp_path, **held, decision="review").iloc[0]
    assert (row["prediction"], row["runner_up"]) == ("5.0 gram", "6.0 gram")


def test_run_of_an_earlier_version_is_reviewed(tmp_path):
    """A run without confidence and decision has its probabilities; silences come last."""
    run = write_reviewed_run(tmp_path / "run")
    path = run / "tables/scored_predictions.parquet"
    pd.read_parquet(path).drop(columns=["confidence", "decision"]).to_parquet(path)
    rows = review.read_answers(run)
    assert rows["confidence"].isna().tolist() == (rows["prediction"] == "").tolist()


def test_changed_workbook_is_kept(tmp_path, call):
    """Only a workbook that nobody has changed is written again."""
    run = write_reviewed_run(tmp_path / "run")
    book = run / "review.xlsx"
    for _ in range(2):
        call(run)
        assert [path.name for path in run.glob("review*.xlsx")] == ["review.xlsx"]
    fill_in(book, {"E2": "5 gram"}, tmp_path / "filled.xlsx").replace(book)
    changed = book.read_bytes()
    for _ in range(2):
        assert "review-2.xlsx" in call(run)[1]
    assert book.read_bytes() == changed
    assert {path.name for path in run.glob("review*")} == {
        *("review.xlsx", "review.html", "review-2.xlsx", "review-2.html"),
    }


def test_missing_images_are_counted(tmp_path, call):
    """A run whose images were deleted can still be reviewed, and says so."""
    run = write_reviewed_run(tmp_path / "run")
    (tmp_path / "data/images/3.png").unlink()
    (tmp_path / "data/images/4.png").write_text("no image")
    code, out, _ = call(run)
    assert code == 0 and "2 rows have no image" in out
    assert "(no image)" in read_sheet(run / "review.xlsx")["whole image"].tolist()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no such", "No run no such"),
        ("empty", "run 05_evaluation.ipynb first"),  # a folder that is no run
    ],
)
def test_wrong_request_is_one_line(monkeypatch, tmp_path, call, name, message):
    """A run that is missing or not finished ends with code 2 and one line; nothing is written."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    code, _, err = call(name)
    assert code == 2 and message in err.splitlines()[-1]
    assert not list((tmp_path / "empty").iterdir())


def test_damaged_labels_are_told(tmp_path, run, call):
    """The user's file of labels is not guessed at."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/labels.csv").write_text("something else\n")
    code, _, err = call(run)
    assert code == 2 and "is no file of labels" in err
