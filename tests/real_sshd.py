"""A private, real sshd on the loopback, with host and user keys of its own; stopped by its pid."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hpcnet.model.configuration import Access
from hpcnet.model.site import Login, Site
from hpcnet.ports import LinkSettings

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class RealSshd:
    """A running server and all that a client needs to be let in."""

    directory: Path
    home: Path
    port: int
    process: subprocess.Popen[bytes]
    host_keys: tuple[str, ...]
    user_key: Path
    user: str = field(default_factory=getpass.getuser)

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return (self.directory / "log").read_text()

    def site(self, **login: object) -> Site:
        """A descriptor of this server that pins its keys."""
        facts: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "host_keys": self.host_keys,
        }
        return Site(id="lab-test", name="Test", login=Login.model_validate(facts | login))

    def access(self) -> Access:
        """The entry of the user whose key this server accepts."""
        return Access(user=self.user, identity_file=str(self.user_key))

    def settings(self, ssh_config: str = "", known_hosts: Sequence[Path] = ()) -> LinkSettings:
        """Settings with an ssh configuration of this text."""
        file = self.directory / "ssh_config"
        file.write_text(ssh_config)
        return LinkSettings(ssh_config=file, known_hosts=tuple(known_hosts), connect_timeout_s=20.0)

    def sessions(self) -> list[int]:
        """The pids of every connection and all it has started, a parent before its children.

        What holds the socket is a child of the server for root, and a grandchild for other users.
        """
        listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        found = [self.process.pid]
        for parent in found:
            found += [pid for pid, its_parent in pairs if its_parent == parent]
        return found[1:]

    def stop(self) -> None:
        """Stop the server, its connections and what they started; whatever else listens is left alone."""
        sessions = self.sessions()
        self.process.terminate()
        self.process.wait(timeout=10)
        for child in sessions:
            with suppress(ProcessLookupError):
                os.kill(child, 15)


StartSshd = Callable[..., RealSshd]


@pytest.fixture
def start_sshd(tmp_path: Path, user_key: Path) -> Iterator[StartSshd]:
    """Start as many servers as the test wants: `start_sshd("MaxSessions 3", key_types=("rsa",))`."""
    started: list[RealSshd] = []

    def start(*options: str, key_types: Sequence[str] = ("ed25519",), bashrc: str = "") -> RealSshd:
        directory = tmp_path / f"sshd-{len(started)}"
        started.append(start_in(directory, user_key, options, key_types, bashrc))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory, user_key: Path) -> Iterator[RealSshd]:
    """One plain server for all tests of a module."""
    server = start_in(tmp_path_factory.mktemp("sshd"), user_key, (), ("ed25519",), "")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def user_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key that every test server accepts."""
    return make_key(tmp_path_factory.mktemp("user") / "id_ed25519")


def make_key(file: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A fresh key pair made by ssh-keygen."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (openssh-client)")
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(file)]
    subprocess.run(command, check=True)
    return file


def public_key(file: Path) -> str:
    """The key "type base64" of a key file."""
    return " ".join(file.with_name(f"{file.name}.pub").read_text().split()[:2])


def start_in(
    directory: Path, user_key: Path, options: Sequence[str], key_types: Sequence[str], bashrc: str
) -> RealSshd:
    """Start a server whose files are all in `directory`; its users' home is there, too."""
    if SSHD is None:
        pytest.skip("sshd is not installed (openssh-server)")
    skip_where_nobody_can_log_in()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    home = directory / "home"
    home.mkdir(parents=True)
    (home / ".bashrc").write_text(bashrc)
    keys = [make_key(directory / f"host_{kind}", kind) for kind in key_types]
    (directory / "authorized_keys").write_text(public_key(user_key) + "\n")
    port = free_port()
    config = directory / "sshd_config"
    config.write_text(
        "\n".join([*options, *_subsystem(options), *_config(directory, home, port, keys)]) + "\n"
    )
    process = subprocess.Popen([SSHD, "-D", "-f", str(config), "-E", str(directory / "log")])
    server = RealSshd(directory, home, port, process, tuple(map(public_key, keys)), user_key)
    _wait_until_it_listens(server)
    return server


def skip_where_nobody_can_log_in() -> None:
    """sshd turns away an account whose shell is no shell, such as that of `nobody`."""
    shell = pwd.getpwuid(os.getuid()).pw_shell
    if Path(shell).name in ("nologin", "false"):
        pytest.skip(f"sshd lets this user in nowhere: its login shell is {shell}")


def free_port() -> int:
    """A port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _subsystem(options: Sequence[str]) -> list[str]:
    """SFTP, unless the test brings its own: sshd takes it only once."""
    has_own = any(option.startswith("Subsystem") for option in options)
    return [] if has_own else ["Subsystem sftp internal-sftp"]


def _config(directory: Path, home: Path, port: int, keys: Sequence[Path]) -> list[str]:
    return [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        *(f"HostKey {key}" for key in keys),
        f"AuthorizedKeysFile {directory}/authorized_keys",
        f"PidFile {directory}/pid",
        f"SetEnv HOME={home}",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin yes",
        "MaxStartups 100",
        "LogLevel DEBUG1",
    ]


def _wait_until_it_listens(server: RealSshd) -> None:
    for _ in range(200):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port), 1):
            return
        if server.process.poll() is not None:
            break
        time.sleep(0.05)
    server.stop()
    pytest.skip(f"sshd does not start here: {server.log[-300:]}")
