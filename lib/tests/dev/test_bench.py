"""Tests of the benchmark: figures, meter, images, and a small run of the OCR part."""

import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pandas as pd
import psutil
import pytest
import requests
import yaml

from lib.dev.bench import __main__ as command
from lib.dev.bench import (
    cluster,
    download,
    image_server,
    images,
    memory,
    meter,
    ocr,
    overlap,
    pipeline,
    runs,
    worker,
)
from lib.dev.bench.figures import Figure, tabulate_figures, to_records
from lib.dev.bench.images import AskedImage, recall_candidates
from lib.dev.bench.machine import describe_machine
from lib.io.files import write_json
from lib.io.images import check_image
from lib.ocr.page import Box, Page, Word
from lib.workflow.parameters import read_parameters
from lib.workflow.plan import DOWNLOAD, READ_STEPS, name_stage

PAGE = Page(100, 50, "x", (Word("width 12 cm", 0.9, Box(0, 0, 90, 10).quad),))


def burn(count, seconds):
    """Work for a while, item by item."""
    for number in range(count):
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass
        yield number, os.getpid()


@pytest.mark.parametrize(
    ("target", "met"),
    [
        ("<= 0.3", True),  # the median counts, not the outlier
        ("<= 0.2", False),
        (">= 0.3", True),  # a target is met at its limit
        (">= 0.4", False),
        ("", None),  # plain information
    ],
)
def test_targets(target, met):
    """A figure knows whether its median keeps the promise."""
    figure = Figure("ocr", "ratio", (0.25, 0.3, 0.9), target=target)
    assert figure.is_met is met
    assert to_records([figure])[0]["value"] == 0.3
    assert tabulate_figures([figure])["median"].tolist() == ["0.3"]


def test_meter_counts_the_work_alone():
    """Start-up is not counted, nor is this process; processor time is that of the work."""
    cost = meter.measure_apart(burn, 2, 5, 0.1)
    assert cost.count == 3
    assert [number for number, _ in cost.items] == [0, 1, 2, 3, 4]
    assert {pid for _, pid in cost.items} != {os.getpid()}
    assert 0.25 < cost.cpu_seconds < 0.6
    assert cost.seconds >= 0.25
    assert cost.peak_mib > 10
    assert cost.rate == pytest.approx(3 / cost.seconds)
    assert cost.cpu_each == pytest.approx(cost.cpu_seconds / 3)


def test_candidate_recall():
    """A question is hit when an accepted answer is among the quantities of the page."""
    answers = (
        ("width", frozenset({"12.0 centimetre"})),
        ("height", frozenset({"5.0 inch", "12.0 centimetre"})),  # one accepted is enough
        ("depth", frozenset({"13.0 centimetre"})),  # not printed
        ("item_weight", frozenset({"12.0 gram"})),  # of another sort
    )
    assert recall_candidates([AskedImage("x.png", answers)], [PAGE]) == 0.5


def test_sample_images_serve_where_the_photos_are_not(monkeypatch, tmp_path):
    """Without the challenge's photos the sample's are measured, each with its answers."""
    monkeypatch.setattr(images, "PHOTOS", tmp_path / "none")
    found = images.find_images(10)
    assert len(found) == 10
    assert all(image.path.is_file() and image.answers for image in found)
    assert images.read_dev_images() == []
    assert images.find_images(10) == found  # the same choice each time


def test_ocr_part(monkeypatch, tmp_path, capsys):
    """The command measures readers side by side, prints the table and stores the figures."""
    monkeypatch.setattr(images, "PHOTOS", tmp_path / "none")
    monkeypatch.setattr(command, "PARTS", {"ocr": "lib.dev.bench.ocr"})
    quick = ocr.Reader(ocr.read_with_ours, ("tesseract_plain", 1))
    monkeypatch.setattr(ocr, "READERS", dict.fromkeys(ocr.READERS, quick))
    costs = []  # all readers are the same one, so it is measured once

    def measure_once(*work):
        costs.append(costs[0] if costs else meter.measure_apart(*work))
        return costs[-1]

    monkeypatch.setattr(ocr, "measure_apart", measure_once)
    code = command.main(["ocr", "--images", "2", "--rounds", "1", "--to", f"{tmp_path}/b/b.json"])
    stored = json.loads((tmp_path / "b/b.json").read_text())
    assert code == 1 and len(costs) == len(ocr.READERS)  # a reader is not faster than itself
    assert stored["machine"]["cores"] >= 1
    assert {row["reader"] for row in stored["tables"]["ocr"]} == set(ocr.READERS)
    ratio = stored["figures"][0]
    assert ratio["target"] == "<= 0.24" and ratio["is_met"] is False
    assert "candidate recall" in capsys.readouterr().out


def test_an_unreadable_image_stops_the_benchmark(tmp_path):
    """Times of failures are worth nothing: the message names the file."""
    file = tmp_path / "empty.png"
    file.touch()
    with pytest.raises(RuntimeError, match=r"empty\.png: ImageError"):
        list(ocr.read_with_ours([file], "tesseract_plain", 1))


def test_stock_readers_read(tmp_path):
    """The packages as they come read a sample image, for the ratios to mean something."""
    from lib.dev.bench.stock import read_with_pytesseract, read_with_rapidocr

    file = images.SAMPLE / "images/front_train_0.jpg"
    for read in (read_with_rapidocr, read_with_pytesseract):
        [(number, page)] = read([file])
        assert number == 0 and page.width > 100
        assert any(char.isdigit() for word in page.words for char in word.text)


def test_machine_is_described():
    """The description names the processor and the versions."""
    machine = describe_machine()
    assert machine["cores"] >= 1 and machine["packages"]["joblib"]
    assert Namespace(**machine).memory_gib > 0


# A slow answer, so that it is what takes the time, however busy the machine is.
SMALL = {"IMAGES": 40, "ONE_BY_ONE": 3, "FEW": 40, "MANY": 80, "BATCH": 50, "LATENCY": 0.5}


def test_download_part(monkeypatch, tmp_path, capsys):
    """A small run measures speed and memory, and counts the links that must fail."""
    for name, value in SMALL.items():
        monkeypatch.setattr(download, name, value)
    monkeypatch.setattr(command, "PARTS", {"download": "lib.dev.bench.download"})
    command.main(["download", "--rounds", "1", "--to", f"{tmp_path}/bench.json"])
    stored = json.loads((tmp_path / "bench.json").read_text())
    assert [row["images"] for row in stored["tables"]["download"]] == [40, 3, 36, 72]
    faster, of_ceiling, _, memory = [figure["value"] for figure in stored["figures"]]
    assert faster > 1, "many at a time are faster than one"
    assert 0 < of_ceiling < 1, "nothing is faster than the answers come"
    assert 0.5 < memory < 1.5
    assert "requests.get" in capsys.readouterr().out


def test_images_of_the_server_are_whole_and_different():
    """Each is a small image of its own."""
    bodies = image_server.draw_images(20)
    assert {check_image(body) for body in bodies} == {("JPEG", 64, 64)}
    assert len(set(bodies)) == 20


def test_server_keeps_its_pace():
    """However many ask, images come one after the other, so far apart."""
    bodies = [b"zero", b"one", b"two"]
    with image_server.serve(bodies, gap=0.1) as address, ThreadPoolExecutor(5) as pool:
        start = time.monotonic()
        given = list(pool.map(lambda n: requests.get(f"{address}{n}").content, range(5)))
        assert time.monotonic() - start >= 0.4
    assert given == [*bodies, b"zero", b"one"]


def test_copies_are_other_files_of_the_same_images():
    """Each copy is a whole image with a content of its own."""
    count = len(list(runs.IMAGES.iterdir()))
    copies = runs.copy_images(count + 4)
    assert len(set(copies)) == count + 4
    assert check_image(copies[count]) == check_image(copies[0])


def weigh_table(folder, parameters):
    """Stand in for a run: as heavy as its table is long, as slow as its first image."""
    table = pd.read_csv(folder / "test.csv")
    link = table["image_link"].iloc[0]
    content = requests.get(link).content if "://" in link else (folder / link).read_bytes()
    assert check_image(content)
    return runs.RunCost(1.0 + ("://" in link) / 4, float(len(table)))


def test_memory_part(monkeypatch):
    """The long table is set against the short one."""
    monkeypatch.setattr(memory, "run_apart", weigh_table)
    figures, table = memory.measure(Namespace())
    assert figures[0].rounds == (10.0,) and figures[0].is_met is False
    assert table["images"].tolist() == [250, 2500]


def test_overlap_part(monkeypatch):
    """Reading what a slow server gives is set against fetching and then reading."""

    def note_fetching(folder, parameters):
        cost = weigh_table(folder, parameters)
        names = [name_stage(step, 0) for step in (DOWNLOAD, *READ_STEPS)]
        stages = [{"name": name, "seconds": 2 * cost.seconds} for name in names]
        (folder / "run").mkdir()
        write_json({"stages": stages}, folder / "run/run.json")
        return replace(cost, seconds=4 * cost.seconds)

    monkeypatch.setattr(overlap, "run_apart", note_fetching)
    figures, table = overlap.measure(Namespace())
    assert table["seconds"].tolist() == [4, 2, 5]
    assert figures[0].rounds == (5 / 6.5,) and figures[0].is_met is False


def test_a_run_that_fails_stops_the_benchmark(tmp_path):
    """What went wrong is told; its time is worth nothing."""
    runs.write_questions(tmp_path / "test.csv", ["a.jpg"])
    with pytest.raises(RuntimeError, match="OCR_ENGINES"):
        runs.run_apart(tmp_path, {"OCR_ENGINES": ["none"]})


def test_memory_of_a_family_is_added_up():
    """What a process and its child hold is counted: 50 MiB each, and Python twice."""
    hold = "held = b'x' * (50 << 20)"
    child = f"{hold}; print(flush=True); input()"
    parent = f"{hold}; import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", parent], **pipes) as process:
        process.stdout.readline()
        held = runs.measure_family(psutil.Process(process.pid))
        process.stdin.close()
    assert 100 < held < 150


def test_cache_part(monkeypatch):
    """Hits of pages and vectors are timed, and all are hits."""
    from lib.dev.bench import cache

    monkeypatch.setattr(cache, "ENTRIES", 20)
    monkeypatch.setattr(cache, "ROUNDS", 2)
    figures, table = cache.measure(Namespace())
    assert [figure.name for figure in figures] == ["one hit, a page", "one hit, a vector"]
    assert all(0 < value < 100 for figure in figures for value in figure.rounds)
    assert table["entries"].tolist() == [20, 20]


def test_features_part(monkeypatch):
    """Both ways give the same vectors, and the ratio has its target beside it."""
    from lib.dev.bench import features

    monkeypatch.setattr(features, "measure_apart", meter.measure_here)  # torch is loaded here
    monkeypatch.setattr(features, "ROUNDS", 1)
    monkeypatch.setattr(features, "BATCH_SIZE", 2)
    (ratio, likeness), table = features.measure(Namespace(images=2))
    assert (ratio.target, likeness.is_met) == (">= 2.5", True)
    assert ratio.value > 0 and len(table) == 2


def test_a_failed_run_stops_the_benchmark(tmp_path):
    """The time of a run that failed is worth nothing; what it said is in the message."""
    with pytest.raises(RuntimeError, match="No parameter file"):
        pipeline.time_run(tmp_path / "none.yaml", tmp_path / "run", tmp_path / "data")


WHOLE = {"predictions.csv": "", "index.html": "<svg><img>", "notebooks/05.html": "<img ><svgs>"}


def fill(folder, files):
    """Write what a run leaves in its folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return runs.list_contents(folder)


@pytest.mark.parametrize(
    ("change", "left_out", "missing"),
    [
        ({}, (), []),
        ({"more.csv": ""}, (), []),  # more is no loss
        ({"index.html": "<svg>"}, (), ["figures of index.html"]),
        ({"index.html": "<svg>"}, ("index.html",), []),  # where fewer are right
        ({"predictions.csv": None}, (), ["predictions.csv"]),
        ({"notebooks/05.html": None}, (), ["notebooks/05.html", "figures of notebooks/05.html"]),
    ],
)
def test_what_a_run_leaves_out_is_found(tmp_path, change, left_out, missing):
    """Speed is not had by writing less: files and figures that another run has are asked for."""
    whole = fill(tmp_path / "whole", WHOLE)
    files = {name: text for name, text in (WHOLE | change).items() if text is not None}
    assert whole.find_missing(fill(tmp_path / "other", files), left_out) == missing
    assert (whole.file_count, whole.figure_count) == (3, 3)
    assert whole.count_kinds() == {"html": 2, "csv": 1}


def test_pipeline_part(monkeypatch):
    """Each run's time stands beside its target and beside what it wrote."""
    times = iter([100.0, 4.0, 15.0, 25.0])
    parameters = []

    def note_run(file, run_dir, data_dir):
        given = yaml.safe_load(file.read_text())
        parameters.append((given["TRAIN_CSV"], run_dir.name, data_dir.name))
        figures = {"index.html": 40 if run_dir.name == "two" else 75, "notebooks/05_x.html": 10}
        files = {*figures, *(f"{number}.csv" for number in range(48))}
        return pipeline.Run(next(times), runs.RunContents(frozenset(files), figures))

    monkeypatch.setattr(pipeline, "time_run", note_run)
    figures, table = pipeline.measure(Namespace())
    train = "data/sample/train.csv"
    assert parameters == [
        *((train, "run", "data"), (train, "run", "data")),  # the same again
        (train, "other", "data"),  # the same cache
        ("", "two", "other data"),  # nothing cached
    ]
    missed = [figure.name for figure in figures if figure.is_met is False]
    assert missed == ["nothing changed", "two photos"]
    assert table["files"].tolist() == ["50: 48 csv, 2 html"] * 4
    assert table["figures"].tolist()[2:] == [
        "85: index 75, 05 10",
        "50: index 40, 05 10",
    ]


def test_a_users_first_table_is_whole(tmp_path):
    """The two photos, their table and the parameters are those of a user who begins."""
    file = pipeline.write_own_table(tmp_path / "photos")
    given = read_parameters(file)
    assert list(pd.read_csv(given.TEST_CSV)["image_link"]) == list(pipeline.PHOTOS)
    assert all(check_image((tmp_path / "photos" / n).read_bytes()) for n in pipeline.PHOTOS)


def test_worker_part(monkeypatch):
    """The memory of the heaviest process is set against the target."""
    cost = meter.Cost((), 23, 46.0, 23.0, 601.0)
    asked = []
    monkeypatch.setattr(worker, "measure_apart", lambda *work: asked.append(work) or cost)
    [figure], table = worker.measure(Namespace(images=3))
    assert figure.value == 601 and figure.is_met is False
    assert len(asked[0][2]) == 3 and table["images"].tolist() == [3]


def test_cluster_part(monkeypatch):
    """A real scheduler hands out images that take no work; all come back."""
    for name, value in {"WORKERS": 2, "THREADS": 4, "COUNT": 40, "WARM": 4}.items():
        monkeypatch.setattr(cluster, name, value)
    figures, table = cluster.measure(Namespace(rounds=1))
    ours, loop, here = [figure.value for figure in figures]
    assert min(ours, loop) > 0
    assert 0 < here < 8 / cluster.PAUSE  # not faster than the pauses allow
    assert table["scheduler ms"].item() > 0


def test_gpu_part_without_a_gpu(monkeypatch, tmp_path, capsys):
    """It says so, measures nothing and misses no target."""
    from lib.dev.bench import gpu

    monkeypatch.setattr(gpu, "choose_device", lambda device: "cpu")
    assert command.main(["gpu", "--to", f"{tmp_path}/bench.json"]) == 0
    assert "no GPU on this machine" in capsys.readouterr().out


def test_gpu_part(monkeypatch):
    """Speeds are those between a short and a long run; text is compared line by line."""
    from lib.dev.bench import gpu

    def take(images, device):
        time.sleep(0.1 + len(images) * (0.004 if device == "cpu" else 0.001))
        return dict.fromkeys(images, 0.5)

    def read_text(images, device):
        texts = ["12 cm", "6 kg" if device == gpu.HALF else "5 kg", "none"]
        words = tuple(Word(text, 0.9, Box(0, 0, 90, 10).quad) for text in texts)
        return dict.fromkeys(images, words), {}

    monkeypatch.setattr(gpu, "choose_device", lambda device: "cuda")
    for name, value in {"read": take, "embed": take, "read_text": read_text}.items():
        monkeypatch.setattr(gpu, name, value)
    for counts in (gpu.READ, gpu.EMBEDDED):
        monkeypatch.setitem(counts, "cpu", (10, 60))
        monkeypatch.setitem(counts, "cuda", (10, 110))
    monkeypatch.setitem(gpu.READ, gpu.HALF, (10, 110))
    figures, table = gpu.measure(Namespace(images=4))
    rate, ratio, _, *_, same, half = figures
    assert 300 < rate.value < 3000 and 1.2 < ratio.value < 12 and rate.is_met
    assert same.value == 1 and same.is_met and half.value == 0.5 and half.is_met is None
    assert table["s/image in its process"].tolist() == [0.5] * 5
