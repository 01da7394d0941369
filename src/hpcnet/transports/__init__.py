"""One module for each way to a site; discovery finds every one that offers `TRANSPORT`.

What all ways share lives here: how text becomes bytes, and how files leave and reach this machine.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hpcnet.errors import StorageError

CHUNK = 256 * 1024
"""Bytes that are moved between two calls of `on_bytes`."""
CHECK_PATH = "check the path, its permissions, and the free space and quota there"
REGULAR_ONLY = "links, directories and devices are not copied; name the files themselves"
LANDING = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def encode(script: str) -> bytes:
    """UTF-8; a file name that is not UTF-8 leaves with the bytes it has on this machine."""
    return script.encode("utf-8", "surrogateescape")


def decode(output: bytes) -> str:
    r"""UTF-8; a byte that is not is shown as `\xNN`, so that the text can be printed and stored."""
    return output.decode("utf-8", "backslashreplace")


@contextmanager
def local_file(path: Path) -> Iterator[None]:
    """Say about which file of this machine the system complained. Raises `StorageError`."""
    try:
        yield
    except OSError as error:
        words = error.strerror or str(error)
        raise StorageError(f"{path} on this machine: {words}", hint=CHECK_PATH) from error


def open_regular(path: Path, flags: int = 0) -> BinaryIO:
    """Open a regular file for reading, and nothing else. Raises `OSError`."""
    # Without O_NONBLOCK a named pipe would hold us here until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return os.fdopen(descriptor, "rb")


def permissions(file: BinaryIO) -> int:
    """The nine permission bits of an open file."""
    return os.fstat(file.fileno()).st_mode & 0o777


def bytes_kept(target: Path, size: int) -> int:
    """How many bytes of `target` stay when `size` bytes are to land there: all, unless it is longer.

    Raises `StorageError` when `target` exists and is not a regular file.
    """
    with local_file(target):
        try:
            found = os.lstat(target)
        except FileNotFoundError:
            return 0
    if not stat.S_ISREG(found.st_mode):
        raise StorageError(f"{target} on this machine is not a regular file", hint=REGULAR_ONLY)
    return found.st_size if found.st_size <= size else 0


@contextmanager
def landing(target: Path, kept: int, mode: int) -> Iterator[Callable[[bytes], None]]:
    """Open `target` to write on after `kept` bytes; it gets its permission bits when all has landed.

    Raises `StorageError`; so does the function it gives to write with.
    """
    with local_file(target):
        # Unbuffered, so that a full disk is seen by the write and not by a close somewhere else.
        file = os.fdopen(os.open(target, LANDING, 0o600), "wb", buffering=0)

    def write(data: bytes) -> None:
        rest = memoryview(data)
        with local_file(target):
            while rest:
                rest = rest[file.write(rest) :]

    with file:
        with local_file(target):
            file.truncate(kept)
            file.seek(kept)
        yield write
        with local_file(target):
            os.fchmod(file.fileno(), mode)
