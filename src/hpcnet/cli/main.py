"""Joins the commands, and turns every error into a message and an exit code."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import click

from hpcnet import __version__
from hpcnet.cli.console import examples, flush, remark, write
from hpcnet.errors import FileError, HpcnetError, UsageError

_COMMANDS = Path(__file__).parent / "commands"


class LazyCommands(click.Group):
    """Imports a command only when it is called: `--version` and `submit --help` stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every file in `commands/` is a command."""
        names = (path.stem for path in _COMMANDS.glob("*.py"))
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and with the command that was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not close:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{close[0]}'?", ctx) from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, imported now."""
        if not (_COMMANDS / f"{cmd_name.replace('-', '_')}.py").is_file():
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"hpcnet.cli.commands.{name}")
        command: click.Command = getattr(module, name)
        return command


@click.command(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "hpcnet lab up               a training federation on this machine",
        "hpcnet plan job.toml        which site, when, at what cost, and why not the others",
        "hpcnet submit job.toml      submit to the best site",
        "hpcnet wait j-01J9 && hpcnet fetch j-01J9",
    ),
)
@click.version_option(__version__, prog_name="hpcnet", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, envvar="HPCNET_DEBUG", help="Show a traceback with every error.")
def cli(debug: bool) -> None:
    """Route jobs to the right supercomputer of the EU-LAC network, over plain SSH."""
    if debug:
        os.environ["HPCNET_DEBUG"] = "1"


def main() -> NoReturn:
    """Run `hpcnet` and exit. The only place where an error becomes an exit code."""
    # Nearly all objects of so short a program are its imported modules, which are no garbage: looking
    # through them again and again, and once more at the end, is a quarter of the time of a submit.
    gc.set_threshold(100_000)
    _open_missing_streams()
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        code = _report_usage(error)
    except (KeyboardInterrupt, click.Abort) as interrupt:
        _interrupted(interrupt)
    except HpcnetError as error:
        code = _report(error)
    except Exception as error:  # noqa: BLE001 - a fault of ours: still no traceback at a user
        code = _report(
            HpcnetError(f"internal error: {type(error).__name__}: {error}", "HPCNET_DEBUG=1 shows more")
        )
    flush()
    gc.freeze()
    sys.exit(code if isinstance(code, int) else 0)


def _open_missing_streams() -> None:
    """A program started with a closed stdout or stderr (`>&-`) has none: then nothing is printed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, nowhere)


def _interrupted(interrupt: BaseException) -> NoReturn:
    remark("\nhpcnet: interrupted")
    # click raises an exception of its own from the interrupt, which carries what was noted.
    for note in getattr(interrupt.__cause__ or interrupt, "__notes__", ()):
        remark(f"  {note}")
    flush()
    # At once: an interrupt in the middle of an import can leave its lock behind, and a thread that
    # waits for it would keep the program from ending. What matters is in the ledger already.
    os._exit(130)


def _report_usage(error: click.ClickException) -> int:
    if _wants_json():
        write(json.dumps(_as_json(UsageError(error.format_message()))) + "\n")
    error.show()
    return UsageError.exit_code


def _report(error: HpcnetError) -> int:
    """Two lines on stderr: what, and what to do; the faults of a file one by one between them."""
    if os.environ.get("HPCNET_DEBUG"):
        import traceback

        traceback.print_exc()
    if _wants_json():
        write(json.dumps(_as_json(error)) + "\n")
    lines = [f"hpcnet: {error.message}"]
    if isinstance(error, FileError):
        lines += [f"  {fault}" for fault in error.faults]
    if error.hint:
        lines.append(f"  hint: {error.hint}")
    remark("\n".join(lines))
    return error.exit_code


def _wants_json() -> bool:
    return "--json" in sys.argv[1:]


def _as_json(error: HpcnetError) -> dict[str, Any]:
    plain = {**error.details, "error": error.message, "hint": error.hint, "exit_code": error.exit_code}
    if isinstance(error, FileError):
        plain["faults"] = [
            {"where": fault.where, "what": fault.what, "hint": fault.hint} for fault in error.faults
        ]
    return plain
