"""`hpcnet retry`: once more, after a look."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, remark, say, say_json


@click.command(name="retry", epilog=examples("hpcnet retry j-01J9"))
@click.argument("job")
@json_option
def retry(job: str, as_json: bool) -> None:
    """Submit a failed, canceled or lost JOB again, under the same id and the next attempt number.

    Looks first: if the last attempt is found alive nothing is submitted.
    """
    from hpcnet.broker import records
    from hpcnet.broker.retry import retry
    from hpcnet.cli.jobs import job_as_json
    from hpcnet.cli.progress import ProgressDisplay
    from hpcnet.wiring import house

    with ProgressDisplay(quiet=as_json) as tell, house().broker(tell) as broker:
        record = retry(broker, records.resolve(broker, [job])[0])
    if as_json:
        say_json(job_as_json(record))
        return
    remark(f"attempt {record.attempt} submitted to {record.site}/{record.partition} as {record.native_id}")
    say(record.id)
