"""One real run and one browser, shared by the tests that look at what a run leaves."""

import os
from pathlib import Path

import pandas as pd
import pytest

from lib.io.manifest import digest_file
from lib.io.paths import PROJECT
from lib.parallel.item_errors import count_reported
from lib.tests.devtools import open_browser
from lib.workflow.parameters import Parameters, known_parameters
from lib.workflow.pipeline import run_pipeline

# As in the Makefile: else each process that a test starts compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SAMPLE = PROJECT / "data/sample"
IMAGES = {"train": 6, "test": 6}  # distinct images of each table, evenly spread
ENGINES = ["rapidocr", "tesseract_plain"]
FITTED = {  # sha256 of the models that come with the project
    "labelled_rows.npz": "4afb627b8ae777a5b22919e2281454418b6a272129bae68141e5fa0c0f7e0f26",
    "learned.npz": "a922103f5b1a2b2b3fa7e291cc0bb42b8c5c884aabcb8192693c2932a2fb1a1a",
    "roundness.json": "3810e228658273eb9e98e3230d4a43f2aec36d324c982d5db738b7400a98672e",
}
# Files whose tests look at the real run, which one worker makes for all of them.
RUN = frozenset({"test_notebooks", "test_run_page", "test_explorer"})
DEAR = (
    *("run", "test_survival", "test_bench", "test_pipeline", "test_cluster", "test_empty_runs"),
    *("test_ownership", "test_main", "test_status", "test_reading"),
)


def name_group(path):
    """Name the group of a test file; the tests of a group run on one worker, in order."""
    stem = Path(path).stem
    return "run" if stem in RUN else stem


def pytest_collection_modifyitems(items):
    """Put the dearest groups first, so that both workers end at about the same time."""
    rank = dict(zip(DEAR, range(-len(DEAR), 0), strict=True))
    items.sort(key=lambda item: rank.get(name_group(item.path), 0))


def pytest_xdist_make_scheduler(config, log):
    """Deal the tests to the workers by group."""
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return name_group(nodeid.partition("::")[0])

    return GroupScheduling(config, log)


def pick_rows(split, folder):
    """Write the rows of a few images of a table, and one row whose image does not exist."""
    table = pd.read_csv(SAMPLE / f"{split}.csv", dtype=str, keep_default_na=False)
    links = table["image_link"].drop_duplicates().tolist()
    step = len(links) // IMAGES[split]
    chosen = links[step - 1 :: step][: IMAGES[split]]
    rows = table[table["image_link"].isin(chosen)]
    lost = rows.iloc[[0]].assign(index="999999", image_link="images/lost.jpg", entity_value="")
    pd.concat([rows, lost]).to_csv(folder / f"{split}.csv", index=False)
    return str(folder / f"{split}.csv")


def digest_models():
    """Digest the models that come with the project."""
    models = PROJECT / "lib/models"
    found = sorted((*models.glob("*.npz"), *models.glob("*.json")))
    return {path.name: digest_file(path) for path in found}


@pytest.fixture(scope="session", autouse=True)
def models_stay():
    """Tell at the end if a test has overwritten the models that come with the project."""
    before = digest_models()
    yield
    assert digest_models() == before, "a test has overwritten a model in lib/models"


@pytest.fixture(autouse=True)
def nothing_reported():
    """Begin each test as a notebook begins: no internal error was reported before."""
    count_reported()


@pytest.fixture(scope="session")
def parameters(tmp_path_factory):
    """A run of a dozen images in one batch, with random weights: nothing is fetched."""
    folder = tmp_path_factory.mktemp("notebooks")
    return known_parameters() | {
        "TRAIN_CSV": pick_rows("train", folder),
        "TEST_CSV": pick_rows("test", folder),
        "LOCAL_IMAGES": str(SAMPLE / "images"),
        "RUN_DIR": str(folder / "run"),
        "DATA_DIR": str(folder / "data"),
        "BATCH_SIZE": 100,
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
