"""Closes an attempt whose fate is unknown, so that nothing late can still submit it."""

from __future__ import annotations

from enum import Enum

from hpcnet.model.command import Completed, Question
from hpcnet.posix.quote import quote


class Closed(Enum):
    """What was found when the door of an attempt was to be closed."""

    NEVER_SUBMITTED = "never submitted, and now never can be"
    ALREADY_CLAIMED = "a submission took the claim: its outcome stands or will stand there"


def close_attempt(directory: str) -> Question[Closed]:
    """Take the claim that a submission must take first (`mkdir` is atomic).

    Whoever gets it, gets it alone: if we do, a submission that is still on its way finds the claim
    taken and does not call sbatch.
    """
    claim = quote(f"{directory}/.hpcnet")
    script = f"mkdir -p -- {claim} || exit 44\nmkdir -- {claim}/submit 2>/dev/null && echo closed\nexit 0\n"
    return Question(script, _read, deadline_s=60)


def _read(completed: Completed) -> Closed:
    if completed.exit_status == 0 and completed.stdout.strip() == "closed":
        return Closed.NEVER_SUBMITTED
    return Closed.ALREADY_CLAIMED
