"""Estimates of what a job will cost in time, energy, carbon and allocation at one partition.

Each says where it comes from; what cannot be known yet is missing, with a sentence.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hpcnet.matchmaking.case import PartitionCase
from hpcnet.model.decision import Estimate
from hpcnet.model.site import Energy
from hpcnet.model.state import PartitionState

JOULES_PER_KWH = 3.6e6


def wait(case: PartitionCase, observed_at: datetime | None, now: datetime) -> Estimate:
    """Seconds until the job starts: none if enough nodes idle, else what the scheduler expects,
    else the work that waits divided by the nodes that could do it.
    """
    state = case.state
    if state is None:
        return Estimate.missing("the queue was not looked at")
    nodes = case.job.requirements.nodes
    idle_now = state.nodes_idle is not None and state.nodes_idle >= nodes and not state.pending_jobs
    expected = state.test_start.starts_at if state.test_start else None
    if idle_now and (expected is None or expected <= now + timedelta(minutes=1)):
        source = f"idle now: {state.nodes_idle} of {state.nodes_total} nodes, nothing waits"
        return Estimate(0.0, 0.0, 60.0, source, observed_at)
    if expected is not None:
        return _expected_wait(state, max(0.0, (expected - now).total_seconds()), observed_at)
    return _queued_work(state, observed_at)


def _expected_wait(state: PartitionState, seconds: float, observed_at: datetime | None) -> Estimate:
    # The scheduler assumes that every job uses its whole walltime and that nothing better arrives:
    # the start can be sooner, and it can be later by as much as the queue that is already there.
    longer = (state.pending_node_s or 0) / max(1, state.nodes_total or 1)
    return Estimate(seconds, 0.0, seconds + longer, "sbatch --test-only", observed_at)


def _queued_work(state: PartitionState, observed_at: datetime | None) -> Estimate:
    if state.pending_node_s is None or not state.nodes_total:
        return Estimate.missing("the scheduler shows neither idle nodes nor a start nor its queue")
    seconds = state.pending_node_s / state.nodes_total
    source = f"waiting work: {state.pending_jobs} jobs over {state.nodes_total} nodes"
    return Estimate(seconds, 0.0, 2 * seconds, source, observed_at)


def run(case: PartitionCase) -> Estimate:
    """Seconds of run time: at most the walltime; nothing better is known of a new job."""
    seconds = float(case.job.requirements.walltime_s)
    return Estimate(seconds, 0.0, seconds, "the requested walltime, an upper bound")


def stage_in(case: PartitionCase) -> Estimate:
    """Seconds to bring the inputs."""
    data = case.job.data
    if not data.stage_in:
        return Estimate(0.0, 0.0, 0.0, "nothing to bring")
    size = f"{data.size_gib:g} GiB to bring: " if data.size_gib is not None else ""
    return Estimate.missing(f"{size}the speed of the path to this site has not been measured")


def stage_out(case: PartitionCase) -> Estimate:
    """Seconds to bring the results home."""
    if not case.job.data.stage_out:
        return Estimate(0.0, 0.0, 0.0, "nothing to bring home")
    return Estimate.missing("the size of the results is not known")


def finish(wait_s: Estimate, terms: tuple[Estimate, ...]) -> Estimate:
    """Seconds until all is done: the sum of the terms that are known."""
    if wait_s.value is None:
        return Estimate.missing("the wait is not known")
    known = [term for term in (wait_s, *terms) if term.value is not None]
    left_out = len(terms) + 1 - len(known)
    source = "wait + staging + run" + (f", {left_out} unknown terms left out" if left_out else "")
    return Estimate(
        sum(term.value or 0.0 for term in known),
        sum(term.low or 0.0 for term in known),
        sum(term.high or 0.0 for term in known),
        source,
        wait_s.observed_at,
    )


def energy(case: PartitionCase, run_s: Estimate) -> Estimate:
    """Joules of the nodes: between idle and maximum power over the run time."""
    idle, most = case.partition.node_idle_w, case.partition.node_max_w
    if idle is None or most is None or run_s.value is None:
        return Estimate.missing("the descriptor gives no power of a node")
    node_seconds = case.job.requirements.nodes * run_s.value
    return Estimate(
        node_seconds * (idle + most) / 2,
        node_seconds * idle,
        node_seconds * most,
        f"model: nodes x run time x ({idle:g} to {most:g} W a node)",
    )


def carbon(facts: Energy, energy_j: Estimate) -> Estimate:
    """Grams of CO2 equivalent: energy x PUE x intensity of the country's electricity."""
    if energy_j.value is None:
        return Estimate.missing(energy_j.source)
    if facts.carbon_g_per_kwh is None:
        return Estimate.missing("the descriptor gives no carbon intensity")
    factor = (facts.pue or 1.0) * facts.carbon_g_per_kwh / JOULES_PER_KWH
    year = f" of {facts.carbon_year}" if facts.carbon_year else ""
    overhead = f"PUE {facts.pue:g}" if facts.pue else "PUE unknown, taken as 1"
    return Estimate(
        energy_j.value * factor,
        (energy_j.low or 0.0) * factor,
        (energy_j.high or 0.0) * factor,
        f"energy x {overhead} x {facts.carbon_g_per_kwh:g} g/kWh{year}",
    )


def cost(case: PartitionCase) -> Estimate:
    """Node-hours if the whole walltime is used."""
    hours = case.job.requirements.nodes * case.job.requirements.walltime_s / 3600
    return Estimate(hours, 0.0, hours, "nodes x walltime, an upper bound")
