"""Every fault of the libraries underneath is said as an error of hpcnet."""

from __future__ import annotations

import inspect
import socket

import pytest
from paramiko import RSAKey, ssh_exception
from paramiko.sftp import SFTPError

from hpcnet.errors import (
    AuthenticationRefused,
    ConfigurationError,
    HostKeyChanged,
    HpcnetError,
    LinkLost,
    TimedOut,
    Unreachable,
)
from hpcnet.transports.ssh.explain import LINK_FAULTS, SAYINGS, explain, explain_cut

PARAMIKO = [
    kind
    for _, kind in inspect.getmembers(ssh_exception, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == ssh_exception.__name__
]


@pytest.mark.parametrize("kind", [*PARAMIKO, SFTPError, EOFError, socket.gaierror, socket.herror, OSError])
def test_each_class_of_exception_is_mapped_by_itself(kind: type[Exception]) -> None:
    assert kind in SAYINGS
    assert issubclass(kind, LINK_FAULTS)


def test_there_are_classes_to_walk() -> None:
    assert len(PARAMIKO) >= 12


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ssh_exception.SSHException("Error reading SSH protocol banner"), LinkLost),
        (ssh_exception.AuthenticationException("Authentication failed."), AuthenticationRefused),
        (ssh_exception.PasswordRequiredException("locked"), AuthenticationRefused),
        (ssh_exception.BadAuthenticationType("no", ["password"]), AuthenticationRefused),
        (ssh_exception.PartialAuthentication(["password"]), AuthenticationRefused),
        (ssh_exception.ChannelException(4, "Resource shortage"), Unreachable),
        (ssh_exception.IncompatiblePeer("no kex"), Unreachable),
        (ssh_exception.ProxyCommandFailure("nc", "gone"), Unreachable),
        (ssh_exception.NoValidConnectionsError({("127.0.0.1", 22): OSError()}), Unreachable),
        (ssh_exception.ConfigParseError("Unparsable line"), ConfigurationError),
        (ssh_exception.CouldNotCanonicalize("host"), Unreachable),
        (ssh_exception.MessageOrderError("order"), LinkLost),
        (SFTPError("Expected handle"), LinkLost),
        (EOFError(), LinkLost),
        (ConnectionResetError(104, "Connection reset by peer"), LinkLost),
        (BrokenPipeError(32, "Broken pipe"), LinkLost),
        (ConnectionRefusedError(111, "Connection refused"), Unreachable),
        (OSError(113, "No route to host"), Unreachable),
        (socket.gaierror(-2, "Name or service not known"), Unreachable),
        (TimeoutError("timed out"), TimedOut),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_each_fault_is_told_as_whose_it_is(error: Exception, told: type[HpcnetError]) -> None:
    said = explain(error, "andes")

    assert type(said) is told
    assert "andes" in said.message
    assert said.hint


def test_a_changed_key_is_told_as_changed() -> None:
    key = RSAKey.generate(2048)

    said = explain(ssh_exception.BadHostKeyException("host", key, key), "andes")

    assert isinstance(said, HostKeyChanged)
    assert "hpcnet site pin andes" in said.hint


@pytest.mark.parametrize("error", [EOFError(), TimeoutError(), ssh_exception.SSHException("broken")])
def test_a_link_that_breaks_while_it_opens_is_unreachable(error: Exception) -> None:
    assert type(explain(error, "andes", opening=True)) is Unreachable


def test_a_closed_door_stays_a_closed_door_while_it_opens() -> None:
    error = ssh_exception.AuthenticationException("no")

    assert type(explain(error, "andes", opening=True)) is AuthenticationRefused


@pytest.mark.parametrize(
    "error",
    [
        OSError("Socket is closed"),
        ConnectionRefusedError(111, "Connection refused"),
        EOFError(),
        SFTPError("Expected data"),
        ssh_exception.SSHException("Server connection dropped"),
        ssh_exception.ChannelException(2, "Connect failed"),
        ssh_exception.AuthenticationException("closed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_once_something_was_sent_no_fault_says_that_nothing_was(error: Exception) -> None:
    assert type(explain_cut(error, "andes")) is LinkLost


def test_a_site_that_falls_silent_has_timed_out() -> None:
    assert type(explain_cut(TimeoutError("timed out"), "andes")) is TimedOut


def test_an_exception_without_words_is_named() -> None:
    assert "EOFError" in explain(EOFError(), "andes").message
