"""The notebooks in this process: over next to nothing, over a catalogue, and where items break."""

import functools
import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from PIL import Image

from lib.extraction.learned.model import read_model
from lib.features.networks import Network, Weights
from lib.io.files import WRITERS, write_json
from lib.io.paths import PROJECT
from lib.ocr.page import Box, Page, Word
from lib.ocr.reading import ReadResult
from lib.parallel.item_errors import StageFault
from lib.reports.run_page import write_run_page
from lib.tests.breaking import break_at
from lib.tests.in_process import run_notebook
from lib.tests.reports.test_run_page import RECORD
from lib.workflow.outputs import BATCH_STEPS, FINAL_STEPS

NOTEBOOKS = {path.stem[:2]: path for path in sorted((PROJECT / "notebooks").glob("0*.ipynb"))}
MADE = [name.format(batch=0) for step in (BATCH_STEPS | FINAL_STEPS).values() for name in step]
HEADER = "index,image_link,group_id,entity_name,entity_value"
DRAWN = ("Width 12.5 cm", "Height 9 cm", "Weight 3 kg", "12 V", "60 W", "Made of oak", "blank")

GOOD = ("Width 12.5 cm", "width", "12.5 centimetre")
OTHER = ("Height 9 cm", "height", "9.0 centimetre")
LOST = ("lost", "width", "3.0 centimetre")
BLANK = ("blank", "width", "")
OAK = ("Made of oak", "width", "")
SIX = [GOOD, OTHER, ("Weight 3 kg", "item_weight", "3.0 kilogram"), ("12 V", "voltage", "5.0 volt")]
SIX += [("60 W", "wattage", "60.0 watt"), OAK]

CASES = [  # what is missing, rows of the train and of the test table, what a page says of it
    ("rows", [], [], "There is no link in this batch"),
    ("images", [LOST] * 3, [LOST] * 3, "0 of 1 links"),
    ("words, and test rows", [BLANK], [], "rapidocr read no text on 1 images"),
    ("answers, and train rows", None, [OAK], "0% of 1 samples got an answer"),
    ("truths", None, [GOOD[:2]], "That is not known: no sample has a truth"),
    ("nothing, there is one of each", [GOOD], [OTHER], "On 1 test samples"),
]


IDS = [case[0] for case in CASES]


class Grey:
    """Stand in for a network: the mean colour of an image, over and over."""

    def __init__(self, dimensions):
        self.dimensions = dimensions

    def run(self, images):
        """Turn images into vectors."""
        colours = [np.resize(image.mean((0, 1)), self.dimensions) for image in images]
        return np.array(colours, np.float32)


def make_network(dimensions, *arguments):
    """Stand in for loading a network."""
    levels = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    weights = Weights("random", f"random {dimensions}", dict, lambda image: image.reduced, *levels)
    kind = ("cpu", "float32", dimensions, "1")
    return Network(lambda network: Grey(dimensions), weights, *kind, (make_network, ()))


def read_names(images, engine, *others, **named):
    """Stand in for an engine: the file's name is what it reads, `blank` is nothing."""
    reading = ReadResult(engine, "1", misses=len(images))
    for sha256, path in images.items():
        word = Word(path.stem, 0.9, Box(1, 1, 40, 9).quad)
        reading.seconds[sha256] = 0.1
        reading.pages[sha256] = Page(64, 48, engine, (word,) if path.stem != "blank" else ())
    return reading


@pytest.fixture(scope="module", autouse=True)
def _stand_ins():
    """Put stand-ins in the place of all that takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.features.load_network", functools.partial(make_network, 2048))
        patch.setattr("lib.features.load_shape_network", functools.partial(make_network, 1280))
        patch.setattr("lib.extraction.learned.answering.read_model", functools.cache(read_model))
        patch.setattr("lib.ocr.read_pages", read_names)
        patch.setattr("lib.features.computing.MOST_HERE", len(DRAWN))
        yield


def write_rows(path, rows):
    """Write a sample table and give its name, `""` for none."""
    if rows is None:
        return ""
    lines = [f"{i},{link}.png,g{i},{','.join(asked)}" for i, (link, *asked) in enumerate(rows)]
    header = HEADER.removesuffix(",entity_value") if rows and len(rows[0]) == 2 else HEADER
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


def ask(folder, train, test):
    """Write images and tables; give the parameters of a run over them."""
    for place, name in enumerate(DRAWN):
        Image.new("RGB", (64, 48), (30 * place, 90, 120)).save(folder / f"{name}.png")
    tables = {"TRAIN_CSV": train, "TEST_CSV": test}
    values = {name: write_rows(folder / f"{name}.csv", rows) for name, rows in tables.items()}
    values |= {"RUN_DIR": str(folder / "run"), "DATA_DIR": str(folder / "data")}
    return values | {"OCR_ENGINES": ["rapidocr", "tesseract_plain"], "WORKERS": 1}


def read_columns(run_dir):
    """Read name and type of each column of each table of a run."""
    return {
        name: {field.name: str(field.type) for field in pyarrow.parquet.read_schema(run_dir / name)}
        for name in MADE
        if name.endswith(".parquet")
    }


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """The parameters of a run that lacks nothing."""
    parameters = ask(tmp_path_factory.mktemp("whole"), SIX, SIX)
    for path in NOTEBOOKS.values():
        run_notebook(path, parameters)
    return parameters


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("train", "test", "said"), [case[1:] for case in CASES], ids=IDS)
def test_notebooks_need_nothing(train, test, said, whole_run, tmp_path):
    """Whatever is missing, each notebook ends and says so, and tables keep their columns."""
    parameters = ask(tmp_path, train, test)
    shown = [run_notebook(path, parameters) for path in NOTEBOOKS.values()]
    run_dir = tmp_path / "run"
    for sentence in (said, "No product's images contradict each other."):
        assert sentence in "".join("".join(cells) for cells in shown)
    assert [cells[-1] for cells in shown if not cells[-1] or re.search(r"\bnan\b", cells[-1])] == []
    assert [name for name in MADE if not (run_dir / name).is_file()] == []
    assert read_columns(run_dir) == read_columns(Path(whole_run["RUN_DIR"]))
    assert len(pd.read_csv(run_dir / "predictions.csv")) == len(test or train)
    asked = {"parameters": RECORD["parameters"] | parameters | {"METHOD": "rules"}}
    write_json(RECORD | asked, run_dir / "run.json")
    assert write_run_page(run_dir).is_file()


CATALOGUE = """\
Image URL;Product_ID;note;width
Width 12.5 cm.png;P1;=1+1;
Width 4.9 in.png;P1;"first; second";wide
Width 30 cm.png;P1;;
Weight 3 kg.png;P2;0001;
lost.png;P2;ü;
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """The parameters of a run over a catalogue with two products."""
    folder = tmp_path_factory.mktemp("catalogue")
    parameters = ask(folder, None, SIX)
    for place, name in enumerate(("Width 4.9 in", "Width 30 cm")):
        Image.new("RGB", (64, 48), (10, 90 * place, 20)).save(folder / f"{name}.png")
    (folder / "catalogue.csv").write_text(CATALOGUE, encoding="utf-8")
    parameters |= {"TEST_CSV": str(folder / "catalogue.csv"), "KEEP_COLUMNS": True}
    parameters |= {"COLUMNS": {"image_link": "Image URL"}, "QUESTIONS": ["width", "item_weight"]}
    parameters |= {"OUTPUT_UNITS": {"length": "millimetre"}}
    for path in NOTEBOOKS.values():
        run_notebook(path, parameters)
    return parameters


@pytest.mark.parametrize("kind", WRITERS)
def test_a_catalogue_gets_its_rows_back(kind, catalogue):
    """One row an image with the user's own columns, wanted units and conflicts, in any format."""
    shown = run_notebook(NOTEBOOKS["04"], catalogue | {"ANSWERS_FORMAT": kind})
    assert not any("No product's images" in cell for cell in shown)
    folder = Path(catalogue["RUN_DIR"])
    wide, answers = (
        read_answers(folder / f"{name}.{kind}") for name in ("answers_wide", "answers")
    )
    assert wide.columns.tolist()[:4] == ["Image URL", "Product_ID", "note", "width (table)"]
    assert wide["note"].tolist() == ["=1+1", "first; second", "", "0001", "ü"]
    assert wide["width (table)"].tolist() == ["", "wide", "", "", ""]
    assert wide["width"].tolist() == ["12.5 centimetre", "4.9 inch", "30.0 centimetre", "", ""]
    millimetres = pd.to_numeric(wide["width_millimetre"].replace("nan", "")).tolist()
    assert millimetres == pytest.approx([125, 124, 300, math.nan, math.nan], nan_ok=True)
    assert wide["conflict"].tolist() == ["width", "width", "width", "", ""]
    lost = f"no such file: lost.png in {Path(catalogue['TEST_CSV']).parent}"
    assert wide["failed"].tolist() == [*[""] * 4, lost]
    assert answers["index"].tolist()[:3] == ["0:width", "0:item_weight", "1:width"]
    assert answers["conflict"][0] == "30.0 centimetre (2:width)"


def test_products_of_a_catalogue(catalogue):
    """Each has one answer to each question, and the page shows what contradicts it."""
    products = read_answers(Path(catalogue["RUN_DIR"]) / "products.csv")
    names = products[["product_id", "entity_name"]].agg(" ".join, axis=1).tolist()
    assert names == ["P1 width", "P1 item_weight", "P2 width", "P2 item_weight"]
    assert products["images"].tolist() == ["3", "3", "2", "2"]
    assert products["prediction"].tolist()[1:] == ["", "", "3.0 kilogram"]
    counts = products[["agree", "contradict"]].to_numpy().tolist()
    assert counts[0] in (["2", "1"], ["1", "2"]) and counts[1:] == [
        ["0", "0"],
        ["0", "0"],
        ["1", "0"],
    ]
    asked = {"parameters": RECORD["parameters"] | catalogue | {"METHOD": "rules"}}
    write_json(RECORD | asked, Path(catalogue["RUN_DIR"]) / "run.json")
    page = write_run_page(Path(catalogue["RUN_DIR"])).read_text(encoding="utf-8")
    assert page.count('class="conflict"') == 1
    assert 'href="answers_wide.csv"' in page and 'href="products.csv"' in page


def read_answers(path):
    """Read a table of answers as text, whatever its format."""
    if path.suffix == ".xlsx":
        return pd.read_excel(path, engine="calamine", dtype=str, keep_default_na=False)
    if path.suffix == ".parquet":
        return pd.read_parquet(path).astype(str)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


TABLE = """ Image Link;Merkmal;Wert;Größe
{0}.png; Width;12,5 cm;L
{0}.png;girth;3 cm;
;height;;
;;;
{1}.png;Item weight;3 to 5 kg;XL
{1}.png;item_weight;N.A.;
"""


def test_a_table_as_people_have_it(whole_run, tmp_path):
    """Each row of an odd table is in the predictions, and what cannot be asked says why."""
    parameters = ask(tmp_path, None, [GOOD])
    table = Path(parameters["TEST_CSV"])
    table.write_text(TABLE.format("Width 12.5 cm", "Weight 3 kg"), "cp1252")
    parameters["COLUMNS"] = {"entity_name": "Merkmal", "entity_value": "WERT"}
    shown = ["".join(run_notebook(path, parameters)) for path in NOTEBOOKS.values()]
    run_dir = tmp_path / "run"
    answers = pd.read_csv(run_dir / "answers.csv", dtype=str, keep_default_na=False)
    assert answers["index"].tolist() == list("012345")
    assert answers["prediction"].tolist()[:4] == ["12.5 centimetre", "", "", ""]
    assert answers["decision"].tolist()[1:4] == ["failed"] * 3
    assert answers["reason"].tolist()[1:4] == [
        "line 3: unknown entity 'girth'",
        "line 4: no link",
        "line 5: the row is empty",
    ]
    predictions = pd.read_csv(run_dir / "predictions.csv", keep_default_na=False)
    assert predictions["prediction"].tolist() == answers["prediction"].tolist()
    own = pd.read_parquet(run_dir / "tables/own_columns.parquet")
    assert own["Größe"].tolist() == ["L", "", "", "", "XL", ""]
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert (metrics["samples"], metrics["answerable"]["unmet"]) == (3, 1)
    assert metrics["answerable"]["f1"] > metrics["f1"] > 0
    assert "f1 of truths that can be met" in shown[-1]
    counts = json.loads((run_dir / "stages/04_extraction.json").read_text())
    assert counts["notes"][-1] == "3 samples cannot be asked; answers.csv says why."
    assert read_columns(run_dir) == read_columns(Path(whole_run["RUN_DIR"]))


def test_a_folder_of_images_is_asked_everything(tmp_path):
    """A folder in place of a table gives eight answers an image, or those asked for."""
    parameters = ask(tmp_path, None, [GOOD])
    parameters |= {"TEST_CSV": str(tmp_path), "QUESTIONS": ["height", "Width"]}
    for path in NOTEBOOKS.values():
        run_notebook(path, parameters)
    answers = pd.read_csv(tmp_path / "run/predictions.csv", keep_default_na=False)
    assert len(answers) == 2 * len(DRAWN)
    given = answers[answers["prediction"] != ""]
    links = sorted(f"{name}.png" for name in DRAWN)
    height, width = (links.index(name) for name in ("Height 9 cm.png", "Width 12.5 cm.png"))
    assert {f"{height}:height", f"{width}:width"} <= set(given["index"])


BREAKING = [  # a notebook, a function that it calls for each item, and the item
    ("03", "lib.ocr.page_table.parse_quantities", "12.5"),
    ("03", "lib.reports.plots.images.open_small", ""),  # the three drawn by chance
    ("04", "lib.extraction.page_scans.scan_page", "12.5"),
    ("04", "lib.extraction.answers.describe_candidate", "12.5"),
    ("04", "lib.extraction.answers.print_answer", "12.5"),
    ("04", "lib.extraction.methods.choose_first_match", "12.5"),
    ("04", "lib.extraction.learned.questions.describe_candidates", "12.5"),
    ("05", "lib.evaluation.scored_predictions.name_outcome", "12.5"),
    ("05", "lib.reports.plots.gallery.open_small", "12.5"),
]


@pytest.mark.parametrize(("number", "function", "item"), BREAKING, ids=lambda value: value)
def test_one_item_costs_only_itself(number, function, item, whole_run, monkeypatch, caplog):
    """The notebook ends, the log names link and sample at once, other rows stay as they were."""
    run_dir = Path(whole_run["RUN_DIR"])
    before = pd.read_csv(run_dir / "predictions.csv")["prediction"].tolist()
    break_at(monkeypatch, function, item)
    run_notebook(NOTEBOOKS[number], whole_run)
    firsts = [message.splitlines()[0] for message in caplog.messages]
    assert any(re.match(rf".*{item}.*\.png \(\w+ sample \d\)", line) for line in firsts)
    after = pd.read_csv(run_dir / "predictions.csv")["prediction"].tolist()
    assert after[1:] == before[1:]


def test_broken_items_are_counted(whole_run, monkeypatch):
    """The counts of a notebook hold each reason, and the predictions name it."""
    break_at(monkeypatch, "lib.extraction.page_scans.scan_page", "12.5")
    run_notebook(NOTEBOOKS["04"], whole_run)
    run_dir, reason = Path(whole_run["RUN_DIR"]), "internal error: KeyError: 'broken'"
    counts = json.loads((run_dir / "stages/04_extraction.json").read_text())
    assert counts["internal_errors"] == {reason: 2}
    predictions = pd.read_parquet(run_dir / "tables/predictions.parquet")
    assert (predictions["reason"] == reason).sum() == 4  # by the rules and by the model


def test_fault_of_all_items_ends_the_notebook(whole_run, monkeypatch):
    """Where all samples meet the same error it is not theirs: nothing is hidden."""
    break_at(monkeypatch, "lib.extraction.page_scans.scan_page", "")
    with pytest.raises(StageFault, match="all 12 items"):
        run_notebook(NOTEBOOKS["04"], whole_run)
