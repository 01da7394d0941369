"""One status query for any number of jobs: queue first, then sentinels, then accounting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from hpcnet.errors import TimedOut, Unreachable
from hpcnet.model.command import Completed, Question
from hpcnet.model.site import Site
from hpcnet.model.state import JobState, Look, Sighting
from hpcnet.model.submission import Attempt
from hpcnet.posix.environment import clean_environment
from hpcnet.posix.quote import quote
from hpcnet.posix.sections import FUNCTIONS, Section, command, read_sections
from hpcnet.posix.traces import read_traces, show_traces
from hpcnet.schedulers.slurm.controller import PING, controller_trouble
from hpcnet.schedulers.slurm.rows import (
    ACCOUNTING_FIELDS,
    QUEUE_FORMAT,
    Row,
    read_accounting,
    read_queue,
    refusal_of,
    row_of,
)
from hpcnet.schedulers.slurm.sight import sight
from hpcnet.schedulers.slurm.times import EPOCH_ENVIRONMENT, moment

_QUEUE = f"""\
hpcnet_user=$(id -un)
hpcnet_queue() {{
  env {EPOCH_ENVIRONMENT} squeue -h -a -t all -u "$hpcnet_user" -o '{QUEUE_FORMAT}'
}}
hpcnet_answer() {{ printf '%s\\n' "$hpcnet_rows"; return "$hpcnet_queued"; }}
hpcnet_rows=
if [ -n "$hpcnet_alive" ]; then
  hpcnet_rows=$(hpcnet_queue 2>&1)
  hpcnet_queued=$?
  hpcnet_section squeue hpcnet_answer
fi
"""

_WINDOW = "60days"
# Only what is in neither the queue nor its own directory is looked up in accounting.
_ACCOUNTING = """\
hpcnet_lost=
hpcnet_seek() {{
  [ -f "$2/.hpcnet/exit" ] && return
  case $hpcnet_rows in
    *"|$1
"*|*"|$1") ;;
    *) hpcnet_lost="$hpcnet_lost,$1" ;;
  esac
}}
{seek}\
hpcnet_account() {{
  env {environment} sacct -X -D -n -P -S now-{window} -u "$hpcnet_user" \\
    --name="${{hpcnet_lost#,}}" -o {fields}
}}
[ -z "$hpcnet_lost" ] || [ -z "$hpcnet_alive" ] || hpcnet_section sacct hpcnet_account
"""


def look(site: Site, attempts: Sequence[Attempt], now: Callable[[], datetime]) -> Question[Look]:
    """One call. The reader raises `Unreachable` or `TimedOut` when nothing at all could be learnt."""
    script = clean_environment() + FUNCTIONS + look_text(site, attempts)

    def read(completed: Completed) -> Look:
        return read_look(completed, attempts, now())

    return Question(script, read, deadline_s=120)


def look_text(site: Site, attempts: Sequence[Attempt]) -> str:
    """Shell text, below the clean environment and `sections.FUNCTIONS`."""
    # The queue before the sentinels: a job that ends in between is then found by its sentinel.
    seek = "".join(f"hpcnet_seek {quote(item.token)} {quote(item.directory)}\n" for item in attempts)
    accounting = _ACCOUNTING.format(
        seek=seek, environment=EPOCH_ENVIRONMENT, fields=ACCOUNTING_FIELDS, window=_WINDOW
    )
    wanted = accounting if site.scheduler.accounting is not False and attempts else ""
    return "hpcnet_section date date +%s\n" + PING + _QUEUE + show_traces(attempts) + wanted


def read_look(completed: Completed, attempts: Sequence[Attempt], now: datetime) -> Look:
    """The sightings by token. See `look` for what it raises."""
    sections = read_sections(completed.stdout)
    date = command(sections, "date")
    site_now = (moment(date.text) if date else None) or now
    queue, accounting = command(sections, "squeue"), command(sections, "sacct")
    queue_known = queue is not None and queue.exit_status == 0
    rows = (*_rows(queue, read_queue), *_rows(accounting, read_accounting))
    sightings = _sightings(sections, attempts, rows, site_now, queue_known)
    if not sightings and not queue_known:
        _raise_trouble(sections, queue)
    conclusive = queue_known and _accounting_answered(sections, accounting)
    return Look(now, sightings, conclusive)


def _sightings(
    sections: Mapping[str, Section],
    attempts: Sequence[Attempt],
    rows: Sequence[Row],
    site_now: datetime,
    queue_known: bool,
) -> dict[str, Sighting]:
    found = {}
    for position, attempt in enumerate(attempts):
        traces = read_traces(sections, position, attempt)
        known_id = attempt.native_id or (traces.started.native_id if traces.started else None)
        row = row_of(attempt.token, rows, known_id)
        seen = sight(attempt, traces, row, site_now, queue_known) or _refused(attempt, rows)
        if seen is not None:
            found[attempt.token] = seen
    return found


def _refused(attempt: Attempt, rows: Sequence[Row]) -> Sighting | None:
    row = refusal_of(attempt.token, rows)
    if row is None:
        return None
    return Sighting(JobState.FAILED, row.seen_in, None, row.native_state, f"refused: {row.reason}")


def _rows(section: Section | None, read: Callable[[list[str]], tuple[Row, ...]]) -> tuple[Row, ...]:
    return read(section.lines) if section is not None and section.exit_status == 0 else ()


def _accounting_answered(sections: Mapping[str, Section], accounting: Section | None) -> bool:
    """Whether accounting answered, was not needed, or is not kept at this site."""
    if "sacct" not in sections:
        return True
    if accounting is None:
        return False
    return accounting.exit_status == 0 or "accounting storage is disabled" in accounting.text


def _raise_trouble(sections: Mapping[str, Section], queue: Section | None) -> None:
    trouble = controller_trouble(command(sections, "ping"))
    if trouble is not None:
        raise Unreachable(trouble.message, trouble.hint)
    words = queue.text.strip() if queue else "no answer"
    raise TimedOut(f"squeue did not answer: {words}", hint="try again later")
