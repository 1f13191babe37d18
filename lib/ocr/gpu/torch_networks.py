"""Run PP-OCR's networks with torch, many inputs at once, on a GPU or (in tests) on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lib.ocr.engines import EngineError, Pixels
from lib.ocr.gpu.batching import Answer
from lib.ocr.gpu.onnx_module import read_module

GREY: float = 127.5  # pixels of this value are 0 once normalised


class TorchNetwork:
    """A network on a device, on a CUDA stream of its own.

    One thread should call it: each that does has its own plans of cuDNN, a millisecond for each
    convolution and size, and up to 2 GB.

    Args:
        path: ONNX file of one of PP-OCR's detectors or recognisers.
        device: `"cpu"`, `"cuda"` or one of several cards, such as `"cuda:1"`.
        precision: `"float32"`, `"bfloat16"` or `"float16"`.
    """

    def __init__(self, path: Path, device: str, precision: str) -> None:
        self._device, self._type = torch.device(device), getattr(torch, precision)
        self._is_on_cuda = self._device.type == "cuda"
        self._stream: torch.cuda.Stream | None = None
        if self._is_on_cuda:
            self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        module = read_module(path).to(self._device, self._type)
        self._module = module.to(memory_format=torch.channels_last)

    def start(self, batch: Sequence[Pixels]) -> Callable[[], list[Answer]]:
        """Begin to run inputs of one size together; return what waits for the answers.

        Args:
            batch: BGR pixels (N, H, W, 3) each, uint8; N may differ.

        Raises:
            MemoryError: The device has too little memory for so many.
        """
        outputs = self._try(batch)
        if outputs is None:  # after the handler, whose error keeps hold of the memory
            torch.cuda.empty_cache()
            raise MemoryError(f"{self._device} has too little memory for {len(batch)} inputs")
        done = self._stream.record_event() if self._stream else None
        ends = np.cumsum([len(pixels) for pixels in batch])[:-1]

        def finish() -> list[Answer]:
            if done:
                done.synchronize()
            parts = [np.split(output.numpy(), ends) for output in outputs]
            return list(zip(*parts, strict=True))

        return finish

    def _try(self, batch: Sequence[Pixels]) -> list[Tensor] | None:
        """Begin to run a batch; return where its outputs will be, `None` if memory is short."""
        try:
            with torch.inference_mode(), self._use_stream():
                return self._compute(batch)
        except torch.OutOfMemoryError:
            return None

    def _compute(self, batch: Sequence[Pixels]) -> list[Tensor]:
        count = sum(map(len, batch))
        pixels = self._upload(batch, count).to(self._type).permute(0, 3, 1, 2)
        found = self._module((pixels - GREY) / GREY)[:count]
        if found.ndim == 3:  # (N, T, letters)
            return [self._download(one) for one in find_best_letters(found)]
        exact = found.float() if self._type == torch.bfloat16 else found  # NumPy has no bfloat16
        return [self._download(exact.contiguous())]

    def _upload(self, batch: Sequence[Pixels], count: int) -> Tensor:
        """Stack inputs in memory from which the card fetches by itself; rows may be left over."""
        shape = (round_up(count), *batch[0].shape[1:])
        stacked = torch.empty(shape, dtype=torch.uint8, pin_memory=self._is_on_cuda)
        np.concatenate(batch, out=stacked[:count].numpy())
        return stacked.to(self._device, non_blocking=True)

    def _download(self, output: Tensor) -> Tensor:
        here = torch.empty(output.shape, dtype=output.dtype, pin_memory=self._is_on_cuda)
        return here.copy_(output, non_blocking=True)

    def _use_stream(self) -> torch.cuda.StreamContext | nullcontext[None]:
        return torch.cuda.stream(self._stream) if self._stream else nullcontext()


def prepare_device(device: str) -> None:
    """Check that torch can use a device, and make it compute float32 exactly.

    Raises:
        EngineError: It cannot.
    """
    torch.backends.cudnn.allow_tf32 = False
    count = torch.cuda.device_count()
    if device != "cpu" and (torch.device(device).index or 0) >= count:
        raise EngineError(f"DEVICE is {device!r}, but torch finds {count} CUDA devices; use cpu")


def find_best_letters(chances: Tensor) -> tuple[Tensor, Tensor]:
    """Find chance and number of the best letter at each step, both (N, T), of (N, T, letters)."""
    best, letters = chances.max(-1)
    return best.float(), letters.int()


def round_up(count: int) -> int:
    """Round a batch up to few sizes, since each costs cuDNN a plan for each convolution.

    >>> [round_up(count) for count in (1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33)]
    [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48]
    """
    step = 1 << max(0, (count - 1).bit_length() - 2)
    return -(-count // step) * step
