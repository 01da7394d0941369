from __future__ import annotations

from typing import Any

import pytest

from builders import NOON, a_job, a_partition, a_site, a_state, an_idle_partition
from hpcnet.matchmaking.match import Knowledge, match
from hpcnet.model.configuration import Access
from hpcnet.model.decision import Decision, Refusal
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Site
from hpcnet.model.state import ExpectedStart, PartitionState, SiteState, Trouble


def decide(
    job: JobSpec, site: Site, state: SiteState | None = None, access: Access | None = None
) -> Decision:
    known = Knowledge(
        sites=[site], access={site.id: access or Access()}, states={site.id: state} if state else {}
    )
    return match("j-1", job, known, NOON)


def only_refusal(decision: Decision) -> Refusal:
    assert decision.ranked == ()
    assert len(decision.refused) == 1
    return decision.refused[0]


REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("nodes", {"nodes": 5}, {}, "nodes", "fits if nodes <= 4"),
    ("node limit", {"nodes": 3}, {"max_nodes": 2}, "nodes", "fits if nodes <= 2"),
    ("fewest nodes", {"nodes": 1}, {"min_nodes": 2}, "nodes", "fits if nodes >= 2"),
    ("cpus", {"tasks_per_node": 3, "cpus_per_task": 3}, {}, "cpus", "<= 8"),
    ("memory", {"memory_per_node": "17 GiB"}, {}, "memory", "fits if memory_per_node <= 16 GiB"),
    ("gpus", {"gpus_per_node": 1}, {}, "gpus", "fits if gpus_per_node = 0"),
    ("more gpus", {"gpus_per_node": 5}, {"gpus_per_node": 4}, "gpus", "fits if gpus_per_node <= 4"),
    (
        "gpu model",
        {"gpus_per_node": 1, "gpu_model": "h100"},
        {"gpus_per_node": 4, "gpu_model": "a100"},
        "gpu-model",
        "any model",
    ),
    ("walltime", {"walltime": "2-00:00:00"}, {}, "walltime", 'fits if walltime <= "1-00:00:00"'),
    ("architecture", {"architecture": "x86_64"}, {"architecture": "aarch64"}, "architecture", "both"),
    ("partition", {"partition": "debug"}, {}, "partition", "every partition compete"),
    ("account", {}, {"account_required": True}, "account", "[access.andes]"),
]


@pytest.mark.parametrize(
    ("needs", "shape", "rule", "hint"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_partition_that_cannot_run_the_job_is_refused_with_a_sentence_and_a_way_out(
    needs: dict[str, Any], shape: dict[str, Any], rule: str, hint: str
) -> None:
    refusal = only_refusal(decide(a_job(needs), a_site("andes", a_partition(**shape))))
    assert refusal.rule == rule
    assert refusal.partition == "cpu"
    assert refusal.reason
    assert refusal.need
    assert refusal.have
    assert hint in refusal.hint


@pytest.mark.parametrize(
    ("needs", "shape", "mended"),
    [
        ({"nodes": 5}, {}, {"nodes": 4}),
        ({"nodes": 1}, {"min_nodes": 2}, {"nodes": 2}),
        ({"memory_per_node": "17 GiB"}, {}, {"memory_per_node": "16 GiB"}),
        ({"gpus_per_node": 5}, {"gpus_per_node": 4}, {"gpus_per_node": 4}),
        ({"walltime": "2-00:00:00"}, {}, {"walltime": "1-00:00:00"}),
    ],
)
def test_following_the_hint_removes_the_refusal(
    needs: dict[str, Any], shape: dict[str, Any], mended: dict[str, Any]
) -> None:
    site = a_site("andes", a_partition(**shape))
    assert decide(a_job(needs), site).refused
    assert decide(a_job({**needs, **mended}), site).chosen is not None


def test_every_failing_rule_of_a_partition_is_told_not_just_the_first() -> None:
    decision = decide(a_job({"nodes": 9, "gpus_per_node": 2, "walltime": "9-0"}), a_site())
    assert [refusal.rule for refusal in decision.refused] == ["nodes", "gpus", "walltime"]


def test_what_a_descriptor_does_not_say_refuses_nothing() -> None:
    site = Site.model_validate({"id": "andes", "name": "Andes", "partitions": [{"name": "cpu"}]})
    assert decide(a_job({"nodes": 99, "memory_per_node": "1 TiB", "walltime": "30-0"}), site).chosen


SITE_REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"preferences": {"sites": ["lumi"]}}, {}, "shortlist"),
    ({"preferences": {"exclude_sites": ["andes"]}}, {}, "exclusion"),
    ({"data": {"classification": "personal"}}, {}, "classification"),
    ({"data": {"allowed_jurisdictions": ["EU"]}}, {"country": "CL"}, "jurisdiction"),
    ({"data": {"allowed_jurisdictions": ["EU"]}}, {}, "jurisdiction"),
    ({"requirements": {"software": ["vina"]}}, {}, "software"),
    (
        {"requirements": {"software": ["python>=3.9"]}},
        {"software": {"python": {"version": "3.8"}}},
        "software",
    ),
    ({}, {"kind": "data"}, "kind"),
    ({}, {"partitions": []}, "descriptor"),
]


@pytest.mark.parametrize(("job_keys", "site_keys", "rule"), SITE_REFUSED)
def test_a_site_that_may_not_run_the_job_is_refused_as_a_whole(
    job_keys: dict[str, Any], site_keys: dict[str, Any], rule: str
) -> None:
    site = a_site().model_copy(update={})
    described = {**site.model_dump(mode="json", by_alias=True), **site_keys}
    refusal = only_refusal(decide(a_job(**job_keys), Site.model_validate(described)))
    assert refusal.rule == rule
    assert refusal.partition is None
    assert refusal.reason


@pytest.mark.parametrize("version", ["3.9", "3.11", "3.10.4", None])
def test_software_that_is_new_enough_or_of_unknown_version_is_accepted(version: str | None) -> None:
    site = a_site(software={"python": {"version": version}})
    assert decide(a_job({"software": ["python>=3.9"]}), site).chosen


def test_a_site_without_an_account_is_refused_and_says_what_to_configure() -> None:
    known = Knowledge(sites=[a_site()], access={})
    refusal = only_refusal(match("j-1", a_job(), known, NOON))
    assert refusal.reason == "no account configured"
    assert "[access.andes]" in refusal.hint


def test_an_allocation_that_does_not_cover_the_job_refuses_it() -> None:
    access = Access(allocation_node_hours=1.5)
    refusal = only_refusal(decide(a_job({"nodes": 2, "walltime": "1:00:00"}), a_site(), access=access))
    assert refusal.rule == "allocation"
    assert "1.5 node-hours" in refusal.reason


def test_a_site_in_trouble_is_refused_with_its_trouble_and_its_exit_code() -> None:
    state = SiteState("andes", NOON, trouble=Trouble("the link is down", "try again", 75))
    refusal = only_refusal(decide(a_job(), a_site(), state))
    assert (refusal.rule, refusal.reason, refusal.exit_code) == ("health", "the link is down", 75)


@pytest.mark.parametrize("seen", [(PartitionState("cpu", up=False),), (an_idle_partition("other"),)])
def test_a_partition_that_is_down_or_not_shown_by_the_scheduler_is_refused(
    seen: tuple[PartitionState, ...],
) -> None:
    assert only_refusal(decide(a_job(), a_site(), a_state("andes", *seen))).rule == "availability"


def test_the_schedulers_own_refusal_is_kept_in_its_words() -> None:
    said = "allocation failure: Requested node configuration is not available"
    seen = PartitionState("cpu", up=True, test_start=ExpectedStart(None, said))
    refusal = only_refusal(decide(a_job(), a_site(), a_state("andes", seen)))
    assert refusal.rule == "scheduler"
    assert said in refusal.reason
