"""What a rule or an estimate looks at: one job beside one site, or one of its partitions."""

from __future__ import annotations

from dataclasses import dataclass

from hpcnet.model.configuration import Access
from hpcnet.model.decision import Refusal
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import PartitionState, SiteState


@dataclass(frozen=True, slots=True)
class SiteCase:
    """One job beside one site; `state` is None when the site was not surveyed (offline)."""

    job: JobSpec
    site: Site
    access: Access | None
    state: SiteState | None

    def refuse(self, rule: str, *, need: str, have: str, reason: str, hint: str = "") -> Refusal:
        """A refusal of the whole site by this rule."""
        return Refusal(self.site.id, None, rule, need, have, reason, hint)


@dataclass(frozen=True, slots=True)
class PartitionCase:
    """One job beside one partition; `state` is None when it was not surveyed."""

    job: JobSpec
    site: Site
    partition: Partition
    access: Access | None
    state: PartitionState | None

    def refuse(self, rule: str, *, need: str, have: str, reason: str, hint: str = "") -> Refusal:
        """A refusal of this partition by this rule."""
        return Refusal(self.site.id, self.partition.name, rule, need, have, reason, hint)
