"""`hpcnet completion`: the shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hpcnet.cli.console import examples, say


@click.command(
    name="completion",
    epilog=examples(
        'eval "$(hpcnet completion bash)"', "hpcnet completion fish > ~/.config/fish/completions/hpcnet.fish"
    ),
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the lines that make SHELL complete hpcnet's commands and options."""
    from hpcnet.cli.main import cli

    kind = get_completion_class(shell)
    if kind is not None:
        say(kind(cli, {}, "hpcnet", "_HPCNET_COMPLETE").source())
