"""One call answers: a path, a list, an image, a table; each failure is a row."""

import inspect

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lib
from lib.quantities import ENTITIES
from lib.reading import answering
from lib.reading.answering import answer_texts, list_quantities, read
from lib.reading.images import MOST_HERE, open_images, scan_images
from lib.tests.stand_in import draw_text

WEIGHT, VOLUME = "item_weight", "item_volume"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two labels and a file that is no image."""
    folder = tmp_path_factory.mktemp("photos")
    for name, text in (("jar", "Net weight 340 g"), ("milk", "Volume 1.5 l")):
        Image.fromarray(draw_text((text, 40, 60, 40))).save(folder / f"{name}.png")
    (folder / "notes.png").write_text("buy milk")
    return folder


def show(answers, *columns):
    """Show columns of answers as tuples."""
    return list(answers[list(columns)].itertuples(index=False, name=None))


def test_one_path(photos):
    """All questions are asked, in order, and each answer says where it is from."""
    answers = read(photos / "jar.png")
    assert tuple(answers["entity_name"]) == ENTITIES
    assert answers.index.tolist() == list(range(len(ENTITIES)))
    given = answers[answers["prediction"] != ""]
    assert show(given, "entity_name", "prediction", "decision", "text") == [
        (WEIGHT, "340.0 gram", "answered", "340 g")
    ]
    assert given["confidence"].iloc[0] > 0.5
    corners = np.array(given["corners"].iloc[0].split(), float).reshape(4, 2)
    assert ((corners > 0) & (corners < 480)).all()
    assert set(answers["decision"]) == {"answered", "silent"}


def test_docstring_names_all_columns(photos):
    """What comes back is what the docstring says."""
    said = inspect.getdoc(lib.read)
    assert all(f"`{name}`" in said for name in read(photos / "jar.png", [WEIGHT]))
    assert lib.read is read


def test_list_with_failures(photos):
    """Each image has its rows, and those that cannot be read have the reason."""
    named = [str(photos / "notes.png"), Image.open(photos / "milk.png"), "gone.png"]
    answers = read(named, [VOLUME, WEIGHT])
    assert show(answers, "image", "entity_name", "prediction", "decision") == [
        (named[0], VOLUME, "", "failed"),
        (named[0], WEIGHT, "", "failed"),
        (str(photos / "milk.png"), VOLUME, "1.5 litre", "answered"),
        (str(photos / "milk.png"), WEIGHT, "", "silent"),
        ("gone.png", VOLUME, "", "failed"),
        ("gone.png", WEIGHT, "", "failed"),
    ]
    reasons = answers["reason"].tolist()
    assert reasons[0].startswith("not an image we read: it begins with b'buy milk'")
    assert reasons[4] == "cannot read gone.png: No such file or directory"
    assert (answers["confidence"][answers["decision"] == "failed"] == 0).all()


def test_table(photos, monkeypatch):
    """A table is answered row by row; its index stays, an image is read once."""
    monkeypatch.chdir(photos)
    rows = [("milk.png", VOLUME), ("jar.png", WEIGHT), ("milk.png", WEIGHT), (".", WEIGHT)]
    table = pd.DataFrame(rows, columns=["image_link", "entity_name"], index=[7, 7, 3, 1])
    answers = read(table.assign(group_id=5))
    assert answers.index.tolist() == [7, 7, 3, 1]
    assert show(answers, "image", "prediction", "decision") == [
        ("milk.png", "1.5 litre", "answered"),
        ("jar.png", "340.0 gram", "answered"),
        ("milk.png", "", "silent"),
        (".", "", "failed"),
    ]
    wide = read(table[["image_link"]].iloc[:1], [WEIGHT, VOLUME])
    assert show(wide, "entity_name", "prediction") == [(WEIGHT, ""), (VOLUME, "1.5 litre")]
    assert wide.index.tolist() == [7, 7]


def test_nothing_to_read():
    """No image gives no row, but all columns."""
    assert read([]).columns.tolist() == read(["gone.png"]).columns.tolist()
    assert len(read([])) == 0


@pytest.mark.parametrize("method", ["rules", "learned"])
def test_models_stay_loaded(photos, monkeypatch, method):
    """The second call loads no network."""
    read(photos / "jar.png", [WEIGHT])
    monkeypatch.setattr("lib.reading.images.load_shape_network", None)
    monkeypatch.setattr("lib.ocr.ppocr.Reader", None)
    assert read(photos / "jar.png", [WEIGHT], method=method)["prediction"].item() == "340.0 gram"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"entities": ["colour"]}, r"unknown entities \['colour'\]; known are width, depth"),
        ({"method": "guess"}, "method is 'guess'; expected learned or rules"),
        ({"model": "pyproject.toml"}, "is damaged, or no file of this project"),
    ],
)
def test_wrong_requests(photos, options, message):
    """What cannot be asked is an error in words."""
    with pytest.raises(ValueError, match=message):
        read(photos / "notes.png", **options)
    for entity in ("colour", np.nan):
        with pytest.raises(ValueError, match="unknown entities"):
            read(pd.DataFrame({"image_link": ["a.png", "a.png"], "entity_name": [entity, "x"]}))


def test_many_images_are_read_in_processes(photos, monkeypatch):
    """More images than start-up is worth go to processes, which a bad image cannot end."""
    counts = []
    for count in (MOST_HERE, MOST_HERE + 1):
        monkeypatch.setattr(
            "lib.reading.images.read_pages", lambda *args, **named: counts.append(args[4]) or 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            scan_images({str(number): photos / "jar.png" for number in range(count)}, {})
    assert counts == [-1, 0]


def test_all_quantities(photos):
    """Every quantity is listed with what it could answer; a failed image has its reason."""
    with open_images([photos / "jar.png", photos / "notes.png"]) as found:
        seen = list_quantities(found)
    assert show(seen, "quantity", "text", "entities")[0] == (
        "340.0 gram",
        "340 g",
        "item_weight, maximum_weight_recommendation",
    )
    assert seen["line"].iloc[1].startswith("not an image")
    assert len(seen) == 2


def test_texts():
    """Texts are answered as pages without an image; the table may name the questions."""
    table = pd.DataFrame(
        {"text": ["Net Wt 12 oz (340 g)", "75 cl", ""], "entity_name": [WEIGHT, VOLUME, VOLUME]}
    )
    answers = answer_texts(table)
    assert show(answers, "input", "prediction") == [
        ("Net Wt 12 oz (340 g)", "12.0 ounce"),
        ("75 cl", "75.0 centilitre"),
        ("", ""),
    ]
    assert len(answer_texts(table[["text"]], [WEIGHT, VOLUME])) == 6


def test_defaults_are_those_of_runs():
    """Without parameters, `read` asks as a run does: engine, method and model."""
    from lib.reading.images import ENGINE
    from lib.workflow.parameters import known_parameters

    known = known_parameters()
    options = inspect.signature(answering.read).parameters
    defaults = [options[name].default for name in ("method", "model")]
    assert [known["METHOD"], known["MODEL"]] == defaults
    assert known["OCR_ENGINES"][0] == ENGINE
