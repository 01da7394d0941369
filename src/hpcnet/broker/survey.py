"""A dated look at all sites at once: one remote call a site, whatever its number of partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from hpcnet.broker.context import Broker
from hpcnet.broker.together import together
from hpcnet.errors import AccessError, HpcnetError, LinkError, SchedulerError
from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.progress import Progress
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import SiteState, Trouble


def survey(
    broker: Broker, job: JobSpec, partitions: Mapping[str, Sequence[Partition]], access: Mapping[str, Access]
) -> dict[str, SiteState]:
    """Look at every site that has a partition in `partitions`, all in parallel.

    A site that cannot be looked at is a value with `trouble`, never an exception.
    """
    site_ids = [site_id for site_id, items in partitions.items() if items]
    work = {
        site_id: partial(_look, broker, job, broker.sites[site_id], partitions[site_id], access[site_id])
        for site_id in site_ids
    }
    states: dict[str, SiteState] = {}
    for site_id, state in together(work):
        states[site_id] = state
        broker.tell(Progress("survey", "surveying sites", len(states), len(site_ids)))
    return {site_id: states[site_id] for site_id in site_ids}


def _look(
    broker: Broker, job: JobSpec, site: Site, partitions: Sequence[Partition], access: Access
) -> SiteState:
    try:
        question = broker.scheduler(site).survey(job, site, partitions, access)
        return broker.links.ask(site, question)
    except (LinkError, AccessError, SchedulerError) as error:
        return SiteState(site.id, broker.clock.now(), trouble=_trouble(error))


def _trouble(error: HpcnetError) -> Trouble:
    return Trouble(error.message, error.hint, error.exit_code)
