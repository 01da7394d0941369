"""No scheduler at all: a job starts at once, in its own session, on the machine that is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hpcnet.model.command import Completed, Question
from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import JobState, Look, PartitionState, Receipt, Sighting, SiteState
from hpcnet.model.submission import Attempt, Submission
from hpcnet.posix.directory import CANCEL, EXIT, JOB_SCRIPT, OUTPUT, SUBMIT, TOKEN
from hpcnet.posix.envelope import Envelope, job_script
from hpcnet.posix.environment import clean_environment
from hpcnet.posix.quote import quote
from hpcnet.posix.sections import FUNCTIONS, command, read_sections
from hpcnet.posix.submit_once import PATIENCE_S, Left, read_left, submit_once
from hpcnet.posix.traces import Traces, read_traces, show_traces, verdict

PARTITION = "local"

# A process is its id and its start (field 22 of /proc/PID/stat): ids alone are used again.
_BIRTH = """\
hpcnet_birth() {
  hpcnet_stat=
  [ -r "/proc/$1/stat" ] && read -r hpcnet_stat <"/proc/$1/stat"
  hpcnet_stat=${hpcnet_stat##*) }
  set -- $hpcnet_stat
  printf '%s' "${20:-unknown}"
}
"""

_START = f"""\
{_BIRTH}\
    if command -v setsid >/dev/null 2>&1; then
      setsid /bin/sh {JOB_SCRIPT} </dev/null >>{OUTPUT} 2>&1 &
    else
      nohup /bin/sh {JOB_SCRIPT} </dev/null >>{OUTPUT} 2>&1 &
    fi
    printf '%s:%s\\n' "$!" "$(hpcnet_birth "$!")"
"""

_ALIVE = f"""\
hpcnet_alive() {{
  [ -n "$1" ] && kill -0 "${{1%%:*}}" 2>/dev/null || return 1
  case "$(hpcnet_birth "${{1%%:*}}")" in unknown|"${{1#*:}}") ;; *) return 1 ;; esac
}}
hpcnet_look() {{
  hpcnet_id=$2
  [ -n "$hpcnet_id" ] || hpcnet_id=$(cat -- "$3/{SUBMIT}/out" 2>/dev/null)
  if hpcnet_alive "$hpcnet_id"; then printf '@%s alive\\n' "$1"; fi
}}
"""

_STOP = f"""\
hpcnet_stop() {{
  {{ true >"$2/{CANCEL}"; }} 2>/dev/null
  [ "$(cat -- "$2/{TOKEN}" 2>/dev/null)" = "$3" ] || return 0
  hpcnet_id=$1
  [ -n "$hpcnet_id" ] || hpcnet_id=$(cat -- "$2/{SUBMIT}/out" 2>/dev/null)
  hpcnet_alive "$hpcnet_id" || return 0
  hpcnet_pid=${{hpcnet_id%%:*}}
  kill -s TERM -- "-$hpcnet_pid" 2>/dev/null || kill -s TERM "$hpcnet_pid"
  hpcnet_waited=0
  while [ ! -f "$2/{EXIT}" ] && [ "$hpcnet_waited" -lt 10 ] && hpcnet_alive "$hpcnet_id"; do
    sleep 1
    hpcnet_waited=$((hpcnet_waited + 1))
  done
  kill -s KILL -- "-$hpcnet_pid" 2>/dev/null
}}
"""


def utc_now() -> datetime:
    """The time when an answer is read."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Fork:
    """`now` dates the answers; tests hold it."""

    now: Callable[[], datetime] = utc_now

    def survey(
        self, job: JobSpec, site: Site, partitions: Sequence[Partition], access: Access
    ) -> Question[SiteState]:
        """One node that is always free: whatever runs there shares it."""
        del job, access
        names = [partition.name for partition in partitions] or [PARTITION]

        def read(completed: Completed) -> SiteState:
            date = completed.stdout.strip()
            now = self.now()
            ahead = int(date) - now.timestamp() if date.isdigit() else None
            states = tuple(PartitionState(name, True, 1, 1, 0, 0) for name in names)
            return SiteState(site.id, now, states, clock_ahead_s=ahead)

        return Question("date +%s\n", read, deadline_s=30)

    def render(self, submission: Submission) -> str:
        """The script; it watches its walltime itself. Raises `JobError`."""
        need = submission.job.requirements
        native_id = '"$$:$(hpcnet_birth $$)"'
        envelope = Envelope(native_id, [_BIRTH.rstrip("\n")], walltime_s=need.walltime_s, launch_single=False)
        return job_script(submission, envelope)

    def submit(self, submission: Submission) -> Question[Receipt]:
        """Start the job, at most once per directory. Raises `JobError`."""
        script = submit_once(submission, self.render(submission), _START)

        def read(completed: Completed) -> Receipt:
            return _receipt(read_left(completed, submission))

        return Question(script, read, deadline_s=PATIENCE_S + 30)

    def look(self, site: Site, attempts: Sequence[Attempt]) -> Question[Look]:
        """One query: is the process there, and what did it leave."""
        del site
        script = clean_environment() + FUNCTIONS + _BIRTH + _ALIVE + _look_text(attempts)
        return Question(script, lambda completed: self._read(completed, attempts), deadline_s=60)

    def cancel(self, site: Site, attempts: Sequence[Attempt]) -> Question[Look]:
        """End the process groups whose directory bears the token, and look."""
        del site
        stops = "".join(
            f"hpcnet_stop {quote(item.native_id or '')} {quote(item.directory)} {quote(item.token)} &\n"
            for item in attempts
        )
        text = _BIRTH + _ALIVE + _STOP + stops + "wait\n" + _look_text(attempts)
        script = clean_environment() + FUNCTIONS + text
        return Question(script, lambda completed: self._read(completed, attempts), deadline_s=60)

    def _read(self, completed: Completed, attempts: Sequence[Attempt]) -> Look:
        sections = read_sections(completed.stdout)
        sightings = {}
        for position, attempt in enumerate(attempts):
            traces = read_traces(sections, position, attempt)
            seen = _sight(attempt, traces, f"{position} alive" in sections)
            if seen is not None:
                sightings[attempt.token] = seen
        return Look(self.now(), sightings, conclusive=command(sections, "end") is not None)


def _look_text(attempts: Sequence[Attempt]) -> str:
    # The process before its sentinel: one that ends in between is then found by its sentinel.
    alive = "".join(
        f"hpcnet_look {position} {quote(item.native_id or '')} {quote(item.directory)}\n"
        for position, item in enumerate(attempts)
    )
    return alive + show_traces(attempts) + "hpcnet_section end true\n"


def _receipt(left: Left) -> Receipt:
    native_id = left.out.strip()
    if left.exit_status == 0 and native_id:
        return Receipt(left.directory, native_id=native_id, words=left.words)
    refusal = left.words or "the job could not be started"
    return Receipt(left.directory, refusal=refusal if left.exit_status else None, words=left.words)


def _sight(attempt: Attempt, traces: Traces, alive: bool) -> Sighting | None:
    receipt = _receipt(traces.left)
    native_id = attempt.native_id or receipt.native_id
    if traces.exit is not None:
        return verdict(native_id, traces.exit, traces.cancel_asked)
    if alive:
        started_at = traces.started.started_at if traces.started else None
        return Sighting(JobState.ACTIVE, "queue", native_id, "running", started_at=started_at)
    if native_id is None:
        return Sighting(JobState.FAILED, "submission", reason=receipt.refusal) if receipt.refusal else None
    reason = "it was killed, or the machine was started anew: there is no exit sentinel"
    state = JobState.CANCELED if traces.cancel_asked else JobState.FAILED
    return Sighting(state, "queue", native_id, "gone", reason)


SCHEDULER = Fork()
