from __future__ import annotations

import os
from pathlib import Path

import pytest

from builders import a_job
from hpcnet import shipped
from hpcnet.broker.staging import transfers
from hpcnet.errors import ConfigurationError, JobError
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


@pytest.mark.parametrize("target", ["../escape", "/etc/passwd", "a/../../b", ".hpcnet/job.sh"])
def test_a_target_outside_the_job_directory_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "x").write_text("x")
    with pytest.raises(JobError) as caught:
        transfers(staging({"source": str(tmp_path / "x"), "target": target}), shipped.kernel)
    assert caught.value.faults[0].where == "data.stage_in.0"


def test_every_input_that_cannot_be_staged_is_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(JobError) as caught:
        transfers(staging(str(tmp_path / "missing"), str(tmp_path / "fifo")), shipped.kernel)
    first, second = caught.value.faults
    assert "there is no file" in first.what
    assert "not a regular file" in second.what
