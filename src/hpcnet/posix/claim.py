"""Closes an attempt whose fate is unknown, so that nothing late can still submit it."""

from __future__ import annotations

from enum import Enum

from hpcnet.errors import StorageError
from hpcnet.model.command import Completed, Question
from hpcnet.posix.directory import CLAIM, OWN, SUBMIT
from hpcnet.posix.quote import quote


class Closed(Enum):
    """What was found when the door of an attempt was to be closed."""

    NEVER_SUBMITTED = "never submitted, and now never can be"
    ALREADY_CLAIMED = "a submission took the claim: its outcome stands or will stand there"


# A claim without a holder (a full disk) would keep the job itself away, too: it is given back.
_SEAL = """
mkdir -- {claim} 2>/dev/null && {{ echo closed >{claim}/holder || rm -rf -- {claim}; }}
[ "$(cat -- {claim}/holder 2>/dev/null)" = closed ] && echo sealed
exit 0
"""


def close_attempt(directory: str) -> Question[Closed]:
    """Take the claim that a submission must take first (`mkdir` is atomic).

    Whoever gets it, gets it alone: if we do, a submission that is still on its way finds the claim
    taken and does not call sbatch. Reading raises `StorageError` if the site cannot make it.
    """
    own, claim = quote(f"{directory}/{OWN}"), quote(f"{directory}/{SUBMIT}")
    script = f"mkdir -p -- {own} || exit 44\nmkdir -- {claim} 2>/dev/null && echo closed\n[ -d {claim} ]\n"
    return Question(script, _read_closed, deadline_s=60)


def seal_attempt(directory: str) -> Question[bool]:
    """Take the claim that the job itself must take before its payload: whether it is ours.

    If it is, no copy of the job that starts later runs its payload. Asked again, it says the same.
    """
    script = _SEAL.format(claim=quote(f"{directory}/{CLAIM}"))
    return Question(script, lambda completed: completed.stdout.strip() == "sealed", deadline_s=60)


def _read_closed(completed: Completed) -> Closed:
    if completed.exit_status != 0:
        words = completed.stderr.strip() or "the claim cannot be made"
        raise StorageError(
            f"the site cannot write in the job directory: {words}",
            hint="make it writable there, then try again",
        )
    return Closed.NEVER_SUBMITTED if completed.stdout.strip() == "closed" else Closed.ALREADY_CLAIMED
