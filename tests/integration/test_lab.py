"""The federation as its users meet it: two real clusters behind two real doors."""

from __future__ import annotations

import json
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from hpcnet.lab import down, status, up
from hpcnet.model.configuration import Configuration
from hpcnet.model.site import Site
from real_lab import Lab, lab_settings

pytestmark = pytest.mark.slurm

CLUSTERS = ("lab-andes", "lab-atlantic")
WHO_AM_I = """
import json, os
from mpi4py import MPI
world = MPI.COMM_WORLD
everyone = world.gather((world.rank, os.environ["SLURMD_NODENAME"], os.environ.get("CUDA_VISIBLE_DEVICES")))
if world.rank == 0:
    print(json.dumps(everyone))
"""


def run_job(lab: Lab, site: str, program: str, *options: str) -> str:
    """The output of a job that runs a Python program with MPI on two nodes, as a user would type it."""
    described = Site.model_validate(descriptor(lab, site))
    work = Path(described.work_dir)
    (work / "program.py").write_text(program)
    script = "\n".join(
        [
            "#!/bin/sh",
            "#SBATCH --nodes=2 --ntasks-per-node=2 --time=2",
            *(f"#SBATCH {option}" for option in options),
            *described.software["mpi4py"].setup,
            f"{' '.join(described.scheduler.launcher)} python program.py",
        ]
    )
    submitted = lab.ssh(site, f"cd {work} && sbatch --wait --output=output", stdin=script)
    output = (work / "output").read_text() if (work / "output").exists() else ""
    assert submitted.returncode == 0, submitted.stderr + output
    return output


def descriptor(lab: Lab, site: str) -> dict[str, object]:
    return tomllib.loads((lab.settings.directory / "sites" / f"{site}.toml").read_text())


def test_every_node_of_both_clusters_can_take_jobs(lab: Lab) -> None:
    found = status(lab.settings)

    assert found.running
    assert [(c.site, c.nodes_up, c.nodes_total) for c in found.clusters] == [
        ("lab-andes", 4, 4),
        ("lab-atlantic", 2, 2),
    ]


def test_the_status_is_plain_json(lab: Lab) -> None:
    found = lab.status.as_json()

    assert found["running"] is True
    assert found["clusters"][0]["partitions"] == ["cpu", "debug"]
    assert found["clusters"][0]["slurm_conf"] == str(lab.site("lab-andes").slurm_conf)


@pytest.mark.parametrize("site", CLUSTERS)
def test_an_mpi_job_submitted_over_ssh_runs_on_two_nodes(lab: Lab, site: str) -> None:
    pytest.importorskip("mpi4py")

    everyone = run_job(lab, site, WHO_AM_I)

    ranks = [(rank, node) for rank, node, _ in json.loads(everyone)]
    prefix = site.removeprefix("lab-")
    assert [rank for rank, _ in ranks] == [0, 1, 2, 3]
    assert {node for _, node in ranks} == {f"{prefix}1", f"{prefix}2"}


def test_a_job_sees_the_gpus_it_asked_for(lab: Lab) -> None:
    pytest.importorskip("mpi4py")
    if lab.site("lab-atlantic").gpus_per_node == 0:
        pytest.skip("only root can make the devices that stand for GPUs")

    everyone = run_job(lab, "lab-atlantic", WHO_AM_I, "--gpus-per-node=a100:4")

    assert [gpus for _, _, gpus in json.loads(everyone)] == ["0,1,2,3"] * 4


def test_a_cluster_without_gpus_refuses_a_job_that_needs_one(lab: Lab) -> None:
    refused = lab.ssh("lab-andes", "sbatch --gpus-per-node=1 --wrap hostname")

    assert refused.returncode != 0
    assert "Invalid generic resource" in refused.stderr


def test_a_walltime_beyond_the_partition_is_refused_at_submission(lab: Lab) -> None:
    refused = lab.ssh("lab-andes", "sbatch --partition=debug --time=11 --wrap hostname")

    assert refused.returncode != 0
    assert "time limit is invalid" in refused.stderr


def test_each_door_leads_to_its_own_cluster(lab: Lab) -> None:
    answers = [lab.ssh(site, "scontrol show config | grep ^ClusterName").stdout for site in CLUSTERS]

    assert [answer.split()[-1] for answer in answers] == list(CLUSTERS)


def test_a_job_that_exports_nothing_still_finds_its_cluster(lab: Lab) -> None:
    output = lab.site("lab-andes").slurm_conf.parent / "work" / "environment"

    lab.ssh("lab-andes", f"sbatch --wait --export=NONE --output={output} --wrap 'printenv SLURM_CONF'")

    assert output.read_text().strip() == str(lab.site("lab-andes").slurm_conf)


def test_the_descriptors_are_valid_sites_with_pinned_host_keys(lab: Lab) -> None:
    for name in CLUSTERS:
        site = Site.model_validate(descriptor(lab, name))
        public = (lab.site(name).slurm_conf.parent / "host_key.pub").read_text()
        assert site.id == name
        assert [public.startswith(key) for key in site.login.host_keys] == [True]
        assert site.login.port == lab.site(name).ssh_port
        assert {"python", "numpy"} <= set(site.software)


def test_the_descriptors_say_what_slurm_says(lab: Lab) -> None:
    site = Site.model_validate(descriptor(lab, "lab-atlantic"))

    told = {
        line.split()[0].rstrip("*"): tuple(line.split()[1:])
        for line in lab.slurm("lab-atlantic", "sinfo", "-h", "-o", "%P %D %c %m").splitlines()
    }

    assert told == {
        partition.name: (
            str(partition.nodes),
            str(partition.cpus_per_node),
            str(partition.memory_per_node_mib),
        )
        for partition in site.partitions
    }


def test_the_configuration_lets_the_user_in_everywhere(lab: Lab) -> None:
    file = lab.settings.configuration_directory / "lab.toml"

    configuration = Configuration.model_validate(tomllib.loads(file.read_text()))

    assert set(configuration.access) == set(CLUSTERS)
    assert configuration.site_directories == (str(lab.settings.directory / "sites"),)
    assert {access.identity_file for access in configuration.access.values()} == {str(lab.key)}


def test_private_keys_are_readable_by_their_owner_only(lab: Lab) -> None:
    private = [lab.key, lab.status.directory / "munge" / "key"]
    private += [lab.site(name).slurm_conf.parent / "host_key" for name in CLUSTERS]

    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_the_lab_signs_with_a_munge_of_its_own(lab: Lab) -> None:
    socket = lab.status.directory / "munge" / "socket"

    credential = subprocess.run(
        ["munge", "--no-input", "--socket", socket], capture_output=True, text=True, check=True
    ).stdout
    own = subprocess.run(
        ["unmunge", "--socket", socket], input=credential, text=True, capture_output=True, check=False
    )
    system = subprocess.run(["unmunge"], input=credential, text=True, capture_output=True, check=False)

    assert f"socket={socket}" in lab.slurm("lab-andes", "scontrol", "show", "config")
    assert own.returncode == 0
    assert system.returncode != 0


def test_up_when_all_is_up_starts_nothing(lab: Lab) -> None:
    told: list[str] = []

    again = up(lab.settings, told.append)

    assert again == lab.status
    assert not [line for line in told if "started" in line]
    assert "lab-andes: 4 of 4 nodes are ready" in told


def test_down_of_a_lab_that_is_not_there_is_harmless_to_one_that_is(lab: Lab, tmp_path: Path) -> None:
    told: list[str] = []

    down(lab_settings(tmp_path), told.append)

    assert told == ["no lab is up"]
    assert status(lab.settings).running
