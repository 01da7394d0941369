"""One link over a real sshd: what breaks, what is tight, what is agreed."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from hpcnet.errors import LinkError, LinkLost, StorageError, Unreachable
from hpcnet.transports.ssh.link import SshLink
from hpcnet.transports.ssh.route import find_route
from hpcnet.transports.ssh.tunnel import Tunnel
from real_sshd import RealSshd, StartSshd

Open = Callable[[RealSshd], SshLink]


@pytest.fixture
def open_link() -> Iterator[Open]:
    links: list[SshLink] = []

    def connect(server: RealSshd) -> SshLink:
        site = server.site()
        hops = find_route(site, server.access(), server.settings())
        links.append(SshLink(site.id, Tunnel.through(hops, site.id)))
        return links[-1]

    yield connect
    for link in links:
        link.close()


def kill_sessions(server: RealSshd) -> None:
    for session in server.sessions():
        with suppress(ProcessLookupError):
            os.kill(session, signal.SIGKILL)


def test_a_link_that_is_cut_in_mid_command_is_lost(
    start_sshd: StartSshd, open_link: Open, tmp_path: Path
) -> None:
    server = start_sshd()
    link = open_link(server)
    begun = tmp_path / "begun"
    os.mkfifo(begun)

    def cut() -> None:
        begun.read_text()
        kill_sessions(server)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(cut)
        with pytest.raises(LinkLost):
            link.run(f"echo > {begun}; sleep 60", 30)


def test_a_link_that_is_cut_in_mid_transfer_is_lost(
    start_sshd: StartSshd, open_link: Open, tmp_path: Path
) -> None:
    server = start_sshd()
    link = open_link(server)
    with (tmp_path / "a").open("wb") as file:
        file.truncate(50_000_000)

    with pytest.raises(LinkLost):
        link.get(str(tmp_path / "a"), tmp_path / "b", lambda _: kill_sessions(server))
    assert (tmp_path / "b").stat().st_size < 50_000_000


def test_nothing_is_sent_over_a_link_that_is_gone(
    start_sshd: StartSshd, open_link: Open, tmp_path: Path
) -> None:
    link = open_link(start_sshd())
    link.close()

    with pytest.raises(Unreachable):
        link.run(f"touch {tmp_path}/ran", 30)
    with pytest.raises(Unreachable):
        link.get("/etc/passwd", tmp_path / "b", lambda _: None)
    assert not (tmp_path / "ran").exists()


def test_a_noisy_profile_does_not_disturb_files_or_status(
    start_sshd: StartSshd, open_link: Open, tmp_path: Path
) -> None:
    link = open_link(start_sshd(bashrc="echo WELCOME; echo motd >&2\n"))
    (tmp_path / "a").write_text("text")

    done = link.run("echo mine; exit 3", 30)
    link.put(tmp_path / "a", f"{tmp_path}/b", lambda _: None)

    assert done.exit_status == 3
    assert done.stdout.endswith("mine\n")
    assert (tmp_path / "b").read_text() == "text"


@pytest.mark.parametrize("sessions", [1, 3])
def test_scripts_and_files_take_turns_in_few_sessions(
    start_sshd: StartSshd, open_link: Open, tmp_path: Path, sessions: int
) -> None:
    link = open_link(start_sshd(f"MaxSessions {sessions}"))
    (tmp_path / "a").write_text("text")

    for turn in range(5):
        link.put(tmp_path / "a", f"{tmp_path}/b{turn}", lambda _: None)
        assert link.run("echo on", 30).stdout == "on\n"


def test_a_site_without_sftp_is_told(start_sshd: StartSshd, open_link: Open, tmp_path: Path) -> None:
    link = open_link(start_sshd("Subsystem sftp /bin/false"))

    with pytest.raises(LinkError, match="lab-test"):
        link.get("/etc/passwd", tmp_path / "b", lambda _: None)


def test_a_file_that_we_may_not_write_is_told(start_sshd: StartSshd, open_link: Open, tmp_path: Path) -> None:
    link = open_link(start_sshd())
    (tmp_path / "a").write_text("text")

    with pytest.raises(StorageError, match="at lab-test: /proc/b"):
        link.put(tmp_path / "a", "/proc/b", lambda _: None)


def test_strict_key_exchange_and_modern_algorithms_are_agreed(sshd: RealSshd) -> None:
    site = sshd.site()
    tunnel = Tunnel.through(find_route(site, sshd.access(), sshd.settings()), site.id)
    transport = tunnel.last
    agreed = (transport.agreed_on_strict_kex, transport.local_cipher, transport.remote_cipher)
    tunnel.close()

    assert agreed[0]
    assert all("cbc" not in cipher and ("gcm" in cipher or "ctr" in cipher) for cipher in agreed[1:])


def test_a_closed_link_leaves_no_thread_and_no_connection(sshd: RealSshd, open_link: Open) -> None:
    before = set(threading.enumerate())
    link = open_link(sshd)
    link.run("true", 30)
    link.close()

    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in started)


def test_a_server_that_says_nothing_is_given_up() -> None:
    from hpcnet.model.configuration import Access
    from hpcnet.model.site import Login, Site
    from hpcnet.ports import LinkSettings
    from hpcnet.transports.ssh import TRANSPORT

    with socket.create_server(("127.0.0.1", 0)) as silent:
        site = Site(id="mute", name="Mute", login=Login(host="127.0.0.1", port=silent.getsockname()[1]))
        settings = LinkSettings(ssh_config=Path("/dev/null"), connect_timeout_s=0.3)
        with pytest.raises(Unreachable, match="mute"):
            TRANSPORT(settings)(site, Access(user="nobody"))


class BreakingChannel:
    """A channel that breaks once the script is on its way: no real one can be made to do it on time."""

    closed = eof_received = eof_sent = False

    def exec_command(self, command: str) -> None:
        assert command == "exec /bin/sh -s"

    def send_ready(self) -> bool:
        return True

    def send(self, data: memoryview) -> int:
        return len(data)

    def shutdown_write(self) -> None:
        self.eof_sent = True

    def recv_ready(self) -> bool:
        raise OSError("Socket is closed")

    def close(self) -> None:
        self.closed = True


class BreakingTunnel(Tunnel):
    """Gives sessions that break."""

    @property
    def last(self) -> SimpleNamespace:
        return SimpleNamespace(open_session=BreakingChannel)


def test_a_script_that_was_sent_is_never_said_to_be_unsent() -> None:
    with pytest.raises(LinkLost):
        SshLink("andes", BreakingTunnel()).run("sbatch job", 30)
