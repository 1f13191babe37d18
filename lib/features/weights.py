"""Load ResNet50's parameters: torchvision's, those of a file, or random ones."""

import contextlib
import http.client
import io
import logging
import pickle
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import torch
import torchvision
from torchvision.models import ResNet50_Weights, resnet50

from lib.features.networks import Floats, StateDict, Transform, Weights
from lib.io import Pixels, digest_file, from_project

LOG = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT: float = 20.0  # seconds without a response; torchvision has no timeout

_UNAVAILABLE = (OSError, http.client.HTTPException, RuntimeError, EOFError, pickle.UnpicklingError)


def load_weights(weights: str, seed: int = 0) -> Weights:
    """Load ResNet50's parameters, random ones if the named ones cannot be downloaded.

    Args:
        weights: `"IMAGENET1K_V1"` or `"IMAGENET1K_V2"` (torchvision's own download and cache), a
            `.pth` file with a state dictionary, or `"random"`.
        seed: Seed of random weights.

    Raises:
        ValueError: The name is unknown, or the file holds no ResNet50.
        FileNotFoundError: There is no such file.
    """
    if weights == "random":
        return _make_random_weights(seed)
    if weights.endswith((".pth", ".pt")):
        return _read_weights(from_project(weights))
    if weights not in ResNet50_Weights.__members__:
        known = ", ".join(ResNet50_Weights.__members__)
        raise ValueError(f"WEIGHTS is {weights!r}; expected {known}, a .pth file or random.")
    try:
        return _fetch_weights(ResNet50_Weights[weights])
    except _UNAVAILABLE as error:
        return _fall_back(weights, seed, error)


def _fall_back(weights: str, seed: int, error: Exception) -> Weights:
    """Return random weights in place of those that cannot be downloaded, and log a warning."""
    note = (
        f"ResNet50 ran with random weights, not with {weights}: the download failed ({error}). "
        "Its features describe colour and layout, not objects. "
        "Run again with a network, or give WEIGHTS a .pth file."
    )
    LOG.warning(note)
    made = _make_random_weights(seed)
    host = urlsplit(ResNet50_Weights[weights].url).hostname or ""
    return replace(made, note=note, missed=host)


def _fetch_weights(entry: ResNet50_Weights) -> Weights:
    """Load torchvision's weights from its cache, or download them."""
    # torch.hub prints its download path on this machine, which does not belong in a report.
    with _default_timeout(DOWNLOAD_TIMEOUT), contextlib.redirect_stdout(io.StringIO()):
        state = entry.get_state_dict(progress=False, check_hash=True)
    return _make_weights(state, entry.name, Path(entry.url).stem, entry)


@contextlib.contextmanager
def _default_timeout(seconds: float) -> Iterator[None]:
    """Set a timeout for connections, because torch.hub has none of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _read_weights(path: Path) -> Weights:
    """Read a state dictionary from a file without executing code in it."""
    if not path.is_file():
        raise FileNotFoundError(f"WEIGHTS names {path}, which does not exist.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is not a file of weights: {error}") from error
    if not isinstance(state, Mapping):
        raise ValueError(f"{path} holds a {type(state).__name__}; expected a state dictionary.")
    return _make_weights(state, path.name, f"file {digest_file(path)}")


def _make_random_weights(seed: int) -> Weights:
    """Return the random initial weights of a training, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = resnet50(weights=None).state_dict()
    name = f"random (seed {seed})"
    return _make_weights(state, name, name)


def _make_weights(
    state: StateDict,
    name: str,
    key: str,
    entry: ResNet50_Weights = ResNet50_Weights.IMAGENET1K_V2,
) -> Weights:
    """Make weights whose images are prepared as for an entry of torchvision's."""
    transform = _accept_pixels(entry.transforms())
    return Weights(name, key, transform, torchvision.__version__, state)


def _accept_pixels(transform: Callable[[torch.Tensor], torch.Tensor]) -> Transform:
    """Make a transform of torchvision take and return arrays."""

    def transform_pixels(pixels: Pixels) -> Floats:
        transformed: Floats = transform(torch.from_numpy(pixels).permute(2, 0, 1)).numpy()
        return transformed

    return transform_pixels
