"""`hpcnet status`: all that is known of some jobs."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, say_json


@click.command(name="status", epilog=examples("hpcnet status j-01J9", "hpcnet status --json j-01J9 j-01JA"))
@click.argument("job", nargs=-1, required=True)
@json_option
def status(job: tuple[str, ...], as_json: bool) -> int:
    """Look at each JOB's site once and print its state. A unique beginning of the id is enough.

    Exits 75 or 77 when a site could not be looked at: its jobs are shown as last seen.
    """
    from hpcnet.broker import records
    from hpcnet.broker.follow import look
    from hpcnet.cli.jobs import job_as_json, remark_troubles, say_job, worst
    from hpcnet.wiring import house

    with house().broker() as broker:
        found, troubles = look(broker, records.resolve(broker, job))
    remark_troubles(troubles)
    if as_json:
        say_json([job_as_json(record) for record in found])
    else:
        for record in found:
            say_job(record)
    return worst(troubles)
