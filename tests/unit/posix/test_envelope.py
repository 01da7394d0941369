"""The batch script is run by real shells: what it promises is seen in the job directory."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from builders import a_job, a_site
from hpcnet.errors import JobError
from hpcnet.model.submission import Submission
from hpcnet.posix.envelope import Envelope, job_script

SHELLS = [shell for shell in ("/bin/sh", "/bin/bash") if Path(shell).exists()]


def a_submission(directory: Path, site: Mapping[str, Any] | None = None, **job: Any) -> Submission:
    facts = {"scheduler": {"launcher": []}, **(site or {})}
    return Submission("j-1.1", str(directory), a_job(**job), a_site(**facts), "cpu")


def lay_out(submission: Submission, native_id: str = "42", **envelope: Any) -> Path:
    own = Path(submission.directory) / ".hpcnet"
    own.mkdir(exist_ok=True)
    (own / "token").write_text("j-1.1\n")
    script = own / "job.sh"
    script.write_text(job_script(submission, Envelope(native_id, **envelope)))
    if submission.job.script is not None:
        (own / "payload").write_text(submission.job.script)
        (own / "payload").chmod(0o755)
    return script


def run(script: Path, cwd: Path, shell: str = "/bin/sh") -> subprocess.CompletedProcess[str]:
    return subprocess.run([shell, str(script)], cwd=cwd, capture_output=True, text=True, check=False)


def sentinel(directory: Path) -> dict[str, str]:
    lines = (directory / ".hpcnet" / "exit").read_text().splitlines()
    return {key: value for key, _, value in (line.partition(" ") for line in lines)}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("code", "status"), [("exit 0", "0"), ("exit 3", "3"), ("kill -9 $$", "137")])
def test_the_payloads_end_is_the_jobs_end_and_stands_in_the_sentinel(
    tmp_path: Path, shell: str, code: str, status: str
) -> None:
    done = run(lay_out(a_submission(tmp_path, command=["sh", "-c", code])), tmp_path, shell)

    assert done.returncode == int(status)
    assert sentinel(tmp_path)["status"] == status
    assert sentinel(tmp_path)["native_id"] == "42"


def test_hostile_arguments_reach_the_payload_unharmed(tmp_path: Path) -> None:
    hostile = ["$(touch owned)", "'\"", "a\nb", "-n5", "ñandú", "", "*", "\\", "`id`", "\t"]

    done = run(lay_out(a_submission(tmp_path, command=["printf", "<%s>", *hostile])), tmp_path)

    assert done.stdout == "".join(f"<{word}>" for word in hostile)
    assert not (tmp_path / "owned").exists()


def test_a_script_runs_by_its_own_first_line_and_knows_its_job(tmp_path: Path) -> None:
    site = {"scheduler": {"launcher": ["srun", "-n", "{tasks}"]}}
    text = (
        "#!/usr/bin/env python3\nimport os; print(os.environ['HPCNET_JOB'], os.environ['HPCNET_LAUNCHER'])\n"
    )
    submission = a_submission(
        tmp_path, site, command=None, script=text, requirements={"nodes": 2, "tasks_per_node": 3}
    )

    assert run(lay_out(submission), tmp_path).stdout == "j-1 srun -n 6\n"


def test_a_script_that_may_not_be_executed_is_given_to_its_interpreter(tmp_path: Path) -> None:
    submission = a_submission(tmp_path, command=None, script="#!/usr/bin/env python3\nprint(6 * 7)\n")
    script = lay_out(submission)
    (tmp_path / ".hpcnet" / "payload").chmod(0o644)

    assert run(script, tmp_path).stdout == "42\n"


def test_another_job_with_the_same_directory_does_nothing(tmp_path: Path) -> None:
    submission = a_submission(tmp_path, command=["sh", "-c", "echo once >>runs"])
    run(lay_out(submission, "42"), tmp_path)

    second = run(lay_out(submission, "43"), tmp_path)

    assert (second.returncode, "job 42 runs this already" in second.stdout) == (0, True)
    assert (tmp_path / "runs").read_text() == "once\n"


def test_the_same_job_put_back_into_the_queue_runs_again(tmp_path: Path) -> None:
    submission = a_submission(tmp_path, command=["sh", "-c", "echo again >>runs"])
    script = lay_out(submission, "42")

    run(script, tmp_path)
    run(script, tmp_path)

    assert (tmp_path / "runs").read_text() == "again\nagain\n"


def test_a_job_that_is_not_in_its_directory_finds_it_by_its_token(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    submission = a_submission(tmp_path / "job", command=["pwd"])
    script = lay_out(submission)

    assert run(script, tmp_path).stdout == f"{tmp_path / 'job'}\n"


def test_a_job_without_its_directory_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    script = lay_out(a_submission(tmp_path / "job", command=["touch", "ran"]))
    (tmp_path / "job" / ".hpcnet" / "token").write_text("j-2.1\n")

    done = run(script, tmp_path)

    assert (done.returncode, "nothing was run" in done.stderr) == (73, True)
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_job_that_is_told_to_end_ends_its_payload_and_writes_its_sentinel(
    tmp_path: Path, shell: str
) -> None:
    text = "#!/bin/sh\ntrap 'echo saved; exit 9' TERM\necho ready\nwhile :; do sleep 0.05; done\n"
    script = lay_out(a_submission(tmp_path, command=None, script=text))
    with subprocess.Popen([shell, script], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "ready\n"
        job.send_signal(signal.SIGTERM)
        assert job.stdout.read() == "saved\n"

    assert (job.returncode, sentinel(tmp_path)["status"]) == (9, "9")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_walltime_ends_the_job_and_is_named(tmp_path: Path, shell: str) -> None:
    script = lay_out(a_submission(tmp_path, command=["sleep", "60"]), walltime_s=1)

    done = subprocess.run([shell, script], cwd=tmp_path, start_new_session=True, check=False)

    assert done.returncode == 143
    assert sentinel(tmp_path)["reason"] == "walltime"


def test_a_walltime_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    script = lay_out(a_submission(tmp_path, command=["echo", "done"]), walltime_s=3600)

    assert run(script, tmp_path).stdout == "done\n"
    assert sentinel(tmp_path)["reason"] == ""


def test_set_up_lines_of_the_software_run_before_the_payload_each_once(tmp_path: Path) -> None:
    software = {
        "python": {"setup": ["GREETING='hello there'; export GREETING", "echo set up"]},
        "mpi": {"setup": ["echo set up"]},
    }
    submission = a_submission(
        tmp_path,
        {"software": software},
        command=["sh", "-c", 'echo "$GREETING"'],
        requirements={"software": ["python>=3.9", "mpi"]},
    )

    assert run(lay_out(submission), tmp_path).stdout == "set up\nhello there\n"


@pytest.mark.parametrize("line", ["false", "echo 'open quote", "exit 4"])
def test_a_set_up_line_that_fails_ends_the_job_before_its_payload(tmp_path: Path, line: str) -> None:
    submission = a_submission(
        tmp_path,
        {"software": {"python": {"setup": [line]}}},
        command=["touch", "ran"],
        requirements={"software": ["python"]},
    )

    done = run(lay_out(submission), tmp_path)

    assert done.returncode != 0
    assert sentinel(tmp_path)["status"] == str(done.returncode)
    assert not (tmp_path / "ran").exists()


def test_the_launcher_starts_the_command_with_its_numbers_filled_in(tmp_path: Path) -> None:
    site = {"scheduler": {"launcher": ["echo", "{nodes}/{tasks}/{tasks_per_node}/{cpus_per_task}", "{x}"]}}
    need = {"nodes": 2, "tasks_per_node": 3, "cpus_per_task": 4}

    done = run(lay_out(a_submission(tmp_path, site, command=["model"], requirements=need)), tmp_path)

    assert done.stdout == "2/6/3/4 {x} model\n"


def test_one_task_needs_no_launcher_where_the_scheduler_says_so(tmp_path: Path) -> None:
    site = {"scheduler": {"launcher": ["no-such-launcher"]}}

    done = run(
        lay_out(a_submission(tmp_path, site, command=["echo", "plain"]), launch_single=False), tmp_path
    )

    assert done.stdout == "plain\n"


@pytest.mark.parametrize("command", [["--version"], [""]])
def test_a_command_that_would_be_the_launchers_option_is_refused(tmp_path: Path, command: list[str]) -> None:
    with pytest.raises(JobError, match="cannot begin"):
        job_script(a_submission(tmp_path, command=command), Envelope("1"))


def test_a_script_with_dos_line_breaks_is_refused(tmp_path: Path) -> None:
    submission = a_submission(tmp_path, command=None, script="#!/bin/bash\r\necho\r\n")

    with pytest.raises(JobError, match="DOS line breaks"):
        job_script(submission, Envelope("1"))
