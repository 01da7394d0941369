"""The raw stream to the first server: TCP, or the user's own ProxyCommand."""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
from dataclasses import dataclass

from hpcnet.errors import ConfigurationError
from hpcnet.transports.ssh.route import Hop


@dataclass(frozen=True, slots=True)
class Stream:
    """A socket, and the proxy process behind it if there is one."""

    socket: socket.socket
    proxy: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Never raises; the proxy sees the end of its input and has a second to leave."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if self.proxy is not None:
            _reap(self.proxy)


class PromptSocket(socket.socket):
    """Acknowledges at once what it has received.

    sshd waits for the acknowledgement of one small packet before it sends the next; a delayed one
    costs 40 ms with the first command.
    """

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """See `socket.socket.recv`."""
        data = super().recv(size, flags)
        if hasattr(socket, "TCP_QUICKACK"):
            # Linux takes this as a wish for now, not for ever.
            with contextlib.suppress(OSError):
                self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data


def dial(hop: Hop) -> Stream:
    """Raises `OSError` where nobody answers, `ConfigurationError` for a bad ProxyCommand."""
    if hop.proxy_command is not None:
        return _through_command(hop.proxy_command)
    stream = socket.create_connection((hop.host, hop.port), timeout=hop.timeout_s)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Stream(PromptSocket(fileno=stream.detach()))


def _through_command(command: str) -> Stream:
    """Split into words and run as a program: no shell ever reads it."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            proxy = subprocess.Popen(shlex.split(command), stdin=theirs.fileno(), stdout=theirs.fileno())
    except (OSError, ValueError, IndexError) as error:
        ours.close()
        message = f"ProxyCommand `{command}` cannot be started: {error}"
        raise ConfigurationError(message, hint="it is run without a shell: one program, its words") from error
    return Stream(ours, proxy)


def _reap(proxy: subprocess.Popen[bytes]) -> None:
    try:
        proxy.wait(timeout=1)
    except subprocess.TimeoutExpired:
        proxy.kill()
        proxy.wait()
