"""Reads site descriptors: one TOML file a site, the file's stem is the site's id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from hpcnet.documents import parse_toml, read_text
from hpcnet.errors import ConfigurationError, Fault, FileError
from hpcnet.model.faults import faults_of
from hpcnet.model.site import Site

LIMIT_BYTES = 64 * 1024
# `kernel:name` in stage_in is a kernel that travels with hpcnet, never a file at a site.
_RESERVED = ("kernel",)


def read_sites(directories: Sequence[Path]) -> dict[str, Site]:
    """Sites by id, in the order of their ids; a later directory overrides an earlier one.

    Raises `ConfigurationError` with the faults of all files.
    """
    sites: dict[str, Site] = {}
    faults: list[Fault] = []
    for directory in directories:
        for path in _descriptors(directory, faults):
            try:
                sites[path.stem] = read_site(path)
            except ConfigurationError as error:
                faults += error.faults
    if faults:
        message = (
            "a site descriptor is wrong"
            if len(faults) == 1
            else f"site descriptors have {len(faults)} mistakes"
        )
        raise ConfigurationError(message, faults, hint="hpcnet site validate FILE checks one descriptor")
    return dict(sorted(sites.items()))


def read_site(path: Path) -> Site:
    """One site. Raises `ConfigurationError` with all faults of the file, each naming the file."""
    try:
        tables = parse_toml(read_text(path, LIMIT_BYTES))
    except FileError as error:
        raise _wrong(path, error.faults) from error
    faults = _id_faults(path.stem, tables.setdefault("id", path.stem))
    try:
        site = Site.model_validate(tables)
    except ValidationError as error:
        raise _wrong(path, [*faults, *faults_of(error, Site)]) from error
    if faults:
        raise _wrong(path, faults)
    return site


def _descriptors(directory: Path, faults: list[Fault]) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.suffix == ".toml")
    except OSError as error:
        what = f"this directory of site descriptors cannot be read: {error.strerror}"
        faults.append(Fault(str(directory), what, "see site_directories in the configuration"))
        return []


def _id_faults(stem: str, given: object) -> list[Fault]:
    if stem in _RESERVED:
        return [Fault("id", f"'{stem}' is a reserved word", "name the file by another site id")]
    if given != stem:
        return [
            Fault(
                "id", f"is '{given}', but the file is named '{stem}.toml'", "leave id out, or rename the file"
            )
        ]
    return []


def _wrong(path: Path, faults: Iterable[Fault]) -> ConfigurationError:
    named = [fault if fault.where.startswith(path.name) else _in_file(path, fault) for fault in faults]
    return ConfigurationError(f"the site descriptor {path} is wrong", named)


def _in_file(path: Path, fault: Fault) -> Fault:
    return Fault(f"{path.name}: {fault.where}", fault.what, fault.hint)
