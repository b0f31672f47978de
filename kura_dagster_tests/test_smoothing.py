"""Smoothing: near rows come nearer, far ones stay apart, and neither order nor copies matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.types import unit_rows
from kura_dagster.pipeline.vectors import cells, smoothing
from kura_dagster.pipeline.vectors.smoothing import nearest_neighbours, smoothed


def clouds(n_clouds: int, size: int, width: float, seed: int = 0) -> np.ndarray:
    """Return unit vectors in loose clouds, shape (n_clouds * size, 32)."""
    random = np.random.default_rng(seed)
    centres = np.repeat(random.normal(size=(n_clouds, 32)), size, axis=0)
    return unit_rows(centres + random.normal(scale=width, size=centres.shape))


def test_clouds_are_drawn_together_and_stay_apart() -> None:
    vectors = clouds(10, 20, width=1.0)
    result = smoothed(vectors, 20)
    inside = np.repeat(np.arange(10), 20)[:, None] == np.repeat(np.arange(10), 20)
    before, after = vectors @ vectors.T, result @ result.T
    assert after[inside].mean() > before[inside].mean() + 0.2
    assert after[inside].mean() - after[~inside].mean() > 2 * (before[inside].mean() - before[~inside].mean()) * 0.75
    assert after[inside].min() > after[~inside].mean()


def test_what_is_near_to_nothing_is_hardly_moved() -> None:
    vectors = np.vstack([clouds(5, 20, width=0.3)[:, :32], np.zeros((1, 32))]).astype(np.float32)
    alone = np.zeros(32, dtype=np.float32)
    alone[7] = 1
    vectors[:-1, 7] = 0  # nothing has anything in common with it
    vectors = unit_rows(vectors)
    vectors[-1] = alone
    assert smoothed(vectors, 10)[-1] @ alone > 0.999


@settings(max_examples=30)
@given(st.integers(0, 120), st.integers(1, 12), st.integers(0, 100))
def test_rows_are_unit_vectors_in_any_order_and_copies_change_nothing(n: int, rows_per_cluster: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = unit_rows(random.normal(size=(n, 8)))
    result = smoothed(vectors, rows_per_cluster)
    assert result.dtype == np.float32
    assert np.allclose(np.linalg.norm(result, axis=1), 1, atol=1e-5)
    order = random.permutation(n)
    assert np.allclose(smoothed(vectors[order], rows_per_cluster), result[order], atol=1e-4)
    twice = np.repeat(vectors, 2, axis=0)
    assert np.allclose(smoothed(twice, rows_per_cluster)[::2], result, atol=1e-4)


def test_zero_rows_stay_zero() -> None:
    vectors = np.vstack([clouds(6, 10, width=0.5), np.zeros((3, 32))]).astype(np.float32)
    result = smoothed(vectors, 5)
    assert not result[-3:].any()
    assert np.isfinite(result).all()


def test_days_of_few_clusters_are_left_as_they_are() -> None:
    vectors = clouds(4, 10, width=0.5)
    assert np.array_equal(smoothed(vectors, 10), vectors)


def test_neighbours_are_the_nearest_and_never_the_row_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoothing, "_BLOCK_ROWS", 7)
    vectors = clouds(3, 10, width=0.8)
    neighbours, cosines = nearest_neighbours(vectors, 4)
    exact = vectors @ vectors.T
    np.fill_diagonal(exact, -2)
    assert np.allclose(np.sort(cosines, axis=1), np.sort(exact, axis=1)[:, -4:], atol=1e-6)
    assert not (neighbours == np.arange(30)[:, None]).any()


def test_neighbours_on_large_days_are_of_the_same_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "CELL_ROWS", 60)
    monkeypatch.setattr(cells, "ROWS_UNCUT", 100)
    vectors = clouds(20, 20, width=0.2)
    parts = cells.cells(vectors)
    assert len(parts) > 2
    assert sorted(np.concatenate(parts).tolist()) == list(range(400))
    result = smoothed(vectors, 10)
    for rows in parts:
        assert np.allclose(result[rows], smoothed(vectors[rows], 10), atol=1e-6)
