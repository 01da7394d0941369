"""The dialect on the lab's real Slurm: its scripts are fed to a real shell, no ssh in between."""

from __future__ import annotations

import os
import re
import signal
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from hpcnet.errors import SchedulerError, Unreachable
from hpcnet.lab import up
from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import JobState, Look, Receipt, Sighting, SiteState
from hpcnet.model.submission import Attempt, Submission
from hpcnet.registry import load
from hpcnet.schedulers.slurm.plugin import Slurm
from real_lab import Lab, eventually, lab_settings
from site_shell import ask, run_framed

pytestmark = pytest.mark.slurm
SLURM: Slurm = load("hpcnet.schedulers", "slurm", "SCHEDULER")
POISON = {
    "SBATCH_HOLD": "1",
    "SBATCH_PARTITION": "nowhere",
    "SQUEUE_FORMAT": "%u",
    "SQUEUE_STATES": "SUSPENDED",
    "SINFO_FORMAT": "%n",
    "SLURM_TIME_FORMAT": "relative",
    "SLURM_CLUSTERS": "elsewhere",
}
HOSTILE = [
    "$(touch owned)",
    "it's",
    'a "quote"',
    "two\nlines",
    "-n5",
    "--help",
    "ñandú",
    "",
    "*",
    "`id`",
    "\\",
    "a;b|c&d",
]


@dataclass
class Cluster:
    """One cluster of a lab, spoken to in the dialect."""

    lab: Lab
    site_id: str
    home: Path
    poison: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        path = self.lab.settings.directory / "sites" / f"{self.site_id}.toml"
        return Site.model_validate({"id": self.site_id, **tomllib.loads(path.read_text())})

    @property
    def partition(self) -> Partition:
        return self.site.partitions[0]

    @property
    def environment(self) -> dict[str, str]:
        return {**self.poison, "SLURM_CONF": str(self.lab.site(self.site_id).slurm_conf)}

    def submission(
        self, partition: str | None = None, directory: str | None = None, **job: Any
    ) -> Submission:
        token = f"j-{ULID()}.1"
        job = {"name": "test", "requirements": {"walltime": "5"}, **job}
        where = directory or str(self.home / token)
        return Submission(
            token, where, JobSpec.model_validate(job), self.site, partition or self.partition.name
        )

    def submit(self, submission: Submission) -> Receipt:
        return ask(SLURM.submit(submission), self.home, self.environment)

    def look(self, *attempts: Attempt) -> Look:
        return ask(SLURM.look(self.site, attempts), self.home, self.environment)

    def cancel(self, *attempts: Attempt) -> Look:
        return ask(SLURM.cancel(self.site, attempts), self.home, self.environment)

    def survey(self, *partitions: str, **need: Any) -> SiteState:
        job = JobSpec.model_validate(
            {"name": "t", "command": ["true"], "requirements": {"walltime": "5", **need}}
        )
        asked = [Partition(name=name) for name in partitions]
        return ask(SLURM.survey(job, self.site, asked, Access()), self.home, self.environment)

    def ended(self, attempt: Attempt) -> Sighting:
        found: list[Sighting] = []

        def over() -> bool:
            sighting = self.look(attempt).sightings.get(attempt.token)
            found.extend([sighting] if sighting is not None and sighting.state.final else [])
            return bool(found)

        assert eventually(over), f"{attempt} did not end"
        return found[0]

    def jobs(self, name: str) -> list[str]:
        return self.lab.slurm(self.site_id, "squeue", "-h", "-a", "-t", "all", "-n", name, "-o", "%A").split()


def attempt_of(submission: Submission, receipt: Receipt | None = None) -> Attempt:
    return Attempt(submission.token, submission.directory, receipt.native_id if receipt else None)


@pytest.fixture
def cluster(lab: Lab, tmp_path: Path) -> Cluster:
    return Cluster(lab, lab.status.clusters[0].site, tmp_path, POISON)


def test_a_job_runs_and_its_end_is_told_whatever_the_users_profile_says(cluster: Cluster) -> None:
    submission = cluster.submission(command=["sh", "-c", "echo hello; exit 3"])

    sighting = cluster.ended(attempt_of(submission, cluster.submit(submission)))

    assert (sighting.state, sighting.exit_code, sighting.seen_in) == (JobState.FAILED, 3, "sentinel")
    assert "hello" in (Path(submission.directory) / "output.log").read_text()
    assert sighting.started_at is not None
    assert sighting.ended_at is not None


def test_hostile_arguments_reach_every_task_unharmed(cluster: Cluster) -> None:
    submission = cluster.submission(name="x\n#SBATCH --wrap=y $(id)", command=["printf", "<%s>", *HOSTILE])

    sighting = cluster.ended(attempt_of(submission, cluster.submit(submission)))

    said = (Path(submission.directory) / "output.log").read_text()
    assert (sighting.state, said) == (JobState.COMPLETED, "".join(f"<{word}>" for word in HOSTILE))
    assert not list(cluster.home.rglob("owned"))


@pytest.mark.parametrize("name", ["it's $(id)", "two\nlines", "ñandú", "%j %N", "-dash"])
def test_a_job_directory_may_have_any_name(cluster: Cluster, name: str) -> None:
    submission = cluster.submission(directory=str(cluster.home / name), command=["pwd"])

    sighting = cluster.ended(attempt_of(submission, cluster.submit(submission)))

    assert sighting.state is JobState.COMPLETED
    assert (cluster.home / name / "output.log").read_text() == f"{cluster.home / name}\n"


def test_a_relative_directory_begins_where_the_login_does(cluster: Cluster) -> None:
    submission = cluster.submission(directory="work/job", command=["pwd"])

    receipt = cluster.submit(submission)

    assert receipt.directory == str(cluster.home / "work" / "job")
    assert cluster.ended(attempt_of(submission, receipt)).state is JobState.COMPLETED


def test_a_script_of_the_person_runs_once_and_starts_its_tasks_itself(cluster: Cluster) -> None:
    text = "#!/bin/bash\necho one script\n$HPCNET_LAUNCHER sh -c 'echo task $SLURM_PROCID'\n"
    submission = cluster.submission(
        script=text, requirements={"nodes": 2, "tasks_per_node": 2, "walltime": "5"}
    )

    cluster.ended(attempt_of(submission, cluster.submit(submission)))

    said = (Path(submission.directory) / "output.log").read_text().splitlines()
    assert sorted(said) == ["one script", "task 0", "task 1", "task 2", "task 3"]


def test_submitting_twice_is_one_job(cluster: Cluster) -> None:
    submission = cluster.submission(command=["true"])

    first, second = cluster.submit(submission), cluster.submit(submission)

    assert first == second
    assert cluster.jobs(submission.token) == [first.native_id]


def test_a_second_job_in_the_same_directory_does_nothing(cluster: Cluster) -> None:
    submission = cluster.submission(command=["sh", "-c", "echo run >>runs"])
    attempt = attempt_of(submission, cluster.submit(submission))
    cluster.ended(attempt)
    again = f"cd '{submission.directory}' && sbatch --parsable .hpcnet/job.sh"

    run_framed(again, cluster.home, {"SLURM_CONF": cluster.environment["SLURM_CONF"]})

    log = Path(submission.directory) / "output.log"
    assert eventually(lambda: "runs this already" in log.read_text())
    assert (Path(submission.directory) / "runs").read_text() == "run\n"
    assert cluster.look(attempt).sightings[attempt.token].state is JobState.COMPLETED


@pytest.mark.parametrize(
    ("need", "partition", "words"),
    [
        ({}, "nowhere", "invalid partition specified: nowhere"),
        (
            {"nodes": 4000},
            None,
            "ode count specification invalid|configuration is not available|More processors",
        ),
        ({"walltime": "300-00:00:00"}, None, "Requested time limit is invalid"),
        ({"memory_per_node": "900 TiB"}, None, "Memory specification can not be satisfied"),
    ],
)
def test_a_refusal_is_told_in_the_schedulers_words_and_leaves_no_job(
    cluster: Cluster, need: dict[str, Any], partition: str | None, words: str
) -> None:
    submission = cluster.submission(partition, command=["true"], requirements={"walltime": "5", **need})

    receipt = cluster.submit(submission)
    sighting = cluster.look(attempt_of(submission)).sightings.get(submission.token)

    assert re.search(words, receipt.refusal or "")
    assert sighting is not None
    assert (sighting.state, sighting.native_id) == (JobState.FAILED, None)


def test_a_lost_answer_is_found_again_by_the_token(cluster: Cluster) -> None:
    submission = cluster.submission(command=["sleep", "60"])
    receipt = cluster.submit(submission)

    sighting = cluster.look(attempt_of(submission)).sightings[submission.token]

    assert sighting.native_id == receipt.native_id
    cluster.cancel(attempt_of(submission, receipt))


@pytest.mark.parametrize("known", ["right id", "no id", "id of another job"])
def test_a_job_is_cancelled_by_its_token(cluster: Cluster, known: str) -> None:
    mine, other = cluster.submission(command=["sleep", "60"]), cluster.submission(command=["sleep", "60"])
    receipt, others = cluster.submit(mine), cluster.submit(other)
    native_id = {"right id": receipt.native_id, "no id": None, "id of another job": others.native_id}[known]
    attempt = Attempt(mine.token, mine.directory, native_id)

    cluster.cancel(attempt)

    assert cluster.ended(attempt).state is JobState.CANCELED
    theirs = cluster.look(attempt_of(other, others)).sightings[other.token]
    assert not theirs.state.final
    cluster.cancel(attempt_of(other, others))


def test_a_survey_tells_each_partition_and_when_the_job_would_start(cluster: Cluster) -> None:
    names = [partition.name for partition in cluster.site.partitions]

    state = cluster.survey(*names, "nowhere")

    assert state.trouble is None
    for name in names:
        shown = state.partition(name)
        assert shown is not None
        assert shown.up
        assert shown.nodes_total
        assert shown.pending_jobs is not None
        assert shown.test_start is not None
    missing = state.partition("nowhere")
    assert missing is not None
    assert not missing.up
    assert state.clock_ahead_s is not None
    assert abs(state.clock_ahead_s) < 5


def test_a_survey_counts_who_waits(cluster: Cluster) -> None:
    nodes = cluster.partition.nodes or 1
    need = {"nodes": nodes, "tasks_per_node": cluster.partition.cpus_per_node or 1, "walltime": "5"}
    hog, waiting = (cluster.submission(command=["sleep", "60"], requirements=need) for _ in range(2))
    attempts = [attempt_of(item, cluster.submit(item)) for item in (hog, waiting)]

    def counted() -> bool:
        shown = cluster.survey(cluster.partition.name).partition(cluster.partition.name)
        return shown is not None and (shown.pending_node_s or 0) >= 300 * nodes and bool(shown.running_jobs)

    assert eventually(counted)
    cluster.cancel(*attempts)


def test_a_job_is_refused_by_test_only_in_the_schedulers_words(cluster: Cluster) -> None:
    shown = cluster.survey(cluster.partition.name, nodes=4000).partition(cluster.partition.name)

    assert shown is not None
    assert shown.test_start is not None
    assert shown.test_start.refusal


@pytest.fixture
def own_cluster(lab_root: Path, tmp_path: Path) -> Cluster:
    """A lab of its own, whose controller a test may stop."""
    settings = lab_settings(lab_root)
    lab = Lab(settings, up(settings, lambda _: None))
    return Cluster(lab, lab.status.clusters[0].site, tmp_path)


def controller(cluster: Cluster) -> int:
    conf = cluster.lab.site(cluster.site_id).slurm_conf
    lines = conf.read_text().splitlines()
    return int(
        Path(
            next(line.split("=", 1)[1] for line in lines if line.startswith("SlurmctldPidFile="))
        ).read_text()
    )


def test_a_controller_that_hangs_and_then_dies_loses_and_doubles_nothing(own_cluster: Cluster) -> None:
    submission = own_cluster.submission(command=["sh", "-c", "echo run >>runs"])
    pid = controller(own_cluster)
    os.kill(pid, signal.SIGSTOP)
    try:
        receipt = own_cluster.submit(submission)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert (receipt.native_id, receipt.refusal) == (None, None)
    assert "timed out" in receipt.words
    sighting = own_cluster.ended(attempt_of(submission))
    assert sighting.state is JobState.COMPLETED
    assert own_cluster.jobs(submission.token) == [sighting.native_id]
    assert (Path(submission.directory) / "runs").read_text() == "run\n"

    os.kill(pid, signal.SIGKILL)
    _check_a_dead_controller(own_cluster, attempt_of(submission), Attempt("j-other.1", "nowhere", "99"))


def _check_a_dead_controller(cluster: Cluster, done: Attempt, unknown: Attempt) -> None:
    assert eventually(lambda: cluster.survey(cluster.partition.name).trouble is not None)
    trouble = cluster.survey(cluster.partition.name).trouble
    assert trouble is not None
    assert (trouble.exit_code, "controller is down" in trouble.message) == (75, True)
    look = cluster.look(done, unknown)
    assert (look.conclusive, look.sightings[done.token].state) == (False, JobState.COMPLETED)
    with pytest.raises(Unreachable, match="controller is down"):
        cluster.look(unknown)
    with pytest.raises((Unreachable, SchedulerError)):
        cluster.cancel(unknown)
    refused = cluster.submit(cluster.submission(command=["true"]))
    assert "Unable to contact slurm controller" in (refused.refusal or "")
