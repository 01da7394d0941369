"""The installed `hpcnet` that is measured, and the interpreter it runs with."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

PYTHON = Path(sys.executable)
HPCNET = PYTHON.with_name("hpcnet")
ROOT = Path(__file__).resolve().parents[1]


def environment(**own: str) -> dict[str, str]:
    """The environment of measured programs: compiled files may be written and are used."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "HPCNET_DEBUG")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "NO_COLOR": "1", **own}


def compile_sources() -> None:
    """Compile the package, as an installer does. Raises `RuntimeError` when it is not installed."""
    spec = importlib.util.find_spec("hpcnet")
    if spec is None or spec.origin is None or not HPCNET.is_file():
        raise RuntimeError(f"hpcnet is not installed beside {PYTHON}")
    package = Path(spec.origin).parent
    subprocess.run([PYTHON, "-m", "compileall", "-q", package], env=environment(), check=True)
