"""Where the directories are that travel with hpcnet: kernels, site configs, templates, benchmarks."""

from __future__ import annotations

from pathlib import Path

from hpcnet.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent
NAMES = ("kernels", "site_configs", "slurm", "benchmarks")


def directory(name: str) -> Path:
    """The shipped directory `name`: beside the modules in a wheel, at the root of a source tree.

    Raises `ConfigurationError` when the installation is not whole.
    """
    candidates = (_PACKAGE / "_shipped" / name, _PACKAGE.parents[1] / name)
    found = next((path for path in candidates if name in NAMES and path.is_dir()), None)
    if found is None:
        raise ConfigurationError(
            f"the directory '{name}' is missing from this installation of hpcnet",
            hint="install hpcnet again from its wheel, or run it from a whole source tree",
        )
    return found


def kernel(name: str) -> Path:
    """The file of a shipped kernel, for example `shallow_water.py`.

    Raises `ConfigurationError` when there is no such kernel.
    """
    kernels = {path.name: path for path in sorted(directory("kernels").glob("*.py"))}
    if name not in kernels:
        raise ConfigurationError(f"there is no kernel '{name}'", hint=f"there is: {', '.join(kernels)}")
    return kernels[name]
