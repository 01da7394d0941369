"""Rotating shallow water on a doubly periodic plane: a regional ocean or atmosphere in one layer.

Three anomalies of the surface height h are let go at rest. They shed gravity waves, and what is left
turns into eddies in balance with the rotation (geostrophic adjustment). The linear equations

    dh/dt = -H (du/dx + dv/dy)     du/dt = f v - g dh/dx     dv/dt = -f u - g dh/dy

are stepped on an Arakawa C grid: h in the middle of a cell, u on its western, v on its southern side.
The scheme is forward-backward: h, then u with the new h, then v with the new h and u (Sielecki, Monthly
Weather Review 96, 1968). Velocities are kept times sqrt(H/g), as heights too. Each rank has a slab of
rows; the result is the same to the last bit on any number of ranks. It is verified before any figure of
merit is given: each Fourier mode has a closed form, so one wrong halo row or one flipped bit shows.

    python shallow_water.py --nx 400 --ny 400 --steps 500 --output field.npz --json
    python shallow_water.py --check field.npz

Needs numpy; mpi4py for more than one rank. Exit status: 0, 1 when verification fails, 2 for wrong use.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float64]

GRAVITY_M_S2 = 9.81
EARTH_ROTATION_S = 7.2921e-5
STRIDE = 0.5  # part of a cell that a gravity wave crosses in a step; stable below sqrt(1/2)


class WrongUse(Exception):
    """A sentence for the person who started the kernel; all ranks raise it together."""


@dataclass(frozen=True)
class Setup:
    """Cells eastward (nx) and northward (ny), steps, cell size in km, mean depth in m, latitude, seed."""

    nx: int = 200
    ny: int = 200
    steps: int = 500
    dx_km: float = 20.0
    depth: float = 40.0
    latitude: float = -33.4
    seed: int = 0

    @property
    def dt(self) -> float:
        """Time step in s."""
        return STRIDE * self.dx_km * 1000 / math.sqrt(GRAVITY_M_S2 * self.depth)

    @property
    def turn(self) -> float:
        """Coriolis parameter times time step."""
        return 2 * EARTH_ROTATION_S * math.sin(math.radians(self.latitude)) * self.dt


class Ranks:
    """The ranks that share the work, on a ring: those of MPI's world, or one alone without MPI."""

    def __init__(self, mpi: Any = None) -> None:
        self.comm: Any = mpi.COMM_WORLD if mpi else None
        self.rank: int = self.comm.rank if self.comm else 0
        self.size: int = self.comm.size if self.comm else 1
        self.library = " ".join(map(str, mpi.get_vendor())) if mpi else "none"

    def shift(self, send: Field, by: int, receive: Field) -> None:
        """Send to the rank `by` further on around the ring, receive from the one `by` before."""
        if self.comm:
            to, source = (self.rank + by) % self.size, (self.rank - by) % self.size
            self.comm.Sendrecv(send, to, 0, receive, source, 0)
        else:
            receive[...] = send

    def join(self, slab: Field, rows: int) -> Field:
        """The slabs of all ranks along their first axis, `rows` long in all, on rank 0."""
        if not self.comm:
            return slab
        whole = np.empty((rows if self.rank == 0 else 0, *slab.shape[1:]))
        self.comm.Gatherv(slab, [whole, self.comm.gather(slab.size)])
        return whole

    def largest(self, value: float) -> float:
        """The largest value of all ranks, once all are here."""
        return float(max(self.comm.allgather(value))) if self.comm else value


def initial_height(s: Setup, first: int, end: int) -> Field:
    """Height of the anomalies in rows `first` to `end`, shape (end - first, nx), in m."""
    x, y = ((np.arange(count) + 0.5) / count for count in (s.nx, s.ny))
    height = np.zeros((end - first, s.nx))
    for i, amplitude in enumerate((1.0, -0.8, 0.6), start=1):
        # Multiples of two irrational numbers: places far from one another, the same on any machine.
        east, north = ((3 * s.seed + i) * step % 1 for step in (0.7548776662466927, 0.5698402909980532))
        wide, high = (np.exp(10 * (np.cos(2 * math.pi * place) - 1)) for place in (x - east, y - north))
        height += amplitude * np.outer(high[first:end], wide)
    return height


def step(s: Setup, ranks: Ranks, h: Field, u: Field, v: Field) -> None:
    """One step of a slab. A neighbour's values are in column 0 or -1, row 0 (h, u) or row -1 (v)."""
    part = np.empty((h.shape[0] - 1, s.nx))

    def add(to: Field, factor: float, join: np.ufunc, a: Field, b: Field) -> None:
        join(a, b, out=part)
        np.multiply(part, factor, out=part)
        np.add(to, part, out=to)

    ranks.shift(v[0], -1, v[-1])
    add(h[1:, 1:], -STRIDE, np.subtract, u[1:, 1:], u[1:, :-1])
    add(h[1:, 1:], -STRIDE, np.subtract, v[1:, 1:], v[:-1, 1:])
    h[:, 0] = h[:, -1]
    add(u[1:, :-1], s.turn / 4, np.add, v[:-1, 1:], v[1:, 1:])
    add(u[1:, :-1], s.turn / 4, np.add, v[:-1, :-1], v[1:, :-1])
    add(u[1:, :-1], -STRIDE, np.subtract, h[1:, 1:], h[1:, :-1])
    u[:, -1] = u[:, 0]
    ranks.shift(h[-1], +1, h[0])
    ranks.shift(u[-1], +1, u[0])
    add(v[:-1, 1:], -s.turn / 4, np.add, u[1:, :-1], u[1:, 1:])
    add(v[:-1, 1:], -s.turn / 4, np.add, u[:-1, :-1], u[:-1, 1:])
    add(v[:-1, 1:], -STRIDE, np.subtract, h[1:, 1:], h[:-1, 1:])
    v[:, 0] = v[:, -1]


def simulate(s: Setup, ranks: Ranks) -> tuple[Field, float]:
    """Fields h, u, v after all steps, shape (3, ny, nx) on rank 0, and the seconds that they took."""
    first, end = (s.ny * rank // ranks.size for rank in (ranks.rank, ranks.rank + 1))
    h, u, v = np.zeros((3, end - first + 1, s.nx + 1))
    h[1:, 1:] = initial_height(s, first, end)
    start = time.perf_counter()
    for count in range(1, s.steps + 1):
        step(s, ranks, h, u, v)
        if count % max(1, s.steps // 20) == 0:
            wild = ranks.largest(float(not np.isfinite(h).all()))
            if ranks.rank == 0:
                health = "the height is no longer a number, stopping here" if wild else "sound"
                print(f"step {count} of {s.steps}: {health}", file=sys.stderr, flush=True)
            if wild:
                break
    seconds = ranks.largest(time.perf_counter() - start)
    rows = ranks.join(np.stack([h[1:, 1:], u[1:, :-1], v[:-1, 1:]], axis=1), s.ny)
    return np.ascontiguousarray(np.moveaxis(rows, 1, 0)), seconds


def expected(s: Setup) -> Field:
    """Fields h, u, v after all steps, shape (3, ny, nx): each Fourier mode times a power of a 3x3 matrix."""
    unit_h, unit_u, unit_v = np.eye(3)
    east = np.exp(2j * math.pi * np.fft.rfftfreq(s.nx))[:, None]
    north = np.exp(2j * math.pi * np.fft.fftfreq(s.ny))[:, None, None]
    h = unit_h - STRIDE * ((east - 1) * unit_u + (north - 1) * unit_v)
    u = unit_u + s.turn / 4 * (1 + 1 / east) * (1 + north) * unit_v - STRIDE * (1 - 1 / east) * h
    v = unit_v - s.turn / 4 * (1 + east) * (1 + 1 / north) * u - STRIDE * (1 - 1 / north) * h
    growth = np.linalg.matrix_power(np.stack([h, u, v], axis=-2), s.steps)[..., 0]
    modes = growth * np.fft.rfft2(initial_height(s, 0, s.ny))[..., None]
    return np.fft.irfft2(np.moveaxis(modes, -1, 0), s=(s.ny, s.nx))


def check(s: Setup, found: Field, merit: dict[str, Any]) -> dict[str, Any]:
    """Whether h, u, v agree with closed form, mass and energy; no figure of merit when they do not."""
    start, tolerance = initial_height(s, 0, s.ny), 1e-11 + 1e-14 * s.steps
    scale = np.abs(start).max()
    error = float(np.abs(found - expected(s)).max() / scale)
    drift = float(abs((found[0] - start).mean()) / scale)
    ratio = float(np.vdot(found, found) / np.vdot(start, start))
    # `<=` is false for a NaN: what is not a number is never verified.
    verified = error <= tolerance and drift <= tolerance and 0.5 <= ratio <= 1.5
    measured = {"tolerance": tolerance, "error": error, "mass_drift": drift, "energy_ratio": ratio}
    known: dict[str, Any] = {name: a if math.isfinite(a) else None for name, a in measured.items()}
    known["method"] = "closed form of every Fourier mode of the discrete scheme; mass; energy"
    return {"figure_of_merit": merit if verified else None, "verified": verified, "check": known}


def save(path: Path, s: Setup, result: dict[str, Any], h: Field, u: Field, v: Field) -> None:
    """Write height, u, v (m, m/s), x, y, time (m, s) and, as JSON in `meta`, setup and record."""
    x, y = ((np.arange(count) + 0.5) * s.dx_km * 1000 for count in (s.nx, s.ny))
    speed = math.sqrt(GRAVITY_M_S2 / s.depth)
    meta = json.dumps({"setup": asdict(s), "record": result})
    with path.open("wb") as stream:
        np.savez(stream, height=h, u=u * speed, v=v * speed, x=x, y=y, time=s.steps * s.dt, meta=meta)
    path.with_name("shallow_water.json").write_text(json.dumps(result) + "\n", encoding="utf-8")


def check_file(path: Path) -> dict[str, Any]:
    """The record of a result file, with its fields verified again."""
    try:
        with path.open("rb") as stream, np.load(stream) as saved:
            meta = json.loads(str(saved["meta"]))
            s = Setup(**meta["setup"])
            speed = math.sqrt(GRAVITY_M_S2 / s.depth)
            found = np.stack([saved["height"], saved["u"] / speed, saved["v"] / speed])
        return {**meta["record"], **check(s, found, meta["record"]["figure_of_merit"])}
    except (OSError, ValueError, LookupError, TypeError, EOFError, ArithmeticError, BadZipFile) as error:
        raise WrongUse(f"{path} is not a whole result of this kernel: {error}") from error


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], epilog=Setup.__doc__)
    for own in fields(Setup):
        name, kind = "--" + own.name.replace("_", "-"), type(own.default)
        parser.add_argument(name, type=kind, default=own.default, help="default: %(default)s")
    parser.add_argument("--output", type=Path, default=Path("field.npz"), help="result file")
    parser.add_argument("--check", type=Path, metavar="FILE", help="verify a result file again")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser.parse_args(arguments)


def setup_of(options: argparse.Namespace, ranks: Ranks) -> Setup:
    """The setup that the options ask for. Raises `WrongUse` for what cannot be stepped, held or saved."""
    s = Setup(**{own.name: getattr(options, own.name) for own in fields(Setup)})
    if not (4 <= min(s.nx, s.ny) <= max(s.nx, s.ny) <= 1e6 and 1 <= s.steps <= 1e9 and 0 <= s.seed <= 2**31):
        raise WrongUse("--nx and --ny must be 4 to 1000000, --steps 1 to 10^9, --seed 0 to 2^31")
    if not (0.001 <= s.dx_km <= 100 and 10 <= s.depth <= 10_000 and abs(s.latitude) <= 90):
        raise WrongUse("--dx-km must be 0.001 to 100, --depth 10 to 10000, --latitude -90 to 90")
    if ranks.size > s.ny:
        raise WrongUse(f"{s.ny} rows cannot be shared by {ranks.size} ranks: use fewer, or a larger --ny")
    need = s.nx * s.ny * (40 / ranks.size + 400) / 2**30
    have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    if ranks.largest(float(need > have)):
        raise WrongUse(f"{s.nx} x {s.ny} cells need {need:.1f} GiB, the machine has {have:.1f} GiB")
    if ranks.largest(float(ranks.rank == 0 and not options.output.absolute().parent.is_dir())):
        raise WrongUse(f"there is no directory for the result {options.output}")
    return s


def find_ranks() -> Ranks:
    """MPI's ranks, or one rank without mpi4py. Raises `WrongUse` when the launcher meant otherwise."""
    try:
        from mpi4py import MPI

        ranks = Ranks(MPI)
    except (ImportError, RuntimeError):
        ranks = Ranks()
    names = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
    started = max(int(os.environ.get(name, "1")) for name in names)
    if started > 1 and ranks.size == 1:
        raise WrongUse(f"started {started} times, but mpi4py is missing here or is of another MPI library")
    return ranks


def run(options: argparse.Namespace, ranks: Ranks) -> dict[str, Any]:
    """Simulate, verify, save. The record, on rank 0."""
    s = setup_of(options, ranks)
    found, seconds = simulate(s, ranks)
    if ranks.rank != 0:
        return {"verified": True}
    updates = s.nx * s.ny * s.steps
    merit = {"name": "cell updates", "value": updates / seconds / 1e6, "unit": "MLUP/s"}
    result = {
        "kernel": "shallow_water",
        "ranks": ranks.size,
        "size": {"nx": s.nx, "ny": s.ny, "steps": s.steps},
        **check(s, found, merit),
        "seconds": [seconds],
        "flops": 24 * updates,  # 8 times: join, multiply, add
        "bytes": 96 * updates,  # for h, u and v: read three fields, write one
        "host": platform.node(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "mpi": ranks.library},
    }
    save(options.output, s, result, *found)
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run, or check a file. Returns the exit status."""
    options, ranks = read_options(arguments), Ranks()
    try:
        ranks = ranks if options.check else find_ranks()
        result = check_file(options.check) if options.check else run(options, ranks)
    except (WrongUse, MemoryError, OSError) as error:
        alone = not isinstance(error, WrongUse)
        if alone or ranks.rank == 0:
            print(f"shallow_water: {error or 'out of memory'}", file=sys.stderr, flush=True)
        if alone and ranks.size > 1:
            ranks.comm.Abort(2)  # the others would wait for this one for ever
        return 2
    if ranks.rank == 0:
        print(json.dumps(result) if options.json else f"verified: {result['verified']}")
    return int(ranks.largest(float(not result["verified"])))


if __name__ == "__main__":
    sys.exit(main())
