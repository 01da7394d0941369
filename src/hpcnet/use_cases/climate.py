"""A regional climate in one layer: how disturbances spread and settle on a rotating Earth."""

from __future__ import annotations

from pydantic import Field

from hpcnet.model.described import Described
from hpcnet.model.job import Data, JobSpec, Requirements, StageIn
from hpcnet.model.use_case import UseCase

_KERNEL = "shallow_water.py"
# As in a job file.
_REQUIREMENTS = {
    "nodes": 2,
    "tasks_per_node": 1,
    "walltime": "00:10:00",
    "software": ("python>=3.9", "numpy", "mpi4py", "mpi"),
}


class Parameters(Described):
    """What a climate scientist chooses."""

    resolution_km: float = Field(20.0, ge=0.1, le=500, description="Size of a grid cell in km.")
    domain_km: float = Field(4000.0, ge=100, le=40_000, description="Extent of the square region in km.")
    hours: float = Field(18.0, gt=0, le=24 * 366, description="Simulated time in hours.")
    latitude_deg: float = Field(
        -33.4, ge=-90, le=90, description="Latitude of the region in degrees; south is negative."
    )
    depth_m: float = Field(40.0, ge=1, le=10_000, description="Equivalent depth of the layer in m.")
    seed: int = Field(0, ge=0, le=2**31, description="Chooses where the disturbances start; no unit.")


def build(parameters: Parameters) -> JobSpec:
    """The shallow-water kernel on two nodes, one rank each, unless the person says otherwise."""
    cells = max(4, round(parameters.domain_km / parameters.resolution_km))
    options = {
        "nx": cells,
        "ny": cells,
        "dx-km": parameters.resolution_km,
        "hours": parameters.hours,
        "latitude": parameters.latitude_deg,
        "depth": parameters.depth_m,
        "seed": parameters.seed,
    }
    return JobSpec(
        name="climate",
        command=("python3", _KERNEL, *(f"--{key}={value}" for key, value in options.items()), "--json"),
        requirements=Requirements.model_validate(_REQUIREMENTS),
        data=Data(
            stage_in=(StageIn(source=f"kernel:{_KERNEL}", target=_KERNEL),),
            stage_out=("field.npz", "shallow_water.json"),
        ),
    )


USE_CASE = UseCase(
    name="climate",
    summary="Regional climate in one layer: rotating shallow water, verified to round-off",
    parameters=Parameters,
    build=build,
)
