"""Marks the attempts that this machine is sending, by locks that fall with the program that holds them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hpcnet.errors import StorageError

_LONG_S = 7 * 86400.0


class LockedFiles:
    """One file for each attempt that is being sent; `flock` tells whether its sender lives."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def sending(self, token: str) -> Iterator[None]:
        """Hold the mark of this attempt; its file goes when the block ends well.

        After an error the file stays, held by nobody: whoever looks knows that the sender gave up.
        """
        mark = self._directory / token
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._forget_the_dead()
            descriptor = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"{mark} cannot be made: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
            mark.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def is_sent_by_someone(self, token: str) -> bool | None:
        """Whether a living program holds the mark; None if no mark of this attempt is here."""
        try:
            descriptor = os.open(self._directory / token, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _forget_the_dead(self) -> None:
        """Marks of programs that died long ago: what became of their attempts was found out since."""
        for mark in self._directory.iterdir():
            with suppress(FileNotFoundError):  # another program may take it away meanwhile
                if time.time() - mark.stat().st_mtime > _LONG_S and not self.is_sent_by_someone(mark.name):
                    self.forget(mark.name)

    def forget(self, token: str) -> None:
        """Take away the mark that a dead program left."""
        (self._directory / token).unlink(missing_ok=True)
