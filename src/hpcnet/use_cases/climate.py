"""A regional climate in one layer: how disturbances spread and settle on a rotating Earth."""

from __future__ import annotations

import math

from pydantic import Field

from hpcnet.model.described import Described
from hpcnet.model.job import Data, JobSpec, Requirements, StageIn
from hpcnet.model.use_case import UseCase

_KERNEL = "shallow_water.py"
_NODES = 2  # one rank each
_CELL_UPDATES_PER_RANK_S = 5e6  # cautious: a core of today does ten times as many
_WALLTIME_STEP_MIN = 10
_LONGEST_MIN = 365 * 24 * 60  # no site grants a year, and each says so


class Parameters(Described):
    """What a climate scientist chooses."""

    resolution_km: float = Field(20.0, ge=0.1, le=100, description="Size of a grid cell in km.")
    domain_km: float = Field(4000.0, ge=100, le=40_000, description="Extent of the square region in km.")
    hours: float = Field(18.0, gt=0, le=24 * 366, description="Simulated time in hours.")
    latitude_deg: float = Field(
        -33.4, ge=-90, le=90, description="Latitude of the region in degrees; south is negative."
    )
    depth_m: float = Field(40.0, ge=10, le=10_000, description="Equivalent depth of the layer in m.")
    seed: int = Field(0, ge=0, le=2**31, description="Chooses where the disturbances start; no unit.")


def build(parameters: Parameters) -> JobSpec:
    """The shallow-water kernel on two nodes, one rank each, unless the person says otherwise."""
    cells, steps = _cells(parameters), _steps(parameters)
    options = {
        "nx": cells,
        "ny": cells,
        "steps": steps,
        "dx-km": parameters.resolution_km,
        "latitude": parameters.latitude_deg,
        "depth": parameters.depth_m,
        "seed": parameters.seed,
    }
    return JobSpec(
        name="climate",
        command=("python3", _KERNEL, *(f"--{key}={value}" for key, value in options.items()), "--json"),
        requirements=Requirements(
            nodes=_NODES,
            walltime_s=_walltime_min(cells**2 * steps),  # read as minutes, as in a job file
            software=("python>=3.9", "numpy", "mpi4py", "mpi"),
        ),
        data=Data(
            stage_in=(StageIn(source=f"kernel:{_KERNEL}", target=_KERNEL),),
            stage_out=("field.npz", "shallow_water.json"),
        ),
    )


def _cells(parameters: Parameters) -> int:
    """Cells along each side of the region."""
    return max(4, round(parameters.domain_km / parameters.resolution_km))


def _steps(parameters: Parameters) -> int:
    """Time steps of the kernel: in each, a gravity wave crosses half a cell."""
    step_s = parameters.resolution_km * 500 / math.sqrt(9.81 * parameters.depth_m)
    return math.ceil(parameters.hours * 3600 / step_s)


def _walltime_min(updates: int) -> int:
    """Minutes for so many cell updates, in steps of ten, a year at most."""
    minutes = updates / (_CELL_UPDATES_PER_RANK_S * _NODES) / 60
    return min(_LONGEST_MIN, _WALLTIME_STEP_MIN * max(1, math.ceil(minutes / _WALLTIME_STEP_MIN)))


USE_CASE = UseCase(
    name="climate",
    summary="Regional climate in one layer: rotating shallow water, verified to round-off",
    parameters=Parameters,
    build=build,
)
