"""Rows of squeue and sacct about our jobs, found by their token and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hpcnet.model.state import JobState
from hpcnet.schedulers.slurm.states import job_state, plain
from hpcnet.schedulers.slurm.times import moment

# The name is last: a job that is not ours may have any name.
QUEUE_FORMAT = "J|%A|%T|%V|%S|%e|%r|%j"
ACCOUNTING_FIELDS = "JobIDRaw,State,Submit,Start,End,ExitCode,JobName"


@dataclass(frozen=True, slots=True)
class Row:
    """One job as squeue or sacct shows it."""

    native_id: str
    native_state: str
    submitted_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    reason: str
    name: str
    seen_in: str
    exit_status: int | None = None

    @property
    def state(self) -> JobState:
        """Our state for it."""
        return job_state(self.native_state)

    @property
    def is_refusal(self) -> bool:
        """Slurm keeps a record of what it refused: it never was a job."""
        return plain(self.native_state) == "FAILED" and self.reason == "BadConstraints"


def read_queue(lines: Iterable[str]) -> tuple[Row, ...]:
    """Rows in `QUEUE_FORMAT`. A token holds no `|`, so the last one ends the reason."""
    rows = []
    for line in lines:
        fields = line.split("|", 6)
        if len(fields) == 7 and fields[0] == "J" and fields[1].isdigit():
            reason, bar, name = fields[6].rpartition("|")
            if bar:
                rows.append(_queue_row(fields, reason, name))
    return tuple(rows)


def read_accounting(lines: Iterable[str]) -> tuple[Row, ...]:
    """Rows of `sacct -n -P` with `ACCOUNTING_FIELDS`."""
    rows = []
    for line in lines:
        fields = line.split("|", 6)
        if len(fields) == 7 and fields[0].isdigit():
            rows.append(_accounting_row(fields))
    return tuple(rows)


def row_of(token: str, rows: Iterable[Row], native_id: str | None) -> Row | None:
    """The row that is this attempt: of several the one whose id is known, else one that lives,
    else the newest.
    """
    mine = [row for row in rows if row.name == token and not row.is_refusal]

    def weight(row: Row) -> tuple[bool, bool, float]:
        submitted = row.submitted_at.timestamp() if row.submitted_at else 0.0
        return (row.native_id == native_id, not row.state.final, submitted)

    return max(mine, key=weight, default=None)


def refusal_of(token: str, rows: Iterable[Row]) -> Row | None:
    """The record of a refused submission of this token, if that is all there is."""
    mine = [row for row in rows if row.name == token]
    return mine[0] if mine and all(row.is_refusal for row in mine) else None


def _queue_row(fields: Sequence[str], reason: str, name: str) -> Row:
    _, native_id, state, submitted, started, ended, _ = fields
    live = not job_state(state).final
    waits = job_state(state) is JobState.QUEUED
    # Of a waiting job squeue shows the expected start, of a running one the latest end.
    return Row(
        native_id=native_id,
        native_state=state,
        submitted_at=moment(submitted),
        started_at=None if waits else moment(started),
        ended_at=None if live else moment(ended),
        reason=reason,
        name=name,
        seen_in="queue",
    )


def _accounting_row(fields: Sequence[str]) -> Row:
    native_id, state, submitted, started, ended, exit_code, name = fields
    return Row(
        native_id=native_id,
        native_state=state,
        submitted_at=moment(submitted),
        started_at=moment(started),
        ended_at=moment(ended),
        reason="",
        name=name,
        seen_in="accounting",
        exit_status=exit_status(exit_code),
    )


def exit_status(code: str) -> int | None:
    """`3:0` is 3, `0:9` (killed by signal 9) is 137, as a shell would say."""
    status, _, signal = code.partition(":")
    if not (status.isdigit() and signal.isdigit()):
        return None
    return 128 + int(signal) if int(signal) else int(status)
