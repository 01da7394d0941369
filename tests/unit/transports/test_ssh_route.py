"""Who to knock at: access entry before ssh configuration before descriptor."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError
from hpcnet.model.configuration import Access
from hpcnet.model.site import Login, Site
from hpcnet.ports import LinkSettings
from hpcnet.transports.ssh.route import Hop, find_route

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def route(tmp_path: Path, config: str = "", access: Access | None = None, **login: object) -> tuple[Hop, ...]:
    (tmp_path / "config").write_text(config)
    site = Site(id="andes", name="Andes", login=Login.model_validate(login))
    settings = LinkSettings(tmp_path / "config", (tmp_path / "known_hosts",))
    return find_route(site, access or Access(), settings)


def test_without_a_configuration_the_descriptor_says_all(tmp_path: Path) -> None:
    (hop,) = route(tmp_path, host="login.andes.cl", port=2222, host_keys=(KEY,))

    assert (hop.host, hop.port, hop.user) == ("login.andes.cl", 2222, getpass.getuser())
    assert (hop.known.accepted, hop.timeout_s) == ((KEY,), 15.0)
    assert (hop.identities.files, hop.identities.only, hop.identities.agent) == ((), False, True)


def test_a_configuration_that_does_not_exist_says_nothing(tmp_path: Path) -> None:
    site = Site(id="andes", name="Andes", login=Login(host="h"))

    (hop,) = find_route(site, Access(), LinkSettings(tmp_path / "missing"))

    assert (hop.host, hop.port) == ("h", 22)


def test_the_ssh_configuration_stands_above_the_descriptor(tmp_path: Path) -> None:
    config = """
    Host login.andes.cl
      HostName 10.1.2.3
      Port 2022
      User ana
      IdentityFile ~/keys/one
      IdentityFile ~/keys/two
      IdentitiesOnly yes
      ConnectTimeout 7
    """
    (hop,) = route(tmp_path, config, host="login.andes.cl", port=22)

    assert (hop.host, hop.port, hop.user, hop.timeout_s) == ("10.1.2.3", 2022, "ana", 7.0)
    assert hop.identities.files == (tmp_path / "keys/one", tmp_path / "keys/two")
    assert hop.identities.only


def test_the_access_entry_stands_above_the_ssh_configuration(tmp_path: Path) -> None:
    config = "Host *\n User ana\n IdentityFile ~/keys/one\n"
    access = Access(user="maria", identity_file="~/keys/mine")

    (hop,) = route(tmp_path, config, access, host="h")

    assert hop.user == "maria"
    assert hop.identities.files == (tmp_path / "keys/mine",)
    assert hop.identities.only


def test_a_host_block_with_the_site_s_own_name_is_the_one_that_counts(tmp_path: Path) -> None:
    config = "Host other andes\n Port 2022\nHost login.andes.cl\n Port 2023\n"

    (hop,) = route(tmp_path, config, host="login.andes.cl")

    assert (hop.host, hop.port) == ("login.andes.cl", 2022)


def test_a_pattern_does_not_name_the_site(tmp_path: Path) -> None:
    (hop,) = route(tmp_path, "Host and*\n Port 2022\n", host="login.andes.cl")

    assert hop.port == 22


def test_a_site_without_host_is_found_by_its_host_block(tmp_path: Path) -> None:
    (hop,) = route(tmp_path, "Host andes\n HostName login.andes.cl\n")

    assert hop.host == "login.andes.cl"


def test_a_site_without_any_host_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no login host") as caught:
        route(tmp_path)
    assert "Host andes" in caught.value.hint


def test_jump_hosts_come_first_in_their_order(tmp_path: Path) -> None:
    hops = route(tmp_path, host="h", proxy_jump="ana@gate:2022,[fe80::1]:23,inner")

    assert [(hop.host, hop.port) for hop in hops] == [
        ("gate", 2022),
        ("fe80::1", 23),
        ("inner", 22),
        ("h", 22),
    ]
    assert hops[0].user == "ana"


def test_each_jump_host_is_looked_up_itself(tmp_path: Path) -> None:
    config = "Host gate\n HostName 10.0.0.1\n User g\n IdentityFile ~/k\nHost h\n ProxyJump gate\n"

    gate, last = route(tmp_path, config, Access(user="maria"), host="h")

    assert (gate.host, gate.user, gate.identities.files) == ("10.0.0.1", "g", (tmp_path / "k",))
    assert (last.host, last.user) == ("h", "maria")


def test_a_jump_host_without_a_user_gets_the_one_of_the_access_entry(tmp_path: Path) -> None:
    gate, _ = route(tmp_path, "", Access(user="maria"), host="h", proxy_jump="gate")

    assert gate.user == "maria"


def test_the_nearest_jump_host_may_have_its_own_way(tmp_path: Path) -> None:
    config = "Host gate\n ProxyJump outer\nHost h\n ProxyJump gate\n"

    assert [hop.host for hop in route(tmp_path, config, host="h")] == ["outer", "gate", "h"]


def test_a_circle_of_jump_hosts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="too many hops"):
        route(tmp_path, "Host a\n ProxyJump b\nHost b\n ProxyJump a\n", host="a")


@pytest.mark.parametrize("config", ["Host h\n ProxyJump none\n", "Host h\n ProxyCommand none\n"])
def test_none_takes_the_descriptor_s_jump_host_away(tmp_path: Path, config: str) -> None:
    (hop,) = route(tmp_path, config, host="h", proxy_jump="gate")

    assert hop.proxy_command is None


def test_a_proxy_command_gets_the_values_that_hold(tmp_path: Path) -> None:
    (hop,) = route(tmp_path, "ProxyCommand nc -x %r %h %p\n", Access(user="maria"), host="h", port=2022)

    assert hop.proxy_command == "nc -x maria h 2022"


def test_jump_hosts_are_not_pinned_by_the_site_s_keys(tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text(f"[gate]:2022 {KEY}\n")

    gate, last = route(tmp_path, host="h", proxy_jump="gate:2022", host_keys=(KEY,))
    (tmp_path / "known_hosts").unlink()
    stranger, _ = route(tmp_path, host="h", proxy_jump="gate:2022", host_keys=(KEY,))

    assert gate.known.accepted == last.known.accepted == (KEY,)
    assert stranger.known.accepted == ()


def test_a_host_key_alias_is_the_name_that_is_pinned(tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text(f"andes-login {KEY}\n")

    (hop,) = route(tmp_path, "HostKeyAlias andes-login\n", host="h", port=2022)

    assert hop.known.accepted == (KEY,)
    assert (hop.key_host, hop.key_port) == ("andes-login", 22)


def test_identity_agent_none_leaves_the_agent_alone(tmp_path: Path) -> None:
    (hop,) = route(tmp_path, "IdentityAgent none\n", host="h")

    assert not hop.identities.agent


def test_included_files_are_read_where_they_stand(tmp_path: Path, home: Path) -> None:
    (home / ".ssh" / "more").mkdir()
    (home / ".ssh" / "more" / "a.conf").write_text("Host h\n Port 2022\n")
    config = "Include more/*.conf missing.conf\nHost *\n User ana\n Port 9\n"

    (hop,) = route(tmp_path, config, host="h")

    assert (hop.port, hop.user) == (2022, "ana")


def test_after_an_include_the_host_block_goes_on(tmp_path: Path, home: Path) -> None:
    (home / ".ssh" / "a.conf").write_text("Host elsewhere\n Port 9\n")

    (hop,) = route(tmp_path, f"Host h\n Include {home}/.ssh/a.conf\n Port 2022\n", host="h")

    assert hop.port == 2022


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="too deep"):
        route(tmp_path, f"Include {tmp_path}/config\n", host="h")


@pytest.mark.parametrize(
    "config",
    [
        "Port many\n",
        "Port 0\n",
        "ConnectTimeout soon\n",
        "User -oProxyCommand=x\n",
        'User "two words"\n',
        "HostName -oProxyCommand=x\n",
        "ProxyJump two words\n",
        "Unparsable\n",
        "Match nonsense\n Port 1\n",
    ],
)
def test_a_value_that_cannot_hold_is_refused_with_a_hint(tmp_path: Path, config: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        route(tmp_path, config, host="h")
    assert caught.value.hint


def test_match_exec_is_refused_because_it_needs_a_shell(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Match exec"):
        route(tmp_path, f'Match exec "touch {tmp_path}/ran"\n Port 9\n', host="h")
    assert not (tmp_path / "ran").exists()


def test_match_host_is_honoured(tmp_path: Path) -> None:
    (hop,) = route(tmp_path, "Match host h user ana\n Port 2022\n", Access(user="ana"), host="h")

    assert hop.port == 2022


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    site = Site(id="andes", name="Andes", login=Login(host="h"))
    with pytest.raises(ConfigurationError, match="Is a directory"):
        find_route(site, Access(), LinkSettings(tmp_path))
