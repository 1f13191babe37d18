"""One real run and one browser, shared by the tests that look at what a run leaves."""

import pandas as pd
import pytest

from lib.io.manifest import digest_file
from lib.io.paths import PROJECT
from lib.parallel.item_errors import count_reported
from lib.tests.devtools import open_browser
from lib.workflow.parameters import Parameters, known_parameters
from lib.workflow.pipeline import run_pipeline

SAMPLE = PROJECT / "data/sample"
IMAGES = {"train": 6, "test": 6}  # distinct pictures of each table, evenly spread
ENGINES = ["rapidocr", "tesseract_plain"]
FITTED = {  # sha256 of the models that come with the project
    "ranker.skops": "af0a6670887a1dc7752ccd42a98bb9a4369c956acbec97cc9457ec3f33aa2491",
    "roundness.json": "4184826da21402e30f19540cecc506d15197867a008969c84b37883432cc391c",
}
DEAR = ("run", "test_survival", "test_bench", "test_cluster")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Keep tests of a file, and tests of the real run, on one worker; the dearest come first."""
    rank = dict(zip(DEAR, range(-len(DEAR), 0), strict=True))
    groups = {item: "run" if needs_run(item) else item.path.stem for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: rank.get(groups[item], 0))


def needs_run(item):
    """Tell whether a test looks at the real run, itself or through a fixture."""
    return "run_dir" in getattr(item, "fixturenames", ())  # an example has no fixtures


def pick_rows(split, folder):
    """Write the rows of a few pictures of a table, and one row whose picture does not exist."""
    table = pd.read_csv(SAMPLE / f"{split}.csv", dtype=str, keep_default_na=False)
    links = table["image_link"].drop_duplicates().tolist()
    chosen = links[:: len(links) // IMAGES[split]][: IMAGES[split]]
    rows = table[table["image_link"].isin(chosen)]
    lost = rows.iloc[[0]].assign(index="999999", image_link="images/lost.jpg", entity_value="")
    pd.concat([rows, lost]).to_csv(folder / f"{split}.csv", index=False)
    return str(folder / f"{split}.csv")


def digest_models():
    """Digest the models that come with the project."""
    models = PROJECT / "lib/models"
    found = sorted((*models.glob("*.skops"), *models.glob("*.json")))
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
    """A run of a dozen pictures in one batch, with random weights: nothing is fetched."""
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
