from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcnet.model.job import Requirements
from hpcnet.schedulers.slurm.directives import read_script
from hpcnet.schedulers.slurm.sbatch_options import Option, read_options, words_of

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"))


def directives(*lines: str) -> str:
    return "\n".join(["#!/bin/bash", *(f"#SBATCH {line}" for line in lines), "srun model"])


@pytest.mark.parametrize(
    ("line", "requirements"),
    [
        ("-N2", {"nodes": 2}),
        ("-N 2", {"nodes": 2}),
        ("--nodes=2", {"nodes": 2}),
        ("--nodes 2", {"nodes": 2}),
        ("--cpus-per-t=2", {"cpus_per_task": 2}),
        ("--nodes='2'", {"nodes": 2}),
        ("--nodes=2-4", {"nodes": 2}),
        ("-N 1k", {"nodes": 1024}),
        ("-N2 -c 4 # a comment", {"nodes": 2, "cpus_per_task": 4}),
        ("-N 2 -n 8", {"nodes": 2, "tasks_per_node": 4}),
        ("-n 8", {"nodes": 1, "tasks_per_node": 8}),
        ("-n 8 --ntasks-per-node=4", {"nodes": 2, "tasks_per_node": 4}),
        ("-n 7 -N 2", {"nodes": 2, "tasks_per_node": 4}),
        ("-t 90", {"walltime": "01:30:00"}),
        ("--time=1-12", {"walltime": "1-12:00:00"}),
        ("-HQt 5", {"walltime": "00:05:00"}),
        ("--mem=4G", {"memory_per_node": "4096M"}),
        ("--mem=500", {"memory_per_node": "500M"}),
        ("--mem-per-cpu=2G -N1 -n 4 -c 2", {"nodes": 1, "tasks_per_node": 4, "cpus_per_task": 2,
                                            "memory_per_node": "16384M"}),
        ("-p cpu", {"partition": "cpu"}),
        ("-p fast,slow", {"partition": "fast"}),
        ("-A project -q normal", {"account": "project", "qos": "normal"}),
        ("-N2 -G 4", {"nodes": 2, "gpus_per_node": 2}),
        ("--gpus=a100:2", {"gpus_per_node": 2, "gpu_model": "a100"}),
        ("--gpus-per-node=a100:4", {"gpus_per_node": 4, "gpu_model": "a100"}),
        ("--gpus-per-task=1 -N1 -n 3", {"nodes": 1, "tasks_per_node": 3, "gpus_per_node": 3}),
        ("--gres=gpu", {"gpus_per_node": 1}),
        ("--gres=gpu:2", {"gpus_per_node": 2}),
        ("--gres=gpu:a100:4", {"gpus_per_node": 4, "gpu_model": "a100"}),
    ],
)  # fmt: skip
def test_every_spelling_of_sbatch_is_read(line: str, requirements: dict[str, Any]) -> None:
    read = read_script(directives(line))

    assert read.requirements == requirements
    assert read.faults == ()
    assert Requirements.model_validate(read.requirements)


@pytest.mark.parametrize(
    ("line", "carried"),
    [
        ("-C haswell", ("--constraint=haswell",)),
        ('-C "haswell|knl" --exclusive', ("--constraint=haswell|knl", "--exclusive")),
        ("--exclusive=user", ("--exclusive=user",)),
        ("--mail-type ALL", ("--mail-type=ALL",)),
        ("--mem=0", ("--mem=0",)),
        ("-n 7 -N 2", ("--ntasks=7",)),
        ("-N2 -G 3", ("--gpus=3",)),
        ("--gres=gpu:2,lustre:1", ("--gres=gpu:2,lustre:1",)),
        ("--gres=lustre:1", ("--gres=lustre:1",)),
        ("--gpus=a100:1,v100:1", ("--gpus=a100:1,v100:1",)),
        ("--from-a-release-to-come=7", ("--from-a-release-to-come=7",)),
        ("--from-a-release-to-come 7 -N2", ("--from-a-release-to-come=7",)),
        ('--comment="two words"', ("--comment='two words'",)),
    ],
)
def test_what_the_requirements_cannot_hold_is_carried_through(line: str, carried: tuple[str, ...]) -> None:
    assert read_script(directives(line)).carried == carried


def test_the_last_of_two_equal_options_counts() -> None:
    assert read_script(directives("-N 2", "--nodes=3")).requirements == {"nodes": 3}


def test_reading_stops_at_the_first_command() -> None:
    above = "#!/bin/sh\n\n# words\n##SBATCH -N 9\n#SBATCHER -N 8\n #SBATCH -N 7\n#SBATCH -N 2\n"

    assert read_script(above + "true\n#SBATCH -N 6\n").requirements == {"nodes": 2}


def test_a_quoted_name_is_the_name() -> None:
    assert read_script(directives('-J "my long job"')).name == "my long job"


@pytest.mark.parametrize(
    "line", ["-o out.%j", "-e err", "-D /tmp", "--wait", "-M other", "--parsable", "-d afterok:1"]
)
def test_what_is_otherwise_than_under_plain_sbatch_is_said(line: str) -> None:
    assert len(read_script(directives(line)).notes) == 1


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--time=soon", "not a walltime"),
        ("-N many", "not a count"),
        ("--nodes=0", "not a count"),
        ("--mem=lots", "not a memory size"),
        ("--array=1-9", "cannot be used"),
        ("--test-only", "cannot be used"),
        ("hetjob", "not an option"),
        ("-N", "needs a value"),
        ("-Z", "not an option"),
        ("--exclusive --hold=1", "takes no value"),
        ('-J "open', "No closing quotation"),
    ],
)
def test_a_fault_names_its_line(line: str, what: str) -> None:
    (fault,) = read_script(directives("-c 1", line)).faults

    assert fault.where == "line 3"
    assert what in fault.what
    assert fault.hint


def test_all_faults_are_told_at_once() -> None:
    assert len(read_script(directives("-t x", "-N y", "--mem=z", "-a 1-2", "what")).faults) == 5


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    for script in (text, f"#!/bin/sh\n#SBATCH {text}"):
        read = read_script(script)
        assert all(fault.where and fault.what for fault in read.faults)


@given(PRINTABLE)
def test_an_option_that_is_carried_through_is_read_again_as_it_was(value: str) -> None:
    option = Option("comment", value)

    assert read_options(words_of(str(option))) == [option]
