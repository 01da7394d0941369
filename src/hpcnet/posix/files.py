"""Questions about the files of a job directory. Names travel NUL-separated: any name is safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hpcnet.errors import StorageError, UnreadableAnswer
from hpcnet.model.command import Completed, Question
from hpcnet.posix.directory import OWN
from hpcnet.posix.quote import quote


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A regular file below a job directory: path relative to it, size in bytes."""

    path: str
    size: int


_DIRECTORIES_PER_CALL = 500
"""Words that any system lets a program have."""

_LIST = r"""
cd -- {directory} || exit 44
find . -path ./{own} -prune -o -type f -exec sh -c '
  for file do printf "%s %s\000" "$(($(wc -c < "$file")))" "$file"; done' sh {{}} +
"""

_HASH = r"""
cd -- {directory} || exit 44
if command -v sha256sum >/dev/null; then hash=sha256sum
elif command -v shasum >/dev/null; then hash='shasum -a 256'
else exit 45; fi
for file in {files}; do $hash < "$file" || echo missing; done
"""


def make_directories(directories: Sequence[str]) -> Question[None]:
    """Make these directories and their parents."""
    words = [quote(directory) for directory in directories]
    calls = [
        f"mkdir -p -- {' '.join(words[start : start + _DIRECTORIES_PER_CALL])} || exit\n"
        for start in range(0, len(words), _DIRECTORIES_PER_CALL)
    ]
    return Question("".join(calls), _nothing_wrong, deadline_s=60)


def list_files(directory: str) -> Question[tuple[RemoteFile, ...]]:
    """All regular files below a job directory, hpcnet's own left out; links are not followed."""
    return Question(_LIST.format(directory=quote(directory), own=OWN), _read_list, deadline_s=120)


def checksums(directory: str, files: Sequence[str]) -> Question[list[str | None]]:
    """SHA-256 of each file, in order; None for all where the site has no tool for it."""
    words = " ".join(quote(f"./{name}") for name in files)
    script = _HASH.format(directory=quote(directory), files=words)
    return Question(script, lambda completed: _read_checksums(completed, len(files)), deadline_s=3600)


def _nothing_wrong(completed: Completed) -> None:
    if completed.exit_status != 0:
        raise StorageError(f"the site cannot make the job directory: {completed.stderr.strip()}")


def _refuse_missing(completed: Completed) -> None:
    if completed.exit_status == 44:
        raise StorageError("the job directory is no longer at the site", hint=completed.stderr.strip())


def _read_list(completed: Completed) -> tuple[RemoteFile, ...]:
    _refuse_missing(completed)
    files = []
    for row in completed.stdout.split("\0")[:-1]:
        size, _, path = row.partition(" ")
        if not size.strip().isdigit():
            raise UnreadableAnswer("the list of files cannot be read", raw=completed.stdout)
        files.append(RemoteFile(path.removeprefix("./"), int(size)))
    return tuple(sorted(files, key=lambda file: file.path))


def _read_checksums(completed: Completed, count: int) -> list[str | None]:
    _refuse_missing(completed)
    if completed.exit_status == 45:
        return [None] * count
    words = [line.split(" ")[0] for line in completed.stdout.splitlines()]
    if len(words) != count:
        raise UnreadableAnswer("the checksums cannot be read", raw=completed.stdout)
    return [None if word == "missing" else word for word in words]
