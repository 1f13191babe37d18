"""Evaluate fitted trees from plain arrays, which load fast and give equal votes everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

Floats = npt.NDArray[np.float64]
LEAF: int = -1  # the feature of a node without children


@dataclass(frozen=True)
class Forest:
    """Trees, each fitted without the questions of one fold.

    Attributes:
        roots: First node of each tree, (T,).
        folds: Fold that each tree has not seen, (T,).
        feature: Feature that a node compares, (M,); `LEAF` in a leaf.
        threshold: Threshold of that feature, (M,).
        left: Child for values up to the threshold, (M,).
        right: Child for greater values, (M,).
        value: Share of right candidates in a leaf, (M,).
    """

    roots: npt.NDArray[np.int32] = field(repr=False)
    folds: npt.NDArray[np.int8] = field(repr=False)
    feature: npt.NDArray[np.int16] = field(repr=False)
    threshold: npt.NDArray[np.float32] = field(repr=False)
    left: npt.NDArray[np.int32] = field(repr=False)
    right: npt.NDArray[np.int32] = field(repr=False)
    value: npt.NDArray[np.float32] = field(repr=False)

    def estimate(self, features: npt.NDArray[np.float32], folds: npt.NDArray[np.int8]) -> Floats:
        """Estimate the probability that each candidate is right.

        Args:
            features: (N, F), from `features.describe_candidates`.
            folds: (N,) fold whose trees alone may vote, since the others have seen the candidate;
                below 0 if all may.

        Returns:
            (N,) in 0-1: the mean over the trees.
        """
        estimates = np.zeros(len(features))
        for fold in np.unique(folds):
            rows = folds == fold
            roots = self.roots[self.folds == fold] if fold >= 0 else self.roots
            estimates[rows] = self._vote(features[rows], roots)
        return estimates

    def _vote(
        self, features: npt.NDArray[np.float32], roots: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float64]:
        """Average the leaves that candidates reach in the given trees."""
        nodes = np.tile(roots, len(features))  # (N * T,)
        rows = np.repeat(np.arange(len(features)), len(roots))
        active = np.arange(len(nodes))
        while len(active):
            at = nodes[active]
            compared = self.feature.take(at)
            is_inner = compared != LEAF
            active, at, compared = active[is_inner], at[is_inner], compared[is_inner]
            is_small = features[rows[active], compared] <= self.threshold[at]
            nodes[active] = np.where(is_small, self.left[at], self.right[at])
        leaves = self.value[nodes].reshape(len(features), len(roots))
        means: Floats = leaves.mean(axis=1, dtype=np.float64)
        return means


def join_trees(trees: Sequence[DecisionTreeClassifier], folds: Sequence[int]) -> Forest:
    """Join trees that scikit-learn has fitted on two classes into one forest.

    Thresholds are rounded down to float32, which leaves comparisons of float32 values as they are.

    Args:
        trees: Fitted trees; the second class is "right".
        folds: Fold that each tree has not seen.
    """
    parts: dict[str, list[npt.NDArray[np.generic]]] = {
        name: [] for name in ("feature", "threshold", "left", "right", "value")
    }
    roots, start = [], 0
    for one in trees:
        tree = one.tree_
        is_leaf = tree.children_left < 0
        roots.append(start)
        parts["feature"].append(np.where(is_leaf, LEAF, tree.feature).astype(np.int16))
        parts["threshold"].append(round_down(tree.threshold))
        parts["left"].append(np.where(is_leaf, 0, tree.children_left + start).astype(np.int32))
        parts["right"].append(np.where(is_leaf, 0, tree.children_right + start).astype(np.int32))
        shares = tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1, keepdims=True)
        parts["value"].append(shares[:, -1].astype(np.float32))
        start += tree.node_count
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    return Forest(np.array(roots, np.int32), np.array(folds, np.int8), **arrays)


def round_down(values: Floats) -> npt.NDArray[np.float32]:
    """Round float64 values down to float32; `x <= value` then holds for the same float32 x.

    >>> round_down(np.array([0.1, -0.1])) <= np.array([0.1, -0.1])
    array([ True,  True])
    """
    rounded = values.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > values, lower, rounded)
