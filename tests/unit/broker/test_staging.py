from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from builders import a_job
from hpcnet import shipped
from hpcnet.broker.staging import transfers
from hpcnet.errors import ConfigurationError, Fault, JobError
from hpcnet.model.job import JobSpec


def staging(*items: object) -> JobSpec:
    return a_job(data={"stage_in": list(items)})


def test_a_file_keeps_its_name_unless_a_target_is_given(tmp_path: Path) -> None:
    source = tmp_path / "forcing.nc"
    source.write_bytes(b"12345")
    job = staging(
        str(source),
        {"source": str(source), "target": "renamed.nc"},
        {"source": str(source), "target": "inputs/"},
        {"source": str(source), "target": "."},
        {"source": str(source), "target": "./"},
    )
    found = transfers(job, shipped.kernel)
    assert [str(item.target) for item in found] == ["forcing.nc", "renamed.nc", "inputs/forcing.nc"]
    assert {item.size for item in found} == {5}


def test_a_directory_is_walked_with_its_tree(tmp_path: Path) -> None:
    (tmp_path / "forcing" / "deep").mkdir(parents=True)
    (tmp_path / "forcing" / "a").write_text("a")
    (tmp_path / "forcing" / "deep" / "b $(x)").write_text("b")
    found = transfers(staging({"source": str(tmp_path / "forcing"), "target": "in/"}), shipped.kernel)
    assert sorted(str(item.target) for item in found) == ["in/a", "in/deep/b $(x)"]


def test_a_kernel_is_found_among_the_shipped_ones() -> None:
    (found,) = transfers(staging("kernel:shallow_water.py"), shipped.kernel)
    assert found.source == shipped.directory("kernels") / "shallow_water.py"


@pytest.mark.parametrize("name", ["kernel:../pyproject.toml", "kernel:nothing.py"])
def test_a_kernel_that_is_not_shipped_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no kernel"):
        transfers(staging(name), shipped.kernel)


def faults(*items: object) -> list[Fault]:
    with pytest.raises(JobError) as caught:
        transfers(staging(*items), shipped.kernel)
    assert caught.value.exit_code == 65
    return list(caught.value.faults)


@pytest.mark.parametrize("target", ["../escape", "/etc/passwd", "a/../../b"])
def test_a_target_outside_the_job_directory_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "x").write_text("x")
    (fault,) = faults({"source": str(tmp_path / "x"), "target": target})
    assert fault.where == "data.stage_in[1].target"
    assert "leaves the job directory" in fault.what


@pytest.mark.parametrize(
    "target", [".hpcnet/job.sh", "./.hpcnet/exit", ".hpcnet", "output.log", "./output.log"]
)
def test_a_target_that_hpcnet_or_the_job_writes_itself_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "x").write_text("x")
    (fault,) = faults({"source": str(tmp_path / "x"), "target": target})
    assert fault.where == "data.stage_in[1].target"
    assert "write themselves" in fault.what


def test_a_directory_cannot_smuggle_in_what_hpcnet_writes(tmp_path: Path) -> None:
    source = tmp_path / "hp"
    (source / ".hpcnet/submit").mkdir(parents=True)
    (source / ".hpcnet/exit").write_text("0")
    (source / "output.log").write_text("all is well")
    (source / "fine").write_text("x")
    (tmp_path / "y").write_text("y")
    found = faults(str(tmp_path / "y"), {"source": f"{source}/", "target": "./"})
    assert {fault.where for fault in found} == {"data.stage_in[2].target"}
    smuggled = [".hpcnet/exit", ".hpcnet/submit", "output.log"]
    assert sorted(fault.what.split("'")[3] for fault in found) == smuggled


def test_names_like_those_of_hpcnet_are_free_further_down(tmp_path: Path) -> None:
    (tmp_path / "in/.hpcnet").mkdir(parents=True)
    (tmp_path / "in/.hpcnet/exit").write_text("0")
    (found,) = transfers(staging(str(tmp_path / "in")), shipped.kernel)
    assert str(found.target) == "in/.hpcnet/exit"


def test_two_sources_with_one_target_are_a_fault_that_names_both(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text(folder)
    (fault,) = faults(str(tmp_path / "one/x"), {"source": str(tmp_path / "two"), "target": "."})
    assert fault.where == "data.stage_in[2].target"
    assert f"{tmp_path}/one/x" in fault.what
    assert f"{tmp_path}/two/x" in fault.what


def test_a_file_where_another_input_needs_a_directory_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    x = str(tmp_path / "x")
    (fault,) = faults({"source": x, "target": "a/b"}, {"source": x, "target": "a"})
    assert fault.where == "data.stage_in[1].target"


def test_the_same_input_named_twice_is_brought_once(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    assert len(transfers(staging(str(tmp_path / "x"), str(tmp_path / "x")), shipped.kernel)) == 1


def test_empty_directories_come_along(tmp_path: Path) -> None:
    (tmp_path / "in/deep/empty").mkdir(parents=True)
    (found,) = transfers(staging(str(tmp_path / "in")), shipped.kernel)
    assert (str(found.target), found.empty_directory, found.size) == ("in/deep/empty", True, 0)


def test_a_linked_file_is_brought_as_a_file_and_a_linked_directory_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "data").write_text("12345")
    (tmp_path / "in/file").symlink_to(tmp_path / "data")
    (found,) = transfers(staging(str(tmp_path / "in")), shipped.kernel)
    assert (str(found.target), found.size) == ("in/file", 5)
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/gone").symlink_to(tmp_path / "nowhere")
    found_faults = [(fault.where, fault.what) for fault in faults(str(tmp_path / "in"))]
    assert found_faults == [
        ("data.stage_in[1]", f"'{tmp_path}/in/loop' is a link to a directory, which is not followed"),
        ("data.stage_in[1]", f"there is no file '{tmp_path}/in/gone'"),
    ]


def test_a_directory_that_cannot_be_read_is_a_fault_and_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "in/closed"
    closed.mkdir(parents=True)
    (tmp_path / "in/open").write_text("x")
    scandir = os.scandir

    def scandir_of_another_user(path: str) -> object:
        if Path(path) == closed:  # root could read it, whatever its permission bits
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scandir_of_another_user)
    (fault,) = faults(str(tmp_path / "in"))
    assert fault.what == f"'{closed}' cannot be read: Permission denied"


def test_every_input_that_cannot_be_staged_is_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    first, second, third = faults(str(tmp_path / "missing"), str(tmp_path / "fifo"), "x" * 5000)
    assert "there is no file" in first.what
    assert "not a regular file" in second.what
    assert "File name too long" in third.what
