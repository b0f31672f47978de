"""Ward linkage with weights: SciPy's groups where all weigh alike, and weights that count as so many rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cut_tree, linkage

from kura_dagster.pipeline.types import unit_rows
from kura_dagster.pipeline.vectors import cells, ward
from kura_dagster.pipeline.vectors.ward import group_by_ward


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("rows", [np.zeros((5, 3)), np.ones((5, 3)), np.eye(3)[[0, 1, 2, 0, 1]]])
def test_duplicates_and_zeros_can_be_grouped(rows: np.ndarray) -> None:
    labels = group_by_ward(rows, 2)
    assert set(labels) == {0, 1}
    assert labels[0] == 0


def test_near_directions_are_grouped_whatever_their_length() -> None:
    east, north = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    vectors = np.stack([east, 9 * east + 0.1 * north, north, 0.2 * north + 0.01 * east, east])
    assert group_by_ward(vectors, 2).tolist() == [0, 0, 1, 1, 0]


@given(st.integers(0, 20), st.integers(1, 25), st.integers(0, 3), st.booleans())
def test_labels_are_as_many_as_asked_for_and_numbered_by_appearance(
    n: int, n_groups: int, seed: int, weighted: bool
) -> None:
    random = np.random.default_rng(seed)
    labels = group_by_ward(random.normal(size=(n, 3)), n_groups, random.uniform(1, 9, n) if weighted else None)
    assert labels.shape == (n,)
    assert list(dict.fromkeys(labels.tolist())) == list(range(min(n, n_groups)))


@settings(max_examples=30)
@given(n=st.integers(2, 60), seed=st.integers(0, 1000), n_groups=st.integers(1, 20))
def test_rows_that_weigh_alike_are_grouped_as_scipy_groups_them(n: int, seed: int, n_groups: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(n, 6))
    theirs = cut_tree(linkage(unit_rows(vectors).astype(np.float64), "ward"), n_clusters=min(n, n_groups))[:, 0]
    assert partition(group_by_ward(vectors, n_groups)) == partition(theirs)
    assert partition(group_by_ward(vectors, n_groups, [3.0] * n)) == partition(theirs)


@settings(max_examples=30)
@given(n=st.integers(3, 30), seed=st.integers(0, 1000), n_groups=st.integers(2, 8))
def test_a_weight_counts_as_so_many_rows(n: int, seed: int, n_groups: int) -> None:
    random = np.random.default_rng(seed)
    vectors, weights = random.normal(size=(n, 6)), random.integers(1, 6, n)
    repeated = np.repeat(vectors, weights, axis=0)
    of_repeated = cut_tree(linkage(unit_rows(repeated).astype(np.float64), "ward"), n_clusters=min(n, n_groups))[:, 0]
    first = np.cumsum(weights) - weights
    assert partition(group_by_ward(vectors, n_groups, weights)) == partition(of_repeated[first])


def test_large_days_are_grouped_cell_by_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "CELL_ROWS", 40)
    monkeypatch.setattr(cells, "ROWS_UNCUT", 200)
    sizes: list[int] = []
    real = ward._grouped

    def recorded(vectors: np.ndarray, masses: np.ndarray, n_groups: int) -> np.ndarray:
        sizes.append(len(vectors))
        return real(vectors, masses, n_groups)

    monkeypatch.setattr(ward, "_grouped", recorded)
    random = np.random.default_rng(0)
    centres = random.normal(size=(12, 16))
    vectors = np.repeat(centres, 30, axis=0) + random.normal(scale=0.02, size=(360, 16))
    labels = group_by_ward(vectors, 24)
    assert max(sizes) < 200
    assert sum(sizes) == 360
    assert 18 <= len(set(labels)) <= 30
    assert all(len(set(group // 30 for group in rows)) == 1 for rows in partition(labels))


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, float("nan")]])
def test_what_cannot_be_grouped_is_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"weights must be positive, one for each row"):
        group_by_ward(np.ones((2, 2)), 1, weights)
    with pytest.raises(ValueError, match=r"n_groups is 0"):
        group_by_ward(np.ones((2, 2)), 0)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        group_by_ward(np.ones(3), 1)
