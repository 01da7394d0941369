from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError
from hpcnet.ledger.address import read_address


@pytest.mark.parametrize("text", ["/data/ledger.db", "sqlite:////data/ledger.db"])
def test_a_path_and_an_sqlite_url_name_a_file(text: str) -> None:
    address = read_address(text)
    assert (address.file, address.shown) == (Path("/data/ledger.db"), "/data/ledger.db")


def test_a_relative_path_is_taken_from_here_and_a_tilde_from_home() -> None:
    assert read_address("ledger.db").file == Path.cwd() / "ledger.db"
    assert read_address("~/ledger.db").file == Path.home() / "ledger.db"


def test_a_strange_file_name_stays_a_file_name() -> None:
    path = Path("/data/a ?mode=ro#%41 'b'.db")
    assert read_address(path).url.database == str(path)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_uses_psycopg_and_shows_no_password(scheme: str) -> None:
    address = read_address(
        f"{scheme}://ana:s3cret%40x@db.example.org:5433/hpcnet?password=s3cret&sslmode=require"
    )
    assert address.url.drivername == "postgresql+psycopg"
    assert address.url.password == "s3cret@x"
    assert address.shown == "postgresql://ana@db.example.org:5433/hpcnet"
    assert "s3cret" not in repr(address)


def test_a_socket_directory_in_the_query_is_shown_as_the_host() -> None:
    assert read_address("postgresql:///hpcnet?host=/run/pg").shown == "postgresql:///run/pg/hpcnet"


@pytest.mark.parametrize(
    "text",
    [
        "mysql://ana:s3cret@host/db",
        "postgresql://ana:s3cret@x@host/db",
        "postgresql://ana:s3cret@host:port/db",
        "postgresql://ana:s3cret",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_repeating_a_password(text: str) -> None:
    with pytest.raises(ConfigurationError, match="ledger") as caught:
        read_address(text)
    assert "s3cret" not in caught.value.message
    assert "write " in caught.value.hint
    assert "s3cret" not in caught.value.hint
