"""The decision: every site either ranked or refused, with reasons. Pure, so it can be replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hpcnet.matchmaking import estimates, partition_rules, ranks, site_rules
from hpcnet.matchmaking.case import PartitionCase, SiteCase
from hpcnet.matchmaking.deadline import deadline_refusal
from hpcnet.model.configuration import Access
from hpcnet.model.decision import Candidate, Decision, Refusal
from hpcnet.model.job import Goal, JobSpec
from hpcnet.model.quantities import format_duration, format_energy
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import PartitionState, SiteState


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that a decision may use. `states` lacks the sites that were not surveyed."""

    sites: Sequence[Site]
    access: Mapping[str, Access]
    states: Mapping[str, SiteState] = field(default_factory=dict)
    goal: Goal = Goal.TIME
    home_site: str | None = None
    needs_access: bool = True


def match(job_id: str, job: JobSpec, known: Knowledge, now: datetime) -> Decision:
    """Choose: same arguments, same decision."""
    ranked: list[Candidate] = []
    refused: list[Refusal] = []
    for site in known.sites:
        candidates, refusals = _judge(job, site, known, now)
        refused += refusals
        ranked += ranks.order(candidates, known.goal, known.home_site)[:1]
    return Decision(
        job=job_id,
        goal=known.goal.value,
        taken_at=now,
        ranked=ranks.order(ranked, known.goal, known.home_site),
        refused=tuple(refused),
        observed={site: state.observed_at for site, state in known.states.items()},
    )


def partitions_to_survey(job: JobSpec, site: Site, known: Knowledge) -> tuple[Partition, ...]:
    """The partitions that the descriptor alone does not rule out: only they are worth asking about."""
    case = SiteCase(job, site, known.access.get(site.id), None)
    if case.access is None or _site_refusals(case, needs_access=True):
        return ()
    return tuple(
        partition
        for partition in site.partitions
        if not _partition_refusals(PartitionCase(job, site, partition, case.access, None))
    )


def _judge(
    job: JobSpec, site: Site, known: Knowledge, now: datetime
) -> tuple[list[Candidate], list[Refusal]]:
    state = known.states.get(site.id)
    case = SiteCase(job, site, known.access.get(site.id), state)
    refusals = _site_refusals(case, known.needs_access)
    if refusals:
        return [], refusals
    candidates: list[Candidate] = []
    for partition in site.partitions:
        seen = _seen(partition.name, state)
        partition_case = PartitionCase(job, site, partition, case.access, seen)
        no = _partition_refusals(partition_case)
        if no:
            refusals += no
            continue
        candidate = _candidate(partition_case, state, now)
        late = deadline_refusal(candidate, job.preferences.deadline, now)
        if late is None:
            candidates.append(candidate)
        else:
            refusals.append(late)
    return candidates, refusals


def _seen(name: str, state: SiteState | None) -> PartitionState | None:
    """What the survey saw of a partition: one that it did not show takes no jobs."""
    if state is None:
        return None
    return state.partition(name) or PartitionState(name, up=False)


def _site_refusals(case: SiteCase, needs_access: bool) -> list[Refusal]:
    found = [refusal for rule in site_rules.RULES if (refusal := rule(case)) is not None]
    if needs_access and case.access is None and case.site.kind == "cluster":
        found.append(
            case.refuse(
                "access",
                need="an account of yours",
                have="none",
                reason="no account configured",
                hint=f"add [access.{case.site.id}] to your configuration",
            )
        )
    return found


def _partition_refusals(case: PartitionCase) -> list[Refusal]:
    return [refusal for rule in partition_rules.RULES if (refusal := rule(case)) is not None]


def _candidate(case: PartitionCase, state: SiteState | None, now: datetime) -> Candidate:
    # The start that a scheduler expects is told by its own clock.
    its_now = now + timedelta(seconds=(state.clock_ahead_s or 0.0) if state else 0.0)
    wait_s = estimates.wait(case, state.observed_at if state else None, its_now)
    run_s = estimates.run(case)
    stage_in_s, stage_out_s = estimates.stage_in(case), estimates.stage_out(case)
    energy_j = estimates.energy(case, run_s)
    candidate = Candidate(
        site=case.site.id,
        partition=case.partition.name,
        wait_s=wait_s,
        stage_in_s=stage_in_s,
        run_s=run_s,
        stage_out_s=stage_out_s,
        finish_s=estimates.finish(wait_s, (stage_in_s, run_s, stage_out_s)),
        energy_j=energy_j,
        carbon_g=estimates.carbon(case.site.energy, energy_j),
        cost_node_hours=estimates.cost(case),
        score=None,
        reasons=(),
    )
    return _with_reasons(candidate, case)


def _with_reasons(candidate: Candidate, case: PartitionCase) -> Candidate:
    wait_s = candidate.wait_s
    if wait_s.value is None:
        start = f"when it starts is not known: {wait_s.source}"
    elif wait_s.value == 0:
        start = f"starts at once ({wait_s.source})"
    else:
        start = f"starts in about {format_duration(wait_s.value)} ({wait_s.source})"
    hours = candidate.cost_node_hours.value or 0.0
    reasons = [start, f"costs at most {hours:.3g} node-hours"]
    if candidate.energy_j.value is not None:
        energy = format_energy(candidate.energy_j.value)
        reasons.append(f"uses about {energy} ({candidate.energy_j.source})")
    if case.access is None:
        reasons.append("no account configured: it cannot be chosen by submit")
    return replace(candidate, reasons=tuple(reasons))
