"""Hard rules about a whole site. Each returns None, or the refusal with its sentence.

`RULES` is the list; a new rule is a new function in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from hpcnet.matchmaking.case import SiteCase
from hpcnet.model.decision import Refusal

SiteRule = Callable[[SiteCase], Refusal | None]

_SOFTWARE = re.compile(r"\s*(?P<name>[A-Za-z0-9_.+-]+?)\s*(?:>=\s*(?P<least>[0-9][0-9.]*))?\s*")


def shortlist(case: SiteCase) -> Refusal | None:
    """The job names the sites it wants."""
    wanted = case.job.preferences.sites
    if not wanted or case.site.id in wanted:
        return None
    return case.refuse(
        "shortlist",
        need="one of " + ", ".join(wanted),
        have=case.site.id,
        reason="the job asks for other sites only",
        hint="add it to preferences.sites",
    )


def exclusion(case: SiteCase) -> Refusal | None:
    """The job names sites it does not want."""
    if case.site.id not in case.job.preferences.exclude_sites:
        return None
    return case.refuse(
        "exclusion",
        need="not " + case.site.id,
        have=case.site.id,
        reason="the job excludes this site",
        hint="remove it from preferences.exclude_sites",
    )


def kind(case: SiteCase) -> Refusal | None:
    """Only clusters run jobs."""
    if case.site.kind == "cluster":
        return None
    return case.refuse(
        "kind", need="a cluster", have=case.site.kind, reason=f"{case.site.name} runs no jobs itself"
    )


def thin_descriptor(case: SiteCase) -> Refusal | None:
    """A site whose partitions nobody described cannot be chosen honestly."""
    if case.site.partitions or case.site.kind != "cluster":
        return None
    return case.refuse(
        "descriptor",
        need="at least one described partition",
        have="none",
        reason="the descriptor is too thin to plan with",
        hint=f"describe the partitions in site_configs/{case.site.id}.toml",
    )


def classification(case: SiteCase) -> Refusal | None:
    """Restricted and personal data go only where the site says it may hold them."""
    need = case.job.data.classification
    if need in case.site.data_classifications:
        return None
    return case.refuse(
        "classification",
        need=f"{need} data",
        have="only " + ", ".join(case.site.data_classifications),
        reason=f"the site is not cleared for {need} data",
        hint="choose sites with such a clearance, or pseudonymise the data",
    )


def jurisdiction(case: SiteCase) -> Refusal | None:
    """Data may be bound to countries or unions."""
    allowed = case.job.data.allowed_jurisdictions
    places = {place for place in (case.site.country, case.site.jurisdiction) if place}
    if not allowed or places & set(allowed):
        return None
    return case.refuse(
        "jurisdiction",
        need=" or ".join(allowed),
        have=" and ".join(sorted(places)) or "not known",
        reason="the data may not leave the allowed jurisdictions",
        hint="extend data.allowed_jurisdictions if the data's owner agrees",
    )


def software(case: SiteCase) -> Refusal | None:
    """Every software that the job asks for is described at the site, new enough."""
    lacking = [need for need in case.job.requirements.software if not _offers(case, need)]
    if not lacking:
        return None
    offered = ", ".join(
        f"{name} {item.version}" if item.version else name for name, item in case.site.software.items()
    )
    return case.refuse(
        "software",
        need=", ".join(lacking),
        have=offered or "no software described",
        reason=f"the descriptor does not offer {', '.join(lacking)}",
        hint=f"if the site has it, add [software.NAME] to the descriptor of {case.site.id}",
    )


def trouble(case: SiteCase) -> Refusal | None:
    """A site that could not be surveyed cannot be chosen."""
    if case.state is None or case.state.trouble is None:
        return None
    found = case.state.trouble
    return Refusal(
        case.site.id,
        None,
        "health",
        need="a site that answers",
        have="no survey",
        reason=found.message,
        hint=found.hint,
        exit_code=found.exit_code,
    )


def _offers(case: SiteCase, need: str) -> bool:
    match = _SOFTWARE.fullmatch(need)
    if match is None:
        return need in case.site.software
    offered = case.site.software.get(match["name"])
    if offered is None:
        return False
    if match["least"] is None or offered.version is None:
        return True
    return _version(offered.version) >= _version(match["least"])


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


RULES: tuple[SiteRule, ...] = (
    shortlist,
    exclusion,
    kind,
    thin_descriptor,
    classification,
    jurisdiction,
    software,
    trouble,
)
