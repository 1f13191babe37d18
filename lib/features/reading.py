"""Read vectors and line segments of images, each image opened once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from joblib import Memory

from lib.features.computing import Feature, compute_features
from lib.features.embedding import Embeddings, VectorFeature, stack_vectors
from lib.features.line_segments import Segments
from lib.features.networks import Network
from lib.features.stored_segments import LineSegments, narrow_segments


@dataclass(frozen=True)
class Features:
    """What was read off many images.

    Attributes:
        embeddings: The vectors of each network.
        segments: sha256 -> line segments (N, 4), as from `find_line_segments`.
    """

    embeddings: tuple[Embeddings, ...]
    segments: dict[str, Segments] = field(repr=False)


def read_features(
    images: Mapping[str, str | Path],
    networks: Sequence[Network],
    memory: Memory,
    workers: int = 0,
    cluster: str = "",
    names: Mapping[str, str] | None = None,
) -> Features:
    """Compute vectors and line segments of images, each image opened once, if they are not cached.

    Args:
        images: sha256 -> file, each content once.
        networks: From `load_network` and `load_shape_network`.
        memory: The cache; `Memory(None)` for none.
        workers: Processes that open images, 0 for one a core.
        cluster: See `compute_features`.
        names: See `compute_features`.

    Raises:
        ClusterError: The cluster cannot be reached.
        StageFault: All images ended in the same internal error.
    """
    features: list[Feature] = [VectorFeature(network, memory) for network in networks]
    features.append(LineSegments(memory))
    *vectors, segments = compute_features(images, features, workers, cluster, names)
    found = map(stack_vectors, vectors, networks)
    return Features(tuple(found), narrow_segments(segments))
