"""`hpcnet schema`: JSON Schema for editors."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, say_json


@click.command(name="schema", epilog=examples("hpcnet schema job > job.schema.json"))
@click.argument("what", type=click.Choice(("job", "site", "config")))
@json_option
def schema(what: str, as_json: bool) -> None:  # noqa: ARG001 - a schema is JSON either way
    """Print the JSON Schema of a job file, a site descriptor or the configuration."""
    from hpcnet.model.schemas import schema

    say_json(schema(what))
