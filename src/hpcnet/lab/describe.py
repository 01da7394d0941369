"""Describes the training clusters to hpcnet: site descriptors and the user's access to them."""

from __future__ import annotations

import json
import platform
import shlex
from pathlib import Path
from typing import Any

import tomlkit

from hpcnet.lab.layout import Cluster, Lab
from hpcnet.lab.programs import run
from hpcnet.lab.render import Machine, has_gpus
from hpcnet.lab.shapes import PartitionShape
from hpcnet.model.configuration import Configuration
from hpcnet.model.quantities import format_memory, format_walltime
from hpcnet.model.site import Site

_INVENTED = {"source": "training cluster, invented", "confidence": "D"}
# Prints the versions of what an interpreter's environment has: {"numpy": "2.1.0", ...}.
_ASK_VERSIONS = """
import json, platform
from importlib import metadata
found = {"python": platform.python_version()}
for name, package in (("numpy", "numpy"), ("mpi4py", "mpi4py"), ("mpi", "mpich"), ("mpi", "openmpi")):
    try:
        found.setdefault(name, metadata.version(package))
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def software_of(python: Path) -> dict[str, str]:
    """Versions of python, numpy, mpi4py and mpi in the environment of `python`, as far as they are there."""
    answer = run([str(python), "-I", "-c", _ASK_VERSIONS], {})
    return dict(json.loads(answer.stdout)) if answer.returncode == 0 else {}


def site_descriptor(
    cluster: Cluster, machine: Machine, software: dict[str, str], python: Path, accounting: bool
) -> str:
    """The text of `sites/<cluster>.toml`; what it says has passed the model of a site."""
    shape = cluster.shape
    described: dict[str, Any] = {
        "id": cluster.id,
        "name": shape.title,
        "country": shape.country,
        "jurisdiction": shape.jurisdiction,
        "work_dir": str(cluster.work),
        "login": {"host": "127.0.0.1", "port": cluster.ssh_port, "host_keys": [_public_key(cluster)]},
        "scheduler": {"name": "slurm", "launcher": ["srun", "--mpi=pmi2"], "accounting": accounting},
        "partitions": [_partition(cluster, partition, machine) for partition in shape.partitions],
        "software": _software(software, python),
        "energy": {"carbon_g_per_kwh": shape.carbon_g_per_kwh},
        "provenance": {"partitions": _INVENTED, "energy": _INVENTED},
    }
    Site.model_validate(described)
    return f"# Written by `hpcnet lab up`, removed by `hpcnet lab down`.\n{tomlkit.dumps(described)}"


def user_configuration(lab: Lab, machine: Machine) -> str:
    """The text of `lab.toml`: where the descriptors are and how the lab lets its user in."""
    described: dict[str, Any] = {
        "site_directories": [str(lab.sites)],
        "access": {
            cluster.id: {
                "user": machine.user,
                "identity_file": str(lab.identity_file),
                "work_dir": str(cluster.work),
            }
            for cluster in lab.clusters
        },
    }
    Configuration.model_validate(described)
    return f"# Written by `hpcnet lab up`, removed by `hpcnet lab down`.\n{tomlkit.dumps(described)}"


def _public_key(cluster: Cluster) -> str:
    return " ".join(Path(f"{cluster.host_key}.pub").read_text(encoding="utf-8").split()[:2])


def _partition(cluster: Cluster, partition: PartitionShape, machine: Machine) -> dict[str, Any]:
    shape = cluster.shape
    described: dict[str, Any] = {
        "name": partition.name,
        "nodes": shape.nodes,
        "cpus_per_node": shape.cpus_per_node,
        "memory_per_node": format_memory(shape.memory_per_node_mib),
        "architecture": platform.machine(),
        "max_walltime": format_walltime(partition.max_walltime_s),
        "max_nodes": partition.max_nodes or shape.nodes,
        "node_idle_w": shape.node_idle_w,
        "node_max_w": shape.node_max_w,
    }
    if has_gpus(cluster, machine):
        described |= {"gpus_per_node": shape.gpus_per_node, "gpu_model": shape.gpu_model}
    return described


def _software(versions: dict[str, str], python: Path) -> dict[str, Any]:
    setup = [f'export PATH={shlex.quote(str(python.parent))}:"$PATH"']
    return {name: {"version": version, "setup": setup} for name, version in versions.items()}
