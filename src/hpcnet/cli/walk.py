"""A researcher's first job, told step by step with hpcnet's own commands."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

from hpcnet.cli.console import remark, say
from hpcnet.errors import JobFailed

_JOB = """\
name = "first-climate-job"
use_case = "climate"            # a regional shallow-water model, ready to run

[parameters]                    # in the words of the field; see: hpcnet use-case show climate
resolution_km = 5
hours = 18

[requirements]
nodes = {nodes}
tasks_per_node = {tasks}
walltime = "00:10:00"
"""


class FirstJob:
    """All files go below one directory; the user's own configuration and ledger are not touched."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._step = 0

    def walk(self, *, use_lab: bool, keep: bool) -> None:
        """The whole walk. Raises `JobFailed` when a step does not hold what it promises."""
        self._settle_in()
        if not use_lab:
            self._run_the_job(nodes=1, tasks=2)
            return
        try:
            self._tell("Start a training federation: two real Slurm clusters, each behind its own sshd.")
            self._type("lab", "up")
            self._run_the_job(nodes=2, tasks=1)
        finally:
            self._end_lab(keep=keep)

    def _settle_in(self) -> None:
        from hpcnet import wiring

        self._directory.mkdir(parents=True, exist_ok=True)
        os.environ["HPCNET_STATE"] = str(self._directory / "state")
        os.environ["HPCNET_CONFIG"] = str(self._directory / "config.toml")
        config = self._directory / "config.toml"
        config.write_text(f"[access.local]\nwork_dir = {json.dumps(str(self._directory / 'work'))}\n")
        wiring.house.cache_clear()

    def _run_the_job(self, *, nodes: int, tasks: int) -> None:
        job_file = self._directory / "climate.toml"
        job_file.write_text(_JOB.format(nodes=nodes, tasks=tasks), encoding="utf-8")
        self._tell("Describe the job: what it is, and what the machine must have.")
        say(job_file.read_text(encoding="utf-8"))
        self._tell(
            "Submit it: the sites are surveyed and ranked, the inputs travel, the best site gets the job."
        )
        self._type("submit", _short(job_file))
        job_id = self._newest_job()
        self._tell("Follow it while it waits and runs.")
        self._type("wait", job_id)
        self._tell("Bring the results home; checksums are compared.")
        results = self._directory / "results"
        self._type("fetch", job_id, _short(results))
        self._verify(results / "field.npz")
        self._tell("Draw the field.")
        title = "First climate job"
        self._type(
            "draw",
            str(results / "field.npz"),
            "--output",
            str(self._directory / "field.png"),
            "--title",
            title,
        )
        self._tell("Ask why it went there; the decision was stored, nothing is computed again.")
        self._type("why", job_id)

    def _verify(self, field: Path) -> None:
        from hpcnet.wiring import verify_result

        self._tell("Verify the physics again, here, from the file that came home.")
        record = verify_result("shallow_water.py", field)
        for name, value in record["check"].items():
            say(f"  {name}: {value}")
        if not record["verified"]:
            raise JobFailed("the result does not pass its own check", hint=str(field))
        say("  verified")

    def _newest_job(self) -> str:
        from hpcnet.wiring import house

        return house().ledger.job_ids(newest=1)[0]

    def _end_lab(self, *, keep: bool) -> None:
        if keep:
            remark("\nThe federation goes on. To use it from this shell:")
            for name in ("HPCNET_STATE", "HPCNET_CONFIG"):
                remark(f"  export {name}={os.environ[name]}")
            return
        self._tell("Take the training federation down: no process, port or file of it stays.")
        self._type("lab", "down")

    def _tell(self, sentence: str) -> None:
        self._step += 1
        say(f"\n── {self._step}. {sentence}")

    def _type(self, *words: str) -> None:
        """Run one hpcnet command as if it were typed."""
        from hpcnet import wiring
        from hpcnet.cli.main import cli

        say(f"$ hpcnet {shlex.join(words)}")
        wiring.house.cache_clear()  # what the last command wrote is read afresh, as by a new program
        code = cli.main(list(words), prog_name="hpcnet", standalone_mode=False)
        if isinstance(code, int) and code != 0:
            raise JobFailed(f"hpcnet {words[0]} ended with exit code {code}")


def _short(path: Path) -> str:
    """The path as a person here would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
