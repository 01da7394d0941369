"""Files of pinned keys, as ssh reads and writes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hpcnet.errors import StorageError
from hpcnet.transports.ssh.known_hosts import Known, fingerprint, look_up, matches, name_of, parse, pin
from real_sshd import make_key, public_key

A = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
B = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"


def known(tmp_path: Path, text: str, name: str) -> Known:
    file = tmp_path / "known_hosts"
    file.write_text(text)
    return look_up([file], name)


@pytest.mark.parametrize(
    ("patterns", "name", "means"),
    [
        ("login.example.org", "login.example.org", True),
        ("LOGIN.Example.org", "login.example.org", True),
        ("a,login.example.org,b", "login.example.org", True),
        ("*.example.org", "login.example.org", True),
        ("login?.example.org", "login1.example.org", True),
        ("*.example.org,!login.example.org", "login.example.org", False),
        ("!login.example.org", "login.example.org", False),
        ("[login.example.org]:2222", "[login.example.org]:2222", True),
        ("login.example.org", "[login.example.org]:2222", False),
        ("[login.example.org]:2222", "login.example.org", False),
        ("[a-z]ogin.example.org", "login.example.org", False),
        ("|1|broken", "login.example.org", False),
        ("|1|!!!|???", "login.example.org", False),
    ],
)
def test_names_and_patterns_mean_hosts_as_in_ssh(patterns: str, name: str, means: bool) -> None:
    assert matches(patterns.split(","), name) is means


@pytest.mark.parametrize(
    "line",
    ["", "# comment", "host", "host ssh-ed25519", "host ssh-ed25519 not*base64", "@revoked", "@revoked host"],
)
def test_a_line_that_says_nothing_is_passed_over(line: str) -> None:
    assert parse(line) is None


def test_the_lines_around_an_unreadable_one_still_count(tmp_path: Path) -> None:
    text = f"h {A}\nrubbish\n@cert-authority * {B}\nh ssh-ed25519 ***\n\x00\xff\nh {B} comment\n"

    assert known(tmp_path, text, "h") == Known(accepted=(A, B))


def test_a_certificate_authority_pins_no_host(tmp_path: Path) -> None:
    assert known(tmp_path, f"@cert-authority * {A}\n", "h") == Known()


def test_a_revoked_key_is_kept_apart(tmp_path: Path) -> None:
    assert known(tmp_path, f"h {A}\n@revoked * {A}\n", "h") == Known(accepted=(A,), revoked=(A,))


def test_keys_of_all_files_and_of_the_descriptor_count_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_text(f"h {A}\n")
    (tmp_path / "two").write_text(f"h {B}\n")
    files = [tmp_path / "one", tmp_path / "missing", tmp_path / "two"]

    assert look_up(files, "h", (B,)) == Known(accepted=(B, A))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Is a directory"):
        look_up([tmp_path], "h")


@pytest.mark.parametrize(
    ("host", "port"), [("login.example.org", 22), ("login.example.org", 2222), ("::1", 22)]
)
def test_names_hashed_by_ssh_keygen_are_found(tmp_path: Path, host: str, port: int) -> None:
    make_key(tmp_path / "probe")  # skips where ssh-keygen is missing
    file = tmp_path / "known_hosts"
    file.write_text(f"{name_of(host, port)} {A}\nother {B}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)

    assert "|1|" in file.read_text()
    assert host not in file.read_text()
    assert look_up([file], name_of(host, port)) == Known(accepted=(A,))


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path, kind: str) -> None:
    file = make_key(tmp_path / "key", kind)
    listed = subprocess.run(["ssh-keygen", "-l", "-f", str(file)], check=True, capture_output=True, text=True)

    assert fingerprint(public_key(file)) == listed.stdout.split()[1]


def test_pinning_replaces_the_keys_of_this_host_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "known_hosts"
    pin(file, "other", 22, [A])
    pin(file, "Login", 2222, [A])
    pin(file, "login", 2222, [B])

    assert file.read_text() == f"other {A}\n[login]:2222 {B}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_pinning_keeps_what_it_does_not_replace(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"# mine\nh,10.0.0.1 {A} note\n@revoked h {A}\n*.org {A}\nrubbish")

    pin(file, "h", 22, [B])

    kept = ["# mine", f"10.0.0.1 {A} note", f"@revoked h {A}", f"*.org {A}", "rubbish", f"h {B}"]
    assert file.read_text().splitlines() == kept


def test_pinning_replaces_a_hashed_name(tmp_path: Path) -> None:
    make_key(tmp_path / "probe")
    file = tmp_path / "known_hosts"
    file.write_text(f"h {A}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)

    pin(file, "h", 22, [B])

    assert file.read_text() == f"h {B}\n"


def test_pinning_through_a_link_leaves_the_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")

    pin(tmp_path / "link", "h", 22, [A])

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == f"h {A}\n"


def test_ssh_itself_reads_what_was_pinned(tmp_path: Path) -> None:
    make_key(tmp_path / "probe")
    pin(tmp_path / "known_hosts", "login.example.org", 2222, [A])

    command = ["ssh-keygen", "-F", "[login.example.org]:2222", "-f", str(tmp_path / "known_hosts")]
    assert A in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="known_hosts"):
        pin(tmp_path / "file" / "known_hosts", "h", 22, [A])
