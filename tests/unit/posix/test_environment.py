from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.posix.environment import clean_environment, users_locale
from site_shell import run_framed

POISON = {
    "SBATCH_HOLD": "1",
    "SQUEUE_FORMAT": "%u",
    "SLURM_TIME_FORMAT": "relative",
    "SLURM_CLUSTERS": "other",
    "SACCT_FORMAT": "user\nSLURM_CONF=trap",
    "BASH_FUNC_squeue%%": "() { echo poisoned; }",
}


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_nothing_of_the_profile_reaches_slurm_but_the_name_of_its_cluster(tmp_path: Path, shell: str) -> None:
    if not Path(shell).exists():
        pytest.skip(f"{shell} is not on this machine")
    script = "alias squeue='echo poisoned'\n" + clean_environment() + "env; type squeue\n"

    said = run_framed(
        script, tmp_path, {**POISON, "SLURM_CONF": "/etc/own.conf", "PATH": "/usr/bin:/bin"}, shell
    )

    names = {line.partition("=")[0] for line in said.stdout.splitlines()}
    assert names.isdisjoint(
        {"SBATCH_HOLD", "SQUEUE_FORMAT", "SLURM_TIME_FORMAT", "SLURM_CLUSTERS", "SACCT_FORMAT"}
    )
    assert "SLURM_CONF=/etc/own.conf" in said.stdout
    assert not {"alias", "aliased", "function"} & set(said.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(("given", "inherited"), [({"LC_ALL": "C.UTF-8"}, "C.UTF-8"), ({"LC_ALL": ""}, "")])
def test_a_job_inherits_the_locale_of_its_user(tmp_path: Path, given: dict[str, str], inherited: str) -> None:
    script = clean_environment() + 'echo "$LC_ALL"\n' + users_locale() + 'echo "$LC_ALL"\n'

    assert run_framed(script, tmp_path, given).stdout.split("\n") == ["C", inherited, ""]
