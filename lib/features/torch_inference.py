"""Run ResNet50 with torch, on a GPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torchvision.models import resnet50

from lib.features.networks import Floats, Network, State, Weights
from lib.io import Pixels


class TorchBackend:
    """A network that torch runs, all images of a batch at once.

    Args:
        model: Images (N, 3, H, W) to vectors (N, D).
        weights: Its weights, which say how levels become floats.
        device: Name of torch's device.
        precision: Arithmetic, as from `choose_precision`.
    """

    def __init__(self, model: nn.Module, weights: Weights, device: str, precision: str) -> None:
        self._device = torch.device(device)
        self._type: torch.dtype = getattr(torch, precision)
        model = model.eval().to(self._device, self._type)
        self._model = model.to(memory_format=torch.channels_last)
        levels = torch.tensor([weights.mean, weights.deviation], device=self._device)
        self._mean, self._deviation = levels[:, :, None, None]  # (3, 1, 1) each

    def run(self, images: list[Pixels]) -> Floats:
        """Run images, RGB (H, W, 3) uint8 each, and return their vectors, (N, D) float32.

        Bytes are copied to the device and become floats there, a quarter of what floats would be.
        """
        batch = torch.from_numpy(np.stack(images))
        if self._device.type == "cuda":
            batch = batch.pin_memory()
        pixels = batch.to(self._device, non_blocking=True).permute(0, 3, 1, 2)  # channels last
        with torch.inference_mode():
            values = ((pixels - self._mean) / self._deviation).to(self._type)
            vectors: Floats = self._model(values).float().cpu().numpy()
        return vectors


def load_on_gpu(network: Network) -> TorchBackend:
    """Load ResNet50 onto its device."""
    model = fuse(_build_model(network.weights.read()).eval())  # convolution and norm in one step
    return TorchBackend(model, network.weights, network.device, network.precision)


def _build_model(state: State) -> nn.Module:
    """Load parameters into torchvision's ResNet50, without its last layer."""
    with torch.device("meta"):  # allocate no parameters that are replaced at once
        model: nn.Module = resnet50(weights=None)
    model.fc = nn.Identity()  # (N, 2048) instead of 1,000 classes
    model.load_state_dict({name: torch.from_numpy(state[name]) for name in state}, assign=True)
    return model
