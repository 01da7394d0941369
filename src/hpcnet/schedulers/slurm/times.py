"""Moments and durations as Slurm prints them; what cannot be read is None."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_WALLTIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?(?:\.\d+)?")
_CLOCK = "%Y-%m-%dT%H:%M:%S"

# Slurm's commands print epoch seconds under the first; a release that ignores it prints UTC.
EPOCH_ENVIRONMENT = "SLURM_TIME_FORMAT=%s TZ=UTC0"


def moment(text: str) -> datetime | None:
    """Epoch seconds, or the standard clock in UTC; `N/A`, `Unknown`, `(null)` and 0 are None."""
    try:
        return datetime.fromtimestamp(int(text), UTC) if int(text) > 0 else None
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return datetime.strptime(text, _CLOCK).replace(tzinfo=UTC)
    except ValueError:
        return None


def duration_s(text: str) -> int | None:
    """Seconds of `D-HH:MM:SS`, `HH:MM:SS`, `MM:SS`; None for UNLIMITED, INVALID and the like.

    Unlike sbatch's input a lone number does not occur in its output.
    """
    match = _WALLTIME.fullmatch(text.strip())
    if match is None:
        return None
    days, *clock = match.groups()
    parts = [int(part) for part in clock if part is not None]
    if days is not None:
        parts += [0] * (3 - len(parts))  # D-HH
    elif len(parts) == 1:
        return None
    seconds = 0
    for part in parts:
        seconds = 60 * seconds + part
    return seconds + 86400 * int(days or 0)
