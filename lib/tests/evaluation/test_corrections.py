"""Corrected truths from any CSV file."""

import pandas as pd
import pytest

from lib.evaluation.corrections import match_corrections, read_corrections, read_shown
from lib.evaluation.labels import read_labels, save_labels
from lib.tests.labelled_run import write_labelled_run


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What a run with the indices 100 to 103 has shown."""
    return read_shown([write_labelled_run(tmp_path_factory.mktemp("runs") / "run", 4)])


def read(tmp_path, text, shown):
    """Read corrections from a text."""
    path = tmp_path / "mine.csv"
    path.write_text(text)
    labels, refused = read_corrections(path, shown)
    return labels, [message.removeprefix(str(path)) for message in refused]


LINK = "image_link,entity_name,entity_value\nimages/1.jpg,item_weight,"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("index,entity_value\n101,5 gram\n", "5 gram"),  # the run's own number
        ("entity_value,note,index\n5 gram,x,101\n", "5 gram"),  # other columns and another order
        (f"{LINK}5 gram\n", "5 gram"),  # by link
        (f"{LINK}\n", ""),  # not stated
        (f"{LINK} NA \n", ""),  # as in train tables
        ("\ufeffindex,entity_value\n101,5 gram\n", "5 gram"),  # saved by Excel
        ("index,entity_value\n 101 , 5 gram \n", "5 gram"),  # blanks
        ("image_link,entity_name,entity_value\nimages/1.jpg, item_weight ,5 gram\n", "5 gram"),
        ("sha256,entity_name,entity_value\nsha1,item_weight,5 gram\n", "5 gram"),  # by image
        ("index,entity_value,note\n101,5 gram\n", "5 gram"),  # the row ends early
        ("index,entity_value\n101,2.5 kg\n", "2.5 kilogram"),  # a short unit, as in tables
        ('index,entity_value\n101,"2,5kg"\n', "2.5 kilogram"),  # decimal comma, no blank
    ],
)
def test_correction_is_joined_with_what_was_shown(tmp_path, shown, text, value):
    """Image, group and prediction come from the run."""
    labels, refused = read(tmp_path, text, shown)
    assert refused == []
    assert labels.iloc[0].to_dict() == {
        "image_link": "images/1.jpg",
        "group_id": "g0",
        "entity_name": "item_weight",
        "entity_value": value,
        "sha256": "sha1",
        "prediction": "91.0 gram",
        "labelled_by": "",
        "labelled_at": "",
        "earlier": "",
    }


def test_question_that_the_run_did_not_ask(tmp_path, shown):
    """Its image and group are known, though nothing was shown; an unknown image is a label too."""
    text = "image_link,entity_name,entity_value\nimages/1.jpg,width,2 inch\nnew.jpg,width,\n"
    labels, refused = read(tmp_path, text, shown)
    assert refused == []
    assert labels["sha256"].tolist() == ["sha1", ""]
    assert labels["group_id"].tolist() == ["g0", ""]
    assert labels["prediction"].tolist() == ["", ""]


@pytest.mark.parametrize(
    ("rows", "messages"),
    [
        (["images/1.jpg,item_weight,5 volt"], [", row 3: the unit 'volt' is not allowed"]),
        (["images/1.jpg,item_weight,five"], [", row 3: 'five' is not a number"]),
        (["images/1.jpg,colour,5 gram"], [", row 3: the entity 'colour' is unknown; known are"]),
        (  # all three are told
            ["images/1.jpg,item_weight,5 gram", "images/1.jpg,item_weight,6 gram", "a.jpg,x,"],
            [", row 5: the entity 'x'", ", rows 3, 4: contradicting labels for item_weight of"],
        ),
        (["images/1.jpg,item_weight,5 gram", "images/1.jpg,item_weight,5.0 gram"], []),  # the same
        ([",item_weight,5 gram"], [", row 3: it names no image"]),
        (["images/1.jpg,item_weight,?"], []),  # nobody has looked at it
    ],
)
def test_refused_rows_are_told_and_cost_no_others(tmp_path, shown, rows, messages):
    """Each refused row is named by file and row; the good row above is kept."""
    good = "image_link,entity_name,entity_value\nimages/0.jpg,item_weight,5 gram"
    labels, refused = read(tmp_path, "\n".join([good, *rows]), shown)
    assert len(refused) == len(messages)
    assert all(said.startswith(message) for said, message in zip(refused, messages, strict=True)), (
        refused
    )
    assert labels["image_link"].iloc[0] == "images/0.jpg"
    assert not messages or len(labels) == 1


def test_unknown_image_is_refused(tmp_path, shown):
    """A question that the run has not shown about an image cannot be joined with it."""
    rows = "sha7,item_weight,5 gram\nsha1,width,5 inch\nsha1,item_weight,\n"
    labels, refused = read(tmp_path, f"sha256,entity_name,entity_value\n{rows}", shown)
    assert refused == [
        ", row 2: the run has no sha256 and entity_name 'sha7 item_weight'.",
        ", row 3: the run has no sha256 and entity_name 'sha1 width'.",
    ]
    assert labels["image_link"].tolist() == ["images/1.jpg"]


def test_rows_keep_their_numbers(shown):
    """A table without some of its rows is told of by the numbers of the file."""
    table = pd.DataFrame({"index": ["100", "7"], "entity_value": ["", ""]}, index=[3, 8])
    assert match_corrections(table, "mine", shown)[1] == ["mine, row 10: the run has no index '7'."]


def test_unknown_index_is_refused(tmp_path, shown):
    """The message says which index the run does not have."""
    labels, refused = read(tmp_path, "index,entity_value\n7,5 gram\n100,\n", shown)
    assert refused == [", row 2: the run has no index '7'."]
    assert labels["image_link"].tolist() == ["images/0.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index,value\n1,2\n", "lacks columns: labels need entity_value"),  # misnamed
        ("image_link,entity_value\na,\n", "lacks columns"),  # which question?
        ("", "cannot be read as a table"),  # empty
        ("\1\2index", "cannot be read as a table"),  # damaged
        ("index,entity_value\n1,5 gram,7\n", "line 2: 3 cells where the head has 2"),
    ],
)
def test_unusable_file_is_an_error(tmp_path, shown, text, message):
    """A file without the columns, or none at all, is refused as a whole."""
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text, shown)
    with pytest.raises(FileNotFoundError, match="give a CSV file"):
        read_corrections(tmp_path / "none.csv", shown)


def test_a_file_from_a_spreadsheet_is_read(tmp_path, shown):
    """Semicolons and Windows-1252, as a German Excel saves, are no obstacle."""
    path = tmp_path / "labels.csv"
    path.write_bytes("index;entity_value;Größe\n100;8,5 gram;ü\n".encode("cp1252"))
    assert read_corrections(path, shown)[0]["entity_value"].tolist() == ["8.5 gram"]


def test_own_file_of_labels_can_be_given(tmp_path, shown):
    """A colleague's file is merged with its names and times; taking it in twice changes nothing."""
    labels, _ = read(tmp_path, f"{LINK}5 gram\n", shown)
    theirs, mine = tmp_path / "theirs.csv", tmp_path / "labels.csv"
    save_labels(theirs, labels, by="ann")
    for _ in range(2):
        again, refused = read_corrections(theirs, shown)
        assert refused == []
        save_labels(mine, again, by="bob")
        pd.testing.assert_frame_equal(read_labels(mine), read_labels(theirs))


def test_unfinished_run_is_named(tmp_path):
    """Labels cannot be joined with a run without answers."""
    with pytest.raises(FileNotFoundError, match="no finished run"):
        read_shown([tmp_path])
