"""On what was measured, so that two results can be compared."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benchmarks.program import ROOT


def describe() -> dict[str, str]:
    """Date, hardware, versions and load; what cannot be told is left out."""
    load = " ".join(f"{one:.2f}" for one in os.getloadavg())
    facts = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "hpcnet": metadata.version("hpcnet"),
        "commit": _said(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]),
        "processor": _after("model name", Path("/proc/cpuinfo")),
        "cores": str(os.cpu_count()),
        "memory": _after("MemTotal", Path("/proc/meminfo")),
        "system": platform.platform(),
        "python": platform.python_version(),
        "openssh": _said(["ssh", "-V"]),
        "slurm": _said(["slurmctld", "-V"]),
        "load_before": load,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _said(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return (done.stdout + done.stderr).strip()


def _after(label: str, file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(label)), "")
