"""Files through SFTP, pipelined. What the server says is raised as paramiko raises it."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from paramiko import SFTPClient, SFTPFile

from hpcnet.ports import OnBytes
from hpcnet.transports import CHUNK, bytes_kept, landing, local_file, open_regular, permissions
from hpcnet.transports.ssh.explain import LINK_FAULTS

REQUESTS_IN_FLIGHT = 256
"""Read requests of 32 KiB each: 8 MiB on their way."""


def put(sftp: SFTPClient, source: Path, target: bytes, on_bytes: OnBytes) -> None:
    """Write to a temporary name beside `target`, then rename: `target` is whole or not there."""
    with local_file(source):
        file = open_regular(source)
    partial = posixpath.join(posixpath.dirname(target), f".hpcnet-{secrets.token_hex(8)}".encode())
    with file:
        try:
            with sftp.open(partial, "wx") as copy:
                copy.chmod(permissions(file))
                _send(file, source, copy, on_bytes)
            sftp.posix_rename(partial, target)
        except BaseException:
            # The first fault is the one to tell; tidying up behind it may well fail too.
            with contextlib.suppress(Exception):
                sftp.remove(partial)
            raise


def get(sftp: SFTPClient, source: bytes, target: Path, on_bytes: OnBytes) -> None:
    """Go on where a shorter `target` ended; a longer one is begun again."""
    status = sftp.lstat(source)
    if not stat.S_ISREG(status.st_mode or 0):
        raise OSError(errno.EINVAL, "not a regular file")
    size = status.st_size or 0
    kept = bytes_kept(target, size)
    if kept and kept == size:
        return
    with landing(target, kept, (status.st_mode or 0) & 0o777) as write:
        rest = size - kept
        with sftp.open(source, "rb") as file:
            file.seek(kept)
            if rest > SFTPFile.MAX_REQUEST_SIZE:
                # Its thread would print a traceback when the link breaks; the reader below hears of it, too.
                file._prefetch_thread = _quiet(file._prefetch_thread)
                file.prefetch(size, REQUESTS_IN_FLIGHT)
            while rest:
                data = file.read(min(CHUNK, rest))
                if not data:
                    raise OSError(errno.EIO, "it became shorter while it was fetched")
                write(data)
                on_bytes(len(data))
                rest -= len(data)


def _quiet(ask: Callable[..., None]) -> Callable[..., None]:
    def ask_quietly(*args: object) -> None:
        with contextlib.suppress(*LINK_FAULTS):
            ask(*args)

    return ask_quietly


def _send(file: BinaryIO, source: Path, copy: SFTPFile, on_bytes: OnBytes) -> None:
    """Pipelined up to the last chunk: that one waits for all answers, so that no refusal is lost."""
    left = os.fstat(file.fileno()).st_size
    copy.set_pipelined(True)
    while left > 0:
        with local_file(source):
            data = file.read(min(CHUNK, left))
        left = left - len(data) if data else 0
        copy.set_pipelined(left > 0)
        if data:
            copy.write(data)
            on_bytes(len(data))
