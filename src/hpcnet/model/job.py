"""What a researcher asks for: the job spec and its requirements."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator

from hpcnet.model.described import Count, CountOrZero, Described, Memory, SiteId, Walltime, Word


class Goal(StrEnum):
    """What the ranking is to favour."""

    TIME = "time"
    ENERGY = "energy"
    CARBON = "carbon"
    COST = "cost"
    BALANCED = "balanced"


class Requirements(Described):
    """What the machine must have. Times in seconds, memory in MiB once read."""

    nodes: Count = 1
    tasks_per_node: Count = 1
    cpus_per_task: Count = 1
    gpus_per_node: CountOrZero = 0
    gpu_model: Word | None = None
    memory_per_node_mib: Memory | None = Field(None, alias="memory_per_node")
    walltime_s: Walltime = Field(3600, alias="walltime")
    architecture: Word | None = None
    software: tuple[str, ...] = ()
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None

    @property
    def tasks(self) -> int:
        """Tasks over all nodes."""
        return self.nodes * self.tasks_per_node

    @property
    def cpus_per_node(self) -> int:
        """CPUs each node must have."""
        return self.tasks_per_node * self.cpus_per_task


KERNEL_PREFIX = "kernel:"
"""Marks a source of `stage_in` that travels with hpcnet."""


class StageIn(Described):
    """A file or directory to bring to the job directory."""

    source: Annotated[str, StringConstraints(min_length=1)]
    target: str = ""


class Data(Described):
    """What goes to the site and what comes home."""

    stage_in: tuple[StageIn, ...] = ()
    stage_out: tuple[str, ...] = ()
    size_gib: float | None = Field(None, ge=0, le=1e9, allow_inf_nan=False)
    classification: Literal["public", "restricted", "personal"] = "public"
    allowed_jurisdictions: tuple[str, ...] = ()

    @field_validator("stage_in", mode="before")
    @classmethod
    def _bare_paths_are_sources(cls, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return value
        return tuple({"source": item} if isinstance(item, str) else item for item in value)


class Preferences(Described):
    """What the person would rather have."""

    goal: Goal | None = None
    deadline: AwareDatetime | None = None
    sites: tuple[SiteId, ...] = ()
    exclude_sites: tuple[SiteId, ...] = ()


class JobSpec(Described):
    """One job, whole: from a job file, an sbatch script or a use case.

    Exactly one of `command` (argv, run by the launcher on all tasks) and `script` (text with its
    own `#!`, run once on the first node) is set, or `use_case`, which fills in the command.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    use_case: Word | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    command: tuple[str, ...] | None = Field(None, min_length=1)
    script: Annotated[str, StringConstraints(min_length=1)] | None = None
    requirements: Requirements = Requirements()
    data: Data = Data()
    preferences: Preferences = Preferences()
    directives: tuple[str, ...] = ()

    @field_validator("command", "script")
    @classmethod
    def _no_null_bytes(cls, value: Any) -> Any:
        words = value if isinstance(value, tuple) else (value or "",)
        if any("\0" in word for word in words):
            raise ValueError("a null byte cannot be passed to any program")
        return value

    @model_validator(mode="after")
    def _says_what_to_run(self) -> JobSpec:
        given = [key for key in ("command", "script") if getattr(self, key) is not None]
        if len(given) == 2:
            raise ValueError("give either command or script, not both")
        if not given and self.use_case is None:
            raise ValueError("nothing to run: give command, script or use_case")
        return self
