"""Plan: survey the sites that could run the job, and decide."""

from __future__ import annotations

from dataclasses import dataclass

from hpcnet.broker.context import EMBEDDED_SITE, Broker
from hpcnet.broker.survey import survey
from hpcnet.errors import Fault, JobError, NoSiteFits
from hpcnet.matchmaking.match import Knowledge, match, partitions_to_survey
from hpcnet.model.decision import Decision, Refusal
from hpcnet.model.job import Goal, JobSpec
from hpcnet.model.plain import to_plain
from hpcnet.model.site import Site
from hpcnet.model.state import SiteState


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to plan: from descriptors only, and whether sites without access are ranked too."""

    offline: bool = False
    all_sites: bool = False


def plan(broker: Broker, job_id: str, job: JobSpec, wishes: Wishes = Wishes()) -> Decision:
    """The decision for this job now. Contacts the sites with access, changes nothing there."""
    _refuse_unknown_sites(broker, job)
    known = _knowledge(broker, job, wishes)
    states: dict[str, SiteState] = {}
    if not wishes.offline:
        partitions = {site.id: partitions_to_survey(job, site, known) for site in known.sites}
        states = survey(broker, job, partitions, known.access)
    known = _knowledge(broker, job, wishes, states)
    return match(job_id, job, known, broker.clock.now())


def refuse_if_nothing_fits(decision: Decision) -> None:
    """Raise `NoSiteFits` unless the decision has a candidate.

    The exit code tells whether it is worth trying again: when every site that was asked only had
    trouble, it is the trouble's own code (75 or 77), else 69.
    """
    if decision.chosen is not None:
        return
    error = NoSiteFits(
        "no site can run this job now",
        hint="each refusal says what would make the site fit",
    )
    error.exit_code = _exit_code(decision.refused)
    error.details = {**to_plain(decision), "chosen": None}
    raise error


def _exit_code(refused: tuple[Refusal, ...]) -> int:
    asked = {item.exit_code for item in refused if item.rule not in ("access", "kind", "shortlist")}
    if asked == {77}:
        return 77
    return 75 if asked and asked <= {75, 77} else NoSiteFits.exit_code


def _knowledge(
    broker: Broker, job: JobSpec, wishes: Wishes, states: dict[str, SiteState] | None = None
) -> Knowledge:
    defaults = broker.configuration.defaults
    access = broker.access(job.preferences.sites)
    return Knowledge(
        sites=[site for site in broker.sites.values() if _considered(site, job, site.id in access, wishes)],
        access=access,
        states=states or {},
        goal=job.preferences.goal or Goal(defaults.goal),
        home_site=defaults.home_site,
        needs_access=not wishes.all_sites,
    )


def _considered(site: Site, job: JobSpec, has_access: bool, wishes: Wishes) -> bool:
    if site.id == EMBEDDED_SITE:
        return has_access
    return site.kind == "cluster" or wishes.all_sites or site.id in job.preferences.sites


def _refuse_unknown_sites(broker: Broker, job: JobSpec) -> None:
    faults = [
        Fault(f"preferences.{key}", f"there is no site '{site_id}'", "see hpcnet site list")
        for key in ("sites", "exclude_sites")
        for site_id in getattr(job.preferences, key)
        if site_id not in broker.sites
    ]
    if faults:
        raise JobError("the job names sites that are not there", faults)
