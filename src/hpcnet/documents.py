"""Opens the text files that people write: what cannot be read is a fault with its place."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hpcnet.errors import Fault, FileError

_PLACE = re.compile(r" \(at (?P<place>line \d+, column \d+|end of document)\)$")


def read_text(path: Path, limit_bytes: int) -> str:
    """The text of a regular UTF-8 file of at most `limit_bytes` bytes.

    Raises `FileError` with one fault, its place the file's name.
    """
    try:
        if path.is_dir():
            raise _unreadable(path.name, "this is a directory, not a file", "name a file in it")
        with path.open("rb") as stream:
            content = stream.read(limit_bytes + 1)
    except FileNotFoundError:
        raise _unreadable(path.name, "there is no such file", f"looked for {path}") from None
    except OSError as error:
        raise _unreadable(path.name, f"cannot be read: {error.strerror}", f"looked at {path}") from error
    if len(content) > limit_bytes:
        raise _unreadable(path.name, f"is larger than {limit_bytes // 1024} KiB", "is it the right file?")
    return _decoded(content, path.name)


def parse_toml(text: str, where: str = "") -> dict[str, Any]:
    """The tables of a TOML text. Raises `FileError` with one fault: line and column, and what."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _unreadable(where or "the file", "is nested too deeply", "use fewer brackets") from None
    except ValueError as error:
        message = str(error)
        match = _PLACE.search(message)
        place = match["place"] if match else ""
        what = f"is not TOML: {_PLACE.sub('', message)}"
        spot = ": ".join(part for part in (where, place) if part) or "the file"
        raise _unreadable(spot, what, 'TOML lines read key = value, text in quotes: name = "x"') from error


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(f"{name}: line {line}", "is not UTF-8 text", "save the file as UTF-8") from error


def _unreadable(where: str, what: str, hint: str) -> FileError:
    """The hint stands at the fault, and there only: both are shown."""
    return FileError(f"{where} {what}", faults=[Fault(where, what, hint)])
