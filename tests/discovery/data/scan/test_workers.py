"""Answers of items, joined in a tree: here, and on the workers of a cluster."""

import numpy as np
import pytest

from discovery.data.scan.workers import reduced


@pytest.mark.parametrize("n", [1, 2, 8, 9, 65, 200])
def test_answers_are_joined_in_their_order(n):
    seen, most = [], []

    def joined(parts):
        most.append(len(parts))
        return [x for part in parts for x in part]

    found = reduced(lambda x: [x], joined, range(n), done=lambda: seen.append(len(most)))
    assert found == list(range(n)) and max(most, default=0) <= 8
    # What is done is joined before more is asked for: few answers are held.
    assert len(seen) == n and seen[-1] >= (n - 1) // 8


@pytest.mark.parametrize("n", [1, 9, 70])
def test_a_cluster_joins_the_same_tree(n):
    distributed = pytest.importorskip("distributed")
    values = np.random.default_rng(0).normal(size=n) ** 9

    def joined(parts):
        return float(np.sum(parts))

    with distributed.Client(processes=False, dashboard_address=None) as client:
        assert reduced(float, joined, list(values), client) == reduced(float, joined, list(values))
