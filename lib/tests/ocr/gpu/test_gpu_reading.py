"""Pages read with a server of networks, on the CPU: the way of a GPU, with another device."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
from joblib import Memory

from lib.io.cache import is_cached
from lib.io.paths import PROJECT
from lib.ocr import ppocr
from lib.ocr.engines import EngineError, default_settings
from lib.ocr.gpu.server import start_server
from lib.ocr.reading import read_page, read_pages
from lib.parallel.workers import HERE
from lib.tests.ocr.gpu import stub_server
from lib.tests.stand_in import read_name, read_width

IMAGES = PROJECT / "data/sample/images"
NAMES = ("front_train_0.jpg", "front_train_1.jpg")
ON_GPU = replace(ppocr.DEFAULT, device="cuda")  # float32, which a GPU has too
NO_CACHE = Memory(None, verbose=0)


def read_all(files, settings, **kwargs):
    """Read files, each by its name."""
    return read_pages({file.stem: file for file in files}, "rapidocr", settings, NO_CACHE, **kwargs)


def test_pages_are_those_of_the_processor():
    """Processes that share a server of the same networks read the same words in the same boxes."""
    files = [IMAGES / name for name in NAMES]
    found = read_all(files, ON_GPU, workers=2, device="cpu")
    assert not found.failures and found.version.endswith(" cuda float32")
    for file in files:
        page = read_page(file.stem, "rapidocr", "1", ppocr.DEFAULT, file)
        words = found.pages[file.stem].words
        assert page.words and [word.text for word in words] == [word.text for word in page.words]
        for one, other in zip(words, page.words, strict=True):
            assert one.confidence == pytest.approx(other.confidence, abs=2e-4)
            assert one.box.left == pytest.approx(other.box.left, abs=1)


def test_processes_that_ask_have_no_runtime():
    """They are many, and OpenVINO and torch are large."""
    code = (
        "import sys, lib.ocr.gpu.remote; from lib.ocr.engines import default_settings;"
        "default_settings('rapidocr', 'auto', 'cuda:1').name_version();"
        "print({'openvino', 'torch', 'onnx', 'onnxruntime'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT
    )
    assert found.stdout == "set()\n", found.stderr


@pytest.mark.parametrize(
    ("precision", "device", "expected"),
    [
        ("auto", "cuda", "cuda float32"),  # the same text as the processor's in float32
        ("float16", "cuda", "cuda float16"),
        ("bfloat16", "cuda:1", "cuda bfloat16"),  # all cards read alike
    ],
)
def test_version_names_device_and_precision(precision, device, expected):
    """So the cache tells pages of a GPU from others, and not those of two cards."""
    settings = default_settings("rapidocr", precision, device)
    version = settings.name_version()
    assert version.endswith(f" {expected}") and "torch" in version
    assert settings != default_settings("rapidocr", "float32")
    assert default_settings("tesseract", precision, device) == default_settings("tesseract")


def test_a_server_that_is_given_up_ends_the_stage(tmp_path, monkeypatch):
    """The message says why; what was read before is in the cache."""
    start = partial(start_server, serve=stub_server.serve_nobody)
    monkeypatch.setattr("lib.ocr.gpu.server.start_server", start)
    memory = Memory(tmp_path, verbose=0)
    images = {f"{number:064}": tmp_path for number in range(100)}
    with pytest.raises(EngineError, match="there is no cuda:7"):
        read_pages(images, "rapidocr", ON_GPU, memory, 1, read=read_width, device="cuda:7")
    cached, key = memory.cache(read_width, ignore=["path"]), ON_GPU.name_version()
    known = [is_cached(cached, name, "rapidocr", key, ON_GPU, tmp_path) for name in images]
    assert 0 < sum(known) < 100


def test_workers_of_a_cluster_have_servers_of_their_own(tmp_path, monkeypatch):
    """So has a process that reads by itself: nothing is started by the one that asks them."""
    asked = []

    def read_with(folder, device, read, *call):
        asked.append((folder, device))
        return read(*call)

    monkeypatch.setattr("lib.ocr.gpu.remote.read_with_server", read_with)
    monkeypatch.setattr("lib.ocr.gpu.server.start_server", None)
    images = {"a" * 64: tmp_path / "a"}
    found = read_pages(images, "rapidocr", ON_GPU, NO_CACHE, HERE, read=read_name, device="cuda:1")
    assert asked == [("", "cuda:1")] and len(found.pages) == 1
