"""Nested tables of TOML data: laid one over another, and single values set by their key path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hpcnet.documents import parse_toml
from hpcnet.errors import Fault, FileError

_KEY_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over` on top; tables are merged, all else is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both_tables = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if both_tables else value  # type: ignore[arg-type]
    return result


def assigned(base: Mapping[str, Any], assignments: Iterable[str]) -> tuple[dict[str, Any], list[Fault]]:
    """`base` with each `key.path=value` on top: the value as TOML, or else as text."""
    result, faults = dict(base), []
    for assignment in assignments:
        key_path, equals, text = assignment.partition("=")
        key_path = key_path.strip()
        if not equals or not _KEY_PATH.fullmatch(key_path):
            hint = "write --set key=value, for example --set requirements.nodes=4"
            faults.append(Fault(f"--set {assignment}", "is not an assignment", hint))
            continue
        result = merged(result, _nested(key_path.split("."), _value(text)))
    return result, faults


def _nested(keys: list[str], value: object) -> dict[str, Any]:
    table = value
    for key in reversed(keys):
        table = {key: table}
    return table  # type: ignore[return-value]


def _value(text: str) -> object:
    # A line break could smuggle in further keys: such a value is text.
    if "\n" in text or "\r" in text:
        return text
    try:
        return parse_toml(f"value = {text}")["value"]
    except FileError:
        return text
