"""Turns what the validation of a value finds into faults: plain sentences with a hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hpcnet.errors import Fault

# What each kind of finding means, and what to do. `{given}` is what stands in the file.
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "add it"),
    "int_type": ("must be a whole number, not {given}", "write it without quotes"),
    "int_parsing": ("must be a whole number, not {given}", "write for example 4"),
    "int_parsing_size": ("is too large a number: {given}", ""),
    "int_from_float": ("must be a whole number, not {given}", "leave out the fraction"),
    "float_type": ("must be a number, not {given}", "write for example 2.5"),
    "float_parsing": ("must be a number, not {given}", "write for example 2.5"),
    "finite_number": ("must be a finite number, not {given}", ""),
    "bool_type": ("must be true or false, not {given}", "write it without quotes"),
    "bool_parsing": ("must be true or false, not {given}", "write it without quotes"),
    "string_type": ("must be text, not {given}", "put it in quotes"),
    "string_too_short": ("must not be empty", ""),
    "string_too_long": ("must have at most {max_length} characters", "shorten it"),
    "too_short": ("must not be empty", "give at least one value, or leave the key out"),
    "tuple_type": ("must be a list, not {given}", 'write ["one", "two"]'),
    "model_type": ("must be a table, not {given}", "write it under a [heading], or as {{ key = value }}"),
    "dict_type": ("must be a table, not {given}", "write it under a [heading], or as {{ key = value }}"),
    "greater_than_equal": ("must be at least {ge}, not {given}", ""),
    "greater_than": ("must be more than {gt}, not {given}", ""),
    "less_than_equal": ("must be at most {le}, not {given}", ""),
    "less_than": ("must be less than {lt}, not {given}", ""),
    "string_pattern_mismatch": (
        "has characters that are not allowed here: {given}",
        "it must match {pattern}",
    ),
}


def faults_of(error: ValidationError, model: type[BaseModel], under: str = "") -> tuple[Fault, ...]:
    """One fault for each finding; `under` is the key path of the table that was validated."""
    return tuple(_fault(details, model, under) for details in error.errors(include_url=False))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint naming the nearest known word, or all of them."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(known)}" if known else ""


def _fault(details: ErrorDetails, model: type[BaseModel], under: str) -> Fault:
    where = _key_path(details["loc"], under)
    kind = details["type"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, details["loc"][:-1])
        return Fault(where, "is not a known key", did_you_mean(str(details["loc"][-1]), known))
    if kind in ("enum", "literal_error"):
        choices = _choices(context["expected"])
        what = f"must be one of {', '.join(choices)}, not {_shown(details['input'])}"
        return Fault(where, what, did_you_mean(str(details["input"]), choices))
    if kind == "value_error":
        return Fault(where, str(context["error"]))
    if kind not in _SENTENCES:
        return Fault(where, f"cannot be used: {_plain(details['msg'])}")
    what, hint = _SENTENCES[kind]
    facts = {name: _whole(value) for name, value in context.items()} | {"given": _shown(details["input"])}
    return Fault(where, what.format_map(facts), hint.format_map(facts))


def _key_path(place: Sequence[int | str], under: str) -> str:
    path = under
    for part in place:
        if isinstance(part, int):
            path += f"[{part + 1}]"
        elif part != "[key]":
            path += f".{part}" if path else part
    return path or "the whole file"


def _keys_at(model: type[BaseModel], place: Sequence[int | str]) -> tuple[str, ...]:
    """The keys that a person may write in the table at `place`, or none when it is not a model."""
    here: type[BaseModel] | None = model
    for part in place:
        if here is None:
            return ()
        fields = {field.alias or name: field for name, field in here.model_fields.items()}
        if part in fields:
            here = _model_in(fields[str(part)].annotation)
    return () if here is None else tuple(field.alias or name for name, field in here.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model | None`, `tuple[Model, ...]` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in get_args(annotation) if part not in (NoneType, Ellipsis))
    return next((found for found in inner if found is not None), None)


def _choices(expected: str) -> tuple[str, ...]:
    return tuple(part.strip("'") for part in expected.replace(" or ", ", ").split(", "))


def _whole(value: object) -> object:
    """`0` for a limit of `0.0`: nobody writes the point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]


def _shown(value: object) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value).replace("True", "true")
    text = text.replace("False", "false") if isinstance(value, bool) else text
    return text if len(text) <= 60 else text[:57] + "..."
