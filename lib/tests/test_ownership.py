"""A person's folder that a run is given: not a byte of it changes. And damaged state heals."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from lib.io.manifest import NAME
from lib.tests.in_process import InProcess, list_files
from lib.tests.test_survival import fill_place
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameters import Parameters, known_parameters
from lib.workflow.pipeline import run_pipeline

IMAGES = 2  # a batch each
# Names that this project uses, names that look like them, and names of anybody's files.
NAMES = (
    *("predictions.csv", "answers.csv", "metrics.json", "run.json", "index.html", "run.log"),
    *("features.json", "tables/samples.parquet", "tables/predictions.parquet", "tables", ".lock"),
    *(f"tables/{name}/part-00000.parquet" for name in ("images", "words", "pages", "features")),
    *(
        f"tables/{name}/part-00007.parquet"
        for name in ("images", "words", "line_segments", "shapes")
    ),
    *("tables/features/part-00000.npy", "tables/failed/test-00003.csv", "tables/notes.txt"),
    *("notebooks/03_ocr-00000.ipynb", "notebooks/03_ocr-00000.html", "notebooks/03_ocr-00000.log"),
    *("notebooks/03_ocr-00004.ipynb", "notebooks/mine.ipynb", "stages/05_evaluation.done"),
    *("stages/01_download-00000.json", "stages/01_download-00009.done", ".manifest.jsonl"),
    *("images/links.sqlite", "images/a.jpg", "images/unfinished/old.jpg", "images/ab/abc.jpg"),
    *("images/shoe-12345.png", "images/.product-measurements", "images/links.sqlite-wal"),
    *("cache/joblib/lib/ocr/read_page/func_code.py", "cache/uses.csv", "cache/notes.txt"),
    *("cache/joblib/other/work/0123456789abcdef0123456789abcdef/output.pkl", "labels.csv"),
    *("docs/2024/invoice-20417.pdf", "shoe-12345.png", "a b/ü ß.txt", ".hidden-00001.txt"),
    *("comparisons/other.json", "tmp", "unfinished/0123", "photos/00001.jpg", "README.md"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with stand-in notebooks, a table and its images."""
    return fill_place(tmp_path_factory.mktemp("ownership"), IMAGES)


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Leave out the drawing of pages, which takes seconds, and wait less for workers."""
    monkeypatch.setattr("lib.workflow.pipeline.write_page", lambda run_dir: None)
    monkeypatch.setattr("lib.workflow.pipeline.write_notebook_page", lambda *_: None)


def read_predictions(run_dir: Path) -> bytes:
    """Read what must stay the same."""
    return (run_dir / "predictions.csv").read_bytes()


def run(place: Path, run_dir: Path, data_dir: Path, **changes: object) -> bytes:
    """Run the stand-ins and give the predictions."""
    given = {"TEST_CSV": str(place / "test.csv"), "RUN_DIR": str(run_dir), "BATCH_SIZE": 1}
    parameters = known_parameters(place) | given | {"DATA_DIR": str(data_dir)} | changes
    run_pipeline(Parameters.model_construct(**parameters), place, InProcess())
    return read_predictions(run_dir)


@pytest.fixture(scope="module")
def finished(place, tmp_path_factory):
    """The folder of a finished run with its data, to be copied."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.workflow.pipeline.write_page", lambda run_dir: None)
        patch.setattr("lib.workflow.pipeline.write_notebook_page", lambda *_: None)
        run(place, folder / "again/run", folder / "again/data")
    shutil.copytree(folder / "again", folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def again(finished):
    """The finished run where it was made, so that its results hold; as it was, for each test."""
    shutil.rmtree(finished / "again")
    for part in ("run", "data"):
        shutil.copytree(finished / part, finished / "again" / part)
    return finished / "again"


def add_own_files(folder: Path) -> Counter:
    """Put a person's files into a folder, over what is there; give their contents."""
    contents = Counter()
    for number, name in enumerate(NAMES):
        path, content = folder / name, f"mine {number}\n".encode()
        if path.is_dir() or any(parent.is_file() for parent in path.parents):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1e9, 1e9))  # long ago
        contents[content] += 1
    assert len(contents) >= 50
    return contents


def count_own_files(folder: Path) -> Counter:
    """Count the contents that are a person's, whatever their files are called now."""
    return Counter(content for content in list_files(folder).values() if content[:5] == b"mine ")


def kill_in(place: Path, run_dir: Path, data_dir: Path) -> None:
    """Kill a run in the middle of the reading of its first batch."""

    class Killed(InProcess):
        def run(self, stage):
            if stage.name == "03_ocr-00000":
                os._exit(9)
            return super().run(stage)

    child = os.fork()
    if not child:
        given = {"TEST_CSV": str(place / "test.csv"), "RUN_DIR": str(run_dir), "BATCH_SIZE": 1}
        parameters = known_parameters(place) | given | {"DATA_DIR": str(data_dir)}
        run_pipeline(Parameters.model_construct(**parameters), place, Killed())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("state", ["fresh", "finished", "killed"])
@pytest.mark.parametrize("role", ["RUN_DIR", "DATA_DIR", "both"])
def test_a_persons_folder_stays(place, finished, tmp_path, state, role):
    """Fifty files of all names stay byte for byte, whatever the folder is given as, and when.

    Those that lie where a finished run had its own files are moved aside.
    """
    here = tmp_path / "shop"
    run_dir = here if role != "DATA_DIR" else tmp_path / "run"
    data_dir = here if role != "RUN_DIR" else tmp_path / "data"
    if state == "finished":
        shutil.copytree(finished / "data", data_dir, dirs_exist_ok=True)
        shutil.copytree(finished / "run", run_dir, dirs_exist_ok=True)
    if state == "killed":
        kill_in(place, run_dir, data_dir)
    own = add_own_files(here)
    before = list_files(here)
    changes = {"KEEP_IMAGES": role == "both", "LOCAL_IMAGES": str(here), "KEEP_RUNS": 1}
    try:
        answers = run(place, run_dir, data_dir, **changes)
    except ParameterError as error:
        assert "\n" not in str(error)
        assert list_files(here) == before
        return
    assert count_own_files(here) == own
    assert answers == read_predictions(finished / "run")


def test_a_folder_with_files_of_no_known_name(place, finished, tmp_path):
    """A finished run goes on in a folder that a person has filled, where it is known as a run's."""
    here = tmp_path / "shop"
    shutil.copytree(finished / "data", here)
    shutil.copytree(finished / "run", here, dirs_exist_ok=True)
    own = add_own_files(here)
    for name, part in ((".lock", "run"), (NAME, "run"), ("images/.product-measurements", "data")):
        shutil.copy(finished / part / name, here / name)
        own -= Counter([f"mine {NAMES.index(name)}\n".encode()])
    for again in range(2):
        answers = run(place, here, here, KEEP_IMAGES=bool(again))
        assert count_own_files(here) == own
        assert answers == read_predictions(finished / "run")


def test_own_images_are_never_deleted(place, finished, tmp_path):
    """A table and its images in DATA_DIR/images, read without KEEP_IMAGES: all are there after."""
    shutil.copytree(place, tmp_path / "data/images")
    before = list_files(tmp_path / "data/images")
    table = tmp_path / "data/images/test.csv"
    answers = run(place, tmp_path / "r", tmp_path / "data", TEST_CSV=str(table), KEEP_IMAGES=False)
    after = list_files(tmp_path / "data/images")
    assert {name: after.get(name) for name in before} == before
    assert answers == read_predictions(finished / "run")


DAMAGES = {
    "deleted": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "garbage": lambda path: path.write_bytes(b"\xff\x00garbage" * 40),
}
MADE = ("*.*", "stages/*.json", "notebooks/*.ipynb", "tables/*.parquet", "tables/*/part-*")
NO_STAGES = {"run.json", "run.log", "features.json"}  # what no stage promises
STATE = {
    "what stages made": MADE,
    "one batch": ("tables/*/part-00000.*",),
    "marks": ("stages/*.done",),
    "manifest": (NAME,),
    "data": ("images/links.sqlite", "cache/**/*.*"),
    "marker": ("images/.product-measurements",),
}


def find_state(folder: Path, kind: str) -> list[Path]:
    """Find the files of one kind of state, in the run's folder or the data folder."""
    parts = (folder / part for part in ("run", "data"))
    found = {path for part in parts for pattern in STATE[kind] for path in part.glob(pattern)}
    hidden = {folder / "run" / name for name in (".lock", NAME) if kind != "manifest"}
    return sorted(path for path in found - hidden if path.is_file())


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", STATE)
def test_damaged_state_heals(place, finished, again, caplog, kind, damage):
    """However the files of a run are damaged, the next start ends with the same predictions."""
    files = find_state(again, kind)
    assert files
    for path in files:
        DAMAGES[damage](path)
    answers = run(place, again / "run", again / "data")
    assert answers == read_predictions(finished / "run")
    if kind in ("what stages made", "one batch"):
        named = (path.name for path in files if path.name not in NO_STAGES)
        assert [name for name in named if name not in caplog.text] == []


def test_whole_state_is_kept(place, finished, again, caplog):
    """Where nothing is damaged nothing is done again."""
    before = {path: path.stat().st_mtime_ns for path in (again / "run/tables").rglob("*.*")}
    assert run(place, again / "run", again / "data") == read_predictions(finished / "run")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [line for line in caplog.records if line.levelname != "INFO"] == []


def test_state_of_another_run_heals(place, finished, again, tmp_path):
    """Another run's files in the place of a run's are not taken for its own."""
    other = tmp_path / "test.csv"
    lines = (place / "test.csv").read_text().splitlines()
    other.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    shutil.copytree(place, tmp_path / "place")
    shutil.copy(other, tmp_path / "place/test.csv")
    run(tmp_path / "place", tmp_path / "b/run", again / "data")
    for path in (tmp_path / "b/run").rglob("*"):
        if path.is_file() and path.name != ".lock":
            shutil.copy(path, again / "run" / path.relative_to(tmp_path / "b/run"))
    answers = run(place, again / "run", again / "data")
    assert answers == read_predictions(finished / "run")
