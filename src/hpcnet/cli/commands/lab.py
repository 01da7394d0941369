"""`hpcnet lab`: a training federation of real Slurm clusters on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hpcnet.cli.console import examples, json_option, remark, say, say_json, say_table

if TYPE_CHECKING:
    from hpcnet.lab.settings import LabStatus


@click.group(
    name="lab",
    epilog=examples("hpcnet lab up", "hpcnet lab up --accounting", "hpcnet lab status", "hpcnet lab down"),
)
def lab() -> None:
    """Run real Slurm clusters behind real sshd on this machine, for learning and testing.

    No system service is used or changed, and a Slurm that hpcnet did not start is never touched.
    """


@lab.command(name="up")
@click.option("--accounting", is_flag=True, help="With slurmdbd and a private MariaDB.")
@json_option
def up(accounting: bool, as_json: bool) -> None:
    """Start the federation, or what of it is not running; harmless when called twice."""
    from hpcnet.wiring import house, lab

    try:
        status = lab().up(house().lab_settings(accounting=accounting), remark)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note("hpcnet lab down removes what was started")
        raise
    _say_status(status, as_json=as_json)


@lab.command(name="status")
@json_option
def status(as_json: bool) -> None:
    """Show what runs. Exits 1 when the federation is not whole."""
    from hpcnet.wiring import house, lab

    found = lab().status(house().lab_settings())
    _say_status(found, as_json=as_json)
    if not found.running:
        raise click.exceptions.Exit(1)


@lab.command(name="down")
@json_option
def down(as_json: bool) -> None:
    """End every process of the federation and remove its files."""
    from hpcnet.wiring import house, lab

    lab().down(house().lab_settings(), remark)
    if as_json:
        say_json({"running": False})


def _say_status(found: LabStatus, *, as_json: bool) -> None:
    if as_json:
        say_json(found.as_json())
        return
    if not found.clusters:
        say("no training federation runs here: hpcnet lab up starts one")
        return
    rows = [
        (
            cluster.site,
            "up" if cluster.running else "down",
            f"{cluster.nodes_up} of {cluster.nodes_total}"
            + (f", {cluster.nodes_drained} drained" if cluster.nodes_drained else ""),
            ", ".join(cluster.partitions),
            cluster.gpus_per_node or "-",
            cluster.ssh_port,
        )
        for cluster in found.clusters
    ]
    say_table(("SITE", "STATE", "NODES UP", "PARTITIONS", "GPUS", "SSH PORT"), rows)
