"""The base of everything a person or a file describes: frozen, and nothing unknown slips in."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from hpcnet.model.quantities import format_memory, format_walltime, parse_memory, parse_walltime


class Described(BaseModel):
    """Text that came from outside is validated here, once, and is a value from then on."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _no_switch(value: object) -> object:
    if isinstance(value, bool):
        # pydantic collects a ValueError as a finding; a TypeError would escape.
        raise ValueError("must be a whole number, not true or false")  # noqa: TRY004
    return value


Walltime = Annotated[
    int,
    BeforeValidator(parse_walltime),
    # A bare number is read as minutes, as sbatch does: written back, seconds need the long spelling.
    PlainSerializer(format_walltime, return_type=str, when_used="json"),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["02:00:00", "2-00:00:00", 90]}),
]
Memory = Annotated[
    int,
    BeforeValidator(parse_memory),
    PlainSerializer(format_memory, return_type=str, when_used="json"),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["64 GiB", "4000M"]}),
]
Count = Annotated[int, BeforeValidator(_no_switch), Field(ge=1, le=10_000_000)]
CountOrZero = Annotated[int, BeforeValidator(_no_switch), Field(ge=0, le=10_000_000)]
# What reaches a scheduler's command or directive: a word, never free text.
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:,+=@/-]*$", max_length=255)]
SiteId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
