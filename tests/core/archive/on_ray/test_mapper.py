"""On a cluster the table is the one that a single core makes, also when a node dies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive_run import archive
from core.archive.classify import Looking
from core.archive.known import Again
from core.archive.sources.source_listing import Columns, Passed, list_sources
from core.archive.table import Table
from core.errors import UsageRefused

_NODE = {"num_cpus": 2, "object_store_memory": 200_000_000}


@pytest.fixture
def cluster_of_three(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Three nodes of two logical CPUs each, as processes of this machine."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**_NODE, "include_dashboard": False})
    try:
        cluster.add_node(**_NODE)
        cluster.add_node(**_NODE)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()


class _Kills:
    """Kills a node once so many photos are done."""

    def __init__(self, cluster: Any, after: int) -> None:
        self._cluster = cluster
        self._after = after
        self.killed_at: int | None = None

    def on_progress(self, done: int, errors: int, to_do: int, *, is_all: bool) -> None:
        if done >= self._after and self.killed_at is None:
            self.killed_at = done
            node = sorted(self._cluster.worker_nodes, key=str)[-1]
            self._cluster.remove_node(node, allow_graceful=False)


@pytest.mark.long
def test_a_node_lost_in_the_middle_costs_time_not_rows(
    photos: Callable[..., Path],
    over: Any,
    rows: Any,
    looking: Looking,
    cluster_of_three: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    import ray

    from core.archive.on_ray import mapper
    from core.archive.on_ray.mapper import cluster, map_on_ray

    monkeypatch.setattr(mapper, "_TASKS_WAITING", 2)  # so that most are yet to come

    folder = photos(2_000)
    (folder / "00700.jpg").write_bytes((folder / "00700.jpg").read_bytes()[:-300])
    (folder / "01500.jpg").write_bytes(b"")
    one_core = Looking(looking.classifier, cores=1)
    over([folder], tmp_path / "one-core", one_core, part=300)

    table = Table(str(tmp_path / "cluster"))
    kills = _Kills(cluster_of_three, after=400)
    with table.locked(tmp_path), cluster(cluster_of_three.address):
        listed = list_sources([str(folder)], Columns(), Passed())
        outcome = archive(
            listed, table, map_on_ray(looking), kills, again=Again(), photos_in_a_part=300
        )
        end = time.monotonic() + 60  # Ray notices by heartbeats, after the rows may have come
        while sum(node["Alive"] for node in ray.nodes()) > 2 and time.monotonic() < end:
            time.sleep(0.2)
        alive = [node for node in ray.nodes() if node["Alive"]]
    assert kills.killed_at is not None
    assert kills.killed_at <= 500
    assert len(alive) == 2  # it was killed in the middle
    assert outcome.done == 2_000
    assert outcome.errors == {"truncated": 1, "empty": 1}
    assert rows(table.address) == rows(tmp_path / "one-core")
    assert table.parts() == Table(str(tmp_path / "one-core")).parts()


@pytest.mark.long
def test_a_photo_that_kills_its_workers_is_an_error_and_the_others_are_rows(
    photos: Callable[..., Path],
    rows: Any,
    looking: Looking,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    from core.archive.on_ray import mapper

    class Killed(mapper._Worker):  # defined here, so that it goes to the workers by value
        def answer(self, pickled: bytes) -> bytes:
            import os
            import pickle

            if any(b"00007" in source.key for source in pickle.loads(pickled).sources):
                os._exit(1)
            return super().answer(pickled)

    monkeypatch.setattr(mapper, "_Worker", Killed)
    monkeypatch.setattr(mapper, "_STALL_SECONDS", 30.0)
    folder, table = photos(120), Table(str(tmp_path / "table"))
    with table.locked(tmp_path), mapper.cluster(mapper.LOCAL):
        listed = list_sources([str(folder)], Columns(), Passed())
        classifies = mapper.map_on_ray(looking)
        outcome = archive(
            listed, table, classifies, _Kills(None, after=1_000), again=Again(), photos_in_a_part=40
        )
    assert (outcome.done, outcome.errors) == (120, {"internal-error": 1})
    (killer,) = (row["path"] for row in rows(table.address) if row["error"])
    assert killer.endswith("00007.jpg")


def test_client_addresses_are_refused() -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    from core.archive.on_ray.mapper import cluster

    with pytest.raises(UsageRefused, match="not supported"), cluster("ray://head:10001"):
        raise AssertionError
