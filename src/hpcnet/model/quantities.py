"""Reads and writes the quantities people type: walltimes and memory sizes."""

from __future__ import annotations

import re

_WALLTIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<first>\d+)(?::(?P<second>\d+))?(?::(?P<third>\d+))?")
_MEMORY = re.compile(r"(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>[KMGTP]?)(?P<binary>i?)B?", re.IGNORECASE)
_MIB_OF_UNIT = {"K": 1 / 1024, "": 1.0, "M": 1.0, "G": 1024.0, "T": 1024.0**2, "P": 1024.0**3}
_LONGEST_WALLTIME_S = 10 * 366 * 86400


def parse_walltime(value: object) -> int:
    """Seconds of a walltime in any spelling of sbatch(1): `90` (minutes), `1:30` (minutes:seconds),
    `1:30:00`, `2-12` (days-hours), `2-12:30`, `2-12:30:00`.

    Raises `ValueError` with a sentence.
    """
    text = str(value).strip()
    match = _WALLTIME.fullmatch(text)
    if match is None or isinstance(value, bool):
        raise ValueError(f"'{text}' is not a walltime; write minutes, H:MM:SS or D-HH:MM:SS")
    first, second, third = (int(match[name] or 0) for name in ("first", "second", "third"))
    if match["days"] is not None:
        seconds = int(match["days"]) * 86400 + first * 3600 + second * 60 + third
    elif match["third"] is not None:
        seconds = first * 3600 + second * 60 + third
    else:
        seconds = first * 60 + second
    if not 0 < seconds <= _LONGEST_WALLTIME_S:
        raise ValueError(f"'{text}' is not a walltime between one second and ten years")
    return seconds


def format_walltime(seconds: int) -> str:
    """`93784` -> `1-02:03:04`, the spelling every Slurm release reads."""
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days}-{clock}" if days else clock


def parse_memory(value: object) -> int:
    """MiB of a memory size: `64 GiB`, `64G`, `4000` or `4000M` (MiB, as sbatch means it).

    Raises `ValueError` with a sentence.
    """
    text = str(value).strip()
    match = _MEMORY.fullmatch(text)
    if match is None or isinstance(value, bool):
        raise ValueError(f"'{text}' is not a memory size; write for example '64 GiB' or '4000M'")
    mib = float(match["amount"]) * _MIB_OF_UNIT[match["unit"].upper()]
    if not 0 < mib <= 2**40:
        raise ValueError(f"'{text}' is not a memory size between 1 MiB and 1 EiB")
    return max(1, round(mib))


def format_memory(mib: int) -> str:
    """`65536` -> `64 GiB`."""
    return f"{mib // 1024} GiB" if mib % 1024 == 0 else f"{mib} MiB"


def format_duration(seconds: float) -> str:
    """A duration for a person: `42 s`, `12 min`, `3 h 05 min`, `2 d 4 h`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def format_energy(joules: float) -> str:
    """Joules for a person: `950 J`, `222 kJ`, `1.35 MJ`."""
    for scale, unit in ((1e9, "GJ"), (1e6, "MJ"), (1e3, "kJ")):
        if joules >= scale:
            return f"{joules / scale:.3g} {unit}"
    return f"{joules:.3g} J"
