"""Networks on the processor and, as far as there is none here, on a GPU."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lib.features import inference as devices
from lib.features.inference import (
    CpuBackend,
    TorchBackend,
    choose_device,
    choose_precision,
    place_network,
)

SHAPE = (3, 8, 8)


@pytest.fixture
def model():
    """A small network with all that ResNet50 has: pictures to vectors of 5."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten())


@pytest.fixture(scope="module")
def pictures():
    """Seven pictures, more than a machine of few cores runs at once."""
    return list(torch.rand(7, *SHAPE, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize(
    "place",
    [
        lambda model: TorchBackend(model, torch.device("cpu"), "float32"),  # as on a GPU
        lambda model: CpuBackend(model, "float32"),
        lambda model: CpuBackend(model, "float32", pays=0),
    ],
    ids=["torch", "processor", "compiled"],
)
def test_same_as_torch(model, pictures, place):
    """Each picture has its own vector, in the order given, as the model itself computes it."""
    with torch.inference_mode():
        expected = model.eval()(torch.stack(pictures)).numpy()
    placed = place(model)
    assert placed.run(pictures) == pytest.approx(expected, abs=1e-5)
    assert placed.run(pictures[:1]).dtype == np.float32


@pytest.mark.parametrize("pays", [0, 99], ids=["compiled", "torch"])
def test_half_precision(model, pictures, pays):
    """Bfloat16 gives float32 vectors near the exact ones."""
    with torch.inference_mode():
        exact = model.eval()(torch.stack(pictures)).numpy()
    vectors = CpuBackend(model, "bfloat16", pays).run(pictures)
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(exact, rel=0.05, abs=0.01)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_torch_goes_on_where_nothing_can_be_compiled(
    model, pictures, monkeypatch, caplog, precision
):
    """A network that OpenVINO cannot compile runs all the same, and the log says so once."""

    def fail(*args):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(devices, "OpenVinoBackend", fail)
    network = CpuBackend(model, precision, pays=0)
    assert network.run(pictures).shape == network.run(pictures).shape == (7, 5)
    assert caplog.text.count("no such operation") == 1


def test_many_pictures_are_worth_compiling(model, pictures, monkeypatch):
    """Torch begins at once; when enough pictures are seen, the network is compiled, once."""
    made = []
    compiled = SimpleNamespace(run=len)
    monkeypatch.setattr(devices, "OpenVinoBackend", lambda *args: made.append(args) or compiled)
    placed = CpuBackend(model, "float32", pays=10)
    for expected in (0, 0, 1, 1):
        placed.run(pictures)
        assert len(made) == expected


def test_place_network(model):
    """A network lands where it is wanted."""
    assert isinstance(place_network(model, torch.device("cpu"), "float32"), CpuBackend)


@pytest.mark.parametrize(
    ("able", "precision"),
    [(["FP32", "BF16"], "bfloat16"), (["FP32", "INT8"], "float32")],
    ids=["native", "emulated"],
)
def test_choose_precision(monkeypatch, able, precision):
    """Bfloat16 is used only where the processor computes in it."""
    core = SimpleNamespace(get_property=lambda *asked: able)
    monkeypatch.setattr(devices.openvino, "Core", lambda: core)
    assert choose_precision(torch.device("cpu")) == precision


def test_choose_device():
    """Unknown devices are refused, and CUDA where there is none."""
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ValueError, match="expected auto, cpu or cuda"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        assert choose_device("auto").type == "cpu"
        with pytest.raises(ValueError, match="finds no CUDA device"):
            choose_device("cuda")
