"""The examples of the documents are read by the same code that reads a person's files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hpcnet.catalog.configuration import read_configuration
from hpcnet.catalog.sites import read_site
from hpcnet.intake.job_file import read_job
from hpcnet.model.use_case import resolve
from hpcnet.schedulers.slurm.directives import read_script
from hpcnet.use_cases.climate import USE_CASE

DOCS = Path(__file__).resolve().parents[3] / "docs"


def examples(document: str, language: str) -> list[str]:
    text = (DOCS / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with the files that the examples stage in."""
    (tmp_path / "forcing").mkdir()
    (tmp_path / "model.py").touch()
    return tmp_path


def test_the_job_file_is_a_job(folder: Path) -> None:
    path = folder / "job.toml"
    path.write_text(examples("job-file.md", "toml")[0])
    spec = read_job(path, read_script=read_script)
    assert (spec.requirements.tasks, spec.requirements.memory_per_node_mib) == (128, 65536)


def test_the_use_case_is_a_job(folder: Path) -> None:
    path = folder / "job.toml"
    path.write_text(examples("job-file.md", "toml")[1])
    spec = resolve(read_job(path, read_script=read_script), USE_CASE)
    assert spec.command is not None
    assert "--nx=400" in spec.command
    assert spec.requirements.tasks == 4


def test_the_script_is_a_job(folder: Path) -> None:
    path = folder / "run.sh"
    path.write_text(examples("job-file.md", "sh")[0])
    spec = read_job(path, read_script=read_script)
    assert (spec.requirements.nodes, spec.requirements.tasks_per_node, spec.requirements.walltime_s) == (
        2,
        4,
        1800,
    )
    assert (spec.requirements.software, spec.data.stage_out) == (("mpi",), ("result.txt",))


def test_the_site_descriptor_is_a_site(folder: Path) -> None:
    path = folder / "example.toml"
    path.write_text(examples("sites.md", "toml")[0])
    assert read_site(path).software["python"].setup == ("module load python/3.11",)


def test_the_configuration_is_one(folder: Path) -> None:
    path = folder / "config.toml"
    path.write_text(examples("sites.md", "toml")[1])
    read = read_configuration(path)
    assert read.site_directories == (str(folder / "sites"),)
    assert read.access["cl-nlhpc"].identity_file == str(Path.home() / ".ssh" / "id_ed25519")
