"""Rotating shallow water on a doubly periodic plane: a regional ocean or atmosphere in one layer.

Three anomalies of the surface height h are let go at rest. They shed gravity waves, and what is left
turns into eddies in balance with the rotation (geostrophic adjustment). The linear equations

    dh/dt = -H (du/dx + dv/dy)     du/dt = f v - g dh/dx     dv/dt = -f u - g dh/dy

with mean depth H, gravity g and Coriolis parameter f = 2 Omega sin(latitude) are stepped on an Arakawa
C grid: h in the middle of a cell, u on its western, v on its southern side. The scheme is forward-
backward: h, then u with the new h, then v with the new h and u (Sielecki, Monthly Weather Review 96,
1968; see also Gill, Atmosphere-Ocean Dynamics, 1982, chapter 7). Each rank has a slab of rows and
exchanges edge rows twice a step; the result is the same to the last bit on any number of ranks.

The result is verified before any figure of merit is given: each Fourier mode of the discrete scheme
has a closed form, so the field after n steps is known to round-off. One wrong halo row in one step, or
one flipped bit, shows. Mass and energy are checked as well.

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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float64]
Modes = npt.NDArray[np.complex128]

GRAVITY_M_S2 = 9.81
EARTH_ROTATION_S = 7.2921e-5
FLOPS_PER_CELL = 22  # additions and multiplications of one step
BYTES_PER_CELL = 96  # three passes, each reads three fields and writes one
# Type, default, least, most, meaning.
OPTIONS: dict[str, tuple[type, Any, float, float, str]] = {
    "nx": (int, 200, 4, 10**6, "cells from west to east"),
    "ny": (int, 200, 4, 10**6, "cells from south to north"),
    "steps": (int, None, 1, 10**8, "time steps (500, or what --hours needs)"),
    "hours": (float, None, 1e-3, 10**6, "simulated time, instead of --steps"),
    "dx-km": (float, 20.0, 1e-3, 10**4, "size of a cell in km"),
    "depth": (float, 40.0, 1e-3, 10**4, "mean (equivalent) depth in m"),
    "latitude": (float, -33.4, -90, 90, "degrees, south is negative"),
    "courant": (float, 0.7, 1e-3, 0.9, "Courant number of the gravity waves"),
    "seed": (int, 0, 0, 2**63, "chooses the places of the anomalies"),
}


class WrongUse(Exception):
    """A sentence for the person who started the kernel; all ranks raise it together."""


@dataclass(frozen=True)
class Setup:
    """All that the result depends on. Lengths in m, times in s; anomalies are x, y, radius, height."""

    nx: int
    ny: int
    steps: int
    dx: float
    dt: float
    depth: float
    coriolis: float
    anomalies: tuple[tuple[float, float, float, float], ...]


class Ranks:
    """The ranks that share the work, on a ring: those of MPI's world, or one alone without MPI."""

    def __init__(self, mpi: Any = None) -> None:
        self._mpi, self._comm = mpi, mpi.COMM_WORLD if mpi else None
        self.rank: int = self._comm.rank if self._comm else 0
        self.size: int = self._comm.size if self._comm else 1
        self.library = (
            " ".join(mpi.Get_library_version().split("\n")[0].split()).strip("\0") if mpi else "none"
        )

    def shift(self, send: Field, by: int, receive: Field) -> None:
        """Send to the rank `by` further on around the ring, receive from the one `by` before."""
        if self._comm:
            to, source = (self.rank + by) % self.size, (self.rank - by) % self.size
            self._comm.Sendrecv(send, to, 0, receive, source, 0)
        else:
            receive[...] = send

    def gather(self, slab: Field, rows: list[int]) -> Field:
        """All slabs as one field on rank 0, an empty one elsewhere."""
        whole = np.empty((sum(rows) if self.rank == 0 else 0, slab.shape[1]))
        if self._comm:
            self._comm.Gatherv(np.ascontiguousarray(slab), [whole, [count * slab.shape[1] for count in rows]])
        else:
            whole[...] = slab
        return whole

    def largest(self, value: float) -> float:
        """The largest value of all ranks, once all are here."""
        return float(self._comm.allreduce(value, self._mpi.MAX)) if self._comm else value

    def abort(self) -> None:
        """End all ranks: they would wait for this one for ever."""
        if self._comm and self.size > 1:
            self._comm.Abort(1)


class Slab:
    """The rows of one rank. `hu` holds h and u row by row, so that both travel in one message.

    Row 0 of `hu` belongs to the southern neighbour, the last row of `v` to the northern one; one
    more column on the side where each field needs it closes the period in x.
    """

    def __init__(self, setup: Setup, ranks: Ranks, first: int, rows: int) -> None:
        self.setup, self.ranks = setup, ranks
        self.hu = np.zeros((rows + 1, 2, setup.nx + 1))
        self.v = np.zeros((rows + 1, setup.nx + 1))
        self.h, self.u = self.hu[:, 0], self.hu[:, 1]
        self.h[1:, 1:] = initial_height(setup, first, rows)
        self.h[:, 0] = self.h[:, -1]
        self._sum, self._part = np.empty((2, rows, setup.nx))

    def step(self) -> None:
        """One forward-backward step."""
        s, h, u, v = self.setup, self.h, self.u, self.v
        turn, push = s.dt * s.coriolis / 4, s.dt * GRAVITY_M_S2 / s.dx
        self.ranks.shift(v[0], -1, v[-1])
        flow = s.dt * s.depth / s.dx
        h[1:, 1:] -= self._four(np.subtract, u[1:, 1:], u[1:, :-1], v[1:, 1:], v[:-1, 1:], flow)
        h[:, 0] = h[:, -1]
        u[1:, :-1] += self._four(np.add, v[:-1, 1:], v[1:, 1:], v[:-1, :-1], v[1:, :-1], turn)
        u[1:, :-1] -= self._slope(h[1:, 1:], h[1:, :-1], push)
        u[:, -1] = u[:, 0]
        self.ranks.shift(self.hu[-1], +1, self.hu[0])
        v[:-1, 1:] -= self._four(np.add, u[1:, :-1], u[1:, 1:], u[:-1, :-1], u[:-1, 1:], turn)
        v[:-1, 1:] -= self._slope(h[1:, 1:], h[:-1, 1:], push)
        v[:, 0] = v[:, -1]

    def _four(self, join: np.ufunc, a: Field, b: Field, c: Field, d: Field, factor: float) -> Field:
        join(a, b, self._sum)
        join(c, d, self._part)
        self._sum += self._part
        self._sum *= factor
        return self._sum

    def _slope(self, ahead: Field, behind: Field, factor: float) -> Field:
        np.subtract(ahead, behind, self._part)
        self._part *= factor
        return self._part


def initial_height(setup: Setup, first: int, rows: int) -> Field:
    """Height of the anomalies in rows `first` to `first + rows`, shape (rows, nx), in m."""
    wide, high = setup.nx * setup.dx, setup.ny * setup.dx
    x = (np.arange(setup.nx) + 0.5) * setup.dx
    y = (np.arange(first, first + rows) + 0.5)[:, None] * setup.dx
    height = np.zeros((rows, setup.nx))
    for x0, y0, radius, amplitude in setup.anomalies:
        east = (x - x0 + wide / 2) % wide - wide / 2
        north = (y - y0 + high / 2) % high - high / 2
        height += amplitude * np.exp(-(east**2 + north**2) / (2 * radius**2))
    return height


def expected(s: Setup, height: Field) -> list[Field]:
    """Fields h, u, v after all steps from `height` at rest, by the closed form of each Fourier mode.

    A step multiplies a mode w by a 3x3 matrix G with eigenvalues 1 (the balanced part) and
    exp(+-i theta) (the two waves). With D = G - 1 and U_k = sin((k+1) theta) / sin(theta):
    w_n = w_0 + (1 + U_(n-2)) D w_0 + (U_(-1) + ... + U_(n-2)) D D w_0.
    """
    n = s.steps
    kx, ky = 2 * math.pi * np.fft.rfftfreq(s.nx), 2 * math.pi * np.fft.fftfreq(s.ny)[:, None]
    start = np.fft.rfft2(height)
    w = (start, np.zeros_like(start), np.zeros_like(start))
    once = step_of_modes(s, kx, ky, w)
    twice = step_of_modes(s, kx, ky, once)
    theta = wave_angle(s, kx, ky)
    with np.errstate(divide="ignore", invalid="ignore"):
        one = 1 + np.sin((n - 1) * theta) / np.sin(theta)
        two = np.sin((n - 1) * theta / 2) * np.sin(n * theta / 2) / (np.sin(theta / 2) * np.sin(theta))
    one[theta == 0], two[theta == 0] = n, 0  # nothing turns there: the increments are zero
    ends = [w[i] + one * once[i] + two * twice[i] for i in range(3)]
    return [np.fft.irfft2(modes, s=(s.ny, s.nx)) for modes in ends]


def wave_angle(s: Setup, kx: Any, ky: Any) -> Field:
    """Theta of each mode, from the trace of G: 4 sin^2(theta / 2) = 3 - trace."""
    sx, sy, mean = np.sin(kx / 2), np.sin(ky / 2), np.cos(kx / 2) * np.cos(ky / 2)
    waves, turn = GRAVITY_M_S2 * s.depth * (2 * s.dt / s.dx) ** 2, s.coriolis * s.dt
    squared = waves * (sx**2 + sy**2) + (turn * mean) ** 2 - turn * waves * mean * sx * sy
    angle: Field = 2 * np.arcsin(np.sqrt(squared.clip(0, 4)) / 2)
    return angle


def step_of_modes(s: Setup, kx: Any, ky: Any, w: tuple[Modes, ...]) -> tuple[Modes, ...]:
    """What one step adds to the modes: the scheme of `Slab.step` in Fourier space."""
    h, u, v = w
    east, north = np.exp(1j * kx), np.exp(1j * ky)
    turn, push = s.dt * s.coriolis, s.dt * GRAVITY_M_S2 / s.dx
    dh = -s.dt * s.depth / s.dx * ((east - 1) * u + (north - 1) * v)
    du = turn * (1 + 1 / east) * (1 + north) / 4 * v - push * (1 - 1 / east) * (h + dh)
    dv = -turn * (1 + east) * (1 + 1 / north) / 4 * (u + du) - push * (1 - 1 / north) * (h + dh)
    return dh, du, dv


def check(s: Setup, h: Field, u: Field, v: Field) -> dict[str, Any]:
    """Compare with the closed form, mass and energy; `verified` when all three hold.

    Errors are relative to the largest initial height; what is not a number becomes None.
    """
    start = initial_height(s, 0, s.ny)
    scale = float(np.abs(start).max())
    as_height = (1.0, math.sqrt(s.depth / GRAVITY_M_S2), math.sqrt(s.depth / GRAVITY_M_S2))
    found, known = (h, u, v), expected(s, start)
    error = float(np.max([np.abs(found[i] - known[i]).max() * as_height[i] for i in range(3)])) / scale
    drift = abs(float(h.mean()) - float(start.mean())) / scale
    energy = float(np.vdot(h, h) + (np.vdot(u, u) + np.vdot(v, v)) * s.depth / GRAVITY_M_S2)
    ratio = energy / float(np.vdot(start, start))
    tolerance = 1e-11 + 1e-14 * s.steps
    # `<=` is false for a NaN: what is not a number is never verified.
    verified = error <= tolerance and drift <= tolerance and 0.5 <= ratio <= 1.5
    measured = {"error": error, "mass_drift": drift, "energy_ratio": ratio}
    finite = {name: value if math.isfinite(value) else None for name, value in measured.items()}
    method = "closed form of every Fourier mode of the discrete scheme; mass; energy"
    return {"verified": verified, "method": method, "tolerance": tolerance, **finite}


def simulate(s: Setup, ranks: Ranks) -> tuple[Field, Field, Field, float]:
    """Fields h, u, v after all steps (whole on rank 0), and the seconds that the steps took."""
    rows = [s.ny // ranks.size + (rank < s.ny % ranks.size) for rank in range(ranks.size)]
    slab = Slab(s, ranks, sum(rows[: ranks.rank]), rows[ranks.rank])
    ranks.largest(0.0)
    start = time.perf_counter()
    for step in range(1, s.steps + 1):
        slab.step()
        if step % max(1, s.steps // 20) == 0 and not _goes_well(slab, step):
            break
    seconds = ranks.largest(time.perf_counter() - start)
    h, u, v = (ranks.gather(field, rows) for field in (slab.h[1:, 1:], slab.u[1:, :-1], slab.v[:-1, 1:]))
    return h, u, v, seconds


def _goes_well(slab: Slab, step: int) -> bool:
    finite = not slab.ranks.largest(float(not np.isfinite(slab.hu).all()))
    if slab.ranks.rank == 0:
        trouble = "" if finite else ": the height is no longer a number, stopping here"
        steps = slab.setup.steps
        print(f"step {step} of {steps} ({100 * step // steps} %){trouble}", file=sys.stderr, flush=True)
    return finite


def record(s: Setup, ranks: Ranks, checked: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What is printed: a figure of merit only when the result is verified."""
    updates = s.nx * s.ny * s.steps
    merit = {"name": "cell updates", "value": updates / seconds / 1e6, "unit": "MLUP/s"}
    return {
        "kernel": "shallow_water",
        "ranks": ranks.size,
        "size": {"nx": s.nx, "ny": s.ny, "steps": s.steps},
        "figure_of_merit": merit if checked["verified"] else None,
        "verified": checked.pop("verified"),
        "check": checked,
        "seconds": [seconds],
        "flops": FLOPS_PER_CELL * updates,
        "bytes": BYTES_PER_CELL * updates,
        "host": platform.node(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "mpi": ranks.library},
    }


def save(path: Path, s: Setup, result: dict[str, Any], h: Field, u: Field, v: Field) -> None:
    """Write height, u, v (m, m/s), x, y, time (m, s) and, as JSON in `meta`, setup and record."""
    meta = json.dumps({"setup": asdict(s), "record": result})
    x, y = ((np.arange(count) + 0.5) * s.dx for count in (s.nx, s.ny))
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as stream:
        np.savez(stream, height=h, u=u, v=v, x=x, y=y, time=np.float64(s.steps * s.dt), meta=np.str_(meta))
    partial.replace(path)
    path.with_name("shallow_water.json").write_text(json.dumps(result) + "\n", encoding="utf-8")


def check_file(path: Path) -> dict[str, Any]:
    """The record of a result file, with its fields verified again."""
    try:
        with path.open("rb") as stream, np.load(stream) as saved:
            meta = json.loads(str(saved["meta"]))
            fields = [saved[name] for name in ("height", "u", "v")]
        checked = check(Setup(**meta["setup"]), *fields)
        verified = checked.pop("verified")
        merit = meta["record"]["figure_of_merit"] if verified else None
        return {**meta["record"], "verified": verified, "check": checked, "figure_of_merit": merit}
    except (OSError, ValueError, LookupError, TypeError, EOFError, ArithmeticError, BadZipFile) as error:
        raise WrongUse(f"{path} is not a whole result of this kernel: {error}") from error


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, (kind, default, low, high, meaning) in OPTIONS.items():
        text = f"{meaning}; {low:g} to {high:g}" + (f", default {default}" if default is not None else "")
        parser.add_argument(f"--{name}", type=kind, default=default, help=text)
    parser.add_argument("--output", type=Path, default=Path("field.npz"), help="result file")
    parser.add_argument("--check", type=Path, metavar="FILE", help="verify a result file again")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser.parse_args(arguments)


def setup_of(o: argparse.Namespace) -> Setup:
    """The setup that the options ask for. Raises `WrongUse` for what cannot be stepped stably."""
    for name, (_, _, low, high, _) in OPTIONS.items():
        value = getattr(o, name.replace("-", "_"))
        if value is not None and not low <= value <= high:
            raise WrongUse(f"--{name} must be from {low:g} to {high:g}, not {value}")
    dx = o.dx_km * 1000
    dt = o.courant * dx / math.sqrt(2 * GRAVITY_M_S2 * o.depth)
    coriolis = 2 * EARTH_ROTATION_S * math.sin(math.radians(o.latitude))
    if abs(coriolis) * dt > 0.5:
        raise WrongUse(
            f"a step of {dt:.0f} s is too long for the rotation: use a smaller --dx-km or --courant"
        )
    steps = o.steps or (math.ceil(o.hours * 3600 / dt) if o.hours else 500)
    spots = np.random.default_rng(o.seed).uniform(0.15, 0.85, (3, 2)) * (o.nx * dx, o.ny * dx)
    radius = 0.05 * min(o.nx, o.ny) * dx
    hills = tuple((*spots[i].tolist(), radius, height) for i, height in enumerate((1.0, -0.8, 0.6)))
    return Setup(o.nx, o.ny, steps, dx, dt, o.depth, coriolis, hills)


def require_room(s: Setup, ranks: Ranks, output: Path) -> None:
    """Raises `WrongUse` without a row for each rank, memory for fields and check, or a place to save."""
    if ranks.largest(float(ranks.rank == 0 and not output.absolute().parent.is_dir())):
        raise WrongUse(f"there is no directory for the result {output}")
    if ranks.size > s.ny:
        raise WrongUse(f"{s.ny} rows cannot be shared by {ranks.size} ranks: use fewer, or a larger --ny")
    need_gib = s.nx * s.ny * (40 / ranks.size + 120) / 2**30
    have_gib = -ranks.largest(-os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    if need_gib > have_gib:
        raise WrongUse(f"{s.nx} x {s.ny} cells need {need_gib:.1f} GiB, the machine has {have_gib:.1f} GiB")


def find_ranks() -> Ranks:
    """MPI's ranks, or one rank without mpi4py. Raises `WrongUse` when the launcher meant otherwise."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError):
        ranks = Ranks()
    else:
        ranks = Ranks(MPI)
    names = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
    started = max(int(os.environ.get(name, "1")) for name in names)
    if started > 1 and ranks.size == 1:
        raise WrongUse(f"started {started} times, but mpi4py is missing here or is of another MPI library")
    return ranks


def run(options: argparse.Namespace, ranks: Ranks) -> dict[str, Any]:
    """Simulate, verify, save. The record, on rank 0."""
    s = setup_of(options)
    require_room(s, ranks, options.output)
    h, u, v, seconds = simulate(s, ranks)
    if ranks.rank != 0:
        return {"verified": True}
    result = record(s, ranks, check(s, h, u, v), seconds)
    save(options.output, s, result, h, u, v)
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run, or check a file. Returns the exit status."""
    options, ranks = read_options(arguments), Ranks()
    try:
        ranks = ranks if options.check else find_ranks()
        result = check_file(options.check) if options.check else run(options, ranks)
    except WrongUse as error:
        if ranks.rank == 0:
            print(f"shallow_water: {error}", file=sys.stderr, flush=True)
        return 2
    except (MemoryError, OSError) as error:
        print(f"shallow_water: rank {ranks.rank}: {error or 'out of memory'}", file=sys.stderr, flush=True)
        ranks.abort()
        return 2
    if ranks.rank == 0:
        words = f"verified: {result['verified']}, error {result['check']['error']}"
        print(json.dumps(result) if options.json else words)
    return int(ranks.largest(float(not result["verified"])))


if __name__ == "__main__":
    sys.exit(main())
