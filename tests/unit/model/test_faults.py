from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hpcnet.model.faults import did_you_mean, faults_of
from hpcnet.model.job import JobSpec
from hpcnet.model.schemas import schema


def faults(**tables: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        JobSpec.model_validate({"name": "x", "command": ["true"], **tables})
    return [str(fault) for fault in faults_of(caught.value, JobSpec)]


FINDINGS: list[tuple[dict[str, Any], str]] = [
    ({"name": 5}, "name: must be text, not 5 (put it in quotes)"),
    ({"command": []}, "command: must not be empty (give at least one value, or leave the key out)"),
    ({"command": "ls"}, 'command: must be a list, not \'ls\' (write ["one", "two"])'),
    (
        {"requirements": 3},
        "requirements: must be a table, not 3 (write it under a [heading], or as { key = value })",
    ),
    (
        {"requirements": {"nodes": 1.5}},
        "requirements.nodes: must be a whole number, not 1.5 (leave out the fraction)",
    ),
    (
        {"data": {"stage_in": [{"source": "a", "too": "b"}]}},
        "data.stage_in[1].too: is not a known key (known: source, target)",
    ),
    ({"data": {"stage_in": [{"target": "b"}]}}, "data.stage_in[1].source: is missing (add it)"),
    ({"requirements": {"nodes": True}}, "requirements.nodes: must be a whole number, not true or false"),
    ({"data": {"size_gib": -1}}, "data.size_gib: must be at least 0, not -1"),
    ({"script": "#!/bin/sh\n"}, "the whole file: give either command or script, not both"),
    ({"command": ["a\0b"]}, "command: a null byte cannot be passed to any program"),
    (
        {"preferences": {"sites": ["LUMI"]}},
        "preferences.sites[1]: has characters that are not allowed here: 'LUMI'"
        " (it must match ^[a-z0-9][a-z0-9-]*$)",
    ),
]


@pytest.mark.parametrize(("tables", "fault"), FINDINGS)
def test_a_finding_is_a_plain_sentence_with_its_key_path(tables: dict[str, Any], fault: str) -> None:
    assert faults(**tables) == [fault]


def test_a_hint_names_the_nearest_word_or_all() -> None:
    assert did_you_mean("tiem", ["time", "cost"]) == "did you mean 'time'?"
    assert did_you_mean("xyz", ["time", "cost"]) == "known: time, cost"
    assert did_you_mean("xyz", []) == ""


@pytest.mark.parametrize(
    ("kind", "key"), [("job", "requirements"), ("site", "partitions"), ("config", "access")]
)
def test_schemas_speak_in_the_keys_that_people_write(kind: str, key: str) -> None:
    found = schema(kind)
    assert key in found["properties"]
    assert "walltime_s" not in str(found)


def test_what_the_file_name_gives_is_not_required() -> None:
    assert "name" not in schema("job")["required"]
    assert schema("site")["required"] == ["name"]
