"""The shipped kernels as tests use them: loaded as modules, run under MPI, and broken on purpose.

As a program it runs shallow water with a fault in the exchange of halos: `real_kernels.py FAULT ...`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

KERNELS = Path(__file__).resolve().parents[1] / "kernels"
_LAUNCHERS_WORDS = ("PMI_", "PMIX_", "OMPI_", "SLURM_", "HYDRA_", "MPI_")


def load_kernel(path: Path) -> ModuleType:
    """The module of a kernel's file, under a name of its own."""
    name = f"kernel_{path.stem}"
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses look their module up by its name
    found.loader.exec_module(module)
    return module


def run_under_mpi(program: Sequence[str], ranks: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python program on so many ranks, in `folder`. Skips the test where MPI is missing."""
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = str(beside) if beside.exists() else shutil.which("mpiexec")
    if mpiexec is None or importlib.util.find_spec("mpi4py") is None:
        pytest.skip("no mpiexec or no mpi4py here: install hpcnet[mpi]")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(_LAUNCHERS_WORDS)}
    return subprocess.run(
        [mpiexec, "-n", str(ranks), sys.executable, *program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def never(shift: Callable[..., None], *message: Any) -> None:
    """No halo is ever exchanged."""


def swapped(shift: Callable[..., None], ranks: Any, send: Any, by: int, receive: Any) -> None:
    """Neighbours are taken for one another."""
    shift(ranks, send, -by, receive)


def stale_once(shift: Callable[..., None], ranks: Any, send: Any, by: int, receive: Any) -> None:
    """One halo row of one rank is left as it was, in one of all exchanges."""
    ranks.exchanges = getattr(ranks, "exchanges", 0) + 1
    before = receive.copy()
    shift(ranks, send, by, receive)
    if ranks.exchanges == 61 and ranks.rank == 0:
        receive[...] = before


FAULTS = {fault.__name__: fault for fault in (never, swapped, stale_once)}


def break_halo(kernel: ModuleType, fault: str) -> None:
    """Put a fault into the exchange of a kernel that was loaded."""
    sound = kernel.Ranks.shift
    kernel.Ranks.shift = lambda *message: FAULTS[fault](sound, *message)


if __name__ == "__main__":
    shallow_water = load_kernel(KERNELS / "shallow_water.py")
    break_halo(shallow_water, sys.argv[1])
    sys.exit(shallow_water.main(sys.argv[2:]))
