"""The choice of a site, whole: what was known, what was ranked, what was refused and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, where it comes from and how old it is; a missing one is None."""

    value: float | None
    low: float | None
    high: float | None
    source: str
    observed_at: datetime | None = None

    @classmethod
    def missing(cls, sentence: str) -> Estimate:
        """An estimate nobody could make, with the sentence that says why."""
        return cls(None, None, None, sentence)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One site and partition that can run the job, with the terms of its rank."""

    site: str
    partition: str
    wait_s: Estimate
    stage_in_s: Estimate
    run_s: Estimate
    stage_out_s: Estimate
    finish_s: Estimate
    energy_j: Estimate
    carbon_g: Estimate
    cost_node_hours: Estimate
    score: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one site (or one partition of it) cannot run the job."""

    site: str
    partition: str | None
    rule: str
    need: str
    have: str
    reason: str
    hint: str = ""
    exit_code: int = 69


@dataclass(frozen=True, slots=True)
class Decision:
    """A stored decision: `why` and `why-not` print it, nothing is computed again."""

    job: str
    goal: str
    taken_at: datetime
    ranked: tuple[Candidate, ...]
    refused: tuple[Refusal, ...]
    observed: Mapping[str, datetime]

    @property
    def chosen(self) -> Candidate | None:
        """The best candidate, or None if every site refused."""
        return self.ranked[0] if self.ranked else None
