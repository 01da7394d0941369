"""At most one submission per job directory: whoever makes the claim submits, all others read what it left."""

from __future__ import annotations

from dataclasses import dataclass

from hpcnet.errors import UnreadableAnswer
from hpcnet.model.command import Completed
from hpcnet.model.submission import Submission
from hpcnet.posix.directory import JOB_SCRIPT, OWN, PAYLOAD, SUBMIT, TOKEN
from hpcnet.posix.environment import clean_environment, users_locale
from hpcnet.posix.quote import quote, write_file
from hpcnet.posix.sections import FUNCTIONS, Section, read_sections

# sbatch itself tries again for up to 120 s when its controller is busy.
PATIENCE_S = 130
NOT_WRITTEN = 73

_SCRIPT = """\
hpcnet_sorry() {{ printf 'hpcnet: %s\\n' "$1" >&2; exit {not_written}; }}
mkdir -p -- {directory}/{own} && cd -- {directory} || hpcnet_sorry 'the job directory cannot be made'
hpcnet_give_up() {{ rm -rf {submit}; hpcnet_sorry 'the job directory cannot be written'; }}
if mkdir {submit} 2>/dev/null; then
  printf '%s %s %s\\n' "$(uname -n)" "$$" "$(date +%s)" >{submit}/who || hpcnet_give_up
  printf '%s\\n' {token} >{token_file} || hpcnet_give_up
  {write_job} || hpcnet_give_up
{payload}\
  (
{users_locale}\
{command}
  ) >{submit}/out 2>{submit}/err
  printf '%s\\n' "$?" >{submit}/rc.new && mv -f {submit}/rc.new {submit}/rc
elif [ ! -d {submit} ]; then
  hpcnet_sorry 'the job directory cannot be written'
else
  hpcnet_waited=0
  while [ ! -f {submit}/rc ] && [ "$hpcnet_waited" -lt {patience} ] &&
    {{ [ -f {submit}/who ] || [ "$hpcnet_waited" -lt 3 ]; }}; do
    sleep 1
    hpcnet_waited=$((hpcnet_waited + 1))
  done
fi
printf '@directory\\n'; pwd -P | sed 's/^/|/'
hpcnet_show rc {submit}/rc
hpcnet_show out {submit}/out
hpcnet_show err {submit}/err
"""

_PAYLOAD = """\
  {write_payload} || hpcnet_give_up
  chmod u+x {payload_file}
"""


@dataclass(frozen=True, slots=True)
class Left:
    """What a submission left in `.hpcnet/submit`. `exit_status` is None where it has not ended."""

    directory: str
    exit_status: int | None
    out: str = ""
    err: str = ""

    @property
    def words(self) -> str:
        """Everything it said."""
        return "\n".join(part for part in (self.err.strip(), self.out.strip()) if part)


def submit_once(submission: Submission, job_text: str, command: str) -> str:
    """The script of a submission. `command` is shell text, run in the job directory."""
    payload = submission.job.script
    text = _SCRIPT.format(
        not_written=NOT_WRITTEN,
        directory=quote(submission.directory),
        own=OWN,
        submit=SUBMIT,
        token=quote(submission.token),
        token_file=TOKEN,
        write_job=write_file(JOB_SCRIPT, job_text),
        payload="" if payload is None else _payload(payload),
        users_locale=users_locale(),
        command=command,
        patience=PATIENCE_S,
    )
    return clean_environment() + FUNCTIONS + text


def _payload(text: str) -> str:
    return _PAYLOAD.format(payload_file=PAYLOAD, write_payload=write_file(PAYLOAD, text))


def read_left(completed: Completed, submission: Submission) -> Left:
    """What the submission left. Raises `UnreadableAnswer` for an answer that is none of ours."""
    if completed.exit_status == NOT_WRITTEN:
        return Left(submission.directory, NOT_WRITTEN, err=completed.stderr)
    sections = read_sections(completed.stdout)
    if "directory" not in sections:
        raise UnreadableAnswer(
            "the answer to a submission cannot be read", completed.stdout + completed.stderr
        )
    return left_in(sections["directory"].text, sections.get("rc"), sections.get("out"), sections.get("err"))


def left_in(directory: str, rc: Section | None, out: Section | None, err: Section | None) -> Left:
    """The files of `.hpcnet/submit` as a value."""
    status = rc.text.strip() if rc else ""
    exit_status = int(status) if status.isdigit() else None
    return Left(directory, exit_status, out.text if out else "", err.text if err else "")
