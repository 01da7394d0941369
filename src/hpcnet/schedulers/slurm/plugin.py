"""Slurm as a scheduler: the verbs of `hpcnet.ports.Scheduler`, each in its own module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hpcnet.model.command import Question
from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import Look, Receipt, SiteState
from hpcnet.model.submission import Attempt, Submission
from hpcnet.schedulers.slurm import batch, cancel, look, submit, survey


def utc_now() -> datetime:
    """The time when an answer is read."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Slurm:
    """`now` dates the answers; tests hold it."""

    now: Callable[[], datetime] = utc_now

    def survey(
        self, job: JobSpec, site: Site, partitions: Sequence[Partition], access: Access
    ) -> Question[SiteState]:
        """One remote call for all partitions, with a start estimate for `job` in each given one."""
        return survey.survey(job, site, partitions, access, self.now)

    def render(self, submission: Submission) -> str:
        """The batch script. Raises `JobError`."""
        return batch.render(submission)

    def submit(self, submission: Submission) -> Question[Receipt]:
        """At most one sbatch per directory. Raises `JobError`."""
        return submit.submit(submission)

    def look(self, site: Site, attempts: Sequence[Attempt]) -> Question[Look]:
        """One status query for any number of attempts."""
        return look.look(site, attempts, self.now)

    def cancel(self, site: Site, attempts: Sequence[Attempt]) -> Question[Look]:
        """Cancel these attempts, each found by its token, and look."""
        return cancel.cancel(site, attempts, self.now)
