"""Every use case that discovery finds."""

from __future__ import annotations

import pytest

from hpcnet import registry, shipped
from hpcnet.model.job import JobSpec
from hpcnet.model.use_case import UseCase, resolve

FOUND = registry.discover("hpcnet.use_cases", "USE_CASE")


def test_no_use_case_is_broken() -> None:
    assert FOUND.broken == {}
    assert FOUND.plugins


@pytest.mark.parametrize("name", sorted(FOUND.plugins))
def test_a_use_case_builds_by_its_defaults_alone(name: str) -> None:
    job = resolved(name)
    assert job.command or job.script
    assert FOUND.plugins[name].name == name
    assert FOUND.plugins[name].summary


@pytest.mark.parametrize("name", sorted(FOUND.plugins))
def test_the_kernels_of_a_use_case_are_shipped(name: str) -> None:
    sources = [item.source for item in resolved(name).data.stage_in]
    for source in sources:
        if source.startswith("kernel:"):
            assert shipped.kernel(source.removeprefix("kernel:")).is_file()


@pytest.mark.parametrize("name", sorted(FOUND.plugins))
def test_every_parameter_has_a_description_and_a_default(name: str) -> None:
    fields = FOUND.plugins[name].parameters.model_fields
    assert [key for key, field in fields.items() if not field.description or field.is_required()] == []


def resolved(name: str) -> JobSpec:
    use_case: UseCase = FOUND.plugins[name]
    return resolve(JobSpec(name="x", use_case=name), use_case)
