"""What may befall a run, from SIGKILL to a full disk: it goes on, to the same predictions."""

import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lib.io.files import read_json, write_json
from lib.io.paths import PROJECT
from lib.tests.in_process import InProcess
from lib.tests.test_main import SCRIPT
from lib.tests.workflow.test_pipeline import listen_to_interrupts, wait_for, write_notebook
from lib.workflow.outputs import BATCH_STEPS, FINAL_STEPS
from lib.workflow.parameter_file import ParameterError
from lib.workflow.parameters import Parameters, known_parameters
from lib.workflow.pipeline import run_pipeline

PARAMETERS = """
TRAIN_CSV = ""
TEST_CSV = ""
RUN_DIR = "x"
DATA_DIR = "x"
MAX_ROWS = 0
BATCH = 0
BATCH_SIZE = 8
"""
# The real notebooks without figures and prose, with a stand-in for the engine and the network:
# what is tested is who starts, ends and stores what.
SOURCES = {
    "01_download": """
from lib.download.fetch import fetch_images
from lib.io import batch_of, distinct_links, read_samples, write_table
samples = read_samples("", TEST_CSV, MAX_ROWS)
images = fetch_images(batch_of(distinct_links(samples), BATCH, BATCH_SIZE), DATA_DIR)
write_table(samples, f"{RUN_DIR}/tables/samples.parquet")
write_table(images, f"{RUN_DIR}/tables/images/part-{BATCH:05}.parquet")
""",
    "02_features": """
from pathlib import Path
import numpy as np
import pandas as pd
from lib.features import read_all_line_segments
from lib.io import open_cache, replace_file, write_table
from lib.ocr import tabulate_line_segments
images = pd.read_parquet(f"{RUN_DIR}/tables/images/part-{BATCH:05}.parquet")
names = images["sha256"]
vectors = np.array([list(bytes.fromhex(name)) for name in names], np.float16)
stem = f"{RUN_DIR}/tables/features/part-{BATCH:05}"
with replace_file(stem + ".npy") as path, path.open("wb") as file:
    np.save(file, vectors)
write_table(names.to_frame(), stem + ".parquet")
roundness = names.to_frame().assign(roundness=vectors[:, 0] / 255)
write_table(roundness, f"{RUN_DIR}/tables/shapes/part-{BATCH:05}.parquet")
files = {row.sha256: Path(DATA_DIR, row.path) for row in images.itertuples()}
segments = tabulate_line_segments(read_all_line_segments(files, open_cache(Path(DATA_DIR)), 2))
write_table(segments, f"{RUN_DIR}/tables/line_segments/part-{BATCH:05}.parquet")
""",
    "03_ocr": """
from pathlib import Path
import pandas as pd
from lib.io.cache import open_cache
from lib.ocr import read_pages, tabulate_pages
from lib.ocr.tesseract import PLAIN
from lib.ocr.page_table import tabulate_words
from lib.io import write_json, write_table
from lib.tests.stand_in import read_width
images = pd.read_parquet(f"{RUN_DIR}/tables/images/part-{BATCH:05}.parquet")
files = {row.sha256: Path(DATA_DIR, row.path) for row in images.itertuples()}
memory = open_cache(Path(DATA_DIR))
reading = read_pages(files, "tesseract_plain", PLAIN, memory, 2, 60.0, read_width)
part = f"part-{BATCH:05}.parquet"
write_table(tabulate_words(reading.pages), f"{RUN_DIR}/tables/words/{part}")
write_table(tabulate_pages(reading), f"{RUN_DIR}/tables/pages/{part}")
counts = {"cache_hits": reading.hits, "cache_misses": reading.misses}
write_json(counts, f"{RUN_DIR}/stages/03_ocr-{BATCH:05}.json")
""",
    "04_extraction": """
from pathlib import Path
import pandas as pd
from lib.extraction.answers import answer_samples, choose_by_rules, list_candidates
from lib.io import read_parts, write_csv, write_table
from lib.extraction.page_scans import open_scans
images, shapes = (read_parts(f"{RUN_DIR}/tables/{name}", "") for name in ("images", "shapes"))
samples = pd.read_parquet(f"{RUN_DIR}/tables/samples.parquet")
questions = samples.merge(images[["link", "sha256"]], left_on="image_link", right_on="link")
roundness = shapes.set_index("sha256")["roundness"]
scans = open_scans(Path(RUN_DIR, "tables"), "tesseract_plain", roundness)
answers = answer_samples(questions, scans, choose_by_rules)
final = questions[["index", "sample_id"]].merge(answers, on="sample_id")
write_csv(final[["index", "prediction"]], f"{RUN_DIR}/predictions.csv")
write_csv(final[["index", "prediction"]], f"{RUN_DIR}/answers.csv")
write_table(answers, f"{RUN_DIR}/tables/predictions.parquet")
for name in ("candidates", "learning_curve", "ablation", "products"):
    write_table(list_candidates(questions, scans), f"{RUN_DIR}/tables/{name}.parquet")
""",
    "05_evaluation": """
from pathlib import Path
import numpy as np
from lib.io import write_json
for name in ("scored_predictions", "profiles"):  # pages do without what they cannot read
    Path(RUN_DIR, f"tables/{name}.parquet").write_text("{}")
vectors = [np.load(path) for path in sorted(Path(RUN_DIR).glob("tables/features/*.npy"))]
write_json({"sum": float(np.concatenate(vectors).sum())}, f"{RUN_DIR}/features.json")
write_json({}, f"{RUN_DIR}/metrics.json")
""",
}
RESULTS = ("predictions.csv", "features.json")
IMAGES = 8
BATCH = 4  # images, where a run is killed; elsewhere one batch will do
KILLS = 10


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the notebooks, a table and its images."""
    return fill_place(tmp_path_factory.mktemp("survival"), IMAGES)


def fill_place(folder: Path, images: int) -> Path:
    """Fill a folder with the stand-in notebooks, a table and its images."""
    for step in (*BATCH_STEPS, *FINAL_STEPS):
        write_notebook(folder / f"{step}.ipynb", SOURCES[step], PARAMETERS)
    chosen = sorted((PROJECT / "data/sample/images").glob("*"))[:images]
    for path in chosen:
        shutil.copy(path, folder)
    rows = [f"{n},{path.name},g{n},width" for n, path in enumerate(chosen)]
    header = "index,image_link,group_id,entity_name"
    (folder / "test.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def ask(place: Path, run_dir: Path, data_dir: Path) -> Parameters:
    """Make the parameters of a run."""
    tables = {"TRAIN_CSV": "", "TEST_CSV": str(place / "test.csv"), "BATCH_SIZE": 4}
    folders = {"DATA_DIR": str(data_dir), "RUN_DIR": str(run_dir)}
    return Parameters.model_validate(known_parameters() | tables | folders)


def read_results(run_dir: Path) -> list[bytes]:
    """Read what must be the same after whatever happened."""
    return [(run_dir / name).read_bytes() for name in RESULTS]


@pytest.fixture(scope="module")
def undisturbed(place, tmp_path_factory):
    """The folder of a run that nothing happened to, and its data folder."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run_pipeline(ask(place, folder / "run", folder / "data"), place, InProcess())
    answers = (folder / "run/predictions.csv").read_text()
    assert len(re.findall(r",\d+\.\d centimetre\n", answers)) == IMAGES
    return folder


def start(place: Path, run_dir: Path, data_dir: Path, size: int = IMAGES) -> subprocess.Popen:
    """Start `python -m lib run` on the stand-in notebooks, as somebody at a terminal would."""
    given = {"TRAIN_CSV": "", "TEST_CSV": str(place / "test.csv"), "BATCH_SIZE": size}
    write_json(given | {"RUN_DIR": str(run_dir), "DATA_DIR": str(data_dir)}, place / "p.yaml")
    command = [sys.executable, "-c", SCRIPT, str(place), str(place / "p.yaml")]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=PROJECT, preexec_fn=listen_to_interrupts
    )


def wait_for_stage(process: subprocess.Popen) -> str:
    """Wait until the run starts a notebook and name it, `""` if it ends before."""
    for line in process.stderr:
        if line.endswith(": started\n"):
            return line.split()[-2].rstrip(":")
    return ""


def kill(process: subprocess.Popen, whole_tree: bool) -> None:
    """Kill a run as the kernel's out-of-memory killer does, or all its processes at once.

    Either way none of them is left five seconds later.
    """
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for member in family if whole_tree else []:
        with suppress(psutil.NoSuchProcess):  # some end by themselves when the main one has gone
            member.kill()
    left = psutil.wait_procs(family, timeout=5)[1]
    assert not [member for member in left if not is_zombie(member)]
    process.communicate()


def is_zombie(process: psutil.Process) -> bool:
    """Return whether a process has ended, even if nobody has asked for its exit code yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_ten_kills_at_random_moments(place, undisturbed, tmp_path):
    """Killed ten times, at moments that fall into all stages, a run ends as if nothing was."""
    moments, killed_in = random.Random(7), []
    run_dir, data_dir = tmp_path / "run", tmp_path / "data"
    while len(killed_in) < KILLS:
        started_at = time.monotonic()
        process = start(place, run_dir, data_dir, BATCH)
        stage = wait_for_stage(process)
        usual = time.monotonic() - started_at  # the program starts about as fast as a kernel
        for _ in range(moments.randint(0, 2)):
            stage = wait_for_stage(process)
        if stage:
            time.sleep(moments.uniform(0, usual))
            kill(process, whole_tree=len(killed_in) % 2 == 1)
            killed_in.append(stage[:2])
        else:  # it was quicker than the kills: once more, with the same cache
            process.communicate()
            assert read_results(run_dir) == read_results(undisturbed / "run")
            shutil.rmtree(run_dir)
    last = start(place, run_dir, data_dir, BATCH)
    said = last.communicate(timeout=300)[1]
    assert last.returncode == 0, said
    assert read_results(run_dir) == read_results(undisturbed / "run")
    assert not list(run_dir.glob("tables/**/.*")), "nothing half written stays"
    assert len(set(killed_in)) >= 3, f"the kills fell into {killed_in}"


def test_interrupt_ends_all_within_seconds(place, undisturbed, tmp_path):
    """Ctrl-C ends a run and its children within seconds, says how to go on, and it goes on."""
    process = start(place, tmp_path / "run", tmp_path / "data")
    wait_for(lambda: wait_for_stage(process).startswith("03"))
    family = psutil.Process(process.pid).children(recursive=True)
    sent_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "The same command goes on" in said
    assert not psutil.wait_procs(family, timeout=5)[1], "all children are gone"
    assert time.monotonic() - sent_at < 15
    run_pipeline(ask(place, tmp_path / "run", tmp_path / "data"), place, InProcess())
    assert read_results(tmp_path / "run") == read_results(undisturbed / "run")


def test_corrupt_cache_costs_time_only(place, undisturbed, tmp_path):
    """With every second entry of the cache damaged the answers are the same."""
    shutil.copytree(undisturbed / "data", tmp_path / "data")
    entries = sorted((tmp_path / "data/cache").rglob("output.pkl"))
    assert len(entries) == 2 * IMAGES  # pages and line segments
    for number, entry in enumerate(entries[::2]):
        content = entry.read_bytes()
        entry.write_bytes([b"", content[: len(content) // 2], b"garbage" * 9][number % 3])
    run_pipeline(ask(place, tmp_path / "run", tmp_path / "data"), place, InProcess())
    assert read_results(tmp_path / "run") == read_results(undisturbed / "run")


def test_added_row_costs_its_image_only(place, undisturbed, tmp_path):
    """With one row added to a finished table only its image is read."""
    shutil.copytree(undisturbed, tmp_path / "copy")
    added = sorted((PROJECT / "data/sample/images").glob("*"))[IMAGES]
    shutil.copy(added, place)
    table = tmp_path / "more.csv"
    table.write_text((place / "test.csv").read_text() + f"99,{added.name},g99,width\n")
    shutil.move(table, place / "more.csv")
    given = ask(place, tmp_path / "copy/run", tmp_path / "copy/data")
    given = given.model_copy(update={"TEST_CSV": str(place / "more.csv")})
    run_pipeline(given, place, InProcess())
    record = read_json(tmp_path / "copy/run/run.json")
    assert record["cache"] == {"hits": IMAGES, "misses": 1}
    before, after = (
        read_results(folder)[0] for folder in (undisturbed / "run", tmp_path / "copy/run")
    )
    assert after.startswith(before) and after != before


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 MB, where we may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root, on Linux")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Fill a disk up to some bytes."""
    filler = disk / "filler"
    with suppress(OSError):  # the run writes, too: full is full
        filler.write_bytes(bytes(shutil.disk_usage(disk).free - left))
    return filler


def test_too_small_a_disk_is_told_before_the_work(place, small_disk):
    """What cannot fit is an error that names the folder and the need, and nothing is started."""
    fill(small_disk, left=500_000)
    with pytest.raises(ParameterError, match=r"disk/run.* has 0 MB free, .* needs about \d+ MB"):
        run_pipeline(ask(place, small_disk / "run", small_disk / "data"), place)
    assert not (small_disk / "run/run.json").exists()


@pytest.mark.parametrize("stage", ["01_download-00000", "03_ocr-00000", "04_extraction"])
def test_full_disk_is_told_and_survived(place, undisturbed, small_disk, stage):
    """A disk that runs full in the middle is named; with room again the run goes on."""
    process = start(place, small_disk / "run", small_disk / "data")
    while wait_for_stage(process) != stage:
        assert process.poll() is None
    filler = fill(small_disk, left=0)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert re.search(rf"The disk of {small_disk}/\w+ has 0 MB free, .* needs about \d+ MB", said)
    assert "Traceback" not in said.split("The disk of")[1]
    filler.unlink()
    run_pipeline(ask(place, small_disk / "run", small_disk / "data"), place, InProcess())
    assert read_results(small_disk / "run") == read_results(undisturbed / "run")
