"""Who is let in, and whom we believe: host keys, user keys, the agent, against a real sshd."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpcnet import registry
from hpcnet.errors import (
    AuthenticationRefused,
    ConfigurationError,
    HostKeyChanged,
    HostKeyUnknown,
    HpcnetError,
    Unreachable,
)
from hpcnet.model.configuration import Access
from hpcnet.model.site import Site
from hpcnet.ports import LinkSettings
from hpcnet.transports.ssh.host_keys import fingerprint, pin, scan, scan_site
from real_sshd import RealSshd, StartSshd, free_port, make_key, public_key


def says(site: Site, access: Access, settings: LinkSettings, script: str = "echo in") -> str:
    """Connect, run a script, let go."""
    link = registry.load("hpcnet.transports", "ssh", "TRANSPORT")(settings)(site, access)
    try:
        return str(link.run(script, 30).stdout)
    finally:
        link.close()


def refusal(site: Site, access: Access, settings: LinkSettings) -> HpcnetError:
    with pytest.raises(HpcnetError) as caught:
        says(site, access, settings)
    return caught.value


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the keys of the person who runs it."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return home


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real ssh-agent, ended by its pid."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    while not socket.exists() and process.poll() is None:
        pass
    yield
    process.terminate()
    process.wait(timeout=10)


def test_a_host_that_is_pinned_nowhere_is_refused_with_its_fingerprint(sshd: RealSshd) -> None:
    said = refusal(sshd.site(host_keys=()), sshd.access(), sshd.settings())

    assert isinstance(said, HostKeyUnknown)
    assert fingerprint(sshd.host_keys[0]) in said.message
    assert "hpcnet site pin lab-test" in said.hint


def test_a_changed_host_key_is_refused_with_both_fingerprints(sshd: RealSshd, tmp_path: Path) -> None:
    other = public_key(make_key(tmp_path / "other"))

    said = refusal(sshd.site(host_keys=(other,)), sshd.access(), sshd.settings())

    assert isinstance(said, HostKeyChanged)
    assert fingerprint(other) in said.message
    assert fingerprint(sshd.host_keys[0]) in said.message


def test_a_key_of_another_type_than_the_pinned_one_is_a_changed_key(sshd: RealSshd, tmp_path: Path) -> None:
    other = public_key(make_key(tmp_path / "other", "ecdsa"))

    assert isinstance(refusal(sshd.site(host_keys=(other,)), sshd.access(), sshd.settings()), HostKeyChanged)


def test_no_key_of_ours_is_offered_to_a_host_that_we_do_not_know(start_sshd: StartSshd) -> None:
    server = start_sshd()
    refusal(server.site(host_keys=()), server.access(), server.settings())

    assert "userauth-request" not in server.log


def test_no_relaxed_ssh_configuration_weakens_the_pin(sshd: RealSshd) -> None:
    settings = sshd.settings("StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n")

    assert isinstance(refusal(sshd.site(host_keys=()), sshd.access(), settings), HostKeyUnknown)


@pytest.mark.parametrize("pinned", [0, 1, 2])
def test_any_one_pinned_key_of_several_is_enough(start_sshd: StartSshd, pinned: int) -> None:
    server = start_sshd(key_types=("ed25519", "ecdsa", "rsa"))
    site = server.site(host_keys=(server.host_keys[pinned],))

    assert says(site, server.access(), server.settings()) == "in\n"


@pytest.mark.parametrize("hashed", [False, True])
def test_a_key_in_the_user_s_known_hosts_is_enough(sshd: RealSshd, tmp_path: Path, hashed: bool) -> None:
    file = tmp_path / "known_hosts"
    ca = f"@cert-authority * {public_key(make_key(tmp_path / 'ca'))}"
    file.write_text(f"{ca}\n[127.0.0.1]:{sshd.port} {sshd.host_keys[0]}\n")
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
        assert "|1|" in file.read_text()
    file.write_text("rubbish\n" + file.read_text())

    assert says(sshd.site(host_keys=()), sshd.access(), sshd.settings(known_hosts=[file])) == "in\n"


def test_a_revoked_key_is_refused_although_the_descriptor_pins_it(sshd: RealSshd, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked * {sshd.host_keys[0]}\n")

    said = refusal(sshd.site(), sshd.access(), sshd.settings(known_hosts=[file]))

    assert isinstance(said, HostKeyChanged)
    assert "revoked" in said.message


def test_scanned_keys_are_all_that_the_server_has(start_sshd: StartSshd) -> None:
    server = start_sshd(key_types=("rsa", "ecdsa", "ed25519"))

    assert sorted(scan("127.0.0.1", server.port)) == sorted(server.host_keys)


def test_a_host_is_known_once_its_scanned_keys_are_pinned(sshd: RealSshd, tmp_path: Path) -> None:
    site, settings = sshd.site(host_keys=()), sshd.settings(known_hosts=[tmp_path / "known_hosts"])
    shown = scan_site(site, sshd.access(), settings)
    pin(tmp_path / "known_hosts", shown.host, shown.port, shown.keys)

    assert not shown.pinned
    assert says(site, sshd.access(), settings) == "in\n"
    assert scan_site(site, sshd.access(), settings).pinned


def test_scanning_where_nobody_listens_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="refused"):
        scan("127.0.0.1", free_port(), 5.0)


def test_a_wrong_key_is_refused_by_name(sshd: RealSshd, tmp_path: Path) -> None:
    wrong = make_key(tmp_path / "wrong")

    said = refusal(sshd.site(), Access(user=sshd.user, identity_file=str(wrong)), sshd.settings())

    assert isinstance(said, AuthenticationRefused)
    assert str(wrong) in said.message


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_keys_of_other_types_are_accepted(start_sshd: StartSshd, tmp_path: Path, kind: str) -> None:
    server = start_sshd()
    key = make_key(tmp_path / "key", kind)
    (server.directory / "authorized_keys").write_text(public_key(key))

    assert says(server.site(), Access(user=server.user, identity_file=str(key)), server.settings()) == "in\n"


def test_a_locked_key_without_agent_says_how_to_unlock_it(sshd: RealSshd, tmp_path: Path) -> None:
    locked = make_key(tmp_path / "locked", passphrase="secret")

    said = refusal(sshd.site(), Access(user=sshd.user, identity_file=str(locked)), sshd.settings())

    assert isinstance(said, AuthenticationRefused)
    assert f"ssh-add {locked}" in said.message


def test_a_key_that_others_can_read_is_not_used(sshd: RealSshd, tmp_path: Path) -> None:
    open_key = make_key(tmp_path / "open")
    open_key.chmod(0o644)

    said = refusal(sshd.site(), Access(user=sshd.user, identity_file=str(open_key)), sshd.settings())

    assert isinstance(said, AuthenticationRefused)
    assert "chmod 600" in said.message


@pytest.mark.parametrize("content", [None, "", "rubbish", "-----BEGIN OPENSSH PRIVATE KEY-----\nrubbish\n"])
def test_a_key_that_is_none_is_told(sshd: RealSshd, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)

    said = refusal(sshd.site(), Access(user=sshd.user, identity_file=str(file)), sshd.settings())

    assert isinstance(said, AuthenticationRefused)
    assert str(file) in said.message


def test_without_any_key_the_message_says_so(sshd: RealSshd) -> None:
    said = refusal(sshd.site(), Access(user=sshd.user), sshd.settings())

    assert isinstance(said, AuthenticationRefused)
    assert "no key to offer" in said.message


@pytest.mark.usefixtures("agent")
def test_a_locked_key_is_used_through_the_agent(sshd: RealSshd, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(sshd.user_key.read_bytes())
    copy.chmod(0o600)
    (tmp_path / "copy.pub").write_text(public_key(sshd.user_key))
    subprocess.run(["ssh-add", "-q", str(copy)], check=True, capture_output=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(copy)], check=True, capture_output=True
    )

    assert says(sshd.site(), Access(user=sshd.user, identity_file=str(copy)), sshd.settings()) == "in\n"


@pytest.mark.usefixtures("agent")
def test_the_agent_s_keys_are_offered_where_none_is_named(sshd: RealSshd) -> None:
    subprocess.run(["ssh-add", "-q", str(sshd.user_key)], check=True, capture_output=True)

    assert says(sshd.site(), Access(user=sshd.user), sshd.settings()) == "in\n"
    assert isinstance(
        refusal(sshd.site(), Access(user=sshd.user), sshd.settings("IdentityAgent none")),
        AuthenticationRefused,
    )


@pytest.mark.usefixtures("agent")
def test_the_agent_is_never_forwarded(sshd: RealSshd) -> None:
    subprocess.run(["ssh-add", "-q", str(sshd.user_key)], check=True, capture_output=True)
    settings = sshd.settings("ForwardAgent yes\nForwardX11 yes\n")

    assert says(sshd.site(), sshd.access(), settings, 'echo "[$SSH_AUTH_SOCK$DISPLAY]"') == "[]\n"


@pytest.mark.usefixtures("agent")
def test_a_server_that_closes_after_many_keys_is_a_closed_door(start_sshd: StartSshd, tmp_path: Path) -> None:
    server = start_sshd("MaxAuthTries 2")
    for number in range(4):
        key = make_key(tmp_path / f"wrong{number}")
        subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)

    said = refusal(server.site(), Access(user=server.user), server.settings())

    assert isinstance(said, AuthenticationRefused)
    assert "closed the door" in said.message


def test_the_usual_key_files_are_offered_where_none_is_named(sshd: RealSshd, empty_home: Path) -> None:
    usual = empty_home / ".ssh" / "id_ed25519"
    usual.write_bytes(sshd.user_key.read_bytes())
    usual.chmod(0o600)

    assert says(sshd.site(), Access(user=sshd.user), sshd.settings()) == "in\n"


def test_a_site_that_asks_for_more_than_a_key_is_told(start_sshd: StartSshd) -> None:
    server = start_sshd("AuthenticationMethods publickey,password", "PasswordAuthentication yes")

    said = refusal(server.site(), server.access(), server.settings())

    assert isinstance(said, AuthenticationRefused)
    assert "it asks for password" in said.message


def test_a_site_that_takes_no_keys_is_told(start_sshd: StartSshd) -> None:
    server = start_sshd("PubkeyAuthentication no", "PasswordAuthentication yes")

    said = refusal(server.site(), server.access(), server.settings())

    assert isinstance(said, AuthenticationRefused)
    assert "it asks for password" in said.message


def test_an_alias_of_the_ssh_configuration_leads_to_the_site(sshd: RealSshd) -> None:
    config = f"""
    Host lab-test
      HostName 127.0.0.1
      Port {sshd.port}
      User {sshd.user}
      IdentityFile {sshd.user_key}
      IdentitiesOnly yes
    """
    site = sshd.site(host=None, port=None)

    assert says(site, Access(), sshd.settings(config)) == "in\n"


def test_every_hop_proves_its_own_key(start_sshd: StartSshd, tmp_path: Path) -> None:
    gate, inner = start_sshd(), start_sshd()
    file = tmp_path / "known_hosts"
    settings = inner.settings(
        f"Host 127.0.0.1\n ProxyJump gate\nHost gate\n HostName localhost\n Port {gate.port}\n"
    )
    settings = LinkSettings(settings.ssh_config, (file,))

    unknown_gate = refusal(inner.site(), inner.access(), settings)
    pin(file, "localhost", gate.port, inner.host_keys)
    changed_gate = refusal(inner.site(), inner.access(), settings)
    pin(file, "localhost", gate.port, gate.host_keys)

    assert isinstance(unknown_gate, HostKeyUnknown)
    assert f"[localhost]:{gate.port}" in unknown_gate.message
    assert isinstance(changed_gate, HostKeyChanged)
    assert isinstance(refusal(inner.site(host_keys=()), inner.access(), settings), HostKeyUnknown)
    assert says(inner.site(), inner.access(), settings) == "in\n"
    assert "Accepted publickey" in gate.log


def test_pinning_goes_hop_by_hop(start_sshd: StartSshd, tmp_path: Path) -> None:
    gate, inner = start_sshd(), start_sshd(key_types=("ed25519", "rsa"))
    file = tmp_path / "known_hosts"
    settings = inner.settings(known_hosts=[file])
    site = inner.site(host_keys=(), proxy_jump=f"127.0.0.1:{gate.port}")

    first = scan_site(site, inner.access(), settings)
    pin(file, first.host, first.port, first.keys)
    second = scan_site(site, inner.access(), settings)
    pin(file, second.host, second.port, second.keys)

    assert (first.port, first.keys) == (gate.port, gate.host_keys)
    assert (second.port, sorted(second.keys)) == (inner.port, sorted(inner.host_keys))
    assert says(site, inner.access(), settings) == "in\n"


def test_a_gate_that_forwards_nothing_is_told(start_sshd: StartSshd) -> None:
    gate, inner = start_sshd("AllowTcpForwarding no"), start_sshd()
    config = f"Host gate\n HostName 127.0.0.1\n Port {gate.port}\n HostKeyAlias gate\n"
    settings = inner.settings(config, known_hosts=[inner.directory / "known_hosts"])
    pin(inner.directory / "known_hosts", "gate", 22, gate.host_keys)

    assert isinstance(refusal(inner.site(proxy_jump="gate"), inner.access(), settings), Unreachable)


def test_a_proxy_command_carries_the_connection_and_no_shell_reads_it(sshd: RealSshd, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    settings = sshd.settings(
        f"ProxyCommand {sys.executable} {relay} %h %p '$(touch {tmp_path}/ran)' ; false\n"
    )

    assert says(sshd.site(), sshd.access(), settings) == "in\n"
    assert not (tmp_path / "ran").exists()


def test_a_proxy_command_that_is_not_there_is_told(sshd: RealSshd) -> None:
    said = refusal(sshd.site(), sshd.access(), sshd.settings("ProxyCommand /no/such/program %h\n"))

    assert isinstance(said, ConfigurationError)
    assert "/no/such/program" in said.message


def test_a_proxy_command_that_gives_up_is_unreachable(sshd: RealSshd) -> None:
    assert isinstance(refusal(sshd.site(), sshd.access(), sshd.settings("ProxyCommand false\n")), Unreachable)


def test_a_closed_port_is_unreachable(sshd: RealSshd) -> None:
    said = refusal(sshd.site(port=free_port()), sshd.access(), sshd.settings())

    assert isinstance(said, Unreachable)
    assert "refused" in said.message


def test_a_name_that_nobody_knows_is_unreachable(sshd: RealSshd) -> None:
    said = refusal(sshd.site(host="no-such-host.invalid"), sshd.access(), sshd.settings())

    assert isinstance(said, Unreachable)
    assert "host name" in said.message


def test_a_server_without_modern_algorithms_is_told(start_sshd: StartSshd) -> None:
    server = start_sshd("Ciphers aes128-cbc,3des-cbc", "MACs hmac-md5,hmac-sha1-96")

    said = refusal(server.site(), server.access(), server.settings())

    assert isinstance(said, Unreachable)
    assert "no algorithm in common" in said.message


RELAY = """
import select, socket, os, sys
there = socket.create_connection((sys.argv[1], int(sys.argv[2])))
while True:
    ready, _, _ = select.select([0, there], [], [])
    for source, sink in ((0, there.sendall), (there, lambda data: os.write(1, data))):
        if source in ready:
            data = os.read(0, 65536) if source == 0 else there.recv(65536)
            if not data:
                sys.exit(0)
            sink(data)
"""
