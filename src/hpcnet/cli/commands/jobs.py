"""`hpcnet jobs`: your jobs everywhere, refreshed with one query a site."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, remark, say_json


@click.command(
    name="jobs", epilog=examples("hpcnet jobs", "hpcnet jobs --all --json", "hpcnet jobs --no-refresh")
)
@click.option("--all", "everything", is_flag=True, help="All jobs of the ledger, not only the newest 50.")
@click.option("--no-refresh", is_flag=True, help="Contact nobody: show what the ledger knows.")
@json_option
def jobs(everything: bool, no_refresh: bool, as_json: bool) -> int:
    """List your jobs at all sites with their states.

    Exits 75 or 77 when a site could not be looked at: its jobs are shown as last seen.
    """
    from hpcnet.broker import records
    from hpcnet.broker.follow import look
    from hpcnet.cli.jobs import job_as_json, remark_troubles, say_jobs, worst
    from hpcnet.wiring import house

    with house().broker() as broker:
        ledger = broker.ledger()
        listed = list(ledger.job_ids(newest=None if everything else 50))
        code = 0
        if no_refresh:
            found = records.load(broker, listed)
        else:
            # Jobs that are not over are looked at even when they are too old to be listed.
            wanted = sorted({*ledger.job_ids(open_only=True), *listed})
            found, troubles = look(broker, wanted)
            remark_troubles(troubles)
            code = worst(troubles)
    if as_json:
        say_json([job_as_json(record) for record in found])
    elif found:
        say_jobs(found)
    else:
        remark("no jobs yet: hpcnet submit FILE submits one")
    return code
