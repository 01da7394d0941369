"""Cancels jobs by their token: an id is believed only if its job bears the token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hpcnet.errors import SchedulerError, Unreachable
from hpcnet.model.command import Completed, Question
from hpcnet.model.site import Site
from hpcnet.model.state import Look
from hpcnet.model.submission import Attempt
from hpcnet.posix.directory import CANCEL
from hpcnet.posix.environment import clean_environment
from hpcnet.posix.quote import quote
from hpcnet.posix.sections import FUNCTIONS, command, read_sections
from hpcnet.schedulers.slurm.controller import PING, controller_trouble
from hpcnet.schedulers.slurm.look import look_text, read_look

_CANCEL = """\
[ -n "$hpcnet_alive" ] || exit 0
hpcnet_jobs=$(squeue -h -a -u "$(id -un)" -o '%A|%j' 2>&1)
hpcnet_ids=
hpcnet_cancel_one() {{
  case $hpcnet_jobs in
    "$2|$1"|"$2|$1
"*|*"
$2|$1
"*|*"
$2|$1") hpcnet_ids="$hpcnet_ids $2" ;;
    *) scancel --user="$(id -un)" --name="$1" ;;
  esac
}}
hpcnet_cancel() {{
  hpcnet_failed=0
{cancels}\
  [ -z "$hpcnet_ids" ] || scancel $hpcnet_ids || hpcnet_failed=$?
  return "$hpcnet_failed"
}}
{marks}\
hpcnet_section scancel hpcnet_cancel
"""


def cancel(site: Site, attempts: Sequence[Attempt], now: Callable[[], datetime]) -> Question[Look]:
    """One call. The reader raises `SchedulerError` with scancel's words, `Unreachable` when
    the controller is down: nothing was cancelled then.
    """
    text = _CANCEL.format(
        cancels="".join(f"  {_one(attempt)} || hpcnet_failed=$?\n" for attempt in attempts),
        marks="".join(
            f"{{ true >{quote(attempt.directory)}/{CANCEL}; }} 2>/dev/null\n" for attempt in attempts
        ),
    )
    script = clean_environment() + FUNCTIONS + PING + text + look_text(site, attempts)

    def read(completed: Completed) -> Look:
        sections = read_sections(completed.stdout)
        trouble = controller_trouble(command(sections, "ping"))
        if trouble is not None:
            raise Unreachable(trouble.message, trouble.hint)
        said = command(sections, "scancel")
        if said is None or said.exit_status != 0:
            words = said.text.strip() if said else completed.stderr.strip() or "no answer"
            raise SchedulerError(f"scancel failed: {words}", hint="try again later")
        return read_look(completed, attempts, now())

    return Question(script, read, deadline_s=180)


def _one(attempt: Attempt) -> str:
    # An id is digits: anything else is no id and only the name is left.
    native_id = attempt.native_id if attempt.native_id and attempt.native_id.isdigit() else "0"
    return f"hpcnet_cancel_one {quote(attempt.token)} {native_id}"
