"""Every fault paramiko, the sockets and the name service know, said as an error of hpcnet: once, here."""

from __future__ import annotations

import socket
from collections.abc import Callable

from paramiko import ssh_exception as ssh
from paramiko.sftp import SFTPError

from hpcnet.errors import (
    AuthenticationRefused,
    ConfigurationError,
    HostKeyChanged,
    HpcnetError,
    LinkError,
    LinkLost,
    TimedOut,
    Unreachable,
)

LINK_FAULTS = (ssh.SSHException, SFTPError, OSError, EOFError)
"""What a call into paramiko may raise."""

TRY_AGAIN = (
    "check the network (or VPN) and try again; `ssh` there by hand tells more, `hpcnet site show` the address"
)
CHECK_KEY = "check `user` and `identity_file` in the access entry, or what `ssh-add -l` lists"
CHECK_CONFIG = "correct the user's ssh configuration"

Say = Callable[[str, str], HpcnetError]


def _lost(site: str, words: str) -> HpcnetError:
    return LinkLost(f"the link to {site} broke: {words}", hint=TRY_AGAIN)


def _unreachable(site: str, words: str) -> HpcnetError:
    return Unreachable(f"{site} cannot be reached: {words}", hint=TRY_AGAIN)


def _unknown_name(site: str, words: str) -> HpcnetError:
    hint = "check `host` in the descriptor or HostName in the ssh configuration"
    return Unreachable(f"{site} cannot be reached: its host name is not known ({words})", hint=hint)


def _no_session(site: str, words: str) -> HpcnetError:
    return Unreachable(f"{site} opens no further session: {words}", hint=TRY_AGAIN)


def _nothing_in_common(site: str, words: str) -> HpcnetError:
    hint = "its SSH server offers no modern algorithm; ask the centre to bring it up to date"
    return Unreachable(f"{site} and hpcnet have no algorithm in common: {words}", hint=hint)


def _timed_out(site: str, words: str) -> HpcnetError:
    return TimedOut(f"{site} did not answer in time: {words}", hint=TRY_AGAIN)


def _refused(site: str, words: str) -> HpcnetError:
    return AuthenticationRefused(f"{site} does not let us in: {words}", hint=CHECK_KEY)


def _encrypted(site: str, words: str) -> HpcnetError:
    hint = "unlock it with `ssh-add` first"
    return AuthenticationRefused(f"the private key for {site} is locked by a passphrase: {words}", hint=hint)


def _changed_key(site: str, words: str) -> HpcnetError:
    return HostKeyChanged(
        f"{site} shows another host key than the pinned one: {words}", hint=changed_hint(site)
    )


def _configuration(site: str, words: str) -> HpcnetError:
    return ConfigurationError(f"the ssh configuration for {site} cannot be used: {words}", hint=CHECK_CONFIG)


def changed_hint(site: str) -> str:
    """What to do about a host key that changed."""
    return f"ask the centre whether its key changed; if it did, `hpcnet site pin {site}`"


SAYINGS: dict[type[BaseException], Say] = {
    ssh.BadHostKeyException: _changed_key,
    ssh.PasswordRequiredException: _encrypted,
    ssh.BadAuthenticationType: _refused,
    ssh.PartialAuthentication: _refused,
    ssh.UnableToAuthenticate: _refused,
    ssh.AuthenticationException: _refused,
    ssh.ChannelException: _no_session,
    ssh.IncompatiblePeer: _nothing_in_common,
    ssh.ProxyCommandFailure: _unreachable,
    ssh.NoValidConnectionsError: _unreachable,
    ssh.CouldNotCanonicalize: _unknown_name,
    ssh.ConfigParseError: _configuration,
    ssh.MessageOrderError: _lost,
    ssh.SSHException: _lost,
    SFTPError: _lost,
    EOFError: _lost,
    TimeoutError: _timed_out,
    socket.gaierror: _unknown_name,
    socket.herror: _unknown_name,
    ConnectionResetError: _lost,
    ConnectionAbortedError: _lost,
    BrokenPipeError: _lost,
    OSError: _unreachable,
}


def explain(error: BaseException, site: str, *, opening: bool = False) -> HpcnetError:
    """The error for a person; while `opening`, nothing was sent yet and the site is `Unreachable`."""
    say = next((SAYINGS[kind] for kind in type(error).__mro__ if kind in SAYINGS), _lost)
    told = say(site, words_of(error))
    if opening and isinstance(told, LinkError):
        return Unreachable(told.message, hint=told.hint)
    return told


def explain_cut(error: BaseException, site: str) -> HpcnetError:
    """The error once something was sent: `TimedOut` or `LinkLost`, never "nothing was sent"."""
    told = explain(error, site)
    return told if isinstance(told, TimedOut) else _lost(site, words_of(error))


def words_of(error: BaseException) -> str:
    """The words of a library's exception, or its name where it has none."""
    words = getattr(error, "strerror", None) or str(error)
    return words or type(error).__name__
