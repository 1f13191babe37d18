"""The networks give in torch what they give in ONNX Runtime, for many inputs at once."""

from functools import cache

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from lib.ocr.engines import EngineError
from lib.ocr.gpu import torch_networks
from lib.ocr.gpu.onnx_module import read_module
from lib.ocr.gpu.torch_networks import TorchNetwork, prepare_device
from lib.ocr.ppocr_networks import DETECTOR, SMALL

RNG = np.random.default_rng(0)


def draw_noise(count, height, width):
    """Make an input of random pixels."""
    return RNG.integers(0, 255, (count, height, width, 3), np.uint8)


@cache
def open_session(path):
    """Open a file with ONNX Runtime."""
    return onnxruntime.InferenceSession(str(path))


def run_onnx(path, pixels):
    """Run a network as its file says."""
    session = open_session(path)
    images = (pixels.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5
    return session.run(None, {session.get_inputs()[0].name: images})[0]


@pytest.fixture(scope="module")
def detector():
    """The detector in float32."""
    return TorchNetwork(DETECTOR, "cpu", "float32")


@pytest.fixture(scope="module")
def recogniser():
    """The recogniser in float32."""
    return TorchNetwork(SMALL, "cpu", "float32")


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 160)])
def test_heat_is_that_of_onnx_runtime(detector, height, width):
    """Each of a batch gets the heat map that it gets alone."""
    batch = [draw_noise(1, height, width), draw_noise(4, height, width)]  # 5, so 6 are run
    for pixels, (heat,) in zip(batch, detector.start(batch)(), strict=True):
        assert heat.dtype == np.float32
        np.testing.assert_allclose(heat, run_onnx(DETECTOR, pixels), atol=1e-4)


@pytest.mark.parametrize("width", [64, 224])
def test_best_letters_are_those_of_onnx_runtime(recogniser, width):
    """The best letter at each step and its probability, of each of a batch."""
    batch = [draw_noise(2, 48, width), draw_noise(1, 48, width)]
    for pixels, (chances, letters) in zip(batch, recogniser.start(batch)(), strict=True):
        expected = run_onnx(SMALL, pixels)
        assert (chances.dtype, letters.dtype) == (np.float32, np.int32)
        np.testing.assert_allclose(chances, expected.max(-1), atol=1e-4)
        np.testing.assert_array_equal(letters, expected.argmax(-1))


def test_padding_would_change_the_heat(detector):
    """That is why batches have one size: the network averages over the whole input."""
    pixels = draw_noise(1, 64, 64)
    padded = np.pad(pixels, ((0, 0), (0, 0), (0, 64), (0, 0)), constant_values=127)
    ((heat,),), ((wider,),) = detector.start([pixels])(), detector.start([padded])()
    assert np.abs(heat - wider[..., :64]).max() > 1e-3


@pytest.mark.parametrize(("precision", "kind"), [("float16", np.float16), ("bfloat16", np.float32)])
def test_half_precision_comes_back_in_a_type_of_numpy(precision, kind):
    """Close to float32; NumPy has no bfloat16."""
    pixels = np.full((1, 32, 32, 3), 200, np.uint8)
    ((heat,),) = TorchNetwork(DETECTOR, "cpu", precision).start([pixels])()
    assert heat.dtype == kind
    np.testing.assert_allclose(heat, run_onnx(DETECTOR, pixels), atol=0.05)


def test_short_memory_is_a_memory_error(detector, monkeypatch):
    """Torch's own error does not reach those who do not know torch."""

    def overflow(images):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(detector, "_module", overflow)
    with pytest.raises(MemoryError, match="too little memory for 2 inputs"):
        detector.start([draw_noise(1, 32, 32)] * 2)


@pytest.mark.parametrize(
    ("device", "count", "message"),
    [
        ("cuda", 0, "DEVICE is 'cuda', but torch finds 0 CUDA devices; use cpu"),
        ("cuda:2", 2, "DEVICE is 'cuda:2', but torch finds 2"),
    ],
)
def test_a_missing_card_is_an_engine_error(monkeypatch, device, count, message):
    """The message says what there is and what to do."""
    monkeypatch.setattr(torch_networks.torch.cuda, "device_count", lambda: count)
    with pytest.raises(EngineError, match=message):
        prepare_device(device)


def test_another_operator_is_an_error(tmp_path):
    """A file that needs one is no network of PP-OCR."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Tan", ["x"], ["y"])], "g", [value], [value])
    onnx.save(helper.make_model(graph), tmp_path / "tan.onnx")
    with pytest.raises(NotImplementedError, match="ONNX operator Tan"):
        read_module(tmp_path / "tan.onnx")
