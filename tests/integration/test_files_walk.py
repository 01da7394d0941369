"""Inputs there and results home, on real files: what is in the way, and what changes meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders import a_job
from fakes.links import Cut
from hpcnet.broker import home
from hpcnet.broker.collect import Fetched, fetch
from hpcnet.errors import JobError, LinkLost, StorageError, UsageError
from hpcnet.model.record import JobRecord
from hpcnet.model.state import JobState
from world import World


@dataclass
class Meanwhile(Cut):
    """Lets something take place just before a message that holds `text`, and cuts nothing."""

    happens: Callable[[], object] = lambda: None

    def strikes(self, script: str) -> bool:
        if super().strikes(script):
            self.happens()
        return False


def a_finished_job(world: World, script: str) -> JobRecord:
    record = world.ended(world.submit(command=["sh", "-c", script]))
    assert record.state is JobState.COMPLETED
    return record


def fetched(world: World, record: JobRecord, *patterns: str) -> Fetched:
    with world.broker() as broker:
        return fetch(broker, record, patterns, world.folder / "home")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def half_copy(world: World, record: JobRecord, path: str) -> Path:
    name = home.partial_name("here", record.directory or "", path)
    return world.folder / "home" / home.PARTIALS / name


def test_an_input_that_would_forge_an_outcome_is_refused_and_nothing_is_sent(world: World) -> None:
    (world.folder / "hp/.hpcnet/submit").mkdir(parents=True)
    (world.folder / "hp/.hpcnet/exit").write_text("0")
    with pytest.raises(JobError) as caught:
        world.submit(a_job(data={"stage_in": [{"source": f"{world.folder}/hp/", "target": "./"}]}))
    assert {fault.where for fault in caught.value.faults} == {"data.stage_in[1].target"}
    assert not (world.folder / "jobs").exists()


def test_empty_directories_are_at_the_site_when_the_job_starts(world: World) -> None:
    (world.folder / "in/deep/empty").mkdir(parents=True)
    (world.folder / "in/file").write_text("x")
    job = a_job(
        command=["sh", "-c", "test -d in/deep/empty && test -f in/file"],
        data={"stage_in": [str(world.folder / "in")]},
    )
    assert world.ended(world.submit(job)).state is JobState.COMPLETED


def test_results_with_names_like_half_copies_do_not_collide(world: World) -> None:
    record = a_finished_job(world, "echo b > b; echo part > .b.part")
    for _ in range(2):
        assert fetched(world, record).files == (".b.part", "b", "output.log")
    assert (world.folder / "home/b").read_text() == "b\n"
    assert (world.folder / "home/.b.part").read_text() == "part\n"
    assert names_in(world.folder / "home") == [".b.part", "b", "output.log"]


def test_a_half_copied_file_is_continued(world: World) -> None:
    record = a_finished_job(world, "echo 0123456789 > b")
    world.cuts = [Cut("get ", number=1)]
    with pytest.raises(LinkLost):
        fetched(world, record)
    partial = half_copy(world, record, "b")
    partial.parent.mkdir(exist_ok=True)
    partial.write_text("01234")
    kept = partial.stat().st_ino
    fetched(world, record)
    assert (world.folder / "home/b").read_text() == "0123456789\n"
    assert (world.folder / "home/b").stat().st_ino == kept


@pytest.mark.parametrize("stale", ["XXXXX", "XXXXXXXXXX\n", "longer than what is there now"])
def test_stale_bytes_of_an_earlier_fetch_are_thrown_away_once(world: World, stale: str) -> None:
    record = a_finished_job(world, "echo 0123456789 > b")
    partial = half_copy(world, record, "b")
    partial.parent.mkdir(parents=True)
    partial.write_text(stale)
    assert fetched(world, record).verified
    assert (world.folder / "home/b").read_text() == "0123456789\n"
    assert not partial.parent.exists()
    assert all(step.done <= (step.total or 0) for step in world.told if step.done is not None)


def test_without_a_checksum_tool_half_copies_are_begun_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = a_finished_job(world, "echo 0123456789 > b")
    partial = half_copy(world, record, "b")
    partial.parent.mkdir(parents=True)
    partial.write_text("XXXXX")
    monkeypatch.setattr("hpcnet.broker.collect.checksums", _no_tool)
    assert not fetched(world, record).verified
    assert (world.folder / "home/b").read_text() == "0123456789\n"


def _no_tool(directory: str, files: list[str]) -> object:
    from hpcnet.posix.files import checksums

    question = checksums(directory, files)
    return type(question)("exit 45\n", question.read, deadline_s=60)


@pytest.mark.parametrize("moment", ["sha256sum", "get "])
@pytest.mark.parametrize("mode", ["a", "w"])
def test_a_file_that_changes_while_it_is_fetched_is_told_and_comes_whole_the_next_time(
    world: World, moment: str, mode: str
) -> None:
    record = a_finished_job(world, "echo 0123456789 > b")

    def change() -> None:
        with (world.directory(record) / "b").open(mode) as stream:
            stream.write("more, and other, words\n")

    world.cuts = [Meanwhile(moment, happens=change)]
    with pytest.raises(StorageError, match="b arrived changed") as caught:
        fetched(world, record)
    assert "fetch again" in caught.value.hint
    assert not (world.folder / "home/b").exists()
    world.cuts = []
    assert fetched(world, record).verified
    assert (world.folder / "home/b").read_bytes() == (world.directory(record) / "b").read_bytes()


def test_a_file_that_grows_after_its_half_copy_comes_whole(world: World) -> None:
    record = a_finished_job(world, "echo 0123456789 > b")
    partial = half_copy(world, record, "b")
    partial.parent.mkdir(parents=True)
    partial.write_text("0123456789\n")
    with (world.directory(record) / "b").open("a") as stream:
        stream.write("grown\n")
    fetched(world, record)
    assert (world.folder / "home/b").read_text() == "0123456789\ngrown\n"


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda home: (home / "out/x").mkdir(parents=True), "out/x is a directory, and a file belongs there"),
        (lambda home: (home / "out").write_text("mine"), "out is not a directory"),
    ],
)
def test_what_is_in_the_way_at_home_is_told_before_anything_is_copied(
    world: World, prepare: Callable[[Path], object], words: str
) -> None:
    record = a_finished_job(world, "mkdir out; echo x > out/x; echo a > a")
    (world.folder / "home").mkdir()
    prepare(world.folder / "home")
    with pytest.raises(StorageError, match=words) as caught:
        fetched(world, record)
    assert str(world.folder / "home") in caught.value.message
    assert caught.value.hint
    assert names_in(world.folder / "home") == ["out"]


def test_a_full_disk_is_told_before_anything_is_copied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record = a_finished_job(world, "echo 0123456789 > b")
    full = type("Usage", (), {"free": 3})()
    monkeypatch.setattr("shutil.disk_usage", lambda _: full)
    with pytest.raises(StorageError, match=r"has 3 bytes free, and the results need 11"):
        fetched(world, record)
    assert names_in(world.folder / "home") == []


def test_patterns_that_no_file_has_are_named(world: World) -> None:
    record = a_finished_job(world, "echo b > b")
    found = fetched(world, record, "b", "nothing*")
    assert (found.files, found.unmatched) == (("b", "output.log"), ("nothing*",))


def test_where_each_pattern_must_match_nothing_is_copied_for_one_that_does_not(world: World) -> None:
    record = a_finished_job(world, "echo b > b")
    with world.broker() as broker, pytest.raises(UsageError, match=r"matches 'nothing\*'"):
        fetch(broker, record, ["b", "nothing*"], world.folder / "home", each_must_match=True)
    assert not (world.folder / "home").exists()


def hpcnet(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    own = {
        "HOME": str(folder),
        "HPCNET_STATE": str(folder / "state"),
        "HPCNET_CONFIG": str(folder / "c.toml"),
    }
    said = subprocess.run(
        [sys.executable, "-m", "hpcnet", *words],
        env={**os.environ, **own},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == code, said.stderr
    return said


def test_fetch_names_what_it_did_not_find_and_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(
        'command = ["sh", "-c", "echo b > b"]\n[data]\nstage_out = ["b", "nothing*"]\n'
    )
    job = hpcnet(tmp_path, "submit", "job.toml", "--site", "local", "--wait").stdout.split()[-1]
    assert "nothing at the site matches 'nothing*'" in hpcnet(tmp_path, "fetch", job).stderr
    assert json.loads(hpcnet(tmp_path, "fetch", job, "--json").stdout)["unmatched"] == ["nothing*"]
    said = hpcnet(tmp_path, "fetch", job, "--pattern", "nothing*", code=2)
    assert f"no file of {job} matches 'nothing*'" in said.stderr
    (tmp_path / "home/b").mkdir(parents=True)
    assert "b is a directory" in hpcnet(tmp_path, "fetch", job, "home", code=74).stderr
