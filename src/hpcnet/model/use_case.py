"""What a use case is: parameters in the words of a field that become a job spec."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hpcnet.errors import JobError
from hpcnet.model.faults import faults_of
from hpcnet.model.job import Data, JobSpec

Section = TypeVar("Section", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class UseCase:
    """A use case as its plug-in module offers it under the name `USE_CASE`.

    `parameters` is a model whose fields carry defaults, ranges, units (in their descriptions);
    `build` gets an instance of it and returns the job: command, requirements, data.
    """

    name: str
    summary: str
    parameters: type[BaseModel]
    build: Callable[[Any], JobSpec]


def resolve(spec: JobSpec, use_case: UseCase) -> JobSpec:
    """The job of the use case, with all that the person said about it on top, key by key.

    Files staged in and out are added to those of the use case. The parameters of the result are
    complete, defaults included, so that the record can be replayed. Raises `JobError`.
    """
    try:
        parameters = use_case.parameters.model_validate(spec.parameters)
    except ValidationError as error:
        faults = faults_of(error, use_case.parameters, under="parameters")
        hint = f"hpcnet use-case show {use_case.name} lists the parameters"
        raise JobError(f"the parameters of use case '{use_case.name}' are wrong", faults, hint) from error
    built = use_case.build(parameters)
    says_what_to_run = spec.command is not None or spec.script is not None
    source = spec if says_what_to_run else built
    return spec.model_copy(
        update={
            "use_case": use_case.name,
            "parameters": parameters.model_dump(mode="json"),
            "command": source.command,
            "script": source.script,
            "requirements": _on_top(built.requirements, spec.requirements),
            "data": _data(built.data, spec.data),
            "preferences": _on_top(built.preferences, spec.preferences),
        }
    )


def _on_top(base: Section, said: Section) -> Section:
    """`base` with every value that was said."""
    return base.model_copy(update={name: getattr(said, name) for name in said.model_fields_set})


def _data(base: Data, said: Data) -> Data:
    merged = _on_top(base, said)
    return merged.model_copy(
        update={
            "stage_in": tuple(dict.fromkeys(base.stage_in + said.stage_in)),
            "stage_out": tuple(dict.fromkeys(base.stage_out + said.stage_out)),
        }
    )
