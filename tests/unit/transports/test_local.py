"""The way to this machine: what is its own beside what every transport must do."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from hpcnet.errors import TimedOut, Unreachable
from hpcnet.model.configuration import Access
from hpcnet.model.site import Login, Site
from hpcnet.ports import LinkSettings, Transport
from hpcnet.transports.local import TRANSPORT

HERE = Site(id="here", name="Here", login=Login(transport="local"))


@pytest.fixture
def link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Transport:
    monkeypatch.setenv("HOME", str(tmp_path))
    return TRANSPORT(LinkSettings(ssh_config=tmp_path / "none"))(HERE, Access())


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def test_scripts_and_relative_paths_begin_at_home(link: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    link.put(tmp_path / "a", "b", lambda _: None)

    assert link.run("pwd; cat b", 30).stdout == f"{tmp_path}\ntext"


def test_a_home_that_does_not_exist_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    with pytest.raises(Unreachable, match="missing does not exist"):
        TRANSPORT(LinkSettings(ssh_config=tmp_path / "none"))(HERE, Access())


def test_the_deadline_ends_the_script_s_own_group_and_nothing_else(link: Transport, tmp_path: Path) -> None:
    script = """
    setsid sh -c 'echo $$ >job.new; mv job.new job; exec sleep 300' >/dev/null 2>&1 </dev/null &
    sh -c 'echo $$ >child.new; mv child.new child; exec sleep 300' &
    wait
    """
    with pytest.raises(TimedOut):
        link.run(script, 1)
    job, child = (int((tmp_path / name).read_text()) for name in ("job", "child"))
    job_lived = lives(job)
    os.kill(job, signal.SIGTERM)

    assert job_lived
    for _ in range(500):
        if not lives(child):
            break
        time.sleep(0.02)
    assert not lives(child)
