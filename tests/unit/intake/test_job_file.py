from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hpcnet.errors import Fault, JobError
from hpcnet.intake.job_file import LIMIT_BYTES, read_job
from hpcnet.model.job import JobSpec


@dataclass(frozen=True)
class Read:
    requirements: dict[str, int | str] = field(default_factory=dict)
    name: str | None = None
    carried: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def no_script(text: str) -> Read:
    raise AssertionError(f"this is no batch script: {text}")


def job(folder: Path, text: str, assignments: Sequence[str] = (), use_case: str | None = None) -> JobSpec:
    path = folder / "downscaling.toml"
    path.write_text(text)
    return read_job(path, assignments, use_case, read_script=no_script)


def faults(folder: Path, text: str, assignments: Sequence[str] = ()) -> list[str]:
    with pytest.raises(JobError) as caught:
        job(folder, text, assignments)
    assert caught.value.exit_code == 65
    return [str(fault) for fault in caught.value.faults]


COMMAND = 'command = ["python3", "model.py"]\n'


def test_a_job_file_becomes_a_spec_named_after_the_file(tmp_path: Path) -> None:
    spec = job(
        tmp_path, COMMAND + "[requirements]\nnodes = 4\nwalltime = '2:00:00'\nmemory_per_node = '64 GiB'\n"
    )
    assert (spec.name, spec.command) == ("downscaling", ("python3", "model.py"))
    assert (spec.requirements.nodes, spec.requirements.walltime_s) == (4, 7200)
    assert spec.requirements.memory_per_node_mib == 65536


def test_a_job_file_with_five_mistakes_gives_five_faults(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        COMMAND
        + """
        [requirements]
        nodez = 4
        tasks_per_node = "many"
        walltime = "tomorrow"
        gpus_per_node = -1
        [preferences]
        goal = "tyme"
        """,
    )
    assert sorted(found) == [
        "preferences.goal: must be one of time, energy, carbon, cost, balanced, not 'tyme'"
        " (did you mean 'time'?)",
        "requirements.gpus_per_node: must be at least 0, not -1",
        "requirements.nodez: is not a known key (did you mean 'nodes'?)",
        "requirements.tasks_per_node: must be a whole number, not 'many' (write for example 4)",
        "requirements.walltime: 'tomorrow' is not a walltime; write minutes, H:MM:SS or D-HH:MM:SS",
    ]


def test_nothing_to_run_is_told_beside_other_faults(tmp_path: Path) -> None:
    found = faults(tmp_path, "[requirements]\nnodes = 0\n")
    assert len(found) == 2
    assert any("nothing to run" in fault for fault in found)


def test_nothing_to_run_is_told_once(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "")) == 1


def test_missing_input_files_and_paths_outside_are_faults_beside_the_others(tmp_path: Path) -> None:
    text = (
        COMMAND
        + '[data]\nstage_in = ["forcing/", { source = "a", target = "../b" }]\nstage_out = ["/etc/passwd"]\n'
    )
    found = faults(tmp_path, text + "[requirements]\nnodes = 0\n")
    assert [fault.split(":")[0] for fault in found] == [
        "data.stage_in[1].source",
        "data.stage_in[2].source",
        "data.stage_in[2].target",
        "data.stage_out[1]",
        "requirements.nodes",
    ]


@pytest.mark.parametrize("source", ["a\\u0000b", "x" * 5000])
def test_a_source_that_no_file_can_have_is_a_fault(tmp_path: Path, source: str) -> None:
    (fault,) = faults(tmp_path, COMMAND + f'[data]\nstage_in = ["{source}"]\n')
    assert fault.startswith("data.stage_in[1].source: ")
    assert "cannot be staged in" in fault


def test_local_sources_are_resolved_against_the_file_and_kernels_are_kept(tmp_path: Path) -> None:
    (tmp_path / "forcing").mkdir()
    (tmp_path / "a:b").write_text("x")
    text = COMMAND + '[data]\nstage_in = ["forcing/", "kernel:shallow_water.py", "./a:b"]\n'
    sources = [item.source for item in job(tmp_path, text).data.stage_in]
    assert sources == [f"{tmp_path}/forcing/", "kernel:shallow_water.py", f"{tmp_path}/a:b"]


def test_a_source_at_another_site_is_refused_until_such_copies_are_here(tmp_path: Path) -> None:
    assert faults(tmp_path, COMMAND + '[data]\nstage_in = ["lumi:/x"]\n') == [
        "data.stage_in[1].source: 'lumi:/x' is at a site: copies from another site are not here yet"
        " (bring it here first; write './lumi:/x' for a file of that name here)"
    ]


@pytest.mark.parametrize("target", [".hpcnet/exit", "./.hpcnet", "output.log"])
def test_a_target_that_hpcnet_or_the_job_writes_itself_is_a_fault(tmp_path: Path, target: str) -> None:
    (tmp_path / "a").write_text("x")
    (fault,) = faults(tmp_path, COMMAND + f'[data]\nstage_in = [{{ source = "a", target = "{target}" }}]\n')
    assert fault.startswith("data.stage_in[1].target: ")
    assert "write themselves" in fault


def test_assignments_stand_above_the_file(tmp_path: Path) -> None:
    spec = job(
        tmp_path,
        COMMAND + "[requirements]\nnodes = 1\ncpus_per_task = 3\n",
        ["requirements.nodes=8", "name=x y"],
    )
    assert (spec.requirements.nodes, spec.requirements.cpus_per_task, spec.name) == (8, 3, "x y")


def test_an_assignment_without_a_value_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, COMMAND, ["nodes"]) == [
        "--set nodes: is not an assignment (write --set key=value, for example --set requirements.nodes=4)"
    ]


def test_a_use_case_alone_is_a_job_without_a_file() -> None:
    spec = read_job(None, ["parameters.hours=2"], "climate", read_script=no_script)
    assert (spec.name, spec.use_case, spec.parameters) == ("climate", "climate", {"hours": 2})


def test_hostile_text_comes_through_unharmed(tmp_path: Path) -> None:
    spec = job(tmp_path, "name = '''$(rm -rf ~) \"é'''\ncommand = ['-x', \"a\\nb\", '`id`', '日本']\n")
    assert spec.name == '$(rm -rf ~) "é'
    assert spec.command == ("-x", "a\nb", "`id`", "日本")


def test_broken_toml_is_told_by_line_and_column(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "name = downscaling\n")
    assert fault.startswith("line 1, column 8: is not TOML")


def test_a_script_is_read_with_its_directives_and_own_lines(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    path = tmp_path / "run.sh"
    text = (
        "#!/bin/bash\n#SBATCH -N 2\n"
        '#HPCNET data.stage_in = ["input/"]\n#HPCNET requirements.software = ["mpi"]\n'
        "srun x\n#HPCNET no\n"
    )
    path.write_text(text)
    read = Read({"nodes": 2}, "from-script", ("--mail-type=END",))
    spec = read_job(path, read_script=lambda _: read)
    assert spec.script == text
    assert (spec.name, spec.directives) == ("from-script", ("--mail-type=END",))
    assert (spec.requirements.nodes, spec.requirements.software) == (2, ("mpi",))
    assert spec.data.stage_in[0].source == f"{tmp_path}/input/"


def test_faults_of_a_script_come_together_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_text("#!/bin/bash\n#SBATCH -t x\n#HPCNET data = nonsense\n#HPCNET requirements.nodes = 0\n")
    read = Read(faults=(Fault("line 2", "'x' is not a walltime"),))
    with pytest.raises(JobError) as caught:
        read_job(path, read_script=lambda _: read)
    assert [fault.where for fault in caught.value.faults] == ["line 2", "line 3", "requirements.nodes"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"name = \xff\n", "is not UTF-8 text"),
        (b"#" * (LIMIT_BYTES + 1), "is larger than 1024 KiB"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (None, "there is no such file"),
    ],
)
def test_an_unreadable_file_is_told_plainly(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "job.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(JobError) as caught:
        read_job(path, read_script=no_script)
    assert [fault.what for fault in caught.value.faults] == [what]


def test_a_directory_is_not_a_job(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"cannot be used") as caught:
        read_job(tmp_path, read_script=no_script)
    assert "directory" in caught.value.faults[0].what


def test_a_key_that_is_known_but_not_here_yet_says_so_and_what_to_do_instead(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text('command = ["true"]\n[sweep]\nmember = [1, 2]\n')
    with pytest.raises(JobError) as caught:
        read_job(tmp_path / "job.toml", read_script=no_script)
    (fault,) = caught.value.faults
    assert (fault.where, fault.what) == ("sweep", "campaigns are not here yet")
    assert "--set" in fault.hint
