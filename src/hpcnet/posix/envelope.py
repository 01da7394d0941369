"""The batch script around a payload: fence, set-up, launch, exit sentinel. Every scheduler shares it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hpcnet.model.submission import Submission
from hpcnet.posix.directory import CLAIM, EXIT, PAYLOAD, REASON, STARTED, TOKEN
from hpcnet.posix.launch import command_words, interpreter_words, launcher_words, setup_lines
from hpcnet.posix.quote import quote, quote_all


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a scheduler adds to the neutral script.

    `native_id` is a shell expression for the job's own id. `directives` stand right below the
    first line. `exports` are variables for set-up and payload. `walltime_s` is enforced by the
    script itself where no scheduler does it. `launch_single`: the launcher starts even one task.
    """

    native_id: str
    directives: Sequence[str] = ()
    exports: Mapping[str, str] = field(default_factory=dict)
    walltime_s: int | None = None
    launch_single: bool = True


_FENCE = f"""
hpcnet_token={{token}}
for hpcnet_place in . {{directory}} "$HOME"/{{directory}}; do
  [ "$(cat -- "$hpcnet_place/{TOKEN}" 2>/dev/null)" = "$hpcnet_token" ] && break
done
cd -- "$hpcnet_place" && [ "$(cat {TOKEN})" = "$hpcnet_token" ] || {{{{
  echo "hpcnet: this is not the directory of job $hpcnet_token: nothing was run" >&2
  exit 73
}}}}
hpcnet_native_id={{native_id}}
if mkdir {CLAIM} 2>/dev/null; then
  printf '%s\\n' "$hpcnet_native_id" >{CLAIM}/holder || {{{{ rm -rf {CLAIM}; exit 73; }}}}
else
  [ -s {CLAIM}/holder ] || sleep 2
  hpcnet_holder=$(cat {CLAIM}/holder 2>/dev/null)
  if [ "$hpcnet_holder" != "$hpcnet_native_id" ]; then
    echo "hpcnet: job $hpcnet_holder runs this already: $hpcnet_native_id does nothing"
    exit 0
  fi
fi
"""

_SENTINEL = f"""
rm -f {EXIT} {REASON}
hpcnet_host=$(hostname 2>/dev/null || uname -n)
hpcnet_started=$(date +%s)
hpcnet_payload=
hpcnet_watchdog=
hpcnet_note() {{
  printf 'native_id %s\\nhost %s\\nstarted %s\\n' "$hpcnet_native_id" "$hpcnet_host" "$hpcnet_started"
}}
hpcnet_note >{STARTED}.new && mv -f {STARTED}.new {STARTED}
hpcnet_finish() {{
  hpcnet_status=$?
  trap - EXIT
  [ -z "$hpcnet_watchdog" ] || kill -s KILL "$hpcnet_watchdog" 2>/dev/null
  {{
    hpcnet_note
    printf 'ended %s\\nreason %s\\nstatus %s\\n' "$(date +%s)" "$(cat {REASON} 2>/dev/null)" "$hpcnet_status"
  }} >{EXIT}.new && mv -f {EXIT}.new {EXIT}
  exit "$hpcnet_status"
}}
hpcnet_forward() {{
  if [ -n "$hpcnet_payload" ]; then kill -s "$1" "$hpcnet_payload" 2>/dev/null; else exit "$2"; fi
}}
trap hpcnet_finish EXIT
trap 'hpcnet_forward HUP 129' HUP
trap 'hpcnet_forward TERM 143' TERM
trap 'hpcnet_forward TERM 130' INT
trap 'hpcnet_forward USR1 138' USR1
trap 'hpcnet_forward USR2 140' USR2
"""

# Short naps: a signal to a shell that was just forked can be lost, and would leave a long one behind.
_WATCHDOG = """
hpcnet_payload=$!
(
  hpcnet_left={walltime_s}
  while [ "$hpcnet_left" -gt 0 ]; do
    hpcnet_nap=5
    [ "$hpcnet_left" -ge 5 ] || hpcnet_nap=$hpcnet_left
    sleep "$hpcnet_nap"
    hpcnet_left=$((hpcnet_left - hpcnet_nap))
    kill -0 $$ || exit
  done
  echo walltime >{reason}
  trap '' TERM
  kill -s TERM -- -$$ || kill -s TERM $$
  sleep 10
  kill -s KILL "$hpcnet_payload"
) </dev/null >/dev/null 2>&1 &
hpcnet_watchdog=$!
"""

_SETUP = """
hpcnet_setup() {
  command eval "$1" && return
  echo "hpcnet: this set-up line of the site failed: $1" >&2
  exit 78
}
"""

_MODULES = """
command -v module >/dev/null 2>&1 || { [ -r /etc/profile ] && . /etc/profile; }
"""

_WAIT = """
hpcnet_payload=${hpcnet_payload:-$!}
while :; do
  wait "$hpcnet_payload"
  hpcnet_status=$?
  kill -0 "$hpcnet_payload" 2>/dev/null || break
done
exit "$hpcnet_status"
"""


def job_script(submission: Submission, envelope: Envelope) -> str:
    """The whole batch script. Raises `JobError` for what cannot be run."""
    parts = [
        "\n".join(("#!/bin/sh", *envelope.directives)),
        _FENCE.format(
            token=quote(submission.token),
            directory=quote(submission.directory),
            native_id=envelope.native_id,
        ),
        _SENTINEL,
        _exports(submission, envelope),
        _setup(submission),
        _payload(submission, envelope),
        _watchdog(envelope.walltime_s),
        _WAIT,
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _exports(submission: Submission, envelope: Envelope) -> str:
    launcher = launcher_words(submission.site, submission.job.requirements)
    ours = {
        "HPCNET_JOB": submission.token.rpartition(".")[0] or submission.token,
        "HPCNET_TOKEN": submission.token,
        "HPCNET_LAUNCHER": " ".join(launcher),
    }
    variables = ours | dict(envelope.exports)
    return "\n".join(f"export {name}={quote(value)}" for name, value in variables.items())


def _setup(submission: Submission) -> str:
    lines = setup_lines(submission)
    if not lines:
        return ""
    # `module` is a function of the login shell, which a batch script is not.
    modules = _MODULES if any(line.lstrip().startswith(("module ", "ml ")) for line in lines) else ""
    return modules + _SETUP + "\n".join(f"hpcnet_setup {quote(line)}" for line in lines)


def _payload(submission: Submission, envelope: Envelope) -> str:
    if submission.job.script is not None:
        interpreter = quote_all(interpreter_words(submission.job.script))
        # Where files may not be executed (noexec), the interpreter reads the script itself.
        return f"if [ -x {PAYLOAD} ]; then exec ./{PAYLOAD}; else exec {interpreter} ./{PAYLOAD}; fi &"
    need = submission.job.requirements
    parallel = need.tasks > 1 or envelope.launch_single
    launcher = launcher_words(submission.site, need) if parallel else ()
    return f"{quote_all((*launcher, *command_words(submission)))} &"


def _watchdog(walltime_s: int | None) -> str:
    return "" if walltime_s is None else _WATCHDOG.format(walltime_s=walltime_s, reason=REASON)
