"""What a job runs, as shell words: launcher, command, set-up lines, interpreter of a script."""

from __future__ import annotations

import re

from hpcnet.errors import JobError
from hpcnet.model.job import Requirements
from hpcnet.model.site import Site
from hpcnet.model.submission import Submission

_SOFTWARE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:,+@/-]*")


def launcher_words(site: Site, need: Requirements) -> tuple[str, ...]:
    """The site's launcher with its placeholders filled in; other braces stay as they are."""
    values = {
        "{nodes}": need.nodes,
        "{tasks}": need.tasks,
        "{tasks_per_node}": need.tasks_per_node,
        "{cpus_per_task}": need.cpus_per_task,
    }

    def filled(word: str) -> str:
        for placeholder, value in values.items():
            word = word.replace(placeholder, str(value))
        return word

    return tuple(filled(word) for word in site.scheduler.launcher)


def command_words(submission: Submission) -> tuple[str, ...]:
    """The command of the job. Raises `JobError` where its first word would pass for an option."""
    words = submission.job.command or ()
    if words and (words[0].startswith("-") or not words[0]):
        raise JobError(f"the command cannot begin with '{words[0]}'", hint="put a program first")
    return words


def setup_lines(submission: Submission) -> tuple[str, ...]:
    """The site's lines for the software that the job asks for, in order, each once."""
    lines: dict[str, None] = {}
    for need in submission.job.requirements.software:
        name = _SOFTWARE_NAME.match(need)
        software = submission.site.software.get(name[0]) if name else None
        lines |= dict.fromkeys(software.setup if software else ())
    return tuple(lines)


def interpreter_words(script: str) -> tuple[str, ...]:
    """The interpreter in the first line, split as the kernel does: a path and at most one argument.

    Raises `JobError` for DOS line ends there: no kernel finds such an interpreter.
    """
    first = script.partition("\n")[0]
    if not first.startswith("#!") or not first[2:].strip():
        return ("/bin/sh",)
    if first.endswith("\r"):
        raise JobError("the script has DOS line breaks", hint="convert it, for example with dos2unix")
    return tuple(first[2:].strip().split(None, 1))
