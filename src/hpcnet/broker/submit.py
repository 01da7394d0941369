"""Submit: decide, write the intent down, bring the inputs, and submit at most once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from hpcnet.broker import records, staging
from hpcnet.broker.context import Broker
from hpcnet.broker.plan import plan, refuse_if_nothing_fits
from hpcnet.broker.settle import settle
from hpcnet.broker.track import note_look
from hpcnet.errors import (
    AccessError,
    AttemptTaken,
    HpcnetError,
    LinkLost,
    SubmissionRefused,
    TimedOut,
    Unreachable,
)
from hpcnet.model.configuration import Access
from hpcnet.model.decision import Candidate, Decision
from hpcnet.model.history import NEVER_ARRIVED
from hpcnet.model.job import JobSpec
from hpcnet.model.plain import to_plain
from hpcnet.model.progress import Progress
from hpcnet.model.record import Event, EventKind, JobRecord
from hpcnet.model.site import Site
from hpcnet.model.state import JobState, Receipt
from hpcnet.model.submission import Attempt, Submission


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decided job, ready to be sent: nothing of it has left this machine."""

    decision: Decision
    candidate: Candidate
    submission: Submission
    files: tuple[staging.Transfer, ...]
    attempt: int


def decide(broker: Broker, job_id: str, job: JobSpec, attempt: int = 1) -> Decision:
    """Plan the job. A decision in which no site fits is remembered, so that `why` can tell later."""
    decision = plan(broker, job_id, job)
    if decision.chosen is None:
        _remember(broker, job_id, job, decision, attempt)
    return decision


def prepare(broker: Broker, decision: Decision, job: JobSpec, attempt: int = 1) -> Prepared:
    """Make ready what would be sent to the chosen site; nothing leaves this machine.

    Raises `NoSiteFits` for a decision without a candidate, and `JobError` for missing inputs.
    """
    refuse_if_nothing_fits(decision)
    candidate = decision.ranked[0]
    submission = _submission(broker, decision.job, job, candidate, attempt)
    files = staging.transfers(job, broker.kernel)
    return Prepared(decision, candidate, submission, files, attempt)


def send(broker: Broker, prepared: Prepared) -> JobRecord:
    """Send a prepared job. The intent is durable before the first byte leaves.

    Raises `SubmissionRefused` with the scheduler's words, and the link's error when it is not
    known whether the job arrived: the ledger then says UNKNOWN and `settle` finds out.
    """
    with broker.senders.sending(prepared.submission.token):
        _write_intent(broker, prepared)
        _bring_inputs(broker, prepared)
        _refuse_if_closed_meanwhile(broker, prepared)
        broker.tell(Progress("submit", f"submitting to {prepared.submission.site.id}"))
        try:
            receipt = _ask_to_submit(broker, prepared)
        except (LinkLost, TimedOut) as error:
            return _settle_or_raise(broker, prepared, error)
        return _file_receipt(broker, prepared, receipt)


def _ask_to_submit(broker: Broker, prepared: Prepared) -> Receipt:
    """The one call that submits. However it ends, the ledger says what is known of it."""
    submission = prepared.submission
    question = broker.scheduler(submission.site).submit(submission)
    try:
        return broker.links.ask(submission.site, question)
    except (LinkLost, TimedOut):
        raise
    except (Unreachable, AccessError) as error:
        _note(broker, prepared, EventKind.ABSENT, reason=f"nothing was submitted: {error.message}")
        raise
    except BaseException as error:
        words = str(error) or type(error).__name__
        _note(broker, prepared, EventKind.UNCERTAIN, reason=f"the submission broke off: {words}")
        raise


def _file_receipt(broker: Broker, prepared: Prepared, receipt: Receipt) -> JobRecord:
    job_id, submission = prepared.decision.job, prepared.submission
    if receipt.refusal is not None:
        _note(broker, prepared, EventKind.REFUSED, reason=receipt.refusal)
        raise SubmissionRefused(
            f"{submission.site.id} refused the job: {receipt.refusal}",
            hint=f"hpcnet why {job_id} prints why this site was chosen",
        )
    if receipt.native_id is None:
        words = receipt.words.strip() or "the scheduler gave no job id"
        return _settle_or_raise(broker, prepared, LinkLost(f"{submission.site.id}: {words}"))
    _note(broker, prepared, EventKind.SUBMITTED, native_id=receipt.native_id, directory=receipt.directory)
    record = records.load(broker, [job_id])[0]
    if record.cancel_asked or record.state.final:
        question = broker.scheduler(submission.site).cancel(submission.site, [_attempt(submission, receipt)])
        note_look(broker, [record], broker.links.ask(submission.site, question))
        raise _taken_back(job_id)
    return record


def _attempt(submission: Submission, receipt: Receipt) -> Attempt:
    return Attempt(submission.token, receipt.directory, receipt.native_id)


def _taken_back(job_id: str) -> AttemptTaken:
    message = f"{job_id} was canceled or closed by another hpcnet while it was being sent"
    return AttemptTaken(message, hint=f"hpcnet status {job_id} shows how it ended")


def _refuse_if_closed_meanwhile(broker: Broker, prepared: Prepared) -> None:
    """Inputs may travel for long: what was canceled meanwhile is not submitted any more."""
    record = records.load(broker, [prepared.decision.job])[0]
    if record.state.final and record.attempt == prepared.attempt:
        raise _taken_back(record.id)
    if record.cancel_asked:
        _note(broker, prepared, EventKind.ABSENT)
        raise _taken_back(record.id)


def _settle_or_raise(broker: Broker, prepared: Prepared, error: HpcnetError) -> JobRecord:
    """The answer was lost, not necessarily the job: look before anything else is done."""
    job_id = prepared.decision.job
    _note(broker, prepared, EventKind.UNCERTAIN, reason=error.message)
    record = settle(broker, records.load(broker, [job_id])[0])
    if record.native_id is not None:
        return record
    if record.state is JobState.FAILED and record.reason != NEVER_ARRIVED:
        raise SubmissionRefused(f"{record.site} refused the job: {record.reason}") from error
    if record.state.final:
        raise _taken_back(job_id) from error
    error.hint = f"it is not known whether {job_id} arrived: hpcnet status {job_id} looks again"
    raise error


def _bring_inputs(broker: Broker, prepared: Prepared) -> None:
    files, submission = prepared.files, prepared.submission
    if not files:
        return
    try:
        staging.bring(broker, submission.site, submission.directory, files)
    except BaseException as error:
        words = str(error) or "interrupted"
        reason = f"staging broke off, nothing was submitted: {words}"
        _note(broker, prepared, EventKind.ABSENT, reason=reason)
        if isinstance(error, HpcnetError):
            error.hint = error.hint or f"hpcnet retry {prepared.decision.job} starts again"
        raise
    _note(broker, prepared, EventKind.STAGED, files=len(files), bytes=sum(file.size for file in files))


def _note(broker: Broker, prepared: Prepared, kind: EventKind, **body: object) -> None:
    """Note what became of this attempt, by its number: late news of an older one changes nothing."""
    records.note(broker, prepared.decision.job, kind, {**body, "attempt": prepared.attempt})


def _remember(broker: Broker, job_id: str, job: JobSpec, decision: Decision, attempt: int) -> None:
    """Write down a decision in which no site fits."""
    events = [*_described(broker, job_id, job, decision, attempt)]
    # It speaks of the attempt before: this one never came to be, and another may have, meanwhile.
    reason = {"reason": "no site fits", "attempt": attempt - 1}
    broker.ledger().append([*events, Event(job_id, EventKind.REFUSED, decision.taken_at, reason)])


def _described(broker: Broker, job_id: str, job: JobSpec, decision: Decision, attempt: int) -> list[Event]:
    now = broker.clock.now()
    created = Event(
        job_id,
        EventKind.CREATED,
        now,
        {"name": job.name, "spec": job.model_dump(mode="json", by_alias=True, exclude_none=True)},
    )
    decided = Event(job_id, EventKind.DECIDED, now, {"decision": to_plain(decision)})
    return [created, decided] if attempt == 1 else [decided]


def _write_intent(broker: Broker, prepared: Prepared) -> None:
    submission = prepared.submission
    intent = {
        "site": submission.site.id,
        "partition": submission.partition,
        "attempt": prepared.attempt,
        "token": submission.token,
        "directory": submission.directory,
        "files": len(prepared.files),
    }
    job_id = prepared.decision.job
    events = _described(broker, job_id, submission.job, prepared.decision, prepared.attempt)
    broker.ledger().append([*events, Event(job_id, EventKind.INTENT, broker.clock.now(), intent)])


def _submission(broker: Broker, job_id: str, job: JobSpec, candidate: Candidate, attempt: int) -> Submission:
    site = broker.site(candidate.site)
    access = broker.access(job.preferences.sites)[site.id]
    token = f"{job_id}.{attempt}"
    return Submission(
        token=token,
        directory=str(PurePosixPath(_work_dir(site, access), token)),
        job=job,
        site=site,
        partition=candidate.partition,
        account=job.requirements.account or access.account,
        qos=job.requirements.qos or access.qos,
    )


def _work_dir(site: Site, access: Access) -> str:
    # A link starts in the login directory: "~/" says the same, and no shell is there to expand it.
    return (access.work_dir or site.work_dir).removeprefix("~/")
