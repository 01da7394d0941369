"""What lies in a job directory. `docs/protocol.md` tells the whole story."""

from __future__ import annotations

from pathlib import PurePosixPath

OWN = ".hpcnet"
OUTPUT = "output.log"
JOB_SCRIPT = f"{OWN}/job.sh"
PAYLOAD = f"{OWN}/payload"
TOKEN = f"{OWN}/token"
SUBMIT = f"{OWN}/submit"
CLAIM = f"{OWN}/claim"
STARTED = f"{OWN}/started"
EXIT = f"{OWN}/exit"
REASON = f"{OWN}/reason"
CANCEL = f"{OWN}/cancel"


def is_reserved(path: PurePosixPath) -> bool:
    """Whether a path relative to the job directory belongs to hpcnet or to the job's output."""
    return path.parts[:1] in ((OWN,), (OUTPUT,))
