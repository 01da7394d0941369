"""What a site is: its descriptor, facts only, no user data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from hpcnet.model.described import Count, CountOrZero, Described, Memory, SiteId, Walltime, Word

HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:%-]*$", max_length=255)]
# "ssh-ed25519 AAAA...": the two first words of a public key file.
HostKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$")]
# One line of shell that an administrator of the site wrote, e.g. "module load python/3.11".
SetupLine = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=4096)]


class Login(Described):
    """How the site is reached."""

    transport: Word = "ssh"
    host: HostName | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    proxy_jump: str | None = None
    host_keys: tuple[HostKey, ...] = ()
    notes: str = ""


class SchedulerFacts(Described):
    """Which scheduler the site runs and how it likes to be spoken to.

    `launcher` starts the tasks of a parallel command; `{nodes}`, `{tasks}`, `{tasks_per_node}` and
    `{cpus_per_task}` are filled in. `directives` replaces the option of a requirement by the site's
    own spelling, with `{value}`; an empty string means that this site wants nothing said
    (for example `memory = ""` where memory must not be requested).
    """

    name: Word = "slurm"
    version: str | None = None
    launcher: tuple[str, ...] = ("srun",)
    accounting: bool | None = None
    directives: dict[Word, str] = Field(default_factory=dict)


class Partition(Described):
    """One partition: the shape of its nodes and its limits. What is not known is absent."""

    name: Word
    nodes: Count | None = None
    cpus_per_node: Count | None = None
    memory_per_node_mib: Memory | None = Field(None, alias="memory_per_node")
    gpus_per_node: CountOrZero = 0
    gpu_model: Word | None = None
    architecture: Word | None = None
    max_walltime_s: Walltime | None = Field(None, alias="max_walltime")
    min_nodes: Count = 1
    max_nodes: Count | None = None
    account_required: bool = False
    qos: tuple[Word, ...] = ()
    node_idle_w: float | None = Field(None, gt=0)
    node_max_w: float | None = Field(None, gt=0)


class Software(Described):
    """One software a job may ask for, and the lines that make it available."""

    version: str | None = None
    setup: tuple[SetupLine, ...] = ()


class Energy(Described):
    """What a joule costs here."""

    pue: float | None = Field(None, ge=1)
    carbon_g_per_kwh: float | None = Field(None, ge=0)
    carbon_year: int | None = None


class Provenance(Described):
    """Where a value of the descriptor comes from. Confidence: A (operator) to D (unverified)."""

    source: str
    date: str | None = None
    confidence: Literal["A", "B", "C", "D"]


class Site(Described):
    """One site of the network, from `site_configs/<id>.toml`."""

    id: SiteId
    name: str
    kind: Literal["cluster", "organisation", "data"] = "cluster"
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    jurisdiction: str | None = None
    centre: str | None = None
    member_of: tuple[SiteId, ...] = ()
    login: Login = Login()
    scheduler: SchedulerFacts = SchedulerFacts()
    work_dir: str = "hpcnet-jobs"
    partitions: tuple[Partition, ...] = ()
    software: dict[Word, Software] = Field(default_factory=dict)
    energy: Energy = Energy()
    data_classifications: tuple[str, ...] = ("public",)
    provenance: dict[str, Provenance] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _partition_names_are_unique(self) -> Site:
        names = [partition.name for partition in self.partitions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"partition {', '.join(twice)} is described twice")
        return self

    def partition(self, name: str) -> Partition | None:
        """The partition of this name, if the descriptor has it."""
        return next((item for item in self.partitions if item.name == name), None)
