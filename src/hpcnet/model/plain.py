"""Turns values into plain JSON data and back, for the ledger and for `--json`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from hpcnet.errors import StorageError

Value = TypeVar("Value")


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_plain(value: object) -> Any:
    """JSON data (dict, list, str, number, bool, None) of a frozen dataclass or described value.

    Times become ISO-8601 text. Described values use the keys that a person writes.
    """
    return _adapter(cast("Any", type(value))).dump_python(value, mode="json", by_alias=True)


def from_plain(kind: type[Value], data: object) -> Value:
    """The value of type `kind` that `to_plain` made `data` of; a `StorageError` if it is not one."""
    try:
        value: Value = _adapter(cast("Any", kind)).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise StorageError(
            f"a stored {kind.__name__} cannot be read: {where}: {first['msg']}",
            hint="it may have been written by another version of hpcnet",
        ) from error
    return value
