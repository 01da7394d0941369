"""JSON Schemas of what people write, for editors: `hpcnet schema job|site|config`."""

from __future__ import annotations

from typing import Any

from hpcnet.model.configuration import Configuration
from hpcnet.model.described import Described
from hpcnet.model.job import JobSpec
from hpcnet.model.site import Site

MODELS: dict[str, type[Described]] = {"job": JobSpec, "site": Site, "config": Configuration}


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a job file, a site descriptor or the configuration, keys as people write them.

    In files the `name` of a job and the `id` of a site may be left out: the file's stem is used.
    """
    found = MODELS[kind].model_json_schema(by_alias=True)
    stem = {"job": "name", "site": "id"}.get(kind)
    found["required"] = [key for key in found.get("required", []) if key != stem]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
