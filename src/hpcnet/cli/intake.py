"""The options that `plan` and `submit` share: which job, where, to what end."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpcnet.cli.console import Function
from hpcnet.errors import UsageError

if TYPE_CHECKING:
    from hpcnet.broker.context import Broker
    from hpcnet.model.job import JobSpec

GOALS = ("time", "energy", "carbon", "cost", "balanced")


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What the command line says about the job itself."""

    file: Path | None
    site_id: str | None
    goal: str | None
    assignments: tuple[str, ...]
    from_use_case: str | None


def job_options(function: Function) -> Function:
    """FILE, --site, --goal, --set and --from-use-case, handed on as one `JobOptions`."""

    @wraps(function)
    def with_options(**chosen: Any) -> Any:
        own = {field.name: chosen.pop(field.name) for field in fields(JobOptions)}
        return function(JobOptions(**own), **chosen)

    for option in (
        click.option("--from-use-case", metavar="NAME", help="Start from a use case; FILE may be left out."),
        click.option(
            "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Change a key of the job."
        ),
        click.option("--goal", type=click.Choice(GOALS), help="What the ranking is to favour."),
        click.option("--site", "site_id", metavar="SITE", help="Consider this site only."),
        click.argument("file", required=False, type=click.Path(path_type=Path)),
    ):
        with_options = option(with_options)
    return with_options


def read_job(broker: Broker, options: JobOptions) -> JobSpec:
    """The job that the command line describes. Raises `JobError` and `UsageError`."""
    from hpcnet import wiring
    from hpcnet.model.job import Goal

    if options.file is None and options.from_use_case is None:
        raise UsageError("which job? give a job file, an sbatch script or --from-use-case NAME")
    job = wiring.read_job(options.file, options.assignments, options.from_use_case)
    changes: dict[str, object] = {}
    if options.site_id is not None:
        changes["sites"] = (broker.site(options.site_id).id,)
    if options.goal is not None:
        changes["goal"] = Goal(options.goal)
    return job.model_copy(update={"preferences": job.preferences.model_copy(update=changes)})
