"""The built wheel alone, in a clean virtual environment, outside the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*argv: str | Path, cwd: Path, **environment: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    ended = subprocess.run(
        argv, cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; its dependencies are those of this one (no download)."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("hpcnet-*.whl")
    venv.create(folder / "venv", with_pip=False)
    own = next((folder / "venv/lib").glob("python*/site-packages"))
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", own, wheel, cwd=folder)
    theirs = next(path for path in sys.path if path.endswith("site-packages"))
    # The dependencies, but not the .pth file that would bring this source tree along.
    (own / "dependencies.pth").write_text(f"import sys; sys.path.append({theirs!r})\n")
    return folder


def hpcnet(folder: Path, *words: str) -> str:
    state = {"HPCNET_STATE": str(folder / "state"), "HPCNET_CONFIG": str(folder / "config.toml")}
    return run(folder / "venv/bin/python", "-m", "hpcnet", *words, cwd=folder, **state)


def test_the_wheel_holds_all_that_travels_with_hpcnet(installed: Path) -> None:
    where = "import hpcnet, pathlib; print(pathlib.Path(hpcnet.__file__).parent)"
    package = Path(run(installed / "venv/bin/python", "-c", where, cwd=installed).strip())
    assert package.is_relative_to(installed)
    for name, witness in (
        ("kernels", "shallow_water.py"),
        ("site_configs", "local.toml"),
        ("slurm", "clusters.toml"),
        ("benchmarks", "run.py"),
    ):
        assert (package / "_shipped" / name / witness).is_file()


def test_an_installed_hpcnet_works_outside_the_source_tree(installed: Path) -> None:
    assert hpcnet(installed, "--version").startswith("hpcnet ")
    assert "lumi" in hpcnet(installed, "site", "list")
    assert "climate" in hpcnet(installed, "use-case", "list")
    (installed / "job.toml").write_text('command = ["echo", "hola"]\n')
    job = hpcnet(installed, "submit", "job.toml", "--wait").strip().splitlines()[-1]
    assert "hola" in hpcnet(installed, "logs", job)
    assert '"COMPLETED"' in hpcnet(installed, "status", job, "--json")
