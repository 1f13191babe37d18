"""One real run and one browser, shared by the tests that look at what a run leaves."""

import pandas as pd
import pytest

from lib.io.paths import PROJECT
from lib.parallel.item_errors import count_reported
from lib.tests.devtools import open_browser
from lib.workflow.parameters import Parameters, known_parameters
from lib.workflow.pipeline import run_pipeline

SAMPLE = PROJECT / "data/sample"
IMAGES = {"train": 6, "test": 6}  # distinct pictures of each table, evenly spread
ENGINES = ["rapidocr", "tesseract_plain"]


def pick_rows(split, folder):
    """Write the rows of a few pictures of a table, and one row whose picture does not exist."""
    table = pd.read_csv(SAMPLE / f"{split}.csv", dtype=str, keep_default_na=False)
    links = table["image_link"].drop_duplicates().tolist()
    chosen = links[:: len(links) // IMAGES[split]][: IMAGES[split]]
    rows = table[table["image_link"].isin(chosen)]
    lost = rows.iloc[[0]].assign(index="999999", image_link="images/lost.jpg", entity_value="")
    pd.concat([rows, lost]).to_csv(folder / f"{split}.csv", index=False)
    return str(folder / f"{split}.csv")


@pytest.fixture(autouse=True)
def nothing_reported():
    """Begin each test as a notebook begins: no internal error was reported before."""
    count_reported()


@pytest.fixture(scope="session")
def parameters(tmp_path_factory):
    """A run of a dozen pictures in two batches, with random weights: nothing is fetched."""
    folder = tmp_path_factory.mktemp("notebooks")
    return known_parameters() | {
        "TRAIN_CSV": pick_rows("train", folder),
        "TEST_CSV": pick_rows("test", folder),
        "LOCAL_IMAGES": str(SAMPLE / "images"),
        "RUN_DIR": str(folder / "run"),
        "DATA_DIR": str(folder / "data"),
        "BATCH_SIZE": 8,
        "OCR_ENGINES": ENGINES,
        "WEIGHTS": "random",
        "DEVICE": "cpu",
    }


@pytest.fixture(scope="session")
def run_dir(parameters):
    """The folder of a finished run."""
    return run_pipeline(Parameters.model_validate(parameters))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A browser for all tests that open pages."""
    with open_browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found
