from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, a_job, a_partition, a_site, a_state, an_idle_partition
from hpcnet.matchmaking.match import Knowledge, match, partitions_to_survey
from hpcnet.model.configuration import Access
from hpcnet.model.decision import Decision
from hpcnet.model.job import Goal
from hpcnet.model.plain import from_plain, to_plain
from hpcnet.model.site import Site
from hpcnet.model.state import ExpectedStart, PartitionState, SiteState


def known(
    *sites: Site, goal: Goal = Goal.TIME, home: str | None = None, states: Iterable[SiteState] = ()
) -> Knowledge:
    return Knowledge(
        sites=sites,
        access={site.id: Access() for site in sites},
        states={state.site: state for state in states},
        goal=goal,
        home_site=home,
    )


def busy(seconds: float | None = None, *, pending_node_s: int = 7200) -> PartitionState:
    start = ExpectedStart(NOON + timedelta(seconds=seconds)) if seconds is not None else None
    return PartitionState(
        "cpu",
        up=True,
        nodes_total=4,
        nodes_idle=0,
        pending_jobs=3,
        pending_node_s=pending_node_s,
        running_jobs=4,
        test_start=start,
    )


def order(decision: Decision) -> list[str]:
    return [candidate.site for candidate in decision.ranked]


def test_an_idle_site_comes_before_one_where_the_job_would_wait() -> None:
    sites = known(
        a_site("andes"),
        a_site("patagonia"),
        states=[a_state("andes", busy(600)), a_state("patagonia", an_idle_partition())],
    )
    decision = match("j-1", a_job(), sites, NOON)
    assert order(decision) == ["patagonia", "andes"]
    assert decision.ranked[0].wait_s.value == 0
    assert decision.ranked[0].reasons[0] == "starts at once (idle now: 4 of 4 nodes, nothing waits)"


def test_the_wait_is_the_schedulers_expected_start_when_nothing_idles() -> None:
    decision = match("j-1", a_job(), known(a_site(), states=[a_state("andes", busy(600))]), NOON)
    wait = decision.ranked[0].wait_s
    assert (wait.value, wait.source, wait.observed_at) == (600, "sbatch --test-only", NOON)
    assert wait.low == 0
    assert wait.high == 600 + 7200 / 4


def test_a_site_whose_clock_is_ahead_does_not_make_the_job_wait_longer() -> None:
    ahead = a_state("andes", busy(900), clock_ahead_s=300.0)
    decision = match("j-1", a_job(), known(a_site(), states=[ahead]), NOON)
    assert decision.ranked[0].wait_s.value == 600


def test_without_an_expected_start_the_waiting_work_is_the_estimate() -> None:
    decision = match("j-1", a_job(), known(a_site(), states=[a_state("andes", busy())]), NOON)
    assert decision.ranked[0].wait_s.value == 7200 / 4
    assert "3 jobs" in decision.ranked[0].wait_s.source


def test_idle_nodes_do_not_count_while_other_jobs_wait_for_them() -> None:
    seen = replace(an_idle_partition(), pending_jobs=2, pending_node_s=800)
    decision = match("j-1", a_job(), known(a_site(), states=[a_state("andes", seen)]), NOON)
    assert decision.ranked[0].wait_s.value == 200


def test_a_site_that_was_not_looked_at_is_ranked_last_with_a_missing_wait() -> None:
    sites = known(a_site("andes"), a_site("patagonia"), states=[a_state("patagonia", busy(9999))])
    decision = match("j-1", a_job(), sites, NOON)
    assert order(decision) == ["patagonia", "andes"]
    assert decision.ranked[1].wait_s.value is None
    assert decision.ranked[1].score is None


def test_equal_sites_tie_to_the_home_site_and_then_to_the_name() -> None:
    states = [a_state(name) for name in ("andes", "bogota", "caribe")]
    sites = [a_site(name) for name in ("caribe", "bogota", "andes")]
    assert order(match("j-1", a_job(), known(*sites, states=states), NOON)) == ["andes", "bogota", "caribe"]
    at_home = known(*sites, home="caribe", states=states)
    assert order(match("j-1", a_job(), at_home, NOON)) == ["caribe", "andes", "bogota"]


def test_energy_and_carbon_goals_rank_by_their_own_numbers() -> None:
    frugal = a_partition(node_idle_w=50, node_max_w=150)
    hungry = a_partition(node_idle_w=200, node_max_w=400)
    clean = {"pue": 1.5, "carbon_g_per_kwh": 10, "carbon_year": 2024}
    coal = {"pue": 1.0, "carbon_g_per_kwh": 700}
    sites = [a_site("andes", frugal, energy=coal), a_site("bogota", hungry, energy=clean)]
    job = a_job({"nodes": 2, "walltime": "1:00:00"})
    by_energy = match("j-1", job, known(*sites, goal=Goal.ENERGY), NOON)
    by_carbon = match("j-1", job, known(*sites, goal=Goal.CARBON), NOON)
    assert order(by_energy) == ["andes", "bogota"]
    assert order(by_carbon) == ["bogota", "andes"]
    energy = by_energy.ranked[0].energy_j
    assert (energy.low, energy.value, energy.high) == (2 * 3600 * 50, 2 * 3600 * 100, 2 * 3600 * 150)
    carbon = by_carbon.ranked[0].carbon_g
    assert carbon.value == pytest.approx(2 * 3600 * 300 / 3.6e6 * 1.5 * 10)
    assert "2024" in carbon.source


def test_a_number_that_is_not_known_is_missing_with_a_sentence() -> None:
    decision = match("j-1", a_job(), known(a_site()), NOON)
    assert decision.ranked[0].energy_j.value is None
    assert decision.ranked[0].energy_j.source == "the descriptor gives no power of a node"


def test_the_best_partition_of_a_site_is_its_candidate_and_the_refused_ones_are_told() -> None:
    site = a_site("andes", a_partition("debug", max_walltime="10:00"), a_partition("cpu"))
    decision = match("j-1", a_job(), known(site), NOON)
    assert [(item.site, item.partition) for item in decision.ranked] == [("andes", "cpu")]
    assert [(item.partition, item.rule) for item in decision.refused] == [("debug", "walltime")]


def test_only_partitions_that_could_run_the_job_are_asked_about() -> None:
    site = a_site("andes", a_partition("debug", max_walltime="10:00"), a_partition("cpu"))
    assert [item.name for item in partitions_to_survey(a_job(), site, known(site))] == ["cpu"]
    assert partitions_to_survey(a_job(), site, Knowledge(sites=[site], access={})) == ()


def test_a_deadline_refuses_what_would_end_after_it_even_if_only_by_its_walltime() -> None:
    late = a_job({"walltime": "1:00:00"}, preferences={"deadline": "2026-11-23T12:59:00Z"})
    decision = match("j-1", late, known(a_site(), states=[a_state()]), NOON)
    assert [item.rule for item in decision.refused] == ["deadline"]
    in_time = a_job({"walltime": "1:00:00"}, preferences={"deadline": "2026-11-23T13:00:00Z"})
    assert match("j-1", in_time, known(a_site(), states=[a_state()]), NOON).chosen


def test_the_same_knowledge_gives_the_same_decision_to_the_byte_and_survives_storage() -> None:
    sites = known(a_site("andes"), a_site("bogota"), states=[a_state("andes", busy(60))])
    first, again = (match("j-1", a_job(), sites, NOON) for _ in range(2))
    assert to_plain(first) == to_plain(again)
    assert from_plain(Decision, to_plain(first)) == first


@given(
    nodes=st.integers(1, 9),
    walltime_min=st.integers(1, 4000),
    gpus=st.integers(0, 5),
    shapes=st.lists(
        st.tuples(st.integers(1, 8), st.integers(0, 4), st.integers(1, 3000)), min_size=0, max_size=5
    ),
)
def test_every_site_is_either_ranked_or_refused_with_a_reason(
    nodes: int, walltime_min: int, gpus: int, shapes: list[tuple[int, int, int]]
) -> None:
    sites = [
        a_site(f"site{number}", a_partition(nodes=size, gpus_per_node=have, max_walltime=limit))
        for number, (size, have, limit) in enumerate(shapes)
    ]
    job = a_job({"nodes": nodes, "gpus_per_node": gpus, "walltime": walltime_min})
    decision = match("j-1", job, known(*sites), NOON)
    ranked = order(decision)
    refused = {item.site for item in decision.refused}
    assert len(ranked) == len(set(ranked))
    assert set(ranked) | refused == {site.id for site in sites}
    assert not set(ranked) & refused
    assert all(item.reason and item.need and item.have for item in decision.refused)
