"""What a dated look at a site showed: its partitions, its jobs, or what kept us from looking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class JobState(StrEnum):
    """The states of a job, in the words of PSI/J, with UNKNOWN as a state of its own."""

    NEW = "NEW"
    STAGING = "STAGING"
    SUBMITTING = "SUBMITTING"
    QUEUED = "QUEUED"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    UNKNOWN = "UNKNOWN"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELED)

    @property
    def alive(self) -> bool:
        """Whether the job is at a site, waiting or running."""
        return self in (JobState.QUEUED, JobState.ACTIVE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a site could not be looked at: a value, so that one site's fault is no one else's."""

    message: str
    hint: str = ""
    exit_code: int = 75


@dataclass(frozen=True, slots=True)
class ExpectedStart:
    """What `sbatch --test-only` answered for one partition: a start, or a refusal in its words."""

    starts_at: datetime | None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One partition as surveyed. `pending_node_s` is the work asked for by waiting jobs."""

    name: str
    up: bool
    nodes_total: int | None = None
    nodes_idle: int | None = None
    pending_jobs: int | None = None
    pending_node_s: int | None = None
    running_jobs: int | None = None
    test_start: ExpectedStart | None = None


@dataclass(frozen=True, slots=True)
class SiteState:
    """A dated look at a site."""

    site: str
    observed_at: datetime
    partitions: tuple[PartitionState, ...] = ()
    trouble: Trouble | None = None
    clock_ahead_s: float | None = None

    def partition(self, name: str) -> PartitionState | None:
        """The surveyed partition of this name, if the site showed it."""
        return next((item for item in self.partitions if item.name == name), None)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One job as seen at a site.

    `seen_in`: queue, accounting, sentinel (written by the job) or submission (what the submitting
    script left in the job directory).
    """

    state: JobState
    seen_in: str
    native_id: str | None = None
    native_state: str | None = None
    reason: str | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The answer to one status query for any number of jobs: sightings by token.

    A token that is missing from `sightings` was seen nowhere, and only when `conclusive` (every
    source that the site has did answer) may anything be concluded from that.
    """

    observed_at: datetime
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    conclusive: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a submission left at the site: accepted with an id, refused, or not known.

    Exactly one of `native_id` and `refusal` is set; neither means: it cannot be told, look again.
    """

    directory: str
    native_id: str | None = None
    refusal: str | None = None
    words: str = ""
