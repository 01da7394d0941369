"""Reads what sbatch left: an id, a refusal, or neither. Nothing is taken for a refusal that may be a job."""

from __future__ import annotations

import re

from hpcnet.model.state import Receipt
from hpcnet.posix.submit_once import Left

_JOB_ID = re.compile(r"(?P<id>\d+)(?:;\S+)?")
# The request may have reached the controller: seen to run afterwards. Compare slurm_errno.c.
_PERHAPS_SUBMITTED = re.compile(
    r"timed out|\((?:send|receive|shutdown) failure\)|zero bytes|unexpected message|broken pipe"
    r"|connection reset|transport endpoint|unspecified error|slurmctld.*(?:restart|standby)",
    re.IGNORECASE,
)
# sbatch's own exit for options it cannot read; ssh has the same number for a lost link.
_BAD_OPTION = re.compile(r"unrecognized option|invalid|requires an argument|ambiguous", re.IGNORECASE)
_PREFIX = re.compile(
    r"^(?:sbatch: )?(?:(?:error|fatal): )?(?:(?:Batch job submission failed|allocation failure): )?"
)
_ADVICE = 'Try "sbatch --help"'


def read_receipt(left: Left) -> Receipt:
    """The receipt of one submission."""
    native_id = _native_id(left)
    if native_id is not None:
        return Receipt(left.directory, native_id=native_id, words=left.words)
    if refused(left):
        return Receipt(left.directory, refusal=refusal_words(left.err or left.out), words=left.words)
    return Receipt(left.directory, words=left.words)


def refused(left: Left) -> bool:
    """Whether it is certain that no job came of it."""
    status, words = left.exit_status, left.words
    if status is None or status == 0 or not words or _PERHAPS_SUBMITTED.search(words):
        return False
    return status < 128 or (status == 255 and _BAD_OPTION.search(words) is not None)


def refusal_words(text: str) -> str:
    """What sbatch said, without its prefixes: what is wrong first, what came of it last."""
    lines = [_PREFIX.sub("", line).strip() for line in text.splitlines() if not line.startswith(_ADVICE)]
    return "; ".join(dict.fromkeys(line for line in lines if line))


def _native_id(left: Left) -> str | None:
    lines = left.out.strip().splitlines()
    match = _JOB_ID.fullmatch(lines[-1].strip()) if lines else None
    return match["id"] if match else None
