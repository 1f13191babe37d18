"""Find ResNet50's parameters: torchvision's, those of a file, or random ones."""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
import os
import pickle
import socket
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from lib.features.networks import State, Weights
from lib.features.preparation import crop_middle
from lib.features.random_weights import list_convolutions, make_random_state
from lib.io import digest_file, from_project

if TYPE_CHECKING:  # takes seconds to import, and is needed for torchvision's weights and files only
    import torch

LOG = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT: float = 20.0  # seconds without a response; torchvision has no timeout
URL: str = "https://download.pytorch.org/models/"
FILES: dict[str, str] = {
    "IMAGENET1K_V1": "resnet50-0676ba61.pth",
    "IMAGENET1K_V2": "resnet50-11ad3fa6.pth",
}
"""Files of torchvision's weights, which it downloads from `URL`."""
RESIZED: dict[str, int] = {"IMAGENET1K_V1": 256}
"""Shorter side of an image before it is cropped, where it is not `NEW_RESIZED`."""
NEW_RESIZED: int = 232
MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)  # as torchvision trains
DEVIATION = (0.229 * 255, 0.224 * 255, 0.225 * 255)

_UNAVAILABLE = (OSError, http.client.HTTPException, RuntimeError, EOFError, pickle.UnpicklingError)


def load_weights(weights: str, seed: int = 0) -> Weights:
    """Find ResNet50's parameters; random ones if the named ones cannot be downloaded.

    Args:
        weights: `"IMAGENET1K_V1"` or `"IMAGENET1K_V2"` (torchvision's own download and cache), a
            `.pth` file with a state dictionary, or `"random"`.
        seed: Seed of random weights.

    Raises:
        ValueError: The name is unknown.
        FileNotFoundError: There is no such file.
    """
    if weights == "random":
        return _make_random_weights(seed)
    if weights.endswith((".pth", ".pt")):
        path = from_project(weights)
        if not path.is_file():
            raise FileNotFoundError(f"WEIGHTS names {path}, which does not exist.")
        return _make_weights(path.name, f"file {digest_file(path)}", partial(_read_file, path))
    if weights not in FILES:
        known = ", ".join(FILES)
        raise ValueError(f"WEIGHTS is {weights!r}; expected {known}, a .pth file or random.")
    try:
        return _find_weights(weights)
    except _UNAVAILABLE as error:
        return _fall_back(weights, seed, error)


def _find_weights(name: str) -> Weights:
    """Find torchvision's weights in its cache, or let it download them."""
    key, fetch = Path(FILES[name]).stem, partial(_fetch_state, name)
    if zipfile.is_zipfile(find_hub() / FILES[name]):  # whole, and needed for new images only
        return _make_weights(name, key, fetch)
    _check_host(URL + FILES[name])
    state = fetch()
    return _make_weights(name, key, lambda: state)


def find_hub() -> Path:
    """Find the folder in which torchvision keeps weights."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home).expanduser() / "hub/checkpoints"


def _check_host(url: str) -> None:
    """Ask the host for a file's head, to spare the import of torchvision where there is none.

    Raises:
        OSError: There is no answer.
        HTTPException: It makes no sense.
    """
    with contextlib.suppress(HTTPError):  # an answer: torchvision may have more luck
        urlopen(Request(url, method="HEAD"), timeout=DOWNLOAD_TIMEOUT).close()


def _fall_back(weights: str, seed: int, error: Exception) -> Weights:
    """Return random weights in place of those that cannot be downloaded, and log a warning."""
    note = (
        f"ResNet50 ran with random weights, not with {weights}: the download failed ({error}). "
        "Its features describe colour and layout, not objects. "
        "Run again with a network, or give WEIGHTS a .pth file."
    )
    LOG.warning(note)
    host = urlsplit(URL).hostname or ""
    return replace(_make_random_weights(seed), note=note, missed=host)


def _fetch_state(name: str) -> State:
    """Load torchvision's weights from its cache, or download them."""
    from torchvision.models import ResNet50_Weights

    # torch.hub prints its download path on this machine, which does not belong in a report.
    with _default_timeout(DOWNLOAD_TIMEOUT), contextlib.redirect_stdout(io.StringIO()):
        state = ResNet50_Weights[name].get_state_dict(progress=False, check_hash=True)
    return _to_arrays(state, name)


@contextlib.contextmanager
def _default_timeout(seconds: float) -> Iterator[None]:
    """Set a timeout for connections, because torch.hub has none of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _read_file(path: Path) -> State:
    """Read a state dictionary from a file without executing code in it.

    Raises:
        ValueError: The file holds no ResNet50.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is not a file of weights: {error}") from error
    if not isinstance(state, Mapping):
        raise ValueError(f"{path} holds a {type(state).__name__}; expected a state dictionary.")
    return _to_arrays(state, path.name)


def _to_arrays(state: Mapping[str, torch.Tensor], name: str) -> State:
    """Return the parameters that a ResNet50 without its last layer has.

    Raises:
        ValueError: Some are missing, or of another shape.
    """
    found: State = {}
    for convolution in list_convolutions():
        for parameter, shape in convolution.shapes.items():
            value = state.get(parameter)
            if value is None or tuple(value.shape) != shape:
                what = "no" if value is None else f"the shape {tuple(value.shape)} of"
                raise ValueError(
                    f"WEIGHTS {name} do not fit ResNet50: {what} {parameter}, expected {shape}"
                )
            found[parameter] = value.float().numpy()
    return found


def _make_random_weights(seed: int) -> Weights:
    """Return the random initial weights of a training, the same for the same seed."""
    name = f"random (seed {seed})"
    return _make_weights(name, name, partial(make_random_state, seed))


def _make_weights(name: str, key: str, read: Callable[[], State]) -> Weights:
    """Make weights whose images are prepared as torchvision prepares them."""
    prepare = partial(crop_middle, resized=RESIZED.get(name, NEW_RESIZED))
    return Weights(name, key, read, prepare, MEAN, DEVIATION)
