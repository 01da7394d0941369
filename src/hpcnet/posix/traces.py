"""What a job leaves in its directory: read for any number of jobs without starting a process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hpcnet.model.state import JobState, Sighting
from hpcnet.model.submission import Attempt
from hpcnet.posix.directory import CANCEL, EXIT, STARTED, SUBMIT
from hpcnet.posix.quote import quote
from hpcnet.posix.sections import Section
from hpcnet.posix.submit_once import Left, left_in

_FILES = {
    "exit": EXIT,
    "started": STARTED,
    "cancel": CANCEL,
    "who": f"{SUBMIT}/who",
    "rc": f"{SUBMIT}/rc",
    "out": f"{SUBMIT}/out",
    "err": f"{SUBMIT}/err",
}
_ALWAYS = ("exit", "started", "cancel")


@dataclass(frozen=True, slots=True)
class Mark:
    """`started` or `exit` as the job wrote it; `exit_status` is None while it runs."""

    native_id: str | None
    host: str | None
    started_at: datetime | None
    ended_at: datetime | None
    exit_status: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Traces:
    """All that one job left. `claimed_at`: when a submission took the directory (site's clock)."""

    exit: Mark | None
    started: Mark | None
    cancel_asked: bool
    claimed_at: datetime | None
    left: Left


def show_traces(attempts: Sequence[Attempt]) -> str:
    """Shell text, below `sections.FUNCTIONS`: sections named `<position> <file>`."""
    return "".join(_show(position, attempt) for position, attempt in enumerate(attempts))


def read_traces(sections: Mapping[str, Section], position: int, attempt: Attempt) -> Traces:
    """The traces of the attempt at this position."""

    def text(name: str) -> Section | None:
        return sections.get(f"{position} {name}")

    who = text("who")
    return Traces(
        exit=_mark(text("exit")),
        started=_mark(text("started")),
        cancel_asked=text("cancel") is not None,
        claimed_at=_moment(who.text.rpartition(" ")[2]) if who else None,
        left=left_in(attempt.directory, text("rc"), text("out"), text("err")),
    )


def verdict(native_id: str | None, mark: Mark, cancel_asked: bool) -> Sighting:
    """A job that wrote how it ended."""
    status = mark.exit_status
    state = JobState.COMPLETED if status == 0 else JobState.FAILED
    reason = None if status == 0 else f"exit status {status}"
    if status is None:
        reason = "its exit sentinel cannot be read"
    elif mark.reason == "walltime":
        state, reason = JobState.FAILED, "it ran into its walltime"
    elif status > 128 and cancel_asked:
        state, reason = JobState.CANCELED, "canceled"
    return Sighting(state, "sentinel", native_id, None, reason, status, mark.started_at, mark.ended_at)


def _show(position: int, attempt: Attempt) -> str:
    names = _ALWAYS if attempt.native_id is not None else tuple(_FILES)
    place = quote(attempt.directory)
    return "".join(f"hpcnet_show '{position} {name}' {place}/{_FILES[name]}\n" for name in names)


def _mark(section: Section | None) -> Mark | None:
    if section is None:
        return None
    values = {name: value for name, _, value in (line.partition(" ") for line in section.lines)}
    status = values.get("status", "")
    return Mark(
        native_id=values.get("native_id") or None,
        host=values.get("host") or None,
        started_at=_moment(values.get("started", "")),
        ended_at=_moment(values.get("ended", "")),
        exit_status=int(status) if status.isdigit() else None,
        reason=values.get("reason") or None,
    )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
