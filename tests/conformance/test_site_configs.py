"""Every site descriptor that is shipped, found by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.catalog.sites import read_site
from hpcnet.model.described import Described
from hpcnet.model.site import Partition, Site
from hpcnet.shipped import directory

DESCRIPTORS = sorted(directory("site_configs").glob("*.toml"))
SITES = {path.stem: path for path in DESCRIPTORS}
# What needs no source: how hpcnet names and reaches the site, and what follows from other values.
_NO_SOURCE = {"id", "kind", "jurisdiction", "provenance", "partitions", "data_classifications"}


@pytest.mark.parametrize("path", DESCRIPTORS, ids=lambda path: path.stem)
def test_a_shipped_descriptor_loads(path: Path) -> None:
    site = read_site(path)
    assert site.id == path.stem
    assert site.partitions


@pytest.mark.parametrize(
    "path", [path for path in DESCRIPTORS if path.stem != "local"], ids=lambda path: path.stem
)
def test_a_real_site_names_no_host_no_key_and_no_user(path: Path) -> None:
    site = read_site(path)
    assert site.login.host is None
    assert site.login.host_keys == ()
    assert site.login.notes
    assert site.work_dir == Site.model_fields["work_dir"].default


@pytest.mark.parametrize(
    "path", [path for path in DESCRIPTORS if path.stem != "local"], ids=lambda path: path.stem
)
def test_every_value_of_a_real_site_has_a_source(path: Path) -> None:
    site = read_site(path)
    assert [key for key in said(site) if not sourced(key, site)] == []


@pytest.mark.parametrize("path", DESCRIPTORS, ids=lambda path: path.stem)
def test_every_source_is_of_a_value_that_is_there(path: Path) -> None:
    site = read_site(path)
    keys = said(site)
    assert [
        key for key in site.provenance if not any(f"{name}.".startswith(f"{key}.") for name in keys)
    ] == []


def said(site: Site) -> list[str]:
    """Key paths of what the descriptor says, partitions by name."""
    keys = [
        key for key in leaves(site, "") if key.split(".")[0] not in _NO_SOURCE and key != "energy.carbon_year"
    ]
    for partition in site.partitions:
        keys += [f"partitions.{partition.name}.{key}" for key in leaves(partition, "") if key != "name"]
    return keys


def leaves(model: Described, under: str) -> list[str]:
    found: list[str] = []
    for name in sorted(model.model_fields_set):
        value, key = getattr(model, name), type(model).model_fields[name].alias or name
        nested = isinstance(value, Described) and not isinstance(value, Partition)
        found += leaves(value, f"{under}{key}.") if nested else [f"{under}{key}"]
    return found


def sourced(key: str, site: Site) -> bool:
    parts = key.split(".")
    return any(".".join(parts[:length]) in site.provenance for length in range(1, len(parts) + 1))


def test_the_embedded_default_needs_neither_slurm_nor_ssh() -> None:
    site = read_site(SITES["local"])
    assert (site.login.transport, site.scheduler.name) == ("local", "fork")
    assert site.scheduler.launcher == ("mpiexec", "-n", "{tasks}")
    assert {"python", "numpy", "mpi4py", "mpi"} <= site.software.keys()
