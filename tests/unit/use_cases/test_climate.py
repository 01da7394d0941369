from __future__ import annotations

import pytest

from hpcnet.errors import JobError
from hpcnet.model.job import JobSpec
from hpcnet.model.use_case import resolve
from hpcnet.use_cases.climate import USE_CASE


def spec(**said: object) -> JobSpec:
    return JobSpec.model_validate({"name": "andes", "use_case": "climate", **said})


def test_the_use_case_fills_in_command_requirements_and_data() -> None:
    job = resolve(spec(), USE_CASE)
    assert job.name == "andes"
    assert job.command is not None
    assert job.command[:2] == ("python3", "shallow_water.py")
    assert (job.requirements.nodes, job.requirements.tasks_per_node) == (2, 1)
    assert job.requirements.walltime_s == 600
    assert job.data.stage_in[0].source == "kernel:shallow_water.py"
    assert job.data.stage_out == ("field.npz", "shallow_water.json")


def test_parameters_reach_the_command_and_the_record_holds_their_defaults() -> None:
    job = resolve(spec(parameters={"resolution_km": 4, "hours": 2}), USE_CASE)
    assert job.command is not None
    assert {"--nx=1000", "--ny=1000", "--dx-km=4.0", "--hours=2.0"} <= set(job.command)
    assert job.parameters["latitude_deg"] == -33.4


def test_what_the_person_says_stands_above_the_use_case_key_by_key() -> None:
    said = {"requirements": {"nodes": 1}, "data": {"stage_in": ["/x/notes"], "classification": "restricted"}}
    job = resolve(spec(**said), USE_CASE)
    assert (job.requirements.nodes, job.requirements.walltime_s) == (1, 600)
    assert [item.source for item in job.data.stage_in] == ["kernel:shallow_water.py", "/x/notes"]
    assert job.data.classification == "restricted"
    assert "field.npz" in job.data.stage_out


def test_a_command_of_the_person_is_kept() -> None:
    assert resolve(spec(command=["true"]), USE_CASE).command == ("true",)


def test_wrong_parameters_are_told_all_at_once_by_their_key_path() -> None:
    with pytest.raises(JobError) as caught:
        resolve(spec(parameters={"resolution": 4, "hours": -1, "depth_m": "deep"}), USE_CASE)
    assert sorted(str(fault) for fault in caught.value.faults) == [
        "parameters.depth_m: must be a number, not 'deep' (write for example 2.5)",
        "parameters.hours: must be more than 0, not -1",
        "parameters.resolution: is not a known key (did you mean 'resolution_km'?)",
    ]


def test_a_resolved_job_resolves_to_itself() -> None:
    once = resolve(spec(), USE_CASE)
    assert resolve(once, USE_CASE) == once
