"""The broker on the lab's real clusters, in this process, so that a test can step in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builders import a_job
from fakes.links import BreakingLink, Cut
from hpcnet.broker import records, submit
from hpcnet.broker.context import Broker
from hpcnet.broker.follow import wait
from hpcnet.broker.identity import new_job_id
from hpcnet.broker.links import Links
from hpcnet.broker.retry import retry
from hpcnet.errors import LinkLost, SubmissionRefused, UsageError
from hpcnet.model.configuration import Access
from hpcnet.model.site import Site
from hpcnet.model.state import JobState
from hpcnet.ports import Transport
from hpcnet.wiring import House
from real_lab import Lab

pytestmark = pytest.mark.slurm


class Desk:
    """A house whose links are counted and can be cut."""

    def __init__(self, lab: Lab, state: Path) -> None:
        self.house = House(lab.config, state)
        self.scripts: list[str] = []
        self.cuts: list[Cut] = []

    def broker(self) -> Broker:
        real = self.house.broker()
        access = self.house.configuration.access
        links = Links(self._open, lambda site: access[site.id])
        return replace(real, links=links)

    def _open(self, site: Site, access: Access) -> Transport:
        return BreakingLink(self.house.connect(site, access), self.cuts, self.scripts.append)


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(lab, tmp_path / "state")
    yield desk
    desk.house.ledger.close()


def test_a_plan_costs_one_call_a_site_whatever_the_number_of_partitions(desk: Desk) -> None:
    with desk.broker() as broker:
        decision = submit.decide(broker, new_job_id(), a_job({"walltime": "5:00"}))
    assert {item.site for item in decision.ranked} == {"lab-andes", "lab-atlantic"}
    assert len(desk.scripts) == 2


def test_a_refusal_of_sbatch_after_the_plan_is_told_in_its_own_words_with_70(desk: Desk, lab: Lab) -> None:
    job, job_id = a_job({"partition": "debug", "walltime": "5:00"}), new_job_id()
    close = ("scontrol", "update", "PartitionName=debug", "State=INACTIVE")
    reopen = ("scontrol", "update", "PartitionName=debug", "State=UP")
    with desk.broker() as broker:
        prepared = submit.prepare(broker, submit.decide(broker, job_id, job), job)
        lab.slurm("lab-andes", *close)
        try:
            with pytest.raises(SubmissionRefused, match="inactive or drain") as caught:
                submit.send(broker, prepared)
        finally:
            lab.slurm("lab-andes", *reopen)
        assert caught.value.exit_code == 70
        (record,) = records.load(broker, [job_id])
    assert record.state is JobState.FAILED
    assert "Required partition not available" in (record.reason or "")


def test_a_refusal_whose_answer_was_lost_is_told_as_the_refusal_that_it_is(desk: Desk, lab: Lab) -> None:
    job, job_id = a_job({"partition": "debug", "walltime": "5:00"}), new_job_id()
    with desk.broker() as broker:
        prepared = submit.prepare(broker, submit.decide(broker, job_id, job), job)
        desk.cuts.append(Cut("job.sh", after=True))
        lab.slurm("lab-andes", "scontrol", "update", "PartitionName=debug", "State=INACTIVE")
        try:
            with pytest.raises(SubmissionRefused, match="inactive or drain"):
                submit.send(broker, prepared)
        finally:
            lab.slurm("lab-andes", "scontrol", "update", "PartitionName=debug", "State=UP")


def test_a_lost_answer_is_recovered_and_slurm_has_the_job_once(desk: Desk, lab: Lab) -> None:
    desk.cuts = [Cut("job.sh", after=True)]
    job_id = new_job_id()
    with desk.broker() as broker:
        job = a_job()
        record = submit.send(broker, submit.prepare(broker, submit.decide(broker, job_id, job), job))
        (ended,) = wait(broker, [record.id], lambda *_: None)
    assert ended.state is JobState.COMPLETED
    names = lab.slurm(record.site or "", "squeue", "-h", "-a", "-t", "all", "-o", "%j").split()
    assert names.count(f"{job_id}.1") == 1


def test_a_job_whose_submission_never_left_is_not_in_any_queue(desk: Desk, lab: Lab) -> None:
    desk.cuts = [Cut("job.sh")]
    job_id, job = new_job_id(), a_job()
    with desk.broker() as broker, pytest.raises(LinkLost):
        submit.send(broker, submit.prepare(broker, submit.decide(broker, job_id, job), job))
    for cluster in lab.status.clusters:
        assert job_id not in lab.slurm(cluster.site, "squeue", "-h", "-a", "-t", "all", "-o", "%j")


def test_a_failed_job_that_the_site_put_back_into_its_queue_is_not_sent_again(desk: Desk, lab: Lab) -> None:
    job = a_job(command=["false"])
    with desk.broker() as broker:
        record = submit.send(broker, submit.prepare(broker, submit.decide(broker, new_job_id(), job), job))
        (ended,) = wait(broker, [record.id], lambda *_: None)
        assert ended.state is JobState.FAILED
        lab.slurm(ended.site or "", "scontrol", "requeue", ended.native_id or "")
        with pytest.raises(UsageError, match=r"QUEUED|ACTIVE"):
            retry(broker, record.id)
    lab.slurm(ended.site or "", "scancel", ended.native_id or "")
