"""What a user says about themself: who they are at each site, and what they prefer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from hpcnet.model.described import Described, SiteId, Word
from hpcnet.model.job import Goal


class Access(Described):
    """The user's own entry for one site."""

    user: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$")] | None = None
    account: Word | None = None
    qos: Word | None = None
    identity_file: str | None = None
    work_dir: str | None = None
    allocation_node_hours: float | None = Field(None, ge=0)


class Defaults(Described):
    """What holds when a job file says nothing."""

    goal: Goal = Goal.TIME
    home_site: SiteId | None = None


class Configuration(Described):
    """`config.toml` and the files of `config.d/` beside it, joined."""

    ledger: str | None = None
    site_directories: tuple[str, ...] = ()
    ssh_config: str = "~/.ssh/config"
    known_hosts: tuple[str, ...] = ()
    defaults: Defaults = Defaults()
    access: dict[SiteId, Access] = Field(default_factory=dict)
