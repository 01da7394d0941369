"""`hpcnet cancel`: take jobs back."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, say, say_json


@click.command(name="cancel", epilog=examples("hpcnet cancel j-01J9", "hpcnet cancel j-01J9 j-01JA"))
@click.argument("job", nargs=-1, required=True)
@json_option
def cancel(job: tuple[str, ...], as_json: bool) -> int:
    """Cancel each JOB at its site. A job that is over stays as it is."""
    from hpcnet.broker import records
    from hpcnet.broker.cancel import cancel
    from hpcnet.cli.jobs import job_as_json, remark_troubles, state_in_words, worst
    from hpcnet.wiring import house

    with house().broker() as broker:
        found, troubles = cancel(broker, records.load(broker, records.resolve(broker, job)))
    remark_troubles(troubles)
    code = worst(troubles)
    if as_json:
        say_json([job_as_json(record) for record in found])
        return code
    for record in found:
        asked = ", canceling" if record.cancel_asked and not record.state.final else ""
        say(f"{record.id}  {state_in_words(record)}{asked}")
    return code
