"""Times contestants in turn, A B A B, and sets them against each other as a ratio with its bar."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

Contestant = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Series:
    """What one contestant took, in seconds, in the order of the rounds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median, in seconds."""
        return median(self.seconds)

    @property
    def words(self) -> str:
        """Minimum / median / maximum in milliseconds."""
        return " / ".join(f"{1000 * one:.0f}" for one in (min(self.seconds), self.median, max(self.seconds)))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"name": self.name, "median_s": self.median, "seconds": list(self.seconds)}


@dataclass(frozen=True, slots=True)
class Race:
    """Ours against an alternative, measured in the same rounds; `limit` None is a ratio without a bar."""

    what: str
    ours: Series
    theirs: Series
    limit: float | None = None

    @property
    def ratio(self) -> float:
        """Median of ours over median of theirs."""
        return self.ours.median / self.theirs.median

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the verdict."""
        return {
            "what": self.what,
            "ours": self.ours.as_json(),
            "theirs": self.theirs.as_json(),
            "ratio": self.ratio,
            "limit": self.limit,
            "verdict": verdict(self.ratio, self.limit),
        }


@dataclass(frozen=True, slots=True)
class Count:
    """How many commands a site's sshd was asked to run, how many it may be, and the seconds of the whole."""

    what: str
    site: str
    partitions: int
    execs: float
    limit: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the verdict."""
        return {**asdict(self), "verdict": verdict(self.execs, self.limit)}


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: wall and processor time in seconds, its largest resident set in MiB."""

    output: str
    complaints: str
    seconds: float
    processor_s: float
    peak_mib: float


def verdict(value: float, limit: float | None) -> str:
    """Whether a bar holds, in one word."""
    if limit is None:
        return "no bar"
    return "holds" if value <= limit else "missed"


def interleave(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, Series]:
    """Let all contestants run in turn, `rounds` times, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            taken = time.perf_counter() - began
            if number:
                seconds[name].append(taken)
    return {name: Series(name, tuple(taken)) for name, taken in seconds.items()}


def run(
    argv: Sequence[str | Path], environment: Mapping[str, str], stdin: Path = Path(os.devnull)
) -> Finished:
    """Run a program to its end. Raises `RuntimeError` with its own words when it fails."""
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as complaints,
        stdin.open("rb") as given,
    ):
        began = time.perf_counter()
        process = subprocess.Popen(argv, env=environment, stdin=given, stdout=output, stderr=complaints)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        complaints.seek(0)
        said, complained = output.read().decode(), complaints.read().decode(errors="replace")
    if process.returncode != 0:
        words = " ".join(str(word) for word in argv)
        raise RuntimeError(f"{words}: ended with {process.returncode}\n{complained}{said}")
    return Finished(said, complained, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
