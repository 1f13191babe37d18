"""Run PP-OCR's networks with torch, many inputs at once, on a GPU or (in tests) on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lib.ocr.engines import EngineError, Pixels
from lib.ocr.gpu.batching import Answer
from lib.ocr.gpu.onnx_module import read_module

GREY: float = 127.5  # pixels of this value are 0 once normalised


class TorchNetwork:
    """A network on a device, which several threads may call, each on a CUDA stream of its own.

    Args:
        path: ONNX file of one of PP-OCR's detectors or recognisers.
        device: `"cpu"`, `"cuda"` or one of several cards, such as `"cuda:1"`.
        precision: `"float32"`, `"bfloat16"` or `"float16"`.
    """

    def __init__(self, path: Path, device: str, precision: str) -> None:
        self._device, self._type = torch.device(device), getattr(torch, precision)
        module = read_module(path).to(self._device, self._type)
        self._module, self._own = module.to(memory_format=torch.channels_last), threading.local()

    def run(self, batch: Sequence[Pixels]) -> list[Answer]:
        """Run inputs of one size together.

        Args:
            batch: BGR pixels (N, H, W, 3) each, uint8; N may differ.

        Raises:
            MemoryError: The device has too little memory for so many.
        """
        outputs = self._try(batch)
        if outputs is None:  # after the handler, whose error keeps hold of the memory
            torch.cuda.empty_cache()
            raise MemoryError(f"{self._device} has too little memory for {len(batch)} inputs")
        ends = np.cumsum([len(pixels) for pixels in batch])[:-1]
        return list(zip(*(np.split(output, ends) for output in outputs), strict=True))

    def _try(self, batch: Sequence[Pixels]) -> list[npt.NDArray[np.generic]] | None:
        try:
            with torch.inference_mode(), self._stream():
                return self._compute(batch)
        except torch.OutOfMemoryError:
            return None

    def _compute(self, batch: Sequence[Pixels]) -> list[npt.NDArray[np.generic]]:
        pixels = self._upload(batch).to(self._type).permute(0, 3, 1, 2)
        found = self._module((pixels - GREY) / GREY)
        if found.ndim == 3:  # (N, T, letters)
            return self._download(find_best_letters(found))
        exact = found.float() if self._type == torch.bfloat16 else found  # NumPy has no bfloat16
        return self._download([exact.contiguous()])

    def _upload(self, batch: Sequence[Pixels]) -> Tensor:
        """Stack inputs in memory from which the card fetches by itself; (N, H, W, 3)."""
        shape = (sum(map(len, batch)), *batch[0].shape[1:])
        stacked = torch.empty(shape, dtype=torch.uint8, pin_memory=self._is_on_cuda)
        np.concatenate(batch, out=stacked.numpy())
        return stacked.to(self._device, non_blocking=True)

    def _download(self, outputs: Sequence[Tensor]) -> list[npt.NDArray[np.generic]]:
        found = []
        for output in outputs:
            here = torch.empty(output.shape, dtype=output.dtype, pin_memory=self._is_on_cuda)
            found.append(here.copy_(output, non_blocking=True))
        if self._is_on_cuda:
            torch.cuda.current_stream(self._device).synchronize()
        return [here.numpy() for here in found]

    @property
    def _is_on_cuda(self) -> bool:
        return self._device.type == "cuda"

    @contextmanager
    def _stream(self) -> Iterator[None]:
        """Work on a stream of this thread, so that one thread copies while another computes."""
        if not self._is_on_cuda:
            yield
            return
        if not hasattr(self._own, "stream"):
            self._own.stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(self._own.stream):
            yield


def prepare_device(device: str) -> None:
    """Check that torch can use a device, and make it compute float32 exactly.

    Raises:
        EngineError: It cannot.
    """
    torch.backends.cudnn.allow_tf32 = False
    count = torch.cuda.device_count()
    if device != "cpu" and (torch.device(device).index or 0) >= count:
        raise EngineError(f"DEVICE is {device!r}, but torch finds {count} CUDA devices; use cpu")


def find_best_letters(chances: Tensor) -> list[Tensor]:
    """Find chance and number of the best letter at each step, both (N, T), of (N, T, letters)."""
    best, letters = chances.max(-1)
    return [best.float(), letters.int()]
