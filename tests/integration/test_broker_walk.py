"""The broker's verbs on a real shell, real files and a real ledger; links are cut on purpose."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from builders import a_job
from fakes.links import Cut, unreachable
from hpcnet.broker import records, submit
from hpcnet.broker.cancel import cancel
from hpcnet.broker.collect import fetch
from hpcnet.broker.follow import look, output
from hpcnet.broker.identity import new_job_id
from hpcnet.broker.retry import retry
from hpcnet.errors import AttemptTaken, LinkError, LinkLost, NoSiteFits, StorageError, UsageError
from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.progress import Progress
from hpcnet.model.record import EventKind, JobRecord
from hpcnet.model.site import Site
from hpcnet.model.state import JobState
from hpcnet.ports import Transport
from world import World


def payload_runs(folder: Path) -> int:
    marks = folder / "marks"
    return len(marks.read_text().splitlines()) if marks.exists() else 0


def a_marking_job(folder: Path) -> JobSpec:
    return a_job(command=["sh", "-c", f"echo ran >> '{folder}/marks'"])


def wait_until(condition: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(condition) and condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def is_submission(script: str) -> bool:
    return "job.sh" in script and "submit" in script


def test_a_job_is_decided_sent_followed_and_its_output_read(world: World) -> None:
    record = world.ended(world.submit(command=["echo", "hola"]))
    assert record.state is JobState.COMPLETED
    assert record.exit_code == 0
    assert record.started_at is not None
    with world.broker() as broker:
        assert b"hola" in b"".join(output(broker, record, follow=False))


def test_a_job_that_fails_says_its_exit_code(world: World) -> None:
    record = world.ended(world.submit(command=["sh", "-c", "exit 7"]))
    assert (record.state, record.exit_code) == (JobState.FAILED, 7)


class _Heard(list[Progress]):
    """A list of steps that does something at each one."""

    def __init__(self, do: Callable[[Progress], None]) -> None:
        super().__init__()
        self._do = do

    def append(self, step: Progress) -> None:
        self._do(step)


def test_the_intent_is_in_the_ledger_before_anything_is_sent(world: World) -> None:
    job_id = new_job_id()
    seen: list[list[EventKind]] = []

    def remember(script: str) -> None:
        if is_submission(script):
            seen.append([event.kind for event in world.ledger.events([job_id])])

    world.scripts = _Calls(remember)
    world.submit(job_id=job_id)
    assert seen == [[EventKind.CREATED, EventKind.DECIDED, EventKind.INTENT]]


class _Calls(list[str]):
    """A list of scripts that tells of each one when it comes."""

    def __init__(self, tell: object) -> None:
        super().__init__()
        self._tell = tell

    def append(self, script: str) -> None:
        super().append(script)
        if callable(self._tell):
            self._tell(script)


def test_a_submission_without_files_takes_one_call_and_a_plan_one_more(world: World) -> None:
    world.submit()
    assert len(world.scripts) == 2


def test_inputs_travel_and_results_come_home_with_equal_checksums(world: World, tmp_path: Path) -> None:
    source = tmp_path / "in put"
    source.mkdir()
    (source / "a b").write_bytes(os.urandom(100_000))
    record = world.submit(
        command=["sh", "-c", "mkdir out && cp 'data/a b' out/ && ln -s /etc/passwd out/evil"],
        data={"stage_in": [{"source": str(source), "target": "data/"}], "stage_out": ["out/*"]},
    )
    record = world.ended(record)
    with world.broker() as broker:
        fetched = fetch(broker, record, ["out/*"], tmp_path / "home")
    assert sorted(fetched.files) == ["out/a b", "output.log"]
    assert fetched.verified
    assert (tmp_path / "home/out/a b").read_bytes() == (source / "a b").read_bytes()
    assert not (tmp_path / "home/out/evil").exists()


def test_fetching_again_copies_only_what_changed(world: World, tmp_path: Path) -> None:
    record = world.ended(world.submit(command=["sh", "-c", "echo one > one; echo two > two"]))
    with world.broker() as broker:
        fetch(broker, record, [], tmp_path / "home")
        (tmp_path / "home/one").write_text("spoilt")
        kept = (tmp_path / "home/two").stat().st_ino
        fetch(broker, record, [], tmp_path / "home")
    assert (tmp_path / "home/one").read_text() == "one\n"
    assert (tmp_path / "home/two").stat().st_ino == kept


def test_a_link_in_the_way_at_home_is_not_followed_out_of_the_directory(world: World, tmp_path: Path) -> None:
    record = world.ended(world.submit(command=["sh", "-c", "mkdir out; echo x > out/x"]))
    (tmp_path / "home").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home/out").symlink_to(tmp_path / "elsewhere")
    with world.broker() as broker, pytest.raises(StorageError, match="leads out of"):
        fetch(broker, record, [], tmp_path / "home")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_answer_lost_after_the_submission_is_found_again_and_the_payload_runs_once(
    world: World, tmp_path: Path
) -> None:
    world.cuts = [Cut("job.sh", after=True)]
    record = world.ended(world.submit(a_marking_job(tmp_path)))
    assert record.state is JobState.COMPLETED
    kinds = [event.kind for event in world.ledger.events([record.id])]
    assert EventKind.UNCERTAIN in kinds
    assert payload_runs(tmp_path) == 1


def test_a_link_cut_before_the_submission_leaves_an_unknown_job_that_a_retry_submits_once(
    world: World, tmp_path: Path
) -> None:
    world.cuts = [Cut("job.sh")]
    job_id = new_job_id()
    with pytest.raises(LinkLost):
        world.submit(a_marking_job(tmp_path), job_id)
    assert world.record(job_id).state is JobState.UNKNOWN
    with world.broker() as broker:
        record = retry(broker, job_id)
    assert record.attempt == 2
    assert world.ended(record).state is JobState.COMPLETED
    assert payload_runs(tmp_path) == 1


def test_a_retry_adopts_what_arrived_instead_of_submitting_again(world: World, tmp_path: Path) -> None:
    the_look_that_follows = Cut("", number=2)
    world.cuts = [Cut("job.sh", after=True), the_look_that_follows]
    job_id = new_job_id()
    with pytest.raises(LinkLost):
        world.submit(a_marking_job(tmp_path), job_id)
    assert world.record(job_id).state is JobState.UNKNOWN
    wait_until(lambda: payload_runs(tmp_path) == 1)
    with world.broker() as broker, pytest.raises(UsageError, match="nothing to retry"):
        retry(broker, job_id)
    assert world.record(job_id).native_id is not None
    assert payload_runs(tmp_path) == 1


def test_a_retry_of_a_completed_job_is_refused(world: World) -> None:
    record = world.ended(world.submit())
    with world.broker() as broker, pytest.raises(UsageError, match="COMPLETED"):
        retry(broker, record.id)


def test_a_retry_of_a_failed_job_runs_in_a_directory_of_its_own(world: World) -> None:
    record = world.ended(world.submit(command=["false"]))
    with world.broker() as broker:
        again = retry(broker, record.id)
    assert again.id == record.id
    assert again.attempt == 2
    assert again.directory != record.directory
    assert world.ended(again).state is JobState.FAILED


def test_a_retry_while_the_site_is_down_submits_nothing(world: World, tmp_path: Path) -> None:
    world.cuts = [Cut("job.sh")]
    job_id = new_job_id()
    with pytest.raises(LinkLost):
        world.submit(a_marking_job(tmp_path), job_id)
    world.open_link = unreachable
    with world.broker() as broker, pytest.raises(LinkError):
        retry(broker, job_id)
    assert world.record(job_id).state is JobState.UNKNOWN
    assert payload_runs(tmp_path) == 0


def test_staging_that_breaks_submits_nothing_and_says_so(world: World, tmp_path: Path) -> None:
    (tmp_path / "forcing").write_text("x")
    world.cuts = [Cut("put forcing")]
    job_id = new_job_id()
    with pytest.raises(LinkLost):
        world.submit(a_job(data={"stage_in": [str(tmp_path / "forcing")]}), job_id)
    record = world.record(job_id)
    assert record.state is JobState.FAILED
    assert "nothing was submitted" in (record.reason or "")
    with world.broker() as broker:
        assert world.ended(retry(broker, job_id)).state is JobState.COMPLETED


def test_an_attempt_that_was_given_up_is_closed_by_the_next_look_and_never_runs_later(
    world: World, tmp_path: Path
) -> None:
    world.cuts = [Cut("job.sh")]
    job_id = new_job_id()
    with pytest.raises(LinkLost):
        world.submit(a_marking_job(tmp_path), job_id)
    late = next(script for script in world.scripts if is_submission(script))
    assert world.record(job_id).state is JobState.UNKNOWN
    with world.broker() as broker:
        record = look(broker, [job_id])[0][0]
    assert record.state is JobState.FAILED
    assert "never arrived" in (record.reason or "")
    # The lost message arrives after all: it finds the claim taken and submits nothing.
    with world.broker() as broker:
        broker.links.to(broker.site("here")).run(late.replace("sleep 1", "sleep 0"), 120)
    assert payload_runs(tmp_path) == 0


def test_a_submission_that_is_still_being_sent_is_left_alone_however_long_it_takes(world: World) -> None:
    job_id = new_job_id()
    looked: list[JobRecord] = []

    def look_meanwhile(script: str) -> None:
        if is_submission(script):
            world.clock.time += timedelta(hours=3)
            with world.broker() as other:
                looked.extend(look(other, [job_id])[0])

    world.scripts = _Calls(look_meanwhile)
    record = world.submit(job_id=job_id)
    assert looked[0].state is JobState.SUBMITTING
    assert world.ended(record).state is JobState.COMPLETED


def test_a_job_canceled_before_it_was_submitted_is_canceled_and_never_runs(
    world: World, tmp_path: Path
) -> None:
    world.cuts = [Cut("job.sh")]
    job_id = new_job_id()
    with pytest.raises(LinkLost):
        world.submit(a_marking_job(tmp_path), job_id)
    with world.broker() as broker:
        ((after,), _) = cancel(broker, records.load(broker, [job_id]))
    assert after.state is JobState.CANCELED
    assert payload_runs(tmp_path) == 0


def test_cancel_ends_a_running_job_for_real(world: World, tmp_path: Path) -> None:
    record = world.submit(command=["sh", "-c", f"echo $$ > '{tmp_path}/pid'; sleep 300"])
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    with world.broker() as broker:
        ((after,), troubles) = cancel(broker, records.load(broker, [record.id]))
    assert troubles == {}
    assert after.cancel_asked
    assert world.ended(after).state is JobState.CANCELED
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_one_site_that_is_down_does_not_keep_the_others_from_being_canceled(world: World) -> None:
    world.sites = ("here", "there")
    here, there = (
        world.submit(a_job(command=["sleep", "60"], preferences={"sites": [site]})) for site in world.sites
    )
    real = world.broker().links

    def only_here(site: Site, access: Access) -> Transport:
        return unreachable() if site.id == "there" else world._open(site, access)

    real.close()
    world.open_link = only_here
    with world.broker() as broker:
        _, troubles = cancel(broker, records.load(broker, [there.id, here.id]))
    assert set(troubles) == {"there"}
    assert world.ended(here).state is JobState.CANCELED
    world.open_link = None
    with world.broker() as broker:
        cancel(broker, records.load(broker, [there.id]))
    assert world.ended(there).state is JobState.CANCELED


def test_of_two_retries_of_one_job_only_one_sends_anything(world: World, tmp_path: Path) -> None:
    failed = world.ended(world.submit(command=["sh", "-c", f"echo ran >> '{tmp_path}/marks'; exit 1"]))
    beaten: list[bool] = []

    def retry_meanwhile(script: str) -> None:
        if not beaten and "submit" not in script:
            beaten.append(True)
            with world.broker() as other:
                retry(other, failed.id)

    world.scripts = _Calls(retry_meanwhile)
    with world.broker() as broker, pytest.raises(AttemptTaken) as caught:
        retry(broker, failed.id)
    assert caught.value.exit_code == 75
    world.ended(world.record(failed.id))
    assert payload_runs(tmp_path) == 2


def test_a_retry_that_finds_no_site_does_not_close_the_attempt_of_another(world: World) -> None:
    failed = world.ended(world.submit(command=["false"]))
    with world.broker() as broker:
        sent = retry(broker, failed.id)
        late = a_job({"nodes": 7})
        assert submit.decide(broker, failed.id, late, attempt=2).chosen is None
    after = world.record(failed.id)
    assert (after.attempt, after.state) == (2, sent.state)


def test_a_job_canceled_while_it_is_being_sent_is_not_submitted(world: World, tmp_path: Path) -> None:
    job_id = new_job_id()

    def cancel_meanwhile(script: str) -> None:
        if is_submission(script):
            world.scripts = []
            with world.broker() as other:
                cancel(other, records.load(other, [job_id]))

    world.scripts = _Calls(cancel_meanwhile)
    with pytest.raises(AttemptTaken):
        world.submit(a_marking_job(tmp_path), job_id)
    assert world.record(job_id).state is JobState.CANCELED
    assert payload_runs(tmp_path) == 0


def test_a_cancel_that_could_not_reach_the_site_is_done_when_the_site_is_back(world: World) -> None:
    record = world.submit(command=["sleep", "60"])
    world.open_link = unreachable
    with world.broker() as broker:
        cancel(broker, records.load(broker, [record.id]))
    world.open_link = None
    assert world.ended(record).state is JobState.CANCELED


def test_an_interrupt_while_inputs_travel_leaves_a_job_that_says_so_and_can_be_retried(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "forcing").write_text("x")
    job_id = new_job_id()

    def interrupted(step: Progress) -> None:
        if step.step == "stage-in":
            raise KeyboardInterrupt

    world.told = _Heard(interrupted)
    with pytest.raises(KeyboardInterrupt):
        world.submit(a_job(data={"stage_in": [str(tmp_path / "forcing")]}), job_id)
    record = world.record(job_id)
    assert record.state is JobState.FAILED
    assert "nothing was submitted" in (record.reason or "")
    world.told = []
    with world.broker() as broker:
        assert world.ended(retry(broker, job_id)).state is JobState.COMPLETED


def test_a_submission_that_died_at_the_site_is_closed_and_sealed(world: World, tmp_path: Path) -> None:
    world.cuts = [Cut("job.sh")]
    job_id = new_job_id()
    with pytest.raises(LinkLost):
        world.submit(a_marking_job(tmp_path), job_id)
    own = world.directory(world.record(job_id)) / ".hpcnet"
    (own / "submit").mkdir(parents=True)
    (own / "submit" / "who").write_text(f"login1 4711 {int(time.time()) - 3600}\n")
    with world.broker() as broker:
        record = retry(broker, job_id)
    assert record.attempt == 2
    assert world.ended(record).state is JobState.COMPLETED
    assert (own / "claim" / "holder").read_text() == "closed\n"
    assert payload_runs(tmp_path) == 1


def test_cancel_of_a_finished_job_changes_nothing(world: World) -> None:
    record = world.ended(world.submit())
    with world.broker() as broker:
        ((after,), _) = cancel(broker, [record])
    assert after == record


def test_a_job_that_no_site_can_run_is_remembered_with_its_reasons(world: World) -> None:
    job_id = new_job_id()
    with pytest.raises(NoSiteFits) as caught:
        world.submit(a_job({"nodes": 7}), job_id)
    assert caught.value.exit_code == 69
    record = world.record(job_id)
    assert (record.state, record.reason) == (JobState.FAILED, "no site fits")
    with world.broker() as broker:
        assert records.decision_of(broker, job_id).refused[0].rule == "nodes"


def test_sites_that_are_down_are_worth_another_try(world: World) -> None:
    world.open_link = unreachable
    with pytest.raises(NoSiteFits) as caught:
        world.submit()
    assert caught.value.exit_code == 75


def test_jobs_of_a_site_that_is_down_keep_their_last_state_and_say_so(world: World) -> None:
    record = world.submit(command=["sleep", "1"])
    world.open_link = unreachable
    with world.broker() as broker:
        found, troubles = look(broker, [record.id])
    assert found == [record]
    assert "does not answer" in troubles["here"].message


def test_jobs_of_a_site_that_is_no_longer_configured_stay_readable(world: World) -> None:
    record = world.submit(command=["sleep", "1"])
    world.sites = ()
    with world.broker() as broker:
        found, troubles = look(broker, [record.id])
    assert found == [record]
    assert "no longer configured" in troubles["here"].message


def test_any_number_of_jobs_is_looked_at_with_one_call_a_site(world: World) -> None:
    world.sites = ("here", "there")
    jobs = [world.submit(a_job(preferences={"sites": [site]})) for site in ("here", "there") * 3]
    world.scripts.clear()
    with world.broker() as broker:
        look(broker, [record.id for record in jobs])
    assert len(world.scripts) == 2


@pytest.mark.parametrize(
    "word",
    [
        "plain",
        "two words",
        "$(touch /tmp/hpcnet-pwned)",
        "`touch /tmp/hpcnet-pwned`",
        "; touch /tmp/hpcnet-pwned",
        'it\'s "quoted"',
        "-n --leading",
        "new\nline",
        "tab\there",
        "ñandú ação 中文 🌋",
        "",
        "*",
        "~",
        "\\",
        "${HOME}",
        "!history",
        "%j %x",
        "{nodes}",
    ],
)
def test_any_word_of_a_person_reaches_the_program_unharmed(world: World, word: str, tmp_path: Path) -> None:
    program = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    job = a_job(name=word or "empty", command=[sys.executable, "-c", program, str(tmp_path / "got"), word])
    assert world.ended(world.submit(job)).state is JobState.COMPLETED
    assert (tmp_path / "got").read_text() == word
    assert not Path("/tmp/hpcnet-pwned").exists()


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from world import World
from hpcnet.ledger.sql import open_ledger
import hpcnet.broker.records as records
import hpcnet.broker.links as links
from builders import a_job
folder = Path({folder!r})
world = World(folder, open_ledger(folder / "state" / "ledger.db"))
left = {step}
def counted(function):
    def step(*arguments):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        result = function(*arguments)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return result
    return step
world.ledger.append = counted(world.ledger.append)
links.ask = counted(links.ask)
world.submit(a_job(command=["sh", "-c", "echo ran >> '" + str(folder) + "/marks'"]), {job_id!r})
"""


@pytest.mark.parametrize("step", range(9))
def test_a_broker_killed_at_any_step_of_a_submission_leaves_at_most_one_run_and_a_true_ledger(
    world: World, tmp_path: Path, step: int
) -> None:
    job_id = new_job_id()
    program = KILLED.format(
        tests=str(Path(__file__).parents[1]), folder=str(tmp_path), step=step, job_id=job_id
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert ended.returncode == (-signal.SIGKILL if step < 8 else 0), ended.stderr.decode()
    if not world.ledger.job_ids(prefix=job_id):
        assert payload_runs(tmp_path) == 0
        return
    record = _settled(world, job_id)
    assert record.state in (JobState.COMPLETED, JobState.FAILED)
    assert payload_runs(tmp_path) == (1 if record.state is JobState.COMPLETED else 0)


def _settled(world: World, job_id: str) -> JobRecord:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with world.broker() as broker:
            record = look(broker, [job_id])[0][0]
        if record.state.final:
            return record
        time.sleep(0.05)
    raise AssertionError(f"the job stays {record.state}: {record.reason}")
