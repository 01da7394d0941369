"""The way to this machine itself: a shell of one's own, and plain copies."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hpcnet.errors import LinkLost, StorageError, TimedOut, Unreachable
from hpcnet.model.command import Completed
from hpcnet.model.configuration import Access
from hpcnet.model.site import Site
from hpcnet.ports import Connect, LinkSettings, OnBytes
from hpcnet.ports import Transport as Link
from hpcnet.transports import (
    CHECK_PATH,
    CHUNK,
    bytes_kept,
    decode,
    encode,
    landing,
    local_file,
    open_regular,
    permissions,
)


def TRANSPORT(_settings: LinkSettings) -> Connect:  # noqa: N802 - the well-known name of the plug-in
    """A way to this machine needs no settings."""
    return connect


def connect(site: Site, access: Access) -> Link:  # noqa: ARG001 - this machine asks for no account
    """Raises `Unreachable` when this user has no home directory to stand in."""
    home = Path("~").expanduser()
    if not home.is_dir():
        raise Unreachable(f"{site.id}: the home directory {home} does not exist", hint="set HOME")
    return LocalLink(site.id, home)


class LocalLink:
    """Runs scripts in a process group of their own; relative paths start at the home directory."""

    def __init__(self, site: str, home: Path) -> None:
        self._site = site
        self._home = home

    def run(self, script: str, deadline_s: float) -> Completed:
        """See `hpcnet.ports.Transport.run`; past the deadline the whole process group is killed."""
        with subprocess.Popen(
            ["/bin/sh", "-s"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._home,
            start_new_session=True,
        ) as shell:
            try:
                stdout, stderr = shell.communicate(encode(script), timeout=deadline_s)
            except subprocess.TimeoutExpired as error:
                raise TimedOut(f"{self._site} did not answer within {deadline_s:g} s") from error
            finally:
                if shell.returncode is None:
                    _kill(shell)
        if shell.returncode < 0:
            raise LinkLost(f"the shell at {self._site} was killed by signal {-shell.returncode}")
        return Completed(shell.returncode, decode(stdout), decode(stderr))

    def put(self, source: Path, target: str, on_bytes: OnBytes) -> None:
        """Copy through a temporary name, so that `target` is whole or not there."""
        final = self._path(target)
        partial = final.with_name(f".hpcnet-{secrets.token_hex(8)}")
        with local_file(source):
            file = open_regular(source)
        with file, self._storage(target):
            try:
                with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                    _copy(file, copy.write, on_bytes)
                    os.fchmod(copy.fileno(), permissions(file))
                partial.replace(final)
            finally:
                partial.unlink(missing_ok=True)

    def get(self, source: str, target: Path, on_bytes: OnBytes) -> None:
        """Copy, going on where a shorter `target` ended. Raises `StorageError`."""
        with self._storage(source):
            file = open_regular(self._path(source), os.O_NOFOLLOW)
        with file:
            size = os.fstat(file.fileno()).st_size
            kept = bytes_kept(target, size)
            if kept and kept == size:
                return
            file.seek(kept)
            with landing(target, kept, permissions(file)) as write, self._storage(source):
                _copy(file, write, on_bytes)

    def close(self) -> None:
        """Nothing is held."""

    def _path(self, path: str) -> Path:
        return self._home / path

    @contextmanager
    def _storage(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            words = error.strerror or str(error)
            raise StorageError(f"at {self._site}: {path}: {words}", hint=CHECK_PATH) from error


def _copy(source: BinaryIO, write: Callable[[bytes], object], on_bytes: OnBytes) -> None:
    while data := source.read(CHUNK):
        write(data)
        on_bytes(len(data))


def _kill(shell: subprocess.Popen[bytes]) -> None:
    """The shell leads its own group: what it started goes with it, and nothing else."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
