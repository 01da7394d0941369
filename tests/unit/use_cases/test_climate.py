from __future__ import annotations

import pytest

from hpcnet.errors import JobError
from hpcnet.model.job import JobSpec
from hpcnet.model.use_case import resolve
from hpcnet.use_cases.climate import USE_CASE
from real_kernels import KERNELS, load_kernel


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
    assert {"--nx=1000", "--ny=1000", "--dx-km=4.0", "--latitude=-33.4"} <= set(job.command)
    assert job.parameters["latitude_deg"] == -33.4


@pytest.mark.parametrize(
    ("parameters", "hours"), [({}, 18.0), ({"resolution_km": 7.5, "depth_m": 300, "hours": 48}, 48.0)]
)
def test_the_kernel_simulates_the_hours_that_were_asked_for(
    parameters: dict[str, float], hours: float
) -> None:
    job = resolve(spec(parameters=parameters), USE_CASE)
    assert job.command is not None
    kernel = load_kernel(KERNELS / "shallow_water.py")
    setup = kernel.setup_of(kernel.read_options([*job.command[2:]]), kernel.Ranks())
    assert (setup.steps - 1) * setup.dt < hours * 3600 <= setup.steps * setup.dt


@pytest.mark.parametrize(
    ("parameters", "walltime_s"),
    [
        ({}, 600),
        ({"hours": 0.01}, 600),
        # 1000 x 1000 cells, 1427 steps of 101 s, ten million updates a second: 143 s.
        ({"resolution_km": 4, "hours": 40}, 600),
        # 2000 x 2000 cells, 17116 steps of 50.5 s: 6846 s, so 2 hours.
        ({"resolution_km": 2, "hours": 240}, 7200),
        # 4000 x 4000 cells, 342302 steps: 547683 s, so 152 hours and 10 minutes.
        ({"resolution_km": 1, "hours": 2400}, 547_800),
        ({"resolution_km": 0.1, "domain_km": 40_000, "hours": 8784}, 365 * 86_400),
    ],
)
def test_the_walltime_follows_the_work_in_steps_of_ten_minutes(
    parameters: dict[str, float], walltime_s: int
) -> None:
    assert resolve(spec(parameters=parameters), USE_CASE).requirements.walltime_s == walltime_s


def test_the_walltime_of_the_person_is_kept() -> None:
    said = {"parameters": {"resolution_km": 2, "hours": 240}, "requirements": {"walltime": "00:20:00"}}
    assert resolve(spec(**said), USE_CASE).requirements.walltime_s == 1200


def test_every_parameter_at_its_limits_is_one_that_the_kernel_takes() -> None:
    kernel = load_kernel(KERNELS / "shallow_water.py")
    for parameters in (
        {"resolution_km": 100, "depth_m": 10, "latitude_deg": -90, "domain_km": 100},
        {"resolution_km": 100, "depth_m": 10_000, "latitude_deg": 90, "seed": 2**31, "hours": 24 * 366},
    ):
        job = resolve(spec(parameters=parameters), USE_CASE)
        assert job.command is not None
        kernel.setup_of(kernel.read_options([*job.command[2:]]), kernel.Ranks())


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
