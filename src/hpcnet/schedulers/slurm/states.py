"""Slurm's job states in our words."""

from __future__ import annotations

from hpcnet.model.state import JobState

_QUEUED = (
    "PENDING",
    "REQUEUED",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "RESV_DEL_HOLD",
    "SPECIAL_EXIT",
    "POWER_UP_NODE",
)
_ACTIVE = (
    "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING",
    "UPDATE_DB", "LAUNCH_FAILED", "RECONFIG_FAIL", "EXPEDITING",
)  # fmt: skip
_FAILED = (
    "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "PREEMPTED", "REVOKED",
)  # fmt: skip
_STATES = {
    **dict.fromkeys(_QUEUED, JobState.QUEUED),
    **dict.fromkeys(_ACTIVE, JobState.ACTIVE),
    **dict.fromkeys(_FAILED, JobState.FAILED),
    "COMPLETED": JobState.COMPLETED,
    "CANCELLED": JobState.CANCELED,
}
_WORDS = {
    "TIMEOUT": "it ran into its walltime",
    "NODE_FAIL": "a node failed under it",
    "OUT_OF_MEMORY": "it wanted more memory than it had asked for",
    "BOOT_FAIL": "a node did not boot",
    "DEADLINE": "its deadline passed",
    "PREEMPTED": "a job of higher priority took its nodes",
    "REVOKED": "another cluster of the federation runs it",
    "SUSPENDED": "suspended by the scheduler",
    "CONFIGURING": "its nodes are being made ready",
    "SPECIAL_EXIT": "held by the site after a special exit",
    "REQUEUE_HOLD": "put back into the queue and held",
}
_NO_REASON = ("", "None", "(null)", "N/A")


def plain(native: str) -> str:
    """The state alone: `CANCELLED by 1000` and `CANCELLED+` are `CANCELLED`."""
    words = native.split()
    return words[0].rstrip("+*") if words else ""


def job_state(native: str) -> JobState:
    """Our state for a native one; a state of a release to come is UNKNOWN, with its name kept."""
    return _STATES.get(plain(native), JobState.UNKNOWN)


def reason_words(native: str, reason: str) -> str | None:
    """Why, in words: what the state means and what the scheduler adds."""
    said = None if reason in _NO_REASON else reason.strip("()")
    parts = [part for part in (_WORDS.get(plain(native)), said) if part]
    return ": ".join(parts) or None
