"""An open way to a site: scripts through a shell there, files through SFTP."""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paramiko import SFTPClient
from paramiko.sftp import SFTPError
from paramiko.ssh_exception import ChannelException, SSHException

from hpcnet.errors import LinkError, LinkLost, StorageError, TimedOut
from hpcnet.model.command import Completed
from hpcnet.ports import OnBytes
from hpcnet.transports import CHECK_PATH, decode, encode
from hpcnet.transports.ssh import files
from hpcnet.transports.ssh.explain import LINK_FAULTS, TRY_AGAIN, explain, explain_cut, words_of
from hpcnet.transports.ssh.tunnel import Tunnel

SHELL = "exec /bin/sh -s"
PAUSES = (0.02, 0.1, 0.4)
"""Seconds between attempts to open a session."""
STALL_S = 60.0
"""A file transfer that does not move for this long is given up."""
SFTP_WINDOW = 16 * 1024 * 1024
"""Bytes in flight: 200 ms away this still allows 80 MB/s."""


class SshLink:
    """One connection; each script has a session of its own, all files share one SFTP session."""

    def __init__(self, site: str, tunnel: Tunnel) -> None:
        self._site = site
        self._tunnel = tunnel
        self._sftp: SFTPClient | None = None

    def run(self, script: str, deadline_s: float) -> Completed:
        """See `hpcnet.ports.Transport.run`. Raises `Unreachable` when nothing was sent."""
        with self._deadline(deadline_s):
            channel = self._shell()
            try:
                return self._converse(channel, encode(script))
            except LINK_FAULTS as error:
                raise explain_cut(error, self._site) from error
            finally:
                channel.close()

    def put(self, source: Path, target: str, on_bytes: OnBytes) -> None:
        """See `hpcnet.ports.Transport.put`. Raises `StorageError` with the server's words."""
        with self._storage(target):
            files.put(self._files(), source, encode(target), on_bytes)

    def get(self, source: str, target: Path, on_bytes: OnBytes) -> None:
        """See `hpcnet.ports.Transport.get`. Raises `StorageError` with the server's words."""
        with self._storage(source):
            files.get(self._files(), encode(source), target, on_bytes)

    def close(self) -> None:
        """Let go of the connection and of those it goes through. Never raises."""
        self._tunnel.close()

    @contextlib.contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Past the deadline the connection is closed, which wakes whoever waits on it."""
        passed = threading.Event()

        def give_up() -> None:
            passed.set()
            self.close()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        except LinkError as error:
            if passed.is_set():
                message = f"{self._site} did not answer within {seconds:g} s; the link was closed"
                raise TimedOut(message, hint=TRY_AGAIN) from error
            raise
        finally:
            timer.cancel()

    def _shell(self) -> Any:
        try:
            channel = self._session()
            channel.exec_command(SHELL)
        except LINK_FAULTS as error:
            raise explain(error, self._site, opening=True) from error
        return channel

    def _session(self, **sizes: int) -> Any:
        """A new session, also where MaxSessions is tight: the SFTP session makes room for it.

        The site needs a moment to see that an old session has ended. Raises what paramiko raises.
        """
        for pause in PAUSES:
            try:
                return self._tunnel.last.open_session(**sizes)
            except ChannelException:
                self._leave_files()
                time.sleep(pause)
        return self._tunnel.last.open_session(**sizes)

    def _leave_files(self) -> None:
        if self._sftp is not None:
            self._sftp.close()
            self._sftp = None

    def _converse(self, channel: Any, to_send: bytes) -> Completed:
        stdout, stderr = bytearray(), bytearray()
        rest = memoryview(to_send)
        ended = False
        while not ended:
            rest = _feed(channel, rest)
            # Looked at before draining: what arrives between the two is drained in the next round.
            ended = channel.closed or (channel.eof_received and not rest)
            _drain(channel, stdout, stderr)
            if not ended:
                select.select([channel], [], [], 0.02 if rest else 1.0)
        status = channel.recv_exit_status()
        if status < 0:
            words = "the script's shell there ended without an exit status"
            raise LinkLost(f"the link to {self._site} broke: {words}", hint=TRY_AGAIN)
        return Completed(status, decode(bytes(stdout)), decode(bytes(stderr)))

    def _files(self) -> SFTPClient:
        if self._sftp is None:
            try:
                channel = self._session(window_size=SFTP_WINDOW)
                channel.settimeout(STALL_S)
                channel.invoke_subsystem("sftp")
                self._sftp = SFTPClient(channel)
            except LINK_FAULTS as error:
                raise explain(error, self._site, opening=True) from error
        return self._sftp

    @contextlib.contextmanager
    def _storage(self, path: str) -> Iterator[None]:
        """Tell the server's complaints about a file from those about the link."""
        try:
            yield
        except LINK_FAULTS as error:
            broken = isinstance(error, (SSHException, SFTPError, TimeoutError))
            if not broken and self._sftp is not None and not self._sftp.get_channel().closed:
                raise StorageError(f"at {self._site}: {path}: {words_of(error)}", hint=CHECK_PATH) from error
            self.close()
            raise explain_cut(error, self._site) from error


def _feed(channel: Any, rest: memoryview) -> memoryview:
    """Send what the window takes; after the last byte, say that there is no more."""
    if channel.closed:
        return rest[:0]
    while rest and channel.send_ready():
        try:
            rest = rest[channel.send(rest[:32768]) :]
        except OSError:
            # The shell over there ended without reading all of its script: its status tells why.
            return rest[:0]
    if not rest and not channel.eof_sent:
        with contextlib.suppress(OSError):
            channel.shutdown_write()
    return rest


def _drain(channel: Any, stdout: bytearray, stderr: bytearray) -> None:
    while channel.recv_ready():
        stdout += channel.recv(1 << 20)
    while channel.recv_stderr_ready():
        stderr += channel.recv_stderr(1 << 20)
