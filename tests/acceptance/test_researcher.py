"""A researcher's walk, typed by hand on two real clusters behind real sshd."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acceptance.command_line import CommandLine

pytestmark = pytest.mark.slurm

CLIMATE = """\
name = "andes"
use_case = "climate"
[parameters]
hours = 3
[requirements]
nodes = 2
tasks_per_node = 1
walltime = "00:10:00"
"""


@pytest.mark.mpi
@pytest.mark.parametrize("site", ["lab-andes", "lab-atlantic"])
def test_a_climate_job_runs_with_mpi_on_two_nodes_and_its_verified_result_comes_home(
    hpcnet: CommandLine, site: str
) -> None:
    submitted = hpcnet("submit", hpcnet.write("climate.toml", CLIMATE), "--site", site)
    job = submitted.last
    assert job.startswith("j-")
    assert len(job) == 28
    assert "starts at once" in submitted.out
    hpcnet("wait", job)
    hpcnet("fetch", job, "home")
    result = json.loads((hpcnet.folder / "home/shallow_water.json").read_text())
    assert result["verified"] is True
    assert result["ranks"] == 2
    picture = hpcnet("draw", "home/field.npz").last
    assert (hpcnet.folder / picture).read_bytes().startswith(b"\x89PNG")
    (status,) = hpcnet("status", job, "--json").json()
    assert (status["state"], status["site"], status["exit_code"]) == ("COMPLETED", site, 0)
    assert status["started_at"] <= status["ended_at"]


def test_a_plan_ranks_every_site_or_says_why_not(hpcnet: CommandLine) -> None:
    if hpcnet.lab.site("lab-atlantic").gpus_per_node == 0:
        pytest.skip("only root can make the devices that stand for GPUs")
    job = hpcnet.write("gpu.toml", 'command = ["true"]\n[requirements]\ngpus_per_node = 2\n')
    plan = hpcnet("plan", job, "--json").json()
    assert set(plan) >= {"job", "goal", "taken_at", "ranked", "refused", "chosen"}
    assert [item["site"] for item in plan["ranked"]] == ["lab-atlantic"]
    assert plan["chosen"] == {"site": "lab-atlantic", "partition": plan["ranked"][0]["partition"]}
    assert set(plan["ranked"][0]["wait_s"]) == {"value", "low", "high", "source", "observed_at"}
    refused = {(item["site"], item["rule"]) for item in plan["refused"]}
    assert ("lab-andes", "gpus") in refused
    assert ("lumi", "access") in refused
    assert "its nodes have no GPU" in hpcnet("plan", job).out


def test_a_plan_without_any_contact_ranks_all_sites_from_their_descriptors(hpcnet: CommandLine) -> None:
    job = hpcnet.write("any.toml", 'command = ["true"]\n')
    plan = hpcnet("plan", "--offline", "--all-sites", job, "--json").json()
    named = {item["site"] for item in plan["ranked"] + plan["refused"]}
    assert {"lab-andes", "lab-atlantic", "lumi", "leonardo", "marenostrum5", "cl-nlhpc"} <= named
    assert all(item["wait_s"]["value"] is None for item in plan["ranked"])


def test_an_ordinary_sbatch_script_is_routed_and_its_unknown_directives_are_carried(
    hpcnet: CommandLine,
) -> None:
    script = hpcnet.write(
        "run.sbatch",
        "#!/bin/bash\n#SBATCH -N2 --ntasks-per-node=1\n#SBATCH -t 5\n#SBATCH --comment='from a friend'\n"
        "#SBATCH --signal=B:USR1@10\nsrun hostname | wc -l\necho nodes $SLURM_JOB_NUM_NODES\n",
    )
    submitted = hpcnet("submit", script, "--wait")
    assert "--signal=B:USR1@10" in submitted.err
    assert "nodes 2" in hpcnet("logs", submitted.last).out


def test_why_and_why_not_print_the_stored_decision(hpcnet: CommandLine) -> None:
    job = hpcnet("submit", hpcnet.write("a.toml", 'command = ["true"]\n'), "--site", "lab-atlantic").last
    assert "lab-atlantic" in hpcnet("why", job).out
    assert "the job asks for other sites only" in hpcnet("why-not", job, "lab-andes").out
    assert hpcnet("why", job, "--json").json()["job"] == job
    hpcnet("why-not", job, "nowhere", code=2)


def test_jobs_lists_what_was_submitted_with_one_word_for_its_state(hpcnet: CommandLine) -> None:
    job = hpcnet("submit", hpcnet.write("a.toml", 'command = ["sleep", "60"]\n')).last
    (listed,) = hpcnet("jobs", "--json").json()
    assert listed["id"] == job
    assert listed["state"] in ("QUEUED", "ACTIVE")
    assert listed["native_id"].isdigit()
    assert hpcnet("cancel", job).out.startswith(job)
    assert hpcnet("wait", job, code=1).err.count("CANCELED") >= 1
    (status,) = hpcnet("status", job, "--json").json()
    assert status["state"] == "CANCELED"


def test_a_job_that_fails_is_told_with_exit_code_one_and_can_be_retried(hpcnet: CommandLine) -> None:
    file = hpcnet.write("fail.toml", 'command = ["sh", "-c", "echo oh no; exit 3"]\n')
    said = hpcnet("submit", file, "--wait", code=1)
    assert "exit code 3" in said.err
    assert "oh no" in hpcnet("logs", said.last).out
    assert hpcnet("retry", said.last).last == said.last
    hpcnet("wait", said.last, code=1)
    (status,) = hpcnet("status", said.last, "--json").json()
    assert (status["attempt"], status["exit_code"]) == (2, 3)


def test_logs_follow_a_job_until_it_ends(hpcnet: CommandLine) -> None:
    file = hpcnet.write(
        "slow.toml", 'command = ["sh", "-c", "for i in 1 2 3; do echo step $i; sleep 0.7; done"]\n'
    )
    job = hpcnet("submit", file).last
    assert hpcnet("logs", "-f", job).out == "step 1\nstep 2\nstep 3\n"


def test_a_dry_run_shows_the_script_and_sends_nothing(hpcnet: CommandLine) -> None:
    before = len(hpcnet.queue())
    said = hpcnet("submit", "--dry-run", hpcnet.write("a.toml", 'name = "dry"\ncommand = ["true"]\n'))
    assert "#SBATCH --nodes=1" in said.out
    assert hpcnet("jobs", "--json").json() == []
    assert len(hpcnet.queue()) == before


def test_inputs_are_staged_and_fetch_is_whole_when_called_again(hpcnet: CommandLine) -> None:
    (hpcnet.folder / "forcing").mkdir()
    (hpcnet.folder / "forcing/$(a) 'b'.nc").write_bytes(bytes(range(256)) * 5000)
    file = hpcnet.write(
        "stage.toml",
        'command = ["sh", "-c", "mkdir out; cp in/* out/"]\n'
        '[data]\nstage_in = [{ source = "forcing/", target = "in/" }]\nstage_out = ["out/*"]\n',
    )
    job = hpcnet("submit", file, "--wait").last
    hpcnet("fetch", job)
    home = hpcnet.folder / job / "out" / "$(a) 'b'.nc"
    assert home.read_bytes() == (hpcnet.folder / "forcing/$(a) 'b'.nc").read_bytes()
    home.unlink()
    fetched = hpcnet("fetch", job, "--json").json()
    assert fetched["verified"] is True
    assert home.exists()


HOSTILE = [
    'it\'s "q"',
    "$(touch pwned)",
    "`touch pwned`",
    "new\nline",
    "-x --wrap=evil",
    "ñandú 中文 🌋",
    "a|b;c&d",
    "",
]


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_names_and_arguments_reach_the_real_cluster_unharmed(hpcnet: CommandLine, word: str) -> None:
    program = "import sys, json; json.dump(sys.argv[1:], open('got.json', 'w'))"
    name = json.dumps(word or "empty", ensure_ascii=False)
    command = json.dumps(["python3", "-c", program, word], ensure_ascii=False)
    file = hpcnet.write("hostile.toml", f"name = {name}\ncommand = {command}\n")
    said = hpcnet("submit", file, "--site", "lab-andes", "--wait")
    hpcnet("fetch", said.last, "home", "--all")
    assert json.loads((hpcnet.folder / "home/got.json").read_text()) == [word]
    assert not (hpcnet.folder / "home/pwned").exists()
    (status,) = hpcnet("status", said.last, "--json").json()
    assert status["name"] == (word or "empty")
    assert "\x1b" not in hpcnet("jobs").out


def test_interrupting_a_wait_names_the_job_and_leaves_it_alone(hpcnet: CommandLine) -> None:
    job = hpcnet("submit", hpcnet.write("a.toml", 'command = ["sleep", "30"]\n')).last
    waiting = subprocess.Popen(
        [sys.executable, "-m", "hpcnet", "wait", job],
        env=hpcnet.environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    )
    time.sleep(2)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 130, err
    assert f"{job}: not touched" in err
    assert "Traceback" not in err
    (status,) = hpcnet("status", job, "--json").json()
    assert status["state"] in ("QUEUED", "ACTIVE")
    hpcnet("cancel", job)


def test_a_reader_that_goes_away_does_not_stop_a_submission(hpcnet: CommandLine) -> None:
    file = hpcnet.write("a.toml", 'command = ["true"]\n')
    subprocess.run(
        [
            "/bin/sh",
            "-c",
            '"$0" -m hpcnet submit "$1" | true; "$0" -m hpcnet submit "$1" >&-',
            sys.executable,
            file,
        ],
        env=hpcnet.environment(),
        cwd=hpcnet.folder,
        check=True,
        capture_output=True,
    )
    jobs = hpcnet("jobs", "--json").json()
    assert len(jobs) == 2
    assert all(job["native_id"] for job in jobs)


@pytest.mark.postgresql
def test_a_group_shares_its_ledger_on_postgresql(hpcnet: CommandLine, postgresql_url: str) -> None:
    hpcnet.config.write_text(f"ledger = {json.dumps(postgresql_url)}\n")
    said = hpcnet("submit", hpcnet.write("a.toml", 'command = ["true"]\n'), "--wait")
    (listed,) = hpcnet("jobs", "--json").json()
    assert (listed["id"], listed["state"]) == (said.last, "COMPLETED")
    assert not (hpcnet.folder / "state" / "ledger.db").exists()


def test_the_ledger_tells_everything_to_a_new_program(hpcnet: CommandLine) -> None:
    job = hpcnet("submit", hpcnet.write("a.toml", 'command = ["true"]\n')).last
    assert Path(hpcnet.folder, "state", "ledger.db").stat().st_mode & 0o077 == 0
    hpcnet("wait", job[:20])
    (listed,) = hpcnet("jobs", "--no-refresh", "--json").json()
    assert (listed["id"], listed["state"]) == (job, "COMPLETED")
