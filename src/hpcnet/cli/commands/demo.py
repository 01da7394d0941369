"""`hpcnet demo`: a researcher's first job from end to end, each step explained."""

from __future__ import annotations

from pathlib import Path

import click

from hpcnet.cli.console import examples, remark
from hpcnet.cli.walk import FirstJob


@click.command(name="demo", epilog=examples("hpcnet demo", "hpcnet demo --local", "hpcnet demo --keep"))
@click.option(
    "--directory",
    default="demo",
    type=click.Path(path_type=Path),
    help="Where all of it goes.",
    show_default=True,
)
@click.option("--local", is_flag=True, help="Without Slurm and SSH: the embedded default on this machine.")
@click.option("--keep", is_flag=True, help="Leave the training federation running.")
def demo(directory: Path, local: bool, keep: bool) -> None:
    """Start a training federation, submit a climate job, follow it, fetch, verify and draw it."""
    from hpcnet.wiring import missing_lab_programs

    walk = FirstJob(directory.resolve())
    missing = () if local else missing_lab_programs()
    if missing:
        absent = ", ".join(missing)
        remark(f"Slurm cannot run here ({absent} not found): the same job runs on this machine itself")
    walk.walk(use_lab=not local and not missing, keep=keep)
