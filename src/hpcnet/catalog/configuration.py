"""Reads the user's configuration: `config.toml` and the files of `config.d/` beside it, joined."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hpcnet.documents import parse_toml, read_text
from hpcnet.errors import ConfigurationError, Fault, FileError
from hpcnet.model.configuration import Configuration
from hpcnet.model.faults import faults_of

LIMIT_BYTES = 1024 * 1024
_JOINED_LISTS = ("site_directories", "known_hosts")


def read_configuration(config_file: Path) -> Configuration:
    """The configuration; files that are not there say nothing.

    Access entries and lists of all files are joined; one value said differently in two files is a
    fault. Relative paths are taken from the file's directory and `~` is the home directory.
    Raises `ConfigurationError` with the faults of all files.
    """
    faults: list[Fault] = []
    joined: dict[str, Any] = {}
    said_in: dict[str, str] = {}
    for path in _files(config_file):
        tables = _read(path, faults)
        _join(joined, tables, "", path.name, said_in, faults)
    if faults:
        raise _wrong(faults)
    return Configuration.model_validate(joined)


def _files(config_file: Path) -> list[Path]:
    beside = sorted((config_file.parent / "config.d").glob("*.toml"))
    try:
        config_file.lstat()
    except FileNotFoundError:
        return beside
    except OSError:
        pass  # it is there, but closed to us: reading it says why
    return [config_file, *beside]


def _read(path: Path, faults: list[Fault]) -> dict[str, Any]:
    """The tables of one file, checked and with absolute paths; an empty one when it is wrong."""
    try:
        tables = parse_toml(read_text(path, LIMIT_BYTES), path.name)
        Configuration.model_validate(tables)
    except FileError as error:
        faults += error.faults
        return {}
    except ValidationError as error:
        found = faults_of(error, Configuration)
        faults += [Fault(f"{path.name}: {fault.where}", fault.what, fault.hint) for fault in found]
        return {}
    return _with_absolute_paths(tables, path.absolute().parent)


def _with_absolute_paths(tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    for key in _JOINED_LISTS:
        if key in tables:
            tables[key] = [_absolute(item, folder) for item in tables[key]]
    if "ssh_config" in tables:
        tables["ssh_config"] = _absolute(tables["ssh_config"], folder)
    for access in tables.get("access", {}).values():
        if "identity_file" in access:
            access["identity_file"] = _absolute(access["identity_file"], folder)
    return tables


def _absolute(path: str, folder: Path) -> str:
    return str(folder / (Path(path).expanduser() if path.startswith("~/") else path))


def _join(
    joined: dict[str, Any],
    tables: Mapping[str, Any],
    under: str,
    file_name: str,
    said_in: dict[str, str],
    faults: list[Fault],
) -> None:
    for key, value in tables.items():
        where = f"{under}{key}"
        if isinstance(value, Mapping):
            _join(joined.setdefault(key, {}), value, f"{where}.", file_name, said_in, faults)
        elif key in _JOINED_LISTS:
            joined[key] = [*joined.get(key, []), *value]
        elif key in joined and joined[key] != value:
            what = f"is {value!r} here, but {joined[key]!r} in {said_in[where]}"
            faults.append(Fault(f"{file_name}: {where}", what, "keep one of the two"))
        else:
            joined[key] = value
            said_in.setdefault(where, file_name)


def _wrong(faults: list[Fault]) -> ConfigurationError:
    message = (
        "the configuration is wrong" if len(faults) == 1 else f"the configuration has {len(faults)} mistakes"
    )
    return ConfigurationError(message, faults, hint="hpcnet schema config shows what may stand there")
