"""What every transport must do, run over all that discovery finds."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hpcnet import registry
from hpcnet.errors import LinkLost, StorageError, TimedOut
from hpcnet.model.configuration import Access
from hpcnet.model.site import Login, Site
from hpcnet.ports import Connect, LinkSettings, Transport
from real_sshd import RealSshd

FOUND = registry.discover("hpcnet.transports", "TRANSPORT")
ODD_NAMES = [
    "two words",
    'it\'s "quoted"',
    "$(touch oops) `id` $HOME",
    "line\nbreak",
    "-rf",
    "niño-ø-日本",
    "semi;colon&|<>",
    "star*?[a]",
    "back\\slash",
    os.fsdecode(b"not-utf8-\xff"),
    "long" * 60,
]


@dataclass(frozen=True)
class Way:
    """One kind of transport, and how to open it."""

    name: str
    connect: Callable[[], Transport]


@pytest.fixture(params=sorted(FOUND.plugins))
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    rigs: dict[str, Callable[[pytest.FixtureRequest, Path, Connect, LinkSettings], Way]] = {
        "ssh": ssh_rig,
        "local": local_rig,
    }
    name = str(request.param)
    assert name in rigs, f"give the new transport {name} a rig here"
    settings = LinkSettings(ssh_config=tmp_path / "no-ssh-config", connect_timeout_s=20.0)
    return rigs[name](request, tmp_path, FOUND.get(name)(settings), settings)


def ssh_rig(request: pytest.FixtureRequest, _: Path, connect: Connect, __: LinkSettings) -> Way:
    sshd: RealSshd = request.getfixturevalue("sshd")
    return Way("ssh", lambda: connect(sshd.site(), sshd.access()))


def local_rig(_: pytest.FixtureRequest, __: Path, connect: Connect, ___: LinkSettings) -> Way:
    site = Site(id="here", name="Here", login=Login(transport="local"))
    return Way("local", lambda: connect(site, Access()))


@pytest.fixture
def link(way: Way) -> Iterator[Transport]:
    link = way.connect()
    yield link
    link.close()


def nobody(_: int) -> None:
    """Nobody counts the bytes."""


def test_every_module_of_the_room_can_be_imported() -> None:
    assert not FOUND.broken
    assert {"ssh", "local"} <= set(FOUND.plugins)


def test_a_script_gives_its_output_and_its_status(link: Transport) -> None:
    done = link.run("echo out; echo err >&2; exit 3\n", 30)

    assert (done.exit_status, done.stdout, done.stderr) == (3, "out\n", "err\n")


@pytest.mark.parametrize("status", [0, 1, 127, 255])
def test_every_exit_status_is_the_script_s_own(link: Transport, status: int) -> None:
    assert link.run(f"exit {status}", 30).exit_status == status


def test_scripts_do_not_see_each_other(link: Transport) -> None:
    link.run("cd /; LEFT=behind; export LEFT", 30)

    assert link.run('pwd; echo "[$LEFT]"', 30).stdout != "/\n[behind]\n"
    assert link.run('echo "[$LEFT]"', 30).stdout == "[]\n"


def test_both_streams_carry_ten_megabytes_at_once(link: Transport) -> None:
    script = """
    head -c 10000000 /dev/zero | tr '\\0' o & head -c 10000000 /dev/zero | tr '\\0' e >&2; wait
    """
    done = link.run(script, 60)

    assert done.stdout == "o" * 10_000_000
    assert done.stderr == "e" * 10_000_000


def test_a_script_of_five_megabytes_arrives_whole(link: Transport) -> None:
    line = "x" * 79
    done = link.run(f"wc -c <<'END'\n{(line + chr(10)) * 65536}END\n", 60)

    assert done.stdout.strip() == str(80 * 65536)


def test_a_script_may_end_before_all_of_it_is_read(link: Transport) -> None:
    assert link.run("exit 4\n" + "# never read\n" * 500_000, 60).exit_status == 4


def test_output_that_is_not_utf8_is_shown_with_backslashes(link: Transport) -> None:
    assert link.run("printf 'a\\377b\\303\\261'", 30).stdout == "a\\xffbñ"


def test_no_text_is_read_by_another_shell_on_its_way(link: Transport) -> None:
    text = "$(echo no) `echo no` \\ ' \" ñ * ~ !"

    assert link.run(f"cat <<'END'\n{text}\nEND\n", 30).stdout == f"{text}\n"


def test_past_the_deadline_the_link_is_given_up(way: Way) -> None:
    link = way.connect()
    began = time.monotonic()
    with pytest.raises(TimedOut, match="did not answer within"):
        link.run("echo begun; sleep 20", 0.5)
    link.close()

    assert time.monotonic() - began < 60


def test_a_shell_that_is_killed_says_nothing_about_its_work(link: Transport) -> None:
    with pytest.raises(LinkLost):
        link.run("kill -9 $$", 30)


def test_closing_twice_is_closing(way: Way) -> None:
    link = way.connect()
    assert link.run("true", 30).exit_status == 0
    link.close()
    link.close()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_of_any_name_goes_and_comes_back(link: Transport, tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    source = tmp_path / name
    source.write_bytes(b"payload\n")

    link.put(source, f"{tmp_path}/there/{name}", nobody)
    link.get(f"{tmp_path}/there/{name}", tmp_path / "back", nobody)

    assert [file.name for file in (tmp_path / "there").iterdir()] == [name]
    assert (tmp_path / "back").read_bytes() == b"payload\n"


@pytest.mark.parametrize("size", [0, 1, 32768, 32769, 262_144, 3_000_001])
def test_every_byte_is_carried_and_counted_both_ways(link: Transport, tmp_path: Path, size: int) -> None:
    content = secrets.token_bytes(size)
    (tmp_path / "a").write_bytes(content)
    sent: list[int] = []
    fetched: list[int] = []

    link.put(tmp_path / "a", f"{tmp_path}/b", sent.append)
    link.get(f"{tmp_path}/b", tmp_path / "c", fetched.append)

    assert (tmp_path / "c").read_bytes() == content
    assert sum(sent) == sum(fetched) == size


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o400, 0o666])
def test_permission_bits_stay_as_they_are(link: Transport, tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").write_text("text")
    (tmp_path / "a").chmod(mode)

    link.put(tmp_path / "a", f"{tmp_path}/b", nobody)
    link.get(f"{tmp_path}/b", tmp_path / "c", nobody)

    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == mode


def test_put_replaces_an_older_file_at_once(link: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old and longer")
    with (tmp_path / "b").open() as reader:
        link.put(tmp_path / "a", f"{tmp_path}/b", nobody)

        assert reader.read() == "old and longer"
    assert (tmp_path / "b").read_text() == "new"


def test_a_relative_path_begins_where_scripts_begin(link: Transport, tmp_path: Path) -> None:
    name = f".hpcnet-test-{secrets.token_hex(8)}"
    (tmp_path / "a").write_text("here")
    try:
        link.put(tmp_path / "a", name, nobody)
        assert link.run(f"cat ./{name}", 30).stdout == "here"
    finally:
        link.run(f"rm -f ./{name}", 30)


def test_a_fetch_goes_on_where_the_last_one_ended(link: Transport, tmp_path: Path) -> None:
    content = secrets.token_bytes(1_000_000)
    (tmp_path / "a").write_bytes(content)
    (tmp_path / "b").write_bytes(content[:400_000])
    fetched: list[int] = []

    link.get(f"{tmp_path}/a", tmp_path / "b", fetched.append)

    assert (tmp_path / "b").read_bytes() == content
    assert sum(fetched) == 600_000


def test_a_fetch_of_what_is_here_already_moves_nothing(link: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("all")
    (tmp_path / "b").write_text("all")
    fetched: list[int] = []

    link.get(f"{tmp_path}/a", tmp_path / "b", fetched.append)

    assert fetched == []


def test_a_fetch_over_a_longer_file_begins_again(link: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("short")
    (tmp_path / "b").write_text("something much longer")

    link.get(f"{tmp_path}/a", tmp_path / "b", nobody)

    assert (tmp_path / "b").read_text() == "short"


def test_what_is_missing_there_is_told_with_its_path(link: Transport, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nothing-here.*No such file"):
        link.get(f"{tmp_path}/nothing-here", tmp_path / "b", nobody)
    assert not (tmp_path / "b").exists()


def test_a_missing_directory_there_is_told_and_nothing_is_left(link: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    with pytest.raises(StorageError, match=r"no-directory/b.*No such file"):
        link.put(tmp_path / "a", f"{tmp_path}/no-directory/b", nobody)
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_put_over_a_directory_is_refused_and_nothing_is_left(link: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "full").touch()
    with pytest.raises(StorageError, match="there"):
        link.put(tmp_path / "a", f"{tmp_path}/there", nobody)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "there"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_there_is_told_and_nothing_is_left(
    link: Transport, tmp_path: Path, tiny_disk: Path
) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    with pytest.raises(StorageError, match="disk/b"):
        link.put(tmp_path / "a", f"{tiny_disk}/b", nobody)
    assert list(tiny_disk.iterdir()) == []


def test_a_full_disk_here_is_told_as_ours(link: Transport, tmp_path: Path, tiny_disk: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    with pytest.raises(StorageError, match="on this machine: No space left"):
        link.get(f"{tmp_path}/a", tiny_disk / "b", nobody)


@pytest.mark.parametrize("kind", ["link", "directory", "pipe"])
def test_only_regular_files_are_fetched(link: Transport, tmp_path: Path, kind: str) -> None:
    odd = tmp_path / "odd"
    make: dict[str, Callable[[], object]] = {
        "link": lambda: odd.symlink_to("/etc/passwd"),
        "directory": odd.mkdir,
        "pipe": lambda: os.mkfifo(odd),
    }
    make[kind]()

    with pytest.raises(StorageError, match="odd"):
        link.get(str(odd), tmp_path / "b", nobody)
    assert not (tmp_path / "b").exists()


def test_a_fetch_never_writes_through_a_link_here(link: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("new")
    (tmp_path / "precious").write_text("p")
    (tmp_path / "b").symlink_to(tmp_path / "precious")

    with pytest.raises(StorageError, match="not a regular file"):
        link.get(f"{tmp_path}/a", tmp_path / "b", nobody)
    assert (tmp_path / "precious").read_text() == "p"


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe"])
def test_only_regular_files_are_sent(link: Transport, tmp_path: Path, kind: str) -> None:
    odd = tmp_path / "odd"
    make: dict[str, Callable[[], object]] = {
        "missing": lambda: None,
        "directory": odd.mkdir,
        "pipe": lambda: os.mkfifo(odd),
    }
    make[kind]()

    with pytest.raises(StorageError, match=r"odd on this machine"):
        link.put(odd, f"{tmp_path}/b", nobody)
    assert not (tmp_path / "b").exists()


def test_the_link_serves_on_after_a_refused_file(link: Transport, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        link.get(f"{tmp_path}/missing", tmp_path / "b", nobody)
    assert link.run("echo on", 30).stdout == "on\n"
