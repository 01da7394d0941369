"""`hpcnet submit` against the same thing by hand: `scp FILE host:` and `ssh host sbatch FILE`.

Both submit to the same cluster with the same key and a pinned host key; the lab is warm.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks import table
from benchmarks.federation import Federation, federation
from benchmarks.measure import Race, Series, interleave
from benchmarks.program import compile_sources

LIMIT = 1.5
SITE = "lab-andes"
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


def measure(lab: Federation, rounds: int = 7) -> list[Race]:
    """The bars of submission under both kinds of login shell. Leaves the lab with the bare one."""
    races = _under_one_shell(lab, rounds, "submit, this account's shell")
    # Debian's bash reads ~/.bashrc for a remote command only when it is the outermost shell.
    for site in lab.sites:
        lab.change_door(site, "SetEnv ", "SetEnv SHLVL=1 ")
    return races + _under_one_shell(lab, rounds, "submit, a bare shell")


def _under_one_shell(lab: Federation, rounds: int, what: str) -> list[Race]:
    files = write_files(lab.root / "jobs")
    found = _interleaved(lab, files, rounds)
    copy, piped = found["scp FILE host: && ssh host sbatch FILE"], found["ssh host sbatch < FILE"]
    copies = found["scp FILE INPUT host: && ssh host sbatch FILE"]
    plain, staged = found["hpcnet submit (2 sites)"], found["hpcnet submit (2 sites, 1 input)"]
    return [
        Race(what, plain, copy, LIMIT),
        Race(what, staged, copies, LIMIT),
        Race(what, found["hpcnet submit --site (1 site)"], copy, LIMIT),
        Race(what, plain, piped),
        Race(what, found["ssh host true"], piped),
    ]


def _interleaved(lab: Federation, files: Files, rounds: int) -> dict[str, Series]:
    place = f"{SITE}:{lab.work(SITE)}/"
    sbatch = ("sbatch", "--chdir", lab.work(SITE))

    def copy_and_submit(*copied: Path) -> None:
        lab.by_hand("scp", "-q", *copied, place)
        lab.by_hand("ssh", SITE, *sbatch, lab.work(SITE) / files.script.name)

    return interleave(
        {
            "hpcnet submit (2 sites)": lambda: _by_hpcnet(lab, files.plain),
            "scp FILE host: && ssh host sbatch FILE": lambda: copy_and_submit(files.script),
            "hpcnet submit (2 sites, 1 input)": lambda: _by_hpcnet(lab, files.with_input),
            "scp FILE INPUT host: && ssh host sbatch FILE": lambda: copy_and_submit(
                files.script, files.input
            ),
            "hpcnet submit --site (1 site)": lambda: _by_hpcnet(lab, files.plain, "--site", SITE),
            "ssh host sbatch < FILE": lambda: lab.by_hand("ssh", SITE, *sbatch, stdin=files.script),
            "ssh host true": lambda: lab.by_hand("ssh", SITE, "true"),
        },
        rounds,
    )


def _by_hpcnet(lab: Federation, job: Path, *words: str) -> None:
    said = lab.hpcnet("submit", *words, job).complaints
    if f"submitted to {SITE}/" not in said:
        raise RuntimeError(f"the two ways did not submit to the same cluster: {said}")


if __name__ == "__main__":
    compile_sources()
    with federation() as lab_of_ours:
        print(table.races(measure(lab_of_ours)))
