"""How well clusters agree with true labels. Every metric is of two sequences over the same items, in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import (
    adjusted_rand_score,
    completeness_score,
    homogeneity_score,
    normalized_mutual_info_score,
)
from sklearn.metrics.cluster import contingency_matrix

METRICS = ("nmi", "ari", "acc", "homogeneity", "completeness", "purity", "spillover")


def agreement(labels: Sequence[object], clusters: Sequence[object]) -> Mapping[str, float]:
    """Return each of `METRICS`, from 0 to 1; all but spillover are the better the higher.

    nmi          mutual information, over the arithmetic mean of both entropies
    ari          Rand index, corrected for chance (Hubert, Arabie 1985)
    acc          share of items in the right cluster, when each label gets one cluster of its own (Hungarian method)
    homogeneity  1 where no cluster mixes labels; completeness 1 where no label is split (Rosenberg, Hirschberg 2007)
    purity       share of items whose label is the commonest of their cluster
    spillover    share of labels found in more than one cluster, as Kura counts it
    """
    table = contingency_matrix(_numbers(labels), _numbers(clusters))
    rows, columns = linear_sum_assignment(-table)
    return {
        "nmi": normalized_mutual_info_score(_numbers(labels), _numbers(clusters)),
        "ari": adjusted_rand_score(_numbers(labels), _numbers(clusters)),
        "acc": table[rows, columns].sum() / table.sum(),
        "homogeneity": homogeneity_score(_numbers(labels), _numbers(clusters)),
        "completeness": completeness_score(_numbers(labels), _numbers(clusters)),
        "purity": table.max(axis=0).sum() / table.sum(),
        "spillover": float(((table > 0).sum(axis=1) > 1).mean()),
    }


def _numbers(values: Sequence[object]) -> np.ndarray:
    return np.unique(np.asarray([str(value) for value in values]), return_inverse=True)[1]
