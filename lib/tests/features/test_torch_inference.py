"""Networks on the processor and, as far as there is none here, on a GPU."""

from types import SimpleNamespace

import numpy as np
import openvino
import pytest
import torch
from torch import nn

from lib.features import torch_inference
from lib.features.torch_inference import (
    CpuBackend,
    TorchBackend,
    choose_backend,
    choose_device,
    choose_precision,
)

SHAPE = (3, 8, 8)


@pytest.fixture
def model():
    """A small network with all that ResNet50 has: images to vectors of 5."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten())


@pytest.fixture(scope="module")
def images():
    """Seven images, more than a machine of few cores runs at once."""
    return list(np.random.default_rng(1).random((7, *SHAPE), np.float32))


@pytest.mark.parametrize(
    "load",
    [
        lambda model: TorchBackend(model, torch.device("cpu"), "float32"),  # as on a GPU
        lambda model: CpuBackend(model, "float32"),
        lambda model: CpuBackend(model, "float32", compile_after=0),
    ],
    ids=["torch", "processor", "compiled"],
)
def test_same_as_torch(model, images, load):
    """Each image has its own vector, in the order given, as the model itself computes it."""
    with torch.inference_mode():
        expected = model.eval()(torch.from_numpy(np.stack(images))).numpy()
    backend = load(model)
    assert backend.run(images) == pytest.approx(expected, abs=1e-5)
    assert backend.run(images[:1]).dtype == np.float32


@pytest.mark.parametrize("compile_after", [0, 99], ids=["compiled", "torch"])
def test_half_precision(model, images, compile_after):
    """Bfloat16 gives float32 vectors near the exact ones."""
    with torch.inference_mode():
        exact = model.eval()(torch.from_numpy(np.stack(images))).numpy()
    vectors = CpuBackend(model, "bfloat16", compile_after).run(images)
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(exact, rel=0.05, abs=0.01)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_torch_goes_on_where_nothing_can_be_compiled(model, images, monkeypatch, caplog, precision):
    """A network that OpenVINO cannot compile runs all the same, and the log says so once."""

    def fail(*args):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(torch_inference, "OpenVinoBackend", fail)
    network = CpuBackend(model, precision, compile_after=0)
    assert network.run(images).shape == network.run(images).shape == (7, 5)
    assert caplog.text.count("no such operation") == 1


def test_many_images_are_worth_compiling(model, images, monkeypatch):
    """Torch begins at once; when enough images are seen, the network is compiled, once."""
    made = []
    compiled = SimpleNamespace(run=len)
    monkeypatch.setattr(
        torch_inference, "OpenVinoBackend", lambda *args: made.append(args) or compiled
    )
    backend = CpuBackend(model, "float32", compile_after=10)
    for expected in (0, 0, 1, 1):
        backend.run(images)
        assert len(made) == expected


def test_choose_backend(model):
    """A network lands where it is wanted."""
    assert isinstance(choose_backend(model, torch.device("cpu"), "float32"), CpuBackend)


@pytest.mark.parametrize(
    ("able", "precision"),
    [(["FP32", "BF16"], "bfloat16"), (["FP32", "INT8"], "float32")],
    ids=["native", "emulated"],
)
def test_choose_precision(monkeypatch, able, precision):
    """Bfloat16 is used only where the processor computes in it."""
    core = SimpleNamespace(get_property=lambda *asked: able)
    monkeypatch.setattr(openvino, "Core", lambda: core)
    assert choose_precision(torch.device("cpu")) == precision
    assert choose_precision(torch.device("cpu"), "float32") == "float32"


@pytest.mark.parametrize(
    ("device", "asked", "able"),
    [
        ("cuda", "float16", True),
        ("cpu", "float16", False),  # neither torch nor OpenVINO is fast in it there
        ("cuda", "bfloat16", True),
        ("cpu", "bfloat16", False),  # this one has none
        ("cpu", "float8", False),
    ],
)
def test_precision_is_what_was_asked_or_an_error(monkeypatch, device, asked, able):
    """Nothing is computed in another precision than the one that was named."""
    core = SimpleNamespace(get_property=lambda *asked: ["FP32"])
    monkeypatch.setattr(openvino, "Core", lambda: core)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **options: True)
    if able:
        assert choose_precision(torch.device(device), asked) == asked
        return
    with pytest.raises(ValueError, match=f"PRECISION is '{asked}'"):
        choose_precision(torch.device(device), asked)


def test_choose_device():
    """Unknown devices are refused, and CUDA where there is none."""
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ValueError, match="expected auto, cpu or cuda"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        assert choose_device("auto").type == "cpu"
        with pytest.raises(ValueError, match="finds no CUDA device"):
            choose_device("cuda")
