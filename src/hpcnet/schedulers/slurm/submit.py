"""Submission: one remote call, one claim, at most one sbatch."""

from __future__ import annotations

from hpcnet.model.command import Completed, Question
from hpcnet.model.state import Receipt
from hpcnet.model.submission import Submission
from hpcnet.posix.directory import JOB_SCRIPT, OUTPUT
from hpcnet.posix.submit_once import PATIENCE_S, read_left, submit_once
from hpcnet.schedulers.slurm.batch import render
from hpcnet.schedulers.slurm.receipts import read_receipt

# Slurm expands `%` in the path of the output, the job directory's part of it included.
_COMMAND = f"""\
    set --
    case $PWD in
      *%*)
        hpcnet_output=$(printf '%s\\n' "$PWD/{OUTPUT}" | sed 's/%/%%/g')
        set -- "--output=$hpcnet_output" "--error=$hpcnet_output" ;;
    esac
    sbatch --parsable "$@" {JOB_SCRIPT} </dev/null"""


def submit(submission: Submission) -> Question[Receipt]:
    """Raises `JobError` for a job that cannot be said to sbatch."""
    script = submit_once(submission, render(submission), _COMMAND)

    def read(completed: Completed) -> Receipt:
        return read_receipt(read_left(completed, submission))

    return Question(script, read, deadline_s=PATIENCE_S + 30)
