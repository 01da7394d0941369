"""Finds TCP ports that nobody listens on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from hpcnet.errors import ConfigurationError

# Below what Linux hands out to outgoing connections (32768 and up), so that no client is in the way.
_FIRST, _LAST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a daemon could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections on `port` of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_blocks(sizes: list[int], base_port: int | None = None) -> list[int]:
    """The first ports of blocks of neighbouring free ports, one block for each of `sizes`.

    Raises `ConfigurationError` where there is no room.
    """
    ports = _candidates(base_port)
    return [_next_block(ports, size) for size in sizes]


def _candidates(base_port: int | None) -> Iterator[int]:
    if base_port is not None:
        yield from range(base_port, 65_536)
        return
    # Two labs that start at the same moment look in different places.
    start = _FIRST + os.getpid() * 97 % (_LAST - _FIRST)
    yield from range(start, _LAST)
    yield from range(_FIRST, start)


def _next_block(ports: Iterator[int], size: int) -> int:
    block: list[int] = []
    for port in ports:
        if not is_free(port):
            block = []
            continue
        if block and port != block[-1] + 1:
            block = []
        block.append(port)
        if len(block) == size:
            return block[0]
    raise ConfigurationError(
        f"there are no {size} free ports in a row on this machine",
        hint="end some of the programs that listen on ports, `ss -ltnp` lists them",
    )
