"""`hpcnet wait`: until jobs are over."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, remark, say_json


@click.command(
    name="wait", epilog=examples("hpcnet wait j-01J9", "hpcnet wait j-01J9 j-01JA && hpcnet fetch j-01J9")
)
@click.argument("job", nargs=-1, required=True)
@json_option
def wait(job: tuple[str, ...], as_json: bool) -> int:
    """Wait until every JOB is over, showing its state. Exits 1 if one of them did not complete.

    Ctrl-C stops the waiting, not the jobs.
    """
    from hpcnet.broker import records
    from hpcnet.broker.follow import wait
    from hpcnet.cli.jobs import exit_code_for, job_as_json, remark_result
    from hpcnet.cli.watching import Watch
    from hpcnet.wiring import house

    with house().broker() as broker:
        job_ids = records.resolve(broker, job)
        try:
            with Watch(quiet=as_json) as watch:
                found = wait(broker, job_ids, watch)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"{', '.join(job_ids)}: not touched, hpcnet wait goes on waiting")
            raise
    if as_json:
        say_json([job_as_json(record) for record in found])
    remark_result(found)
    completed = sum(record.state.value == "COMPLETED" for record in found)
    remark(f"{completed} of {len(found)} completed")
    return exit_code_for(found)
