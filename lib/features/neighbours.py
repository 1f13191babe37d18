"""Pictures compared by their stored vectors: neighbours, near duplicates, a map."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from lib.features.vectors import Vectors

DIMENSIONS: int = 32
FIT_ROWS: int = 5000
"""Rows that principal components are fitted on; more change nothing one could see."""

MAPPED: int = 2000
"""Pictures on a map; more hide each other."""

LIKE: float = 0.95
"""Likeness of near duplicates. Measured with random weights on 120 product photos and 30 copies:
re-encoded or resized copies 0.978 and more, cropped ones 0.877, other photos at most 0.915."""


def describe_vectors(values: np.ndarray | Vectors, seed: int = 0) -> np.ndarray:
    """Bring vectors into a form in which the cosine tells pictures apart.

    As they come all vectors point much the same way, most of all those of random weights. Their
    principal components, each scaled to the same variance, do not.

    Args:
        values: (N, 2048).
        seed: Of the choice of rows that the components are fitted on.

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
    return normalize(np.concatenate(described)).astype(np.float32)


def place_on_map(values: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Place pictures in the plane of their first two principal components.

    Returns:
        Places (N, 2), and the share of all variance along each axis (2,), 0-1.
    """
    if len(values) < 3:
        return np.zeros((len(values), 2)), np.zeros(2)
    components = PCA(2, random_state=seed).fit(_choose_rows(values, seed))
    places = components.transform(values.astype(np.float32))
    return places, components.explained_variance_ratio_


def map_pictures(
    samples: pd.DataFrame,
    sha256: pd.Index,
    values: np.ndarray | Vectors,
    count: int = MAPPED,
    seed: int = 0,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Place a run's pictures, or as many of them as an eye can take in, on a map.

    Args:
        samples: Columns `split`, `image` (sha256 of the picture) and `path`.
        sha256: The picture of each row of `values`.
        values: (N, 2048).
        count: Most pictures placed; they are drawn by chance.
        seed: Of the drawing.

    Returns:
        One row a picture: `image`, `path`, `split` (`"test and train"` where it is in both), `x`,
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


def _choose_rows(values: np.ndarray | Vectors, seed: int) -> np.ndarray:
    """Choose the rows to fit on, float32."""
    if len(values) <= FIT_ROWS:
        return values[:].astype(np.float32)
    rows = np.random.default_rng(seed).choice(len(values), FIT_ROWS, replace=False)
    return values[np.sort(rows)].astype(np.float32)


def nearest_neighbours(described: np.ndarray, rows: np.ndarray, count: int) -> pd.DataFrame:
    """Find the pictures most like some pictures, themselves left out.

    Args:
        described: (N, K), from `describe_vectors`.
        rows: Numbers of the pictures asked about.
        count: How many for each; fewer where there are fewer pictures.

    Returns:
        Columns `row`, `neighbour` and `likeness` (cosine, -1 to 1), the likest first.
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


def same_label_share(described: np.ndarray, labels: pd.Series) -> tuple[float, float]:
    """Say how often a picture's nearest neighbour has the same label, and how often a random one.

    Args:
        described: (N, K), from `describe_vectors`.
        labels: One a row.

    Returns:
        Two shares, 0-1; zeros where there are fewer than two pictures.
    """
    if len(described) < 2:
        return 0.0, 0.0
    nearest = nearest_neighbours(described, np.arange(len(described)), 1)
    names = labels.to_numpy()
    same = names[nearest["row"]] == names[nearest["neighbour"]]
    sizes = labels.value_counts()
    chance = (sizes * (sizes - 1)).sum() / (len(labels) * (len(labels) - 1))
    return float(same.mean()), float(chance)


def near_duplicates(
    described: np.ndarray, rows_a: np.ndarray, rows_b: np.ndarray, threshold: float = LIKE
) -> pd.DataFrame:
    """Find the pictures of one set that are almost a picture of another.

    Args:
        described: (N, K), from `describe_vectors`.
        rows_a: Numbers of some pictures, such as those of the training table.
        rows_b: Numbers of others, such as those of the test table.
        threshold: Least likeness, a cosine.

    Returns:
        Columns `row_a`, `row_b` and `likeness`: for each picture of b its likest of a, if like
        enough; the likest pair first.
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
    alike = table[table["likeness"] >= threshold]
    return alike.sort_values("likeness", ascending=False, ignore_index=True)


def compare_splits(
    samples: pd.DataFrame, sha256: pd.Index, values: np.ndarray | Vectors
) -> pd.DataFrame:
    """Find test pictures that are in the training table too, the same file or nearly so.

    Args:
        samples: Columns `split`, `image` (sha256 of the picture) and `path`.
        sha256: The picture of each row of `values`.
        values: (N, 2048).

    Returns:
        One row a test picture found: `kind` (`"same"` or `"near"`), `train`, `test` (sha256),
        `path_train`, `path_test` and `likeness`; the likest first.
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
        "train": [*same, *sha256[near["row_a"].astype(int)]],
        "test": [*same, *sha256[near["row_b"].astype(int)]],
        "likeness": [1.0] * len(same) + near["likeness"].tolist(),
    }
    table = pd.DataFrame(pairs).astype({"kind": str, "train": str, "test": str, "likeness": float})
    for side in ("train", "test"):
        table[f"path_{side}"] = table[side].map(paths).astype(str)
    return table


def _cosine(distances: np.ndarray) -> np.ndarray:
    """Turn distances between vectors of length 1 into their cosine."""
    return 1 - distances**2 / 2
