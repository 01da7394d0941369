from __future__ import annotations

from typing import Any

import pytest

from builders import a_job, a_site
from hpcnet.errors import JobError
from hpcnet.model.submission import Submission
from hpcnet.schedulers.slurm import SCHEDULER
from hpcnet.schedulers.slurm.options import comment_of, submission_options


def options(spellings: dict[str, str] | None = None, **job: Any) -> tuple[str, ...]:
    site = a_site(scheduler={"directives": spellings or {}})
    return submission_options(Submission("j-1.1", "dir", a_job(**job), site, "cpu", "project", "normal"))


def test_each_requirement_is_said_in_slurms_words() -> None:
    need = {
        "nodes": 2,
        "tasks_per_node": 3,
        "cpus_per_task": 4,
        "gpus_per_node": 1,
        "gpu_model": "a100",
        "memory_per_node": "2 GiB",
        "walltime": "1-00:00:00",
    }

    assert set(options(requirements=need)) >= {
        "--nodes=2",
        "--ntasks-per-node=3",
        "--cpus-per-task=4",
        "--gres=gpu:a100:1",
        "--mem=2048M",
        "--time=1-00:00:00",
        "--partition=cpu",
        "--account=project",
        "--qos=normal",
        "--job-name=j-1.1",
    }


def test_a_site_has_its_own_spelling_and_may_want_nothing_said() -> None:
    said = options(
        {"memory": "", "gpus_per_node": "--gpus-per-node={value}"},
        requirements={"memory_per_node": "2 GiB", "gpus_per_node": 2},
    )

    assert "--gpus-per-node=2" in said
    assert not any(option.startswith("--mem") for option in said)


def test_what_is_carried_through_bends_the_shape_but_not_the_destination() -> None:
    said = options(directives=["--nodes=9", "--partition=other", "--job-name=other", "--output=/tmp/x"])

    assert said.index("--nodes=1") < said.index("--nodes=9")
    assert said.index("--partition=other") < said.index("--partition=cpu")
    assert said.index("--job-name=other") < said.index("--job-name=j-1.1")
    assert said.index("--output=/tmp/x") < said.index("--output=output.log")


@pytest.mark.parametrize(
    "directive", ["--array=1-3", "--wait", "--test-only", "-M other", "--chdir=/tmp", "words"]
)
def test_a_directive_that_makes_it_another_thing_than_one_job_is_refused(directive: str) -> None:
    with pytest.raises(JobError, match="directive"):
        options(directives=[directive])


@pytest.mark.parametrize("directive", ["--comment=a\nb", "--comment=a\rb", "--comment=\x1b[31m"])
def test_a_control_character_is_refused(directive: str) -> None:
    with pytest.raises(JobError, match="control character"):
        options(directives=[directive])


def test_a_site_cannot_add_a_line_either() -> None:
    with pytest.raises(JobError, match="control character"):
        options({"nodes": "--nodes={value}\n--wrap=x"})


@pytest.mark.parametrize("name", ["it's", "a\n#SBATCH --wrap=x", "ñandú $(id)", "-n5", "x" * 999])
def test_a_name_becomes_a_comment_of_plain_characters(name: str) -> None:
    comment = comment_of(name)

    assert comment.isascii()
    assert len(comment) <= 120
    assert set(comment) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def test_a_hostile_name_is_no_directive_of_the_script() -> None:
    job = a_job(name="x\n#SBATCH --wrap='touch owned'")
    script = SCHEDULER.render(Submission("j-1.1", "dir", job, a_site(), "cpu"))

    assert "--wrap" not in [line[8:14] for line in script.splitlines() if line.startswith("#SBATCH")]
