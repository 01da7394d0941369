"""A dated look at a cluster: one remote call for all its partitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from hpcnet.model.command import Completed, Question
from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import ExpectedStart, PartitionState, SiteState, Trouble
from hpcnet.posix.environment import clean_environment
from hpcnet.posix.sections import FUNCTIONS, Section, command, read_sections
from hpcnet.schedulers.slurm.controller import PING, controller_trouble
from hpcnet.schedulers.slurm.partitions import (
    SINFO_FORMAT,
    SQUEUE_FORMAT,
    partition_states,
    read_jobs,
    read_nodes,
)
from hpcnet.schedulers.slurm.times import moment
from hpcnet.schedulers.slurm.trial import read_trial, trials

_SAME_CLOCK_S = 5.0
# Equal rows are counted over there: a queue of fifty thousand jobs travels as a few hundred lines.
_LOOK = f"""\
[ -n "$hpcnet_alive" ] || exit 0
hpcnet_queue() {{
  squeue -h -a -r -t PENDING,RUNNING -o '{SQUEUE_FORMAT}' || echo 'squeue failed'
}}
hpcnet_counted() {{ hpcnet_queue 2>&1 | sort | uniq -c; }}
hpcnet_section sinfo sinfo -h -a -o '{SINFO_FORMAT}'
hpcnet_section squeue hpcnet_counted
"""


def survey(
    job: JobSpec, site: Site, partitions: Sequence[Partition], access: Access, now: Callable[[], datetime]
) -> Question[SiteState]:
    """Raises `JobError` for a job that cannot be said to sbatch."""
    script = (
        clean_environment()
        + FUNCTIONS
        + "hpcnet_section date date +%s\n"
        + PING
        + _LOOK
        + trials(job, site, partitions, access)
    )

    def read(completed: Completed) -> SiteState:
        return read_survey(completed, site.id, [partition.name for partition in partitions], now())

    return Question(script, read, deadline_s=60 + 20 * len(partitions))


def read_survey(completed: Completed, site: str, asked: Sequence[str], now: datetime) -> SiteState:
    """The state of the site; what kept us from looking is its `trouble`."""
    sections = read_sections(completed.stdout)
    ahead = _clock_ahead(command(sections, "date"), now)
    sinfo = command(sections, "sinfo")
    trouble = controller_trouble(command(sections, "ping")) or _sinfo_trouble(sinfo)
    if trouble is not None or sinfo is None:
        return SiteState(site, now, trouble=trouble, clock_ahead_s=ahead)
    queue = command(sections, "squeue")
    complete = queue is not None and not any("squeue failed" in line for line in queue.lines)
    jobs = read_jobs(queue.lines) if queue is not None and complete else None
    starts = _starts(sections, asked, _skew(ahead))
    shown = partition_states(read_nodes(sinfo.lines), jobs, starts)
    hidden = set(asked) - {state.name for state in shown}
    missing = tuple(
        PartitionState(name, up=False, test_start=starts.get(name)) for name in asked if name in hidden
    )
    return SiteState(site, now, (*shown, *missing), clock_ahead_s=ahead)


def _starts(
    sections: Mapping[str, Section], asked: Sequence[str], ahead: timedelta
) -> dict[str, ExpectedStart]:
    answers = {name: read_trial(command(sections, f"trial {name}"), ahead) for name in asked}
    return {name: answer for name, answer in answers.items() if answer is not None}


def _clock_ahead(date: Section | None, now: datetime) -> float | None:
    theirs = moment(date.text) if date else None
    return (theirs - now).total_seconds() if theirs else None


def _skew(ahead: float | None) -> timedelta:
    """What is to be taken off their moments; `date` has whole seconds, and the answer took its time."""
    return timedelta(seconds=ahead if ahead is not None and abs(ahead) > _SAME_CLOCK_S else 0)


def _sinfo_trouble(sinfo: Section | None) -> Trouble | None:
    if sinfo is None:
        return Trouble("sinfo did not answer", hint="try again later")
    if sinfo.exit_status != 0:
        return Trouble(f"sinfo failed: {sinfo.text.strip()}", hint="try again later")
    return None
