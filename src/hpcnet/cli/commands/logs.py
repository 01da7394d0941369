"""`hpcnet logs`: the output of a job."""

from __future__ import annotations

import sys

import click

from hpcnet.cli.console import examples, json_option, say_json


@click.command(name="logs", epilog=examples("hpcnet logs j-01J9", "hpcnet logs -f j-01J9"))
@click.argument("job")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@json_option
def logs(job: str, follow: bool, as_json: bool) -> None:
    """Print what JOB wrote on its standard output and error."""
    from hpcnet.broker import records
    from hpcnet.broker.follow import look, output
    from hpcnet.wiring import house

    with house().broker() as broker:
        record = look(broker, records.resolve(broker, [job]))[0][0]
        pieces = output(broker, record, follow=follow)
        if as_json:
            text = b"".join(pieces).decode(errors="backslashreplace")
            say_json({"id": record.id, "output": text})
            return
        for piece in pieces:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
