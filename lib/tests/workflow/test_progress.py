"""How far a run is can be read from its folder, and whether it is still alive."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from lib.io.manifest import Manifest
from lib.workflow import progress
from lib.workflow.progress import HEAD, RunProgress, Step, Usage, Work, name_host


def make_progress(**changes) -> RunProgress:
    """Make the progress of a run of 300 links, of which the first 100 are being read."""
    steps = [
        Step(name="01_download", unit="images", total=300, works=1, waiting=0, done=300, new=300),
        Step(
            **{"name": "03_ocr", "unit": "images", "total": 300, "works": 2, "waiting": 2},
            running={"03_ocr-00000": 100},
        ),
        Step(name="04_extraction", unit="rows", total=900, works=0, waiting=1),
    ]
    now = time.time()
    known = {"host": name_host(), "pid": os.getpid(), "started": now - 60, "beat": now}
    return RunProgress(**(known | {"usage": Usage(), "steps": steps} | changes))


def make_work(**changes) -> Work:
    """Make the report of work that has done 60 of 100 images, 10 of them from the cache."""
    known = {"stage": "03_ocr-00000", "total": 100, "done": 60, "known": 10, "seconds": 25.0}
    return Work(**(known | {"failures": {"not an image": 2}} | changes))


@pytest.fixture
def folder(tmp_path):
    """The folder of the progress, in that of a run."""
    manifest = Manifest(tmp_path)
    manifest.begin()
    folder = manifest.new_temporary(tmp_path / progress.NAME)
    folder.mkdir()
    (folder / HEAD).write_text(make_progress().model_dump_json())
    return folder


def write_work(folder, name="03_ocr-00000.rapidocr.json", **changes):
    """Write what a notebook reports."""
    (folder / name).write_text(make_work(**changes).model_dump_json())


def test_works_share_their_images(folder):
    """A notebook that goes through its images twice is half done after the first time."""
    write_work(folder)
    ocr = progress.read_progress(folder).steps[1]
    assert (ocr.done, ocr.new, ocr.seconds) == (30, 25, 25)
    write_work(folder, "03_ocr-00000.lines.json", done=100, known=100, seconds=0.5, failures={})
    ocr = progress.read_progress(folder).steps[1]
    assert (ocr.done, ocr.new, ocr.failures) == (80, 25, {"not an image": 2})


@pytest.mark.parametrize(
    ("changes", "rate", "left"),
    [
        ({}, 0, None),  # nothing is known yet
        ({"done": 100, "new": 50, "seconds": 25}, 2, 100),  # what the cache gave is no rate
        ({"done": 300, "new": 300, "seconds": 10}, 30, 0),  # the last figures are drawn
        ({"waiting": 0, "running": {}}, 0, 0),  # all from earlier runs
        ({"done": 10, "new": 10}, 0, None),  # in no measurable time
    ],
)
def test_rate_and_time_left(changes, rate, left):
    """The rate is that of new work, and the time left follows from it."""
    step = make_progress().steps[1].model_copy(update=changes)
    assert (step.rate, step.left) == (rate, left)


DAMAGE = [
    ("", "a file that is being made"),
    ("[]", "another kind"),
    ('{"stage": "03_ocr-00000"}', "incomplete"),
    ("\x00\xff", "no text"),
    (make_work(stage="03_ocr-00007").model_dump_json(), "a stage that is not under way"),
]


@pytest.mark.parametrize(("content", "reason"), DAMAGE, ids=[reason for _, reason in DAMAGE])
def test_odd_files_are_ignored(folder, content, reason):
    """What is no report of a running stage changes nothing, and no head is no progress."""
    (folder / "03_ocr-00000.rapidocr.json").write_bytes(content.encode("latin-1"))
    assert progress.read_progress(folder).steps == make_progress().steps
    if content.startswith("{"):
        return
    (folder / HEAD).write_bytes(content.encode("latin-1"))
    assert progress.read_progress(folder) is None


def test_only_folders_of_the_run_are_read(folder, tmp_path):
    """A folder that the manifest does not name is not read, and one that has gone is not missed."""
    (tmp_path / ".progress.0000").mkdir()
    (tmp_path / ".progress.0000" / HEAD).write_text(make_progress(pid=7).model_dump_json())
    assert progress.find_progress(tmp_path).pid == os.getpid()
    (folder / HEAD).unlink()
    folder.rmdir()
    assert progress.find_progress(tmp_path) is None


def end_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("changes", "is_alive"),
    [
        ({}, True),  # this process
        ({"age": 10_000}, False),  # the number was given again
        ({"pid": "ended"}, False),  # killed a moment ago
        ({"host": "elsewhere"}, True),  # a fresh sign of life
        ({"host": "elsewhere", "age": -60}, True),  # its clock is fast
        ({"host": "elsewhere", "age": 600}, False),  # silent, and stays so
    ],
)
def test_life_is_told(folder, tmp_path, changes, is_alive):
    """Here the process is asked for, elsewhere its signs of life are."""
    known = {"beat": time.time() - changes.get("age", 0)}
    known |= {name: value for name, value in changes.items() if name == "host"}
    left = make_progress(**known | ({"pid": end_process()} if "pid" in changes else {}))
    (folder / HEAD).write_text(left.model_dump_json())
    assert progress.is_alive(left, tmp_path, wait=0.05) == is_alive


def test_zombie_is_not_alive(tmp_path):
    """A killed process whose parent has not asked for it yet is dead."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 30
    while progress.is_alive(make_progress(pid=process.pid), tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.wait()


def test_life_on_a_machine_with_another_clock(folder, tmp_path):
    """A machine whose clock is an hour slow is alive as long as its signs of life change."""
    left = make_progress(host="elsewhere", beat=time.time() - 3600)
    later = left.model_copy(update={"beat": left.beat + 5})
    (folder / HEAD).write_text(left.model_dump_json())
    writing = threading.Timer(0.1, (folder / HEAD).write_text, [later.model_dump_json()])
    writing.start()
    assert progress.is_alive(left, tmp_path, wait=0.5)
    writing.join()


def test_line_says_it_all():
    """One line names each notebook that has begun, the failures, memory and disk."""
    ocr = {"done": 100, "new": 50, "seconds": 25, "failures": {"timed out": 1, "not found": 1200}}
    found = make_progress(usage=Usage(memory=3_100_000_000, used=0.45, free=120_000_000_000))
    found.steps[1] = found.steps[1].model_copy(update=ocr)
    assert progress.describe_progress(found) == (
        "download done; ocr 100 of 300 images, 2.0/s, 1 min 40 s left; "
        "1,201 failed (1,200 not found, 1 timed out); "
        "memory 3.1 GB, 45% of the machine's in use; 120.0 GB of disk free"
    )
    assert json.loads(found.model_dump_json())["steps"][1]["failures"] == ocr["failures"]
