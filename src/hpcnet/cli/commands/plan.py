"""`hpcnet plan`: which site, when, at what cost, and why not the others."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, say_json
from hpcnet.cli.intake import JobOptions, job_options, read_job


@click.command(
    name="plan",
    epilog=examples(
        "hpcnet plan job.toml", "hpcnet plan --offline --all-sites job.toml", "hpcnet plan --json run.sbatch"
    ),
)
@job_options
@click.option("--offline", is_flag=True, help="Contact nobody: descriptors only.")
@click.option("--all-sites", is_flag=True, help="Rank sites without an account of yours, too.")
@click.option("--explain", is_flag=True, help="Print the reasons of every ranked site.")
@json_option
def plan(
    options: JobOptions,
    offline: bool,
    all_sites: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Survey your sites and print the ranking for a job FILE, with the reason of every refusal.

    Contacts the sites, changes nothing there. Exits 69 when no site fits.
    """
    from hpcnet.broker.identity import new_job_id
    from hpcnet.broker.plan import Wishes, plan, refuse_if_nothing_fits
    from hpcnet.cli.decisions import decision_as_json, say_decision
    from hpcnet.cli.progress import ProgressDisplay
    from hpcnet.wiring import house

    with ProgressDisplay(quiet=as_json) as tell, house().broker(tell) as broker:
        job = read_job(broker, options)
        decision = plan(broker, new_job_id(), job, Wishes(offline=offline, all_sites=all_sites))
    if not as_json:
        say_decision(decision, explain=explain)
    refuse_if_nothing_fits(decision)
    if as_json:
        say_json(decision_as_json(decision))
