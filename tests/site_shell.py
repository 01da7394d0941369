"""A site's shell without the way to it: questions are framed, run by a real shell here, and read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from hpcnet.model.command import Completed, Question
from hpcnet.posix.frame import frame, unframe

Answer = TypeVar("Answer")
MARKER = "0123456789abcdef"


def run_shell(
    script: str, home: Path, environment: Mapping[str, str] | None = None, shell: str = "/bin/sh"
) -> Completed:
    """Runs `script` as a transport would, in `home`, and returns both streams raw."""
    done = subprocess.run(
        [shell, "-s"],
        input=script.encode(),
        capture_output=True,
        cwd=home,
        env={**os.environ, "HOME": str(home), **(environment or {})},
        check=False,
    )
    return Completed(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_framed(
    script: str, home: Path, environment: Mapping[str, str] | None = None, shell: str = "/bin/sh"
) -> Completed:
    """The same with the frame around it."""
    return unframe(run_shell(frame(script, MARKER), home, environment, shell), MARKER)


def ask(
    question: Question[Answer],
    home: Path,
    environment: Mapping[str, str] | None = None,
    shell: str = "/bin/sh",
) -> Answer:
    """Asks one question and reads the answer."""
    return question.read(run_framed(question.script, home, environment, shell))
