"""The life of a federation: half-dead, surrounded by strangers, gone without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError, UsageError
from hpcnet.lab import LabStatus, down, status, up
from real_lab import Lab, eventually, lab_settings

pytestmark = pytest.mark.slurm


def quiet(_: str) -> None:
    """Nobody listens."""


def ports_of(found: LabStatus) -> list[int]:
    return [cluster.ssh_port + step for cluster in found.clusters for step in (-1, 0, 1, 2)]


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def pids_of(found: LabStatus) -> list[int]:
    daemons = [*found.shared, *(daemon for cluster in found.clusters for daemon in cluster.daemons)]
    return [daemon.pid for daemon in daemons if daemon.pid is not None]


def pids_with(text: str) -> list[int]:
    """Processes that have a text in their command line, without this one."""
    found = subprocess.run(["pgrep", "-f", text], capture_output=True, text=True, check=False).stdout.split()
    return [pid for pid in map(int, found) if pid != os.getpid() and is_running(pid)]


def test_down_leaves_no_process_no_port_and_no_file(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    found = up(settings, quiet)
    ports, pids = ports_of(found), pids_of(found)
    assert all(accepts(port) for port in ports)
    assert len(pids) == 1 + 2 + 4 + 2 + 2

    down(settings, quiet)

    assert not [port for port in ports if accepts(port)]
    assert not [pid for pid in pids if is_running(pid)]
    assert not [path for path in lab_root.rglob("*") if not path.is_dir()]
    assert not settings.directory.exists()
    assert not settings.configuration_directory.parent.exists()
    assert status(settings).clusters == ()


def test_down_leaves_the_user_s_own_configuration(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    own = settings.configuration_directory / "own.toml"
    up(settings, quiet)
    own.write_text("")

    down(settings, quiet)

    assert list(own.parent.iterdir()) == [own]


def test_down_ends_running_jobs_and_open_sessions(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    lab = Lab(settings, up(settings, quiet))
    mark = f"9{os.getpid()}"
    lab.ssh("lab-andes", f"sbatch --output=/dev/null --wrap 'sleep {mark}1'")
    lab.ssh("lab-andes", f"sbatch --output=/dev/null --export=NONE --wrap 'setsid sleep {mark}2; sleep 9'")
    lab.ssh("lab-andes", f"setsid sleep {mark}3 >/dev/null 2>&1 </dev/null &")
    expected = {f"sleep {mark}{number}" for number in (1, 2, 3)}
    assert eventually(lambda: all(pids_with(f"^{text}$") for text in expected))

    down(settings, quiet)

    assert not pids_with(f"^sleep {mark}")
    assert not [pid for pid in pids_of(lab.status) if is_running(pid)]


def test_up_starts_only_what_has_died(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    before = up(settings, quiet)
    victim = before.clusters[0].daemons[1]
    assert victim.name == "slurmd andes1"
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    assert eventually(lambda: not is_running(victim.pid or 0))
    assert not status(settings).running
    told: list[str] = []

    after = up(settings, told.append)

    assert after.running
    assert [line for line in told if "started" in line] == ["lab-andes: started slurmd andes1"]
    assert set(pids_of(before)) - set(pids_of(after)) == {victim.pid}


def test_a_stale_pid_file_that_names_a_living_stranger_is_survived(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    before = up(settings, quiet)
    for pid in pids_of(before):
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not any(is_running(pid) for pid in pids_of(before)))
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        try:
            run = before.clusters[0].slurm_conf.parent / "run"
            for name in ("slurmctld", "andes1", "sshd"):
                (run / f"{name}.pid").write_text(f"{stranger.pid}\n")

            assert up(settings, quiet).running
            down(settings, quiet)

            assert is_running(stranger.pid)
        finally:
            stranger.kill()


def test_a_second_up_after_a_crash_keeps_the_ports(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    before = up(settings, quiet)
    for pid in pids_of(before):
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not any(accepts(port) for port in ports_of(before)))

    assert ports_of(up(settings, quiet)) == ports_of(before)


def test_ports_that_a_stranger_took_meanwhile_are_left_to_them(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    before = up(settings, quiet)
    for pid in pids_of(before):
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not any(accepts(port) for port in ports_of(before)))
    with socket.create_server(("127.0.0.1", before.clusters[0].ssh_port)):
        after = up(settings, quiet)

        assert after.running
        assert after.clusters[0].ssh_port != before.clusters[0].ssh_port


def test_daemons_whose_directory_was_removed_are_still_found(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    before = up(settings, quiet)
    settings.directory.rename(lab_root / "moved")

    down(settings, quiet)

    assert not [pid for pid in pids_of(before) if is_running(pid)]


def test_a_slurm_that_the_lab_did_not_start_is_untouched(lab: Lab, lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    assert up(settings, quiet).running
    pids = pids_of(lab.status)

    down(settings, quiet)

    assert all(is_running(pid) for pid in pids)
    assert "4 idle" in lab.slurm("lab-andes", "sinfo", "-h", "-p", "cpu", "-o", "%D %T")


def test_a_state_directory_that_slurm_cannot_read_is_served_through_a_link(lab_root: Path) -> None:
    root = lab_root / "a directory with blanks" / ("and a long name" * 4)
    settings = lab_settings(root)
    try:
        found = up(settings, quiet)

        assert found.running
        assert settings.directory.is_symlink()
        assert Lab(settings, found).ssh("lab-andes", "sbatch --wait -o /dev/null --wrap true").returncode == 0
    finally:
        down(settings, quiet)

    assert not settings.directory.is_symlink()
    assert not found.directory.exists()


def test_ctrl_c_during_up_leaves_a_state_that_down_cleans(lab_root: Path) -> None:
    settings = lab_settings(lab_root)

    def interrupt(line: str) -> None:
        if "started slurmctld" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        up(settings, interrupt)
    half = pids_of(status(settings))
    assert len(half) >= 3

    down(settings, quiet)

    assert not [pid for pid in half if is_running(pid)]
    assert not settings.directory.exists()


@pytest.fixture
def broken_templates(tmp_path: Path) -> Path:
    """The shipped templates with one line that slurmctld does not know."""
    templates = tmp_path / "slurm"
    templates.mkdir()
    for file in lab_settings(tmp_path).templates.iterdir():
        (templates / file.name).write_bytes(file.read_bytes())
    with (templates / "slurm.conf.template").open("a") as stream:
        stream.write("NoSuchThing=1\n")
    return templates


def test_a_daemon_that_does_not_start_is_named_with_what_it_said(
    lab_root: Path, broken_templates: Path
) -> None:
    settings = lab_settings(lab_root)
    broken = replace(settings, templates=broken_templates)

    with pytest.raises(ConfigurationError, match=r"(?s)slurmctld did not start.*NoSuchThing") as caught:
        up(broken, quiet)

    assert caught.value.exit_code == 78


def test_accounting_cannot_be_added_to_a_lab_that_is_up(lab: Lab) -> None:
    settings = lab_settings(lab.state.parent, accounting=True)

    with pytest.raises((UsageError, ConfigurationError)) as caught:
        up(settings, quiet)

    assert "accounting" in caught.value.message or "mariadb" in caught.value.hint


AS_ORDINARY_USER = """
import json, sys
from pathlib import Path
from hpcnet.lab import LabSettings, down, up
root = Path(sys.argv[1])
settings = LabSettings(root / "lab", root / "config.d", Path(sys.argv[2]), Path(sys.executable))
told = []
try:
    found = up(settings, told.append)
finally:
    down(settings, told.append)
print(json.dumps([found.running, [cluster.gpus_per_node for cluster in found.clusters], told]))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user; all else here runs as one")
def test_an_ordinary_user_has_a_lab_too_but_without_gpus(lab_root: Path) -> None:
    shutil.chown(lab_root, "nobody")
    can_run = ["test", "-x", sys.executable]
    if subprocess.run(can_run, user="nobody", group="nogroup", extra_groups=[], check=False).returncode != 0:
        pytest.skip("the virtual environment lies where other users cannot reach it")
    ended = subprocess.run(
        [sys.executable, "-c", AS_ORDINARY_USER, str(lab_root), str(lab_settings(lab_root).templates)],
        user="nobody",
        group="nogroup",
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if "Permission denied" in ended.stderr and "site-packages" in ended.stderr:
        pytest.skip("the virtual environment lies where other users cannot read it")

    running, gpus, told = json.loads(ended.stdout)

    assert running
    assert gpus == [0, 0]
    assert "lab-atlantic: without GPUs, only root can make the devices that stand for them" in told


def test_a_node_that_was_drained_by_hand_does_not_keep_up_waiting(lab_root: Path) -> None:
    settings = lab_settings(lab_root)
    lab = Lab(settings, up(settings, quiet))
    lab.slurm("lab-andes", "scontrol", "update", "nodename=andes2", "state=drain", "reason=lesson")

    found = up(settings, quiet)

    assert found.running
    assert [(c.nodes_up, c.nodes_drained) for c in found.clusters] == [(4, 1), (2, 0)]
