"""A private, real PostgreSQL server for the tests: own directory, own port, own password."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

PASSWORD = "s3cret/of@the:tests"
PASSWORD_IN_URL = "s3cret%2Fof%40the%3Atests"
_START_LIMIT_S = 30


class RealPostgresql:
    """A server that can be started and stopped; `new_database` gives the URL of an empty one."""

    def __init__(self, programs: Path, root: Path, user: str | None) -> None:
        self._programs = programs
        self._root = root
        self._user = user
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def prepare(self) -> None:
        secret = self._root / "password"
        secret.write_text(PASSWORD)
        if self._user is not None:
            shutil.chown(self._root, self._user)
            shutil.chown(secret, self._user)
        command: list[str | Path] = [
            self._programs / "initdb",
            "--pgdata",
            self._root / "data",
            "--username",
            "ledger",
        ]
        options: list[str | Path] = [
            "--auth",
            "scram-sha-256",
            "--pwfile",
            secret,
            "--encoding",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(
            [*command, *options], check=True, user=self._user, cwd=self._root, stdout=subprocess.DEVNULL
        )

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command: list[str | Path] = [self._programs / "postgres", "-D", self._root / "data", *options]
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen(command, user=self._user, cwd=self._root, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_LIMIT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._root / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # what PostgreSQL calls a fast shutdown
            self._process.wait(timeout=30)
            self._process = None

    def url(self, database: str, password: str = PASSWORD_IN_URL) -> str:
        return f"postgresql://ledger:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        import psycopg

        name = f"ledger{next(self._names)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _server_user() -> str | None:
    """PostgreSQL refuses to be run by root: the user to run it as, or None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("PostgreSQL refuses to be run by root, and there is no other user to run it as")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[RealPostgresql]:
    """A running server for the whole session."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs initdb and postgres are not installed")
    # Not below pytest's directory: the server's user may not enter that one.
    root = Path(tempfile.mkdtemp(prefix="hpcnet-postgresql-"))
    server = RealPostgresql(programs, root, _server_user())
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(root)


@pytest.fixture
def postgresql_url(postgresql: RealPostgresql) -> str:
    """The URL of a new, empty database."""
    return postgresql.new_database()
