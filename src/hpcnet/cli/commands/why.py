"""`hpcnet why`: the stored decision."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, say, say_json


@click.command(name="why", epilog=examples("hpcnet why j-01J9"))
@click.argument("job")
@json_option
def why(job: str, as_json: bool) -> None:
    """Print why JOB went where it went, as it was decided; nothing is computed again."""
    from hpcnet.broker import records
    from hpcnet.cli.decisions import decision_as_json, say_decision
    from hpcnet.wiring import house

    with house().broker() as broker:
        decision = records.decision_of(broker, records.resolve(broker, [job])[0])
    if as_json:
        say_json(decision_as_json(decision))
        return
    say(f"{decision.job}, decided {decision.taken_at:%Y-%m-%d %H:%M:%S} UTC")
    say_decision(decision, explain=True)
