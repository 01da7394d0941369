"""`hpcnet use-case`: ready jobs in the words of a field."""

from __future__ import annotations

import click

from hpcnet.cli.console import examples, json_option, remark, say, say_json, say_table


@click.group(name="use-case", epilog=examples("hpcnet use-case list", "hpcnet use-case show climate"))
def use_case() -> None:
    """List the ready use cases and their parameters."""


@use_case.command(name="list")
@json_option
def list_use_cases(as_json: bool) -> None:
    """List the use cases."""
    from hpcnet.wiring import use_cases

    found = use_cases()
    for name, reason in found.broken.items():
        remark(f"use case {name} cannot be loaded: {reason}")
    if as_json:
        say_json([{"name": name, "summary": item.summary} for name, item in sorted(found.plugins.items())])
        return
    say_table(("NAME", "SUMMARY"), [(name, item.summary) for name, item in sorted(found.plugins.items())])


@use_case.command(name="show")
@click.argument("name")
@json_option
def show_use_case(name: str, as_json: bool) -> None:
    """Print the parameters of use case NAME with types, defaults and units."""
    from hpcnet.wiring import use_cases

    item = use_cases().get(name)
    schema = item.parameters.model_json_schema()
    if as_json:
        say_json({"name": name, "summary": item.summary, "parameters": schema})
        return
    say(f"{name}: {item.summary}")
    rows = [
        (key, facts.get("type", ""), facts.get("default", "required"), facts.get("description", ""))
        for key, facts in schema["properties"].items()
    ]
    say_table(("PARAMETER", "TYPE", "DEFAULT", "MEANING"), rows)
