"""The one seam where errors of SQLAlchemy, of its drivers and of the system become ours."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from hpcnet.errors import AttemptTaken, StorageError
from hpcnet.ledger.address import Address

Sentence = tuple[str, str]

_FREE_SPACE = "make room there, then try again"
_ALLOW = "ask for the permission to write there, or set another ledger in config.toml"
_RESTORE = "keep the file, put a copy of a good one in its place, or set another ledger in config.toml"
_WAIT = "another hpcnet is writing; wait for it to end, then try again"
_SERVER = "see that the server runs and that the ledger's address in config.toml is right"

_OF_SQLITE: dict[int, Sentence] = {
    sqlite3.SQLITE_FULL: ("the disk is full", _FREE_SPACE),
    sqlite3.SQLITE_READONLY: ("it may only be read", _ALLOW),
    sqlite3.SQLITE_PERM: ("access is not permitted", _ALLOW),
    sqlite3.SQLITE_CANTOPEN: ("its file, or the directory of it, cannot be opened for writing", _ALLOW),
    sqlite3.SQLITE_NOTADB: ("it is not a database", _RESTORE),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", _RESTORE),
    sqlite3.SQLITE_BUSY: ("it was locked for too long", _WAIT),
    sqlite3.SQLITE_LOCKED: ("it was locked for too long", _WAIT),
    sqlite3.SQLITE_IOERR: ("the disk cannot be read or written", "see whether the disk is full or failing"),
}
# By SQLSTATE, the longest beginning that matches.
_OF_POSTGRESQL: dict[str, Sentence] = {
    "53100": ("the server's disk is full", _FREE_SPACE),
    "53": ("the server has no room for one more connection", "try again later"),
    "55P03": ("it was locked for too long", _WAIT),
    "25006": ("it may only be read", _ALLOW),
    "42501": ("the server does not permit it", _ALLOW),
    "28": ("the server does not let us in", "see the user and the password in the ledger's address"),
    "3D": ("there is no such database", "make it with createdb, then try again"),
    "08": ("the server cannot be reached", _SERVER),
    "57": ("the server was shut down", _SERVER),
}


@contextmanager
def told_as_ours(address: Address) -> Iterator[None]:
    """Whatever goes wrong inside is raised as a `StorageError` that names the ledger.

    A second intent for the same attempt is an `AttemptTaken`.
    """
    try:
        yield
    except sa.exc.IntegrityError as error:
        # One intent for each attempt of a job is the only thing that the tables insist on.
        message = "another hpcnet has begun to send this attempt of the job"
        raise AttemptTaken(message, hint="hpcnet status shows what became of it") from error
    except sa.exc.DBAPIError as error:
        raise _storage_error(address, *_sentence(address, error)) from error
    except sa.exc.SQLAlchemyError as error:
        raise _storage_error(address, _words(address, error), "") from error
    except UnicodeEncodeError as error:
        raise _storage_error(address, f"it cannot hold this text: {error.reason}", "") from error
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        raise _storage_error(address, f"{error.filename or address.shown}: {what}", _ALLOW) from error


def _storage_error(address: Address, what: str, hint: str) -> StorageError:
    return StorageError(f"the ledger {address.shown} cannot be used: {what}", hint=hint)


def _sentence(address: Address, error: sa.exc.DBAPIError) -> Sentence:
    cause = error.orig
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        # The low byte is the kind of error; the rest tells where in SQLite it arose.
        what, hint = _OF_SQLITE.get(code & 0xFF, ("", ""))
    else:
        what, hint = _sentence_of_state(address, getattr(cause, "sqlstate", None), error)
    return (what or _words(address, cause), hint)


def _sentence_of_state(address: Address, state: str | None, error: sa.exc.DBAPIError) -> Sentence:
    if state is None and isinstance(error, sa.exc.OperationalError):
        # No connection came about, and only the words say why.
        return (f"the server does not let us in: {_words(address, error.orig)}", _SERVER)
    for length in (5, 2):
        if state and state[:length] in _OF_POSTGRESQL:
            return _OF_POSTGRESQL[state[:length]]
    return ("", "")


def _words(address: Address, cause: object) -> str:
    text = " ".join(str(cause).split())
    password = address.url.password
    return text.replace(password, "***") if password else text
