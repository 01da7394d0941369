"""The federation with job accounting: slurmdbd and a MariaDB of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.lab import down, up
from real_lab import Lab, eventually, lab_settings, require_programs

pytestmark = pytest.mark.slurm


def test_both_clusters_account_for_their_jobs(lab_root: Path) -> None:
    require_programs(accounting=True)
    settings = lab_settings(lab_root, accounting=True)
    lab = Lab(settings, up(settings, lambda _: None))

    for site in ("lab-andes", "lab-atlantic"):
        submitted = lab.ssh(site, "sbatch --wait --account=training --output=/dev/null --wrap true")
        assert submitted.returncode == 0, submitted.stderr

    def accounted(site: str) -> str:
        return lab.ssh(site, "sacct -n -X -P -o JobID,Cluster,Account,State").stdout.strip()

    # slurmctld tells slurmdbd when it has time to.
    for site in ("lab-andes", "lab-atlantic"):
        assert eventually(lambda site=site: accounted(site) == f"1|{site}|training|COMPLETED")  # type: ignore[misc]

    assert up(settings, lambda _: None).running
    down(settings, lambda _: None)
    assert not settings.directory.exists()
