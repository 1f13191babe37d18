"""Devices and precisions: what is asked for, or an error, and no torch without a GPU."""

import subprocess
import sys
from types import SimpleNamespace

import openvino
import pytest
import torch

from lib.features import devices
from lib.features.devices import choose_device, choose_precision


@pytest.fixture
def cuda(monkeypatch):
    """A machine with one CUDA device."""
    monkeypatch.setattr(devices, "has_driver", lambda: True)
    for name, value in (("is_available", True), ("device_count", 1), ("is_bf16_supported", True)):
        monkeypatch.setattr(torch.cuda, name, lambda value=value, **options: value)


@pytest.mark.parametrize(
    ("able", "precision"),
    [(["FP32", "BF16"], "bfloat16"), (["FP32", "INT8"], "float32")],
    ids=["native", "emulated"],
)
def test_choose_precision(monkeypatch, able, precision):
    """Bfloat16 is used only where the processor computes in it."""
    core = SimpleNamespace(get_property=lambda *asked: able)
    monkeypatch.setattr(openvino, "Core", lambda: core)
    assert choose_precision("cpu") == precision
    assert choose_precision("cpu", "float32") == "float32"


@pytest.mark.parametrize(
    ("device", "asked", "able"),
    [
        ("cuda", "float16", True),
        ("cuda:1", "float16", True),
        ("cpu", "float16", False),  # neither torch nor OpenVINO is fast in it there
        ("cuda", "bfloat16", True),
        ("cpu", "bfloat16", False),  # this one has none
        ("cpu", "float8", False),
    ],
)
def test_precision_is_what_was_asked_or_an_error(monkeypatch, cuda, device, asked, able):
    """Nothing is computed in another precision than the one that was named."""
    core = SimpleNamespace(get_property=lambda *asked: ["FP32"])
    monkeypatch.setattr(openvino, "Core", lambda: core)
    if able:
        assert choose_precision(device, asked) == asked
        return
    with pytest.raises(ValueError, match=f"PRECISION is '{asked}'"):
        choose_precision(device, asked)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [("auto", "cuda"), ("cuda", "cuda"), ("cuda:0", "cuda:0"), ("cpu", "cpu")],
)
def test_choose_device_with_cuda(cuda, asked, chosen):
    """Auto takes a GPU where there is one; other names are kept."""
    assert choose_device(asked) == chosen


def test_workers_of_a_cluster_have_processors(cuda):
    """A card is used there only if it is asked for."""
    assert choose_device("auto", "tcp://x:1") == "cpu"
    assert choose_device("cuda", "tcp://x:1") == "cuda"


def test_device_that_is_not_there(cuda):
    """The second of one GPU is refused, and how many there are is said."""
    with pytest.raises(ValueError, match="there are 1 CUDA devices"):
        choose_device("cuda:1")


def test_choose_device_without_cuda(monkeypatch):
    """Unknown devices are refused, and CUDA where torch finds none, with a driver or without."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for has_driver in (False, True):
        monkeypatch.setattr(devices, "has_driver", lambda has_driver=has_driver: has_driver)
        assert choose_device("auto") == choose_device("cpu") == "cpu"
        with pytest.raises(ValueError, match="finds no CUDA device"):
            choose_device("cuda")
    with pytest.raises(ValueError, match="expected auto, cpu or cuda"):
        choose_device("gpu")


def test_no_torch_without_a_gpu():
    """Where no driver is, both networks are loaded and run without importing torch."""
    code = """
import sys
import numpy as np
from lib.features import devices, load_network, load_shape_network
devices.has_driver = lambda: False
for network in (load_network("random"), load_shape_network()):
    print(network.backend.run([np.zeros((224, 224, 3), np.uint8)]).shape)
print({"torch", "torchvision", "sklearn"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["(1, 2048)", "(1, 1280)", "set()"], done.stderr
