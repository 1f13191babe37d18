"""Corrections of a review, read back from a workbook."""

import pandas as pd
import pytest

from lib.evaluation.labels import read_labels
from lib.io.files import read_parts
from lib.tests.reviewed_run import fill_in, needs_office, read_sheet, save_by_office

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
        (["no such", "--read", "{csv}"], "No run no such"),
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
