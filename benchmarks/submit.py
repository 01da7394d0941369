"""`hpcnet submit` against the same thing by hand: `scp FILE host:` and `ssh host sbatch FILE`.

Both submit to the same cluster with the same key and a pinned host key; the lab is warm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import table
from benchmarks.federation import Federation, federation
from benchmarks.measure import Race, Series, interleave
from benchmarks.program import compile_sources

LIMIT = 1.5
SITE = "lab-andes"
# What paramiko and OpenSSH 9.2 agree on; OpenSSH's own first choice, sntrup761, takes some 60 ms longer.
_KEY_EXCHANGE = ("-o", "KexAlgorithms=curve25519-sha256")
_JOB = """\
name = "one-small-job"
command = ["true"]
[requirements]
walltime = "00:01:00"
"""
_DATA = """\
[data]
stage_in = ["input.dat"]
"""
_SCRIPT = """\
#!/bin/sh
#SBATCH --time=1
exec true
"""


@dataclass(frozen=True, slots=True)
class Files:
    """What is submitted: the same job for hpcnet and by hand, without and with one input of 4 KiB."""

    plain: Path
    with_input: Path
    script: Path
    input: Path


def write_files(directory: Path) -> Files:
    """Write the jobs into a directory."""
    directory.mkdir(exist_ok=True)
    files = Files(*(directory / name for name in ("plain.toml", "input.toml", "job.sh", "input.dat")))
    files.plain.write_text(_JOB, encoding="utf-8")
    files.with_input.write_text(_JOB + _DATA, encoding="utf-8")
    files.script.write_text(_SCRIPT, encoding="utf-8")
    files.input.write_bytes(bytes(range(256)) * 16)
    return files


def measure(lab: Federation, rounds: int = 9) -> list[Race]:
    """The bars of submission, and what other ways by hand would take."""
    files = write_files(lab.root / "jobs")
    with _open_master(lab) as master:
        found = _interleaved(lab, files, master, rounds)
    ours, staged = found["hpcnet submit"], found["hpcnet submit, 1 input"]
    copy = found["scp FILE host: && ssh host sbatch FILE"]
    return [
        Race("submit", ours, copy, LIMIT),
        Race("submit", staged, found["scp FILE INPUT host: && ssh host sbatch FILE"], LIMIT),
        Race("submit", found["hpcnet submit --site (asks only one)"], copy),
        Race("submit", ours, found["ssh host sbatch < FILE"]),
        Race("submit", ours, found["scp && ssh with hpcnet's key exchange"]),
        Race("submit", ours, found["scp && ssh over an open ControlMaster"]),
        Race("by hand", found["ssh host true"], found["ssh host sbatch < FILE"]),
    ]


def _interleaved(lab: Federation, files: Files, master: list[str], rounds: int) -> dict[str, Series]:
    work, host = lab.work(SITE), f"{SITE}:{lab.work(SITE)}/"
    sbatch = ("sbatch", "--chdir", work)

    def by_hand(*copied: Path, options: Sequence[str] = ()) -> None:
        lab.by_hand("scp", "-q", *options, *copied, host)
        lab.by_hand("ssh", *options, SITE, *sbatch, work / files.script.name)

    return interleave(
        {
            "hpcnet submit": lambda: _by_hpcnet(lab, files.plain),
            "scp FILE host: && ssh host sbatch FILE": lambda: by_hand(files.script),
            "hpcnet submit, 1 input": lambda: _by_hpcnet(lab, files.with_input),
            "scp FILE INPUT host: && ssh host sbatch FILE": lambda: by_hand(files.script, files.input),
            "hpcnet submit --site (asks only one)": lambda: _by_hpcnet(lab, files.plain, "--site", SITE),
            "ssh host sbatch < FILE": lambda: lab.by_hand("ssh", SITE, *sbatch, stdin=files.script),
            "scp && ssh with hpcnet's key exchange": lambda: by_hand(files.script, options=_KEY_EXCHANGE),
            "scp && ssh over an open ControlMaster": lambda: by_hand(files.script, options=master),
            "ssh host true": lambda: lab.by_hand("ssh", SITE, "true"),
        },
        rounds,
    )


@contextmanager
def _open_master(lab: Federation) -> Iterator[list[str]]:
    """The options that go through a connection which is open already."""
    options = ["-o", f"ControlPath={lab.root / 'master'}"]
    lab.by_hand("ssh", *options, "-fMN", SITE)
    try:
        yield options
    finally:
        lab.by_hand("ssh", *options, "-O", "exit", SITE)


def _by_hpcnet(lab: Federation, job: Path, *words: str) -> None:
    said = lab.hpcnet("submit", *words, job).complaints
    if f"submitted to {SITE}/" not in said:
        raise RuntimeError(f"the two ways did not submit to the same cluster: {said}")


if __name__ == "__main__":
    compile_sources()
    with federation() as lab_of_ours:
        print(table.races(measure(lab_of_ours)))
