"""`hpcnet submit`: plan, stage in, submit to the best site, record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hpcnet.cli.console import examples, json_option, remark, say, say_json
from hpcnet.cli.intake import JobOptions, job_options, read_job

if TYPE_CHECKING:
    from hpcnet.broker.context import Broker
    from hpcnet.cli.progress import ProgressDisplay
    from hpcnet.model.job import JobSpec
    from hpcnet.model.record import JobRecord


@click.command(
    name="submit",
    epilog=examples(
        "hpcnet submit job.toml",
        "hpcnet submit run.sbatch --site cl-nlhpc",
        "hpcnet submit --from-use-case climate --set parameters.hours=6 --wait",
        "hpcnet submit --dry-run job.toml",
    ),
)
@job_options
@click.option("--dry-run", is_flag=True, help="Show the script and what would be sent; send nothing.")
@click.option("--wait", "wait_for_it", is_flag=True, help="Wait for the end; exit 1 if the job fails.")
@json_option
def submit(
    options: JobOptions,
    dry_run: bool,
    wait_for_it: bool,
    as_json: bool,
) -> int:
    """Submit a job FILE (TOML, or an ordinary sbatch script) to the best site.

    The last line on stdout is the job id. A job is submitted at most once, whatever breaks.
    """
    from hpcnet.broker.identity import new_job_id
    from hpcnet.cli.progress import ProgressDisplay
    from hpcnet.wiring import house

    job_id = new_job_id()
    with ProgressDisplay(quiet=as_json) as tell, house().broker(tell) as broker:
        job = read_job(broker, options)
        if dry_run:
            _dry_run(broker, tell, job_id, job, as_json=as_json)
            return 0
        house().open_ledger_when_connected()
        try:
            record = _submit(broker, tell, job_id, job, as_json=as_json)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"hpcnet status {job_id} tells whether {job_id} was submitted")
            raise
    if wait_for_it:
        return _wait(record, as_json=as_json)
    _say_submitted(record, as_json=as_json)
    return 0


def _submit(broker: Broker, tell: ProgressDisplay, job_id: str, job: JobSpec, *, as_json: bool) -> JobRecord:
    from hpcnet.broker.submit import decide, prepare, send
    from hpcnet.cli.decisions import say_decision

    decision = decide(broker, job_id, job)
    tell.clear()
    if not as_json:
        say_decision(decision)
        _name_carried(job)
    return send(broker, prepare(broker, decision, job))


def _dry_run(broker: Broker, tell: ProgressDisplay, job_id: str, job: JobSpec, *, as_json: bool) -> None:
    from hpcnet.broker.plan import plan
    from hpcnet.broker.submit import prepare
    from hpcnet.cli.decisions import decision_as_json, say_decision

    decision = plan(broker, job_id, job)
    tell.clear()
    if not as_json:
        say_decision(decision)
        _name_carried(job)
    prepared = prepare(broker, decision, job)
    submission = prepared.submission
    script = broker.scheduler(submission.site).render(submission)
    files = [(str(file.source), str(file.target), file.size) for file in prepared.files]
    if as_json:
        sent = [{"source": source, "target": target, "bytes": size} for source, target, size in files]
        plain = {"plan": decision_as_json(decision), "directory": submission.directory}
        say_json({**plain, "script": script, "files": sent})
        return
    say(f"\nWould be sent to {submission.site.id}, into {submission.directory}:")
    for source, target, size in files:
        say(f"  {source} -> {target} ({size} bytes)")
    say("\nWould be submitted as .hpcnet/job.sh:")
    say(script)


def _name_carried(job: JobSpec) -> None:
    for directive in job.directives:
        remark(f"carried through as it is: #SBATCH {directive}")


def _say_submitted(record: JobRecord, *, as_json: bool) -> None:
    from hpcnet.cli.jobs import job_as_json

    if as_json:
        say_json(job_as_json(record))
        return
    remark(f"submitted to {record.site}/{record.partition} as native job {record.native_id}")
    say(record.id)


def _wait(record: JobRecord, *, as_json: bool) -> int:
    from hpcnet.broker.follow import wait
    from hpcnet.cli.jobs import exit_code_for, remark_result
    from hpcnet.cli.watching import Watch
    from hpcnet.wiring import house

    if not as_json:
        remark(f"submitted to {record.site}/{record.partition} as native job {record.native_id}")
    try:
        with Watch(quiet=as_json) as watch, house().broker() as broker:
            found = wait(broker, [record.id], watch)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"{record.id} goes on at {record.site}; hpcnet cancel {record.id} ends it")
        raise
    remark_result(found)
    _say_ended(found[0], as_json=as_json)
    return exit_code_for(found)


def _say_ended(record: JobRecord, *, as_json: bool) -> None:
    from hpcnet.cli.jobs import job_as_json

    if as_json:
        say_json(job_as_json(record))
    else:
        say(record.id)
