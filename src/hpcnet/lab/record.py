"""Remembers the ports of a lab, so that a second `up` finds it where it was."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from hpcnet.errors import ConfigurationError, StorageError, UsageError
from hpcnet.lab.free_ports import free_blocks
from hpcnet.lab.layout import RECORD_FILE, Accounting, Cluster, Lab
from hpcnet.lab.settings import LabSettings
from hpcnet.lab.shapes import parse_shapes, read_shapes

# What Slurm can read; and it makes sockets below <place>/spool/<node>/ whose paths end at 107 bytes.
_SUITS_SLURM = re.compile(r"/[A-Za-z0-9_./@+=-]{0,59}")
_DOWN_FIRST = "run `hpcnet lab down`, then `hpcnet lab up`"


@dataclass(frozen=True, slots=True)
class Record:
    """What `lab.json` holds: the text the clusters were made from, and the first port of each part."""

    shapes: str
    ports: dict[str, int]
    accounting_port: int | None


def place_of(directory: Path) -> Path:
    """Where the lab of this directory lies: there, or where a link leads if Slurm cannot work there."""
    return directory.resolve()


def recorded_lab(settings: LabSettings) -> Lab | None:
    """The lab that `up` made in this directory, if there is one. Raises `StorageError`."""
    place = place_of(settings.directory)
    record = _read(place / RECORD_FILE)
    return None if record is None else _lab(place, record)


def planned_lab(settings: LabSettings) -> Lab:
    """The lab to bring up: the recorded one, or a new one on free ports, recorded from now on.

    Raises `ConfigurationError` for a directory or shapes that cannot serve, `UsageError` where the
    recorded lab is another one than the one asked for.
    """
    shapes = read_shapes(settings.templates / "clusters.toml")
    place = place_of(settings.directory)
    record = _read(place / RECORD_FILE)
    if record is None:
        return renew_ports(settings, shapes, settings.accounting)
    if record.shapes != shapes:
        raise UsageError("the shapes of the training clusters have changed", hint=_DOWN_FIRST)
    if settings.accounting and record.accounting_port is None:
        raise UsageError(
            "the lab was brought up without accounting",
            hint="run `hpcnet lab down`, then `hpcnet lab up --accounting`",
        )
    return _lab(place, record)


def renew_ports(settings: LabSettings, shapes: str, accounting: bool) -> Lab:
    """A lab on ports that are free now, recorded before anything of it is started."""
    clusters = parse_shapes(shapes)
    blocks = free_blocks([2 + cluster.nodes for cluster in clusters] + [2] * accounting, settings.base_port)
    record = Record(
        shapes=shapes,
        ports={cluster.id: port for cluster, port in zip(clusters, blocks, strict=False)},
        accounting_port=blocks[-1] if accounting else None,
    )
    try:
        place = _make_place(settings.directory)
        path = place / RECORD_FILE
        path.with_suffix(".new").write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
        path.with_suffix(".new").replace(path)
    except OSError as error:
        raise StorageError(f"{settings.directory} cannot be written: {error}") from error
    return _lab(place, record)


def _lab(directory: Path, record: Record) -> Lab:
    shapes = parse_shapes(record.shapes)
    clusters = tuple(Cluster(shape, directory, record.ports[shape.id]) for shape in shapes)
    port = record.accounting_port
    return Lab(directory, clusters, None if port is None else Accounting(directory, port))


def _read(path: Path) -> Record | None:
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(f"{path} cannot be read: {error}", hint=_DOWN_FIRST) from error


def _make_place(directory: Path) -> Path:
    """The directory of the lab; where its path does not suit Slurm, a link to a short one."""
    if directory.is_symlink() and not directory.exists():
        directory.unlink()
    place = place_of(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() or _SUITS_SLURM.fullmatch(str(place)):
        place.mkdir(exist_ok=True)
    else:
        place = Path(tempfile.mkdtemp(prefix="hpcnet-lab-", dir="/tmp"))
        directory.symlink_to(place)
    if not _SUITS_SLURM.fullmatch(str(place)):
        raise ConfigurationError(
            f"Slurm cannot work in {str(place)!r}: its path is too long or has unusual characters",
            hint="remove it and try again, or set HPCNET_STATE to another directory",
        )
    return place
