"""Prints jobs: as a table, as JSON, as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hpcnet.cli.console import one_line, remark, say, say_table
from hpcnet.model.quantities import format_duration
from hpcnet.model.record import JobRecord
from hpcnet.model.state import JobState, Trouble

_COLUMNS = ("JOB", "NAME", "STATE", "SITE/PARTITION", "TIME", "REASON")
_MISSING_ENERGY = {
    "joules": None,
    "low": None,
    "high": None,
    "source": "no meter ran in this job",
    "quality": "missing",
}


def job_as_json(record: JobRecord) -> dict[str, Any]:
    """The job object of the contract."""
    return {
        "id": record.id,
        "name": record.name,
        "site": record.site,
        "partition": record.partition,
        "native_id": record.native_id,
        "state": record.state.value,
        "native_state": record.native_state,
        "reason": record.reason,
        "submitted_at": _iso(record.submitted_at),
        "started_at": _iso(record.started_at),
        "ended_at": _iso(record.ended_at),
        "exit_code": record.exit_code,
        "energy": _MISSING_ENERGY,
        "carbon_g": None,
        "directory": record.directory,
        "attempt": record.attempt,
    }


def say_jobs(found: Sequence[JobRecord]) -> None:
    """One row a job."""
    say_table(_COLUMNS, [_row(record) for record in found])


def say_job(record: JobRecord) -> None:
    """All that is known of one job."""
    place = f"{record.site}/{record.partition}" if record.site else "no site"
    say(f"{record.id}  {one_line(record.name)}")
    say(f"  state      {state_in_words(record)}")
    say(f"  site       {place}" + (f", native id {record.native_id}" if record.native_id else ""))
    say(f"  directory  {record.directory or '-'}")
    for label, when in (
        ("submitted", record.submitted_at),
        ("started", record.started_at),
        ("ended", record.ended_at),
    ):
        say(f"  {label:<10} {_clock(when)}")
    if record.exit_code is not None:
        say(f"  exit code  {record.exit_code}")


def state_in_words(record: JobRecord) -> str:
    """`ACTIVE (RUNNING)`, `FAILED (OUT_OF_MEMORY): ...`."""
    says_more = record.native_state not in {None, record.state.value}
    native = f" ({record.native_state})" if says_more else ""
    return f"{record.state}{native}" + (f": {record.reason}" if record.reason else "")


def remark_troubles(troubles: Mapping[str, Trouble]) -> None:
    """Which sites could not be looked at: their jobs keep their last state."""
    for site, trouble in troubles.items():
        remark(f"hpcnet: {site}: {trouble.message}; its jobs are shown as last seen")


def worst(troubles: Mapping[str, Trouble]) -> int:
    """The exit code for the troubles of all sites: 0 without any."""
    return max((trouble.exit_code for trouble in troubles.values()), default=0)


def exit_code_for(found: Sequence[JobRecord]) -> int:
    """0 if all jobs completed, else 1."""
    return 0 if all(record.state is JobState.COMPLETED for record in found) else 1


def remark_result(found: Sequence[JobRecord]) -> None:
    """Say of every job that did not complete how it ended."""
    for record in found:
        if record.state is not JobState.COMPLETED:
            code = "" if record.exit_code is None else f" with exit code {record.exit_code}"
            remark(
                f"{record.id} ended {state_in_words(record)}{code}; hpcnet logs {record.id} shows its output"
            )


def time_in_words(record: JobRecord, now: datetime) -> str:
    """How long a job has waited or run."""
    if record.started_at is not None:
        return format_duration(max(0.0, ((record.ended_at or now) - record.started_at).total_seconds()))
    if record.submitted_at is not None and not record.state.final:
        return f"waits {format_duration(max(0.0, (now - record.submitted_at).total_seconds()))}"
    return "-"


def _row(record: JobRecord) -> tuple[object, ...]:
    return (
        record.id,
        record.name,
        record.state.value,
        f"{record.site}/{record.partition}" if record.site else "-",
        time_in_words(record, datetime.now(UTC)),
        record.reason or "",
    )


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def _clock(when: datetime | None) -> str:
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if when else "-"
