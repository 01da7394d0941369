"""What goes wrong: each fault its exit code and the right words, and nothing half-submitted."""

from __future__ import annotations

import re

import pytest

from acceptance.command_line import CommandLine

pytestmark = pytest.mark.slurm

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN2Hqkr3JLhZkcQm7TEEFg8nZ4bOG0uYvSvZqgk7b0Jd"


def test_a_job_file_with_five_mistakes_prints_five_lines_and_ends_with_65(hpcnet: CommandLine) -> None:
    file = hpcnet.write(
        "wrong.toml",
        'comand = ["true"]\n[requirements]\nnodes = 0\nwalltime = "soon"\nmemory_per_node = "much"\n'
        "gpus = 1\n",
    )
    said = hpcnet("submit", file, code=65)
    lines = [line for line in said.err.splitlines() if line.startswith("  ") and "hint:" not in line]
    assert len(lines) >= 5
    for key in (
        "comand",
        "requirements.nodes",
        "requirements.walltime",
        "memory_per_node",
        "requirements.gpus",
    ):
        assert any(key in line for line in lines), key
    assert hpcnet("submit", file, "--json", code=65).json()["faults"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("submit",), 2),
        (("submit", "missing.toml"), 65),
        (("plan", "a.toml", "--site", "atlantis"), 2),
        (("status", "j-nothing"), 2),
        (("wait",), 2),
        (("why", "j-nothing"), 2),
        (("frobnicate",), 2),
        (("submit", "--from-use-case", "alchemy"), 2),
    ],
)
def test_what_is_not_there_is_named_with_the_right_exit_code(
    hpcnet: CommandLine, words: tuple[str, ...], code: int
) -> None:
    hpcnet.write("a.toml", 'command = ["true"]\n')
    assert hpcnet(*words, code=code).err


def test_an_unknown_site_in_a_job_file_ends_with_65_and_names_the_key(hpcnet: CommandLine) -> None:
    file = hpcnet.write("a.toml", 'command = ["true"]\n[preferences]\nsites = ["atlantis"]\n')
    assert "preferences.sites: there is no site 'atlantis'" in hpcnet("submit", file, code=65).err


def test_a_partition_limit_refuses_with_69_and_says_what_would_fit(hpcnet: CommandLine) -> None:
    before = hpcnet.queue()
    file = hpcnet.write("long.toml", 'command = ["true"]\n[requirements]\nwalltime = "9-00:00:00"\n')
    said = hpcnet("submit", file, code=69)
    assert "lab-andes/cpu: a job there may run at most 1-00:00:00" in said.out
    assert 'fits if walltime <= "12:00:00"' in said.out
    assert hpcnet.queue() == before


def test_what_only_the_scheduler_can_refuse_is_refused_in_its_own_words(hpcnet: CommandLine) -> None:
    script = hpcnet.write("lic.sbatch", "#!/bin/sh\n#SBATCH --licenses=matlab:3\ntrue\n")
    said = hpcnet("submit", script, code=69)
    assert "the scheduler says: Invalid license specification" in said.out
    (job,) = hpcnet("jobs", "--json").json()
    assert (job["state"], job["reason"]) == ("FAILED", "no site fits")
    assert "Invalid license specification" in hpcnet("why", job["id"]).out


def test_an_unpinned_host_key_is_refused_with_77_and_can_be_pinned(hpcnet: CommandLine) -> None:
    descriptor = hpcnet.descriptor("lab-andes")
    descriptor.write_text(re.sub(r"host_keys = .*", "host_keys = []", descriptor.read_text()))
    file = hpcnet.write("a.toml", 'command = ["true"]\n')
    said = hpcnet("submit", file, "--site", "lab-andes", code=77)
    assert "hpcnet site pin lab-andes" in said.out + said.err
    hpcnet("site", "pin", "lab-andes", "--yes", code=2)
    hpcnet("site", "pin", "lab-andes", code=2)
    shown = hpcnet("site", "pin", "lab-andes", "--yes", "--fingerprint", "SHA256:wrong", code=2)
    fingerprint = next(word for word in shown.err.split() if word.startswith("SHA256:"))
    hpcnet("site", "pin", "lab-andes", "--yes", "--fingerprint", fingerprint)
    hpcnet("submit", file, "--site", "lab-andes", "--wait")


def test_a_changed_host_key_is_refused_with_77_and_both_fingerprints(hpcnet: CommandLine) -> None:
    descriptor = hpcnet.descriptor("lab-andes")
    descriptor.write_text(re.sub(r"host_keys = .*", f'host_keys = ["{OTHER_KEY}"]', descriptor.read_text()))
    file = hpcnet.write("a.toml", 'command = ["true"]\n')
    said = hpcnet("submit", file, "--site", "lab-andes", code=77)
    assert (said.out + said.err).count("SHA256:") >= 2


def test_a_site_that_is_down_ends_with_75_and_is_no_reason_to_fail_for_the_others(
    hpcnet: CommandLine,
) -> None:
    descriptor = hpcnet.descriptor("lab-andes")
    descriptor.write_text(re.sub(r"port = \d+", "port = 9", descriptor.read_text()))
    file = hpcnet.write("a.toml", 'command = ["true"]\n')
    hpcnet("submit", file, "--site", "lab-andes", code=75)
    said = hpcnet("submit", file, "--wait")
    (job,) = hpcnet("status", said.last, "--json").json()
    assert job["site"] == "lab-atlantic"


def test_a_wrong_descriptor_and_a_wrong_configuration_end_with_78_and_every_fault(
    hpcnet: CommandLine,
) -> None:
    descriptor = hpcnet.descriptor("lab-andes")
    sound = descriptor.read_text()
    descriptor.write_text('colour = "blue"\n' + sound.replace("max_walltime =", "maximum_walltime ="))
    said = hpcnet("plan", hpcnet.write("a.toml", 'command = ["true"]\n'), code=78)
    assert "colour" in said.err
    assert "maximum_walltime" in said.err
    descriptor.write_text(sound)
    hpcnet.config.write_text('[access.lab-andes]\nuser = "$(reboot)"\n')
    assert "access.lab-andes.user" in hpcnet("site", "list", code=78).err


def test_access_to_a_site_that_nobody_described_ends_with_78_and_runs_nothing_elsewhere(
    hpcnet: CommandLine,
) -> None:
    hpcnet.config.write_text('[access.lab-ande]\nuser = "ana"\n')
    said = hpcnet("submit", hpcnet.write("a.toml", 'command = ["true"]\n'), code=78)
    assert "access.lab-ande: there is no site 'lab-ande'" in said.err
    assert "lab-andes" in said.err


def test_a_deadline_that_cannot_be_met_is_refused_with_69(hpcnet: CommandLine) -> None:
    file = hpcnet.write("a.toml", 'command = ["true"]\n[preferences]\ndeadline = 2020-01-01T00:00:00Z\n')
    assert "the job would end after its deadline" in hpcnet("submit", file, code=69).out


def test_a_job_whose_site_is_no_longer_configured_is_told_with_78_and_not_waited_for(
    hpcnet: CommandLine,
) -> None:
    job = hpcnet("submit", hpcnet.write("a.toml", 'command = ["sleep", "30"]\n'), "--site", "lab-andes").last
    lab = hpcnet.config.parent / "config.d" / "lab.toml"
    lab.rename(lab.with_suffix(".away"))
    for command in ("wait", "logs", "cancel"):
        assert "no longer configured" in hpcnet(command, job, code=78).err
    assert hpcnet("jobs", "--json", code=78).json()[0]["id"] == job
    lab.with_suffix(".away").rename(lab)
    hpcnet("cancel", job)


def test_software_that_no_site_offers_is_refused_with_69(hpcnet: CommandLine) -> None:
    file = hpcnet.write("a.toml", 'command = ["true"]\n[requirements]\nsoftware = ["gromacs>=2024"]\n')
    assert "does not offer gromacs>=2024" in hpcnet("submit", file, code=69).out
