"""`hpcnet status`: all that is known of some jobs."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, say_json


@click.command(name="status", epilog=examples("hpcnet status j-01J9", "hpcnet status --json j-01J9 j-01JA"))
@click.argument("job", nargs=-1, required=True)
@json_option
def status(job: tuple[str, ...], as_json: bool) -> None:
    """Look at each JOB's site once and print its state. A unique beginning of the id is enough."""
    from hpcnet.broker import records
    from hpcnet.broker.follow import look
    from hpcnet.cli.jobs import job_as_json, remark_troubles, say_job
    from hpcnet.wiring import house

    with house().broker() as broker:
        found, troubles = look(broker, records.resolve(broker, job))
    remark_troubles(troubles)
    if as_json:
        say_json([job_as_json(record) for record in found])
        return
    for record in found:
        say_job(record)
