"""Reviews: which rows, in which order, in which file, and corrections read back."""

import pandas as pd
import pytest

from lib import __main__ as program
from lib.evaluation.labels import read_labels
from lib.io.files import read_parts
from lib.tests.reviewed_run import (
    fill_in,
    needs_office,
    save_by_office,
    write_reviewed_run,
)
from lib.workflow import review


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run over eight labels."""
    return write_reviewed_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def call(tmp_path, capsys):
    """Run `review`; return its exit code and what it says."""

    def call(*arguments):
        folder = ["--data-dir", str(tmp_path / "mine")]
        code = program.main(["review", *map(str, arguments), *folder])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def read_sheet(book, name="review"):
    """Read a sheet of a workbook as text."""
    table = pd.read_excel(book, sheet_name=name, dtype=str, engine="calamine")
    return table.fillna("")


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
    assert len(second) == 3 and not {*first["image"]} & {*second["image"]}


def write_run(folder, **changes):
    """Write a run with other columns; return its answers in their order of review."""
    run = write_reviewed_run(folder / "run", **changes)
    none = pd.DataFrame(columns=["image_link", "sha256", "entity_name"], dtype=str)
    return review.select_rows(review.read_answers(run), none, [], "")


@pytest.mark.parametrize(
    ("changes", "indices"),
    [
        ({"conflict": ["", "5 gram"] + [""] * 6}, "101 107 106 105 104 103 102 100"),  # at odds
        ({"confidence": [0.5, None] + [0.6] * 6}, "100 102 103 104 105 106 107 101"),  # not known
        ({"read": [True] * 2 + [False] * 6}, "101 100"),  # there is nothing to look at
        ({"has_truth": [False] * 2 + [True] * 6}, "101 100"),  # the others are known already
        ({"has_truth": True}, "107 106 105 104 103 102 101 100"),  # all are: a look at the run
        ({"sha256": ["a"] * 7 + ["b"]}, "107 106"),  # one image, one question: once
    ],
)
def test_order_and_choice(tmp_path, changes, indices):
    """Contradicted answers first, then the least sure; each question about an image once."""
    assert write_run(tmp_path, **changes)["index"].tolist() == indices.split()


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


ENTRIES = {
    "E2": "not stated",  # 107: as answered
    "E3": "96.0 gram",  # 106: as answered
    "E4": "95 g",  # 105: as answered, in short
    "E5": "5.0 gram",  # 104: the dose
    "E6": "12 cm",  # 103: no weight
    "E7": "heavy",  # 102
    "E8": "NOT STATED",  # 101
}
REFUSED = ["row 6: '12 cm'", "row 7: 'heavy'"]
SAID = [
    "5 of 8 rows reviewed, 2 refused, 1 left empty.",
    "3 were right (60.0%): 2 of 4 answers (precision 0.500), 1 of 1 rows without an answer.",
]
VALUES = {"sha7": "", "sha6": "96.0 gram", "sha5": "95.0 gram", "sha4": "5.0 gram", "sha1": ""}


def check_corrections(call, run, path, mine, caplog):
    """Read a file of `ENTRIES` and check labels, refusals and score."""
    code, out, _ = call(run, "--read", path, "--by", "ann")
    assert code == 0, out
    for said in SAID:
        assert said in out
    refused = [record.message for record in caplog.records if "Refused" in record.message]
    assert len(refused) == 2
    assert all(part in line for part, line in zip(REFUSED, refused, strict=True))
    labels = read_labels(mine / "labels.csv").set_index("sha256")
    assert labels["entity_value"].to_dict() == VALUES
    assert labels.loc["sha6"].to_dict() == {
        "image_link": "images/6.jpg",
        "group_id": "g3",
        "entity_name": "item_weight",
        "entity_value": "96.0 gram",
        "prediction": "96.0 gram",
        "labelled_by": "ann",
        "labelled_at": labels.loc["sha6", "labelled_at"],
        "earlier": "",
    }


def test_corrections_come_back(tmp_path, run, call, caplog):
    """What was filled in becomes labels, nonsense is refused with its row, the rest counted."""
    call(run)
    book = fill_in(run / "review.xlsx", ENTRIES, tmp_path / "filled.xlsx")
    check_corrections(call, run, book, tmp_path / "mine", caplog)
    call(run)
    assert read_sheet(run / "review.xlsx")["index"].tolist() == ["103", "102", "100"]


@needs_office
@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_corrections_come_back_from_an_office(tmp_path, run, call, caplog, kind):
    """A workbook that LibreOffice has saved is read the same."""
    call(run)
    book = fill_in(run / "review.xlsx", ENTRIES, tmp_path / "filled.xlsx")
    (tmp_path / "saved").mkdir()
    saved = save_by_office(book, tmp_path / "saved", kind)
    check_corrections(call, run, saved, tmp_path / "mine", caplog)


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


def test_fit_reads_the_labels(tmp_path, run, call):
    """The lines name the command that fits, which finds the images that the run has read."""
    call(run)
    book = fill_in(run / "review.xlsx", ENTRIES, tmp_path / "filled.xlsx")
    out = call(run, "--read", book)[1]
    assert f"python -m lib fit --run {run} --data-dir {tmp_path / 'mine'}" in out
    read = read_parts(run / "tables/images", "01_download.ipynb")["sha256"]
    assert {*read_labels(tmp_path / "mine/labels.csv")["sha256"]} <= {*read}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no such"], "No run no such"),
        (["{empty}"], "run 05_evaluation.ipynb first"),
        (["{run}", "--read", "none.xlsx"], "No file none.xlsx"),
        (["{run}", "--read", "{empty}"], "No file"),  # a folder
        (["{run}", "--read", "{text}"], "cannot be read as a workbook"),
        (["{run}", "--read", "{csv}"], "is no review"),
        (["{run}", "--read", "{other}"], "is no review"),
    ],
)
def test_wrong_request_is_one_line(tmp_path, run, call, arguments, message):
    """Whatever is missing or damaged ends with code 2 and one line."""
    names = {"run": run, "empty": tmp_path / "empty"}
    names["empty"].mkdir()
    for name, file in (("text", "text.xlsx"), ("csv", "mine.csv"), ("other", "other.xlsx")):
        names[name] = tmp_path / file
    names["text"].write_text("a,b\n")
    names["csv"].write_text("index,correct\n1,5 gram\n")
    pd.DataFrame({"a": [1]}).to_excel(names["other"], engine="xlsxwriter")
    code, _, err = call(*(one.format(**names) for one in arguments))
    assert code == 2 and message in err.splitlines()[-1]
