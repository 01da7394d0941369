"""Small worlds for tests: a job, a site, a partition, each with only what the test cares about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hpcnet.model.job import JobSpec
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import PartitionState, SiteState

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_job(requirements: dict[str, Any] | None = None, **keys: Any) -> JobSpec:
    return JobSpec.model_validate(
        {"name": "job", "command": ["true"], "requirements": requirements or {}, **keys}
    )


def a_partition(name: str = "cpu", **keys: Any) -> Partition:
    shape = {"nodes": 4, "cpus_per_node": 8, "memory_per_node": "16 GiB", "max_walltime": "1-00:00:00"}
    return Partition.model_validate({"name": name, **shape, **keys})


def a_site(site_id: str = "andes", *partitions: Partition, **keys: Any) -> Site:
    described = [item.model_dump(mode="json", by_alias=True) for item in partitions or (a_partition(),)]
    return Site.model_validate({"id": site_id, "name": site_id.title(), "partitions": described, **keys})


def a_state(site_id: str = "andes", *partitions: PartitionState, **keys: Any) -> SiteState:
    return SiteState(site_id, NOON, partitions or (an_idle_partition(),), **keys)


def an_idle_partition(name: str = "cpu", nodes: int = 4) -> PartitionState:
    return PartitionState(
        name, up=True, nodes_total=nodes, nodes_idle=nodes, pending_jobs=0, pending_node_s=0, running_jobs=0
    )
