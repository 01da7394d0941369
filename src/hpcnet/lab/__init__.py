"""A training federation on this machine: real Slurm clusters behind real sshd."""

from hpcnet.lab.federation import down, status, up
from hpcnet.lab.programs import missing_programs
from hpcnet.lab.settings import ClusterStatus, DaemonStatus, LabSettings, LabStatus

__all__ = [
    "ClusterStatus",
    "DaemonStatus",
    "LabSettings",
    "LabStatus",
    "down",
    "missing_programs",
    "status",
    "up",
]
