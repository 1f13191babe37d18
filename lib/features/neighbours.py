"""Compare images by their stored vectors: find neighbours and near duplicates, make a map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from lib.features.vectors import Floats, Vectors

Rows = npt.NDArray[np.integer]

DIMENSIONS: int = 32
FIT_ROWS: int = 5000
"""Rows that principal components are fitted on; more make no visible difference."""

MAX_MAPPED: int = 2000
"""Maximum number of images on a map; more would hide each other."""

MIN_LIKENESS: float = 0.95
"""Minimum cosine of near duplicates. Measured with random weights on 120 product images and 30
copies: re-encoded or resized copies at least 0.978, cropped ones 0.877, others at most 0.915."""


def describe_vectors(values: Floats | Vectors, seed: int = 0) -> npt.NDArray[np.float32]:
    """Whiten vectors by PCA, so that their cosine tells images apart.

    Raw vectors all point in much the same direction, above all those of random weights; their
    principal components, each scaled to the same variance, do not.

    Args:
        values: (N, 2048).
        seed: Seed for choosing the rows that the components are fitted on.

    Returns:
        (N, K) float32 of length 1, K at most 32 and at most N / 2.
    """
    if len(values) < 2:
        return np.ones((len(values), 1), np.float32)
    sample = _choose_rows(values, seed)
    size = max(1, min(DIMENSIONS, len(sample) // 2, values.shape[1]))
    components = PCA(size, whiten=True, random_state=seed).fit(sample)
    blocks = [values[start : start + FIT_ROWS] for start in range(0, len(values), FIT_ROWS)]
    described = [components.transform(block.astype(np.float32)) for block in blocks]
    return np.asarray(normalize(np.concatenate(described)), np.float32)


def place_on_map(values: Floats, seed: int = 0) -> tuple[Floats, Floats]:
    """Project images onto their first two principal components.

    Returns:
        Positions (N, 2), and the share of all variance along each axis (2,), 0-1.
    """
    if len(values) < 3:
        return np.zeros((len(values), 2)), np.zeros(2)
    components = PCA(2, random_state=seed).fit(_choose_rows(values, seed))
    places = components.transform(values.astype(np.float32))
    return places, components.explained_variance_ratio_


def map_images(
    samples: pd.DataFrame,
    sha256: pd.Index[str],
    values: Floats | Vectors,
    count: int = MAX_MAPPED,
    seed: int = 0,
) -> tuple[pd.DataFrame, Floats]:
    """Place a run's images, or a random sample of them, on a map.

    Args:
        samples: Columns `split`, `image` (sha256 of the image) and `path`.
        sha256: The image of each row of `values`.
        values: (N, 2048).
        count: Maximum number of images; if there are more, a random sample is taken.
        seed: Seed of that sample.

    Returns:
        One row per image: `image`, `path`, `split` (`"test and train"` where it is in both), `x`,
        `y`; and the share of all variance along each axis (2,), 0-1.
    """
    splits = samples.groupby("image")["split"].agg(lambda found: " and ".join(sorted(set(found))))
    paths = samples.drop_duplicates("image").set_index("image")["path"]
    known = np.flatnonzero(sha256.isin(splits.index))
    rows = np.sort(np.random.default_rng(seed).permutation(known)[:count])
    places, shares = place_on_map(values[rows], seed)
    table = pd.DataFrame({"image": sha256[rows], "x": places[:, 0], "y": places[:, 1]})
    named = table.assign(path=table["image"].map(paths), split=table["image"].map(splits))
    return named.astype({"path": str, "split": str}), shares


def _choose_rows(values: Floats | Vectors, seed: int) -> Floats:
    """Choose the rows to fit on, as float32."""
    if len(values) <= FIT_ROWS:
        return values[:].astype(np.float32)
    rows = np.random.default_rng(seed).choice(len(values), FIT_ROWS, replace=False)
    return values[np.sort(rows)].astype(np.float32)


def nearest_neighbours(described: Floats, rows: Rows, count: int) -> pd.DataFrame:
    """Find the nearest neighbours of some images, excluding the images themselves.

    Args:
        described: (N, K), from `describe_vectors`.
        rows: Row numbers of the images whose neighbours are sought.
        count: Neighbours per image; fewer if there are fewer images.

    Returns:
        Columns `row`, `neighbour` and `likeness` (cosine, -1 to 1), the most similar first.
    """
    size = min(count + 1, len(described))
    if not size:
        return pd.DataFrame({"row": [], "neighbour": [], "likeness": []})
    search = NearestNeighbors(n_neighbors=size, algorithm="brute").fit(described)
    distances, found = search.kneighbors(described[rows])
    table = pd.DataFrame(
        {
            "row": np.repeat(rows, size),
            "neighbour": found.ravel(),
            "likeness": _cosine(distances).ravel(),
        }
    )
    others = table[table["row"] != table["neighbour"]]
    return others.groupby("row", sort=False).head(count).reset_index(drop=True)


def same_label_share(described: Floats, labels: pd.Series[str]) -> tuple[float, float]:
    """Return how often an image's nearest neighbour, and a random one, has the same label.

    Args:
        described: (N, K), from `describe_vectors`.
        labels: One per row.

    Returns:
        Two shares, 0-1; zeros where there are fewer than two images.
    """
    if len(described) < 2:
        return 0.0, 0.0
    nearest = nearest_neighbours(described, np.arange(len(described)), 1)
    names = labels.to_numpy()
    same = names[nearest["row"]] == names[nearest["neighbour"]]
    sizes = labels.value_counts()
    chance = (sizes * (sizes - 1)).sum() / (len(labels) * (len(labels) - 1))
    return float(same.mean()), float(chance)


def near_duplicates(described: Floats, rows_a: Rows, rows_b: Rows) -> pd.DataFrame:
    """Find the images of one set that nearly equal an image of another.

    Args:
        described: (N, K), from `describe_vectors`.
        rows_a: Row numbers of some images, such as those of the training table.
        rows_b: Row numbers of others, such as those of the test table.

    Returns:
        Columns `row_a`, `row_b` and `likeness`: for each image of b the most similar one of a,
        if they are at least `MIN_LIKENESS` alike; the most similar pair first.
    """
    if not len(rows_a) or not len(rows_b):
        return pd.DataFrame({"row_a": [], "row_b": [], "likeness": []})
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(described[rows_a])
    distances, found = search.kneighbors(described[rows_b])
    table = pd.DataFrame(
        {
            "row_a": np.asarray(rows_a)[found[:, 0]],
            "row_b": rows_b,
            "likeness": _cosine(distances)[:, 0],
        }
    )
    alike = table[table["likeness"] >= MIN_LIKENESS]
    return alike.sort_values("likeness", ascending=False, ignore_index=True)


def compare_splits(
    samples: pd.DataFrame, sha256: pd.Index[str], values: Floats | Vectors
) -> pd.DataFrame:
    """Find test images that are also in the training table, as the same file or a near duplicate.

    Args:
        samples: Columns `split`, `image` (sha256 of the image) and `path`.
        sha256: The image of each row of `values`.
        values: (N, 2048).

    Returns:
        One row per test image found: `kind` (`"same"` or `"near"`), `train`, `test` (sha256),
        `path_train`, `path_test` and `likeness`; the most similar first.
    """
    paths = samples.drop_duplicates("image").set_index("image")["path"]
    known = {name: sha256[sha256.isin(rows["image"])] for name, rows in samples.groupby("split")}
    none = sha256[:0]
    train, test = known.get("train", none), known.get("test", none)
    same = train.intersection(test)
    new = test.difference(same, sort=False)
    a, b = sha256.get_indexer(train), sha256.get_indexer(new)
    near = near_duplicates(describe_vectors(values), a, b)
    pairs = {
        "kind": ["same"] * len(same) + ["near"] * len(near),
        "train": [*same, *sha256[near["row_a"].to_numpy(int)]],
        "test": [*same, *sha256[near["row_b"].to_numpy(int)]],
        "likeness": [1.0] * len(same) + near["likeness"].tolist(),
    }
    table = pd.DataFrame(pairs).astype({"kind": str, "train": str, "test": str, "likeness": float})
    for side in ("train", "test"):
        table[f"path_{side}"] = table[side].map(paths).astype(str)
    return table


def _cosine(distances: Floats) -> Floats:
    """Convert distances between unit vectors to cosines."""
    return 1 - distances**2 / 2
