from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import real_kernels
from real_kernels import FAULTS, KERNELS, break_halo, load_kernel, run_under_mpi

SMALL = ["--nx", "24", "--ny", "20", "--steps", "50", "--json"]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A kernel of its own for each test, in an empty directory, alone whatever started the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    module = load_kernel(KERNELS / "shallow_water.py")
    monkeypatch.setattr(module, "find_ranks", module.Ranks)
    return module


def run(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, Any]]:
    status = kernel.main([*SMALL, *arguments])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("latitude", ["-60", "0", "45"])
@pytest.mark.parametrize("steps", ["1", "2", "301"])
def test_a_sound_run_is_verified_to_round_off(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], latitude: str, steps: str
) -> None:
    status, record = run(kernel, capsys, "--latitude", latitude, "--steps", steps)
    assert (status, record["verified"]) == (0, True)
    assert record["check"]["error"] < 1e-13
    assert record["check"]["mass_drift"] < 1e-15
    assert record["flops"] == 24 * 24 * 20 * int(steps)


@pytest.mark.parametrize("fault", ["never", "stale_once"])
def test_a_broken_halo_is_caught_on_one_rank(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    break_halo(kernel, fault)
    status, record = run(kernel, capsys)
    assert (status, record["verified"], record["figure_of_merit"]) == (1, False, None)


@pytest.mark.mpi
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_broken_halo_is_caught_between_ranks(tmp_path: Path, fault: str) -> None:
    ended = run_under_mpi([str(Path(real_kernels.__file__)), fault, *SMALL], 3, tmp_path)
    record = json.loads(ended.stdout)
    assert (ended.returncode, record["verified"], record["figure_of_merit"]) == (1, False, None)


@pytest.mark.parametrize("meta", ["{}", "[]", "x", '{"setup": {}, "record": []}'])
def test_a_result_with_foreign_words_is_told_in_a_sentence(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], meta: str
) -> None:
    values = np.ones((4, 4))
    np.savez("foreign.npz", height=values, u=values, v=values, meta=meta)
    assert kernel.main(["--check", "foreign.npz"]) == 2
    assert "is not a whole result" in capsys.readouterr().err


@pytest.mark.parametrize("field", ["height", "u", "v"])
def test_one_changed_value_of_a_result_file_is_caught_at_home(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], field: str
) -> None:
    run(kernel, capsys)
    assert run(kernel, capsys, "--check", "field.npz")[0] == 0
    with np.load("field.npz") as saved:
        arrays = {name: saved[name] for name in saved.files}
    arrays[field][3, 5] += 1e-9
    np.savez("changed.npz", **arrays)
    status, record = run(kernel, capsys, "--check", "changed.npz")
    assert (status, record["verified"], record["figure_of_merit"]) == (1, False, None)


def test_a_value_that_is_no_number_stops_the_run_and_is_never_verified(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = kernel.step

    def poisoned(setup: Any, ranks: Any, h: Any, u: Any, v: Any) -> None:
        sound(setup, ranks, h, u, v)
        h[3, 7] = np.nan

    monkeypatch.setattr(kernel, "step", poisoned)
    assert kernel.main(SMALL) == 1
    captured = capsys.readouterr()
    assert "no longer a number" in captured.err
    assert "step 4 of 50" not in captured.err
    assert json.loads(captured.out)["check"]["error"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nx", "0"], "--nx and --ny must be 4 to"),
        (["--steps", "0"], "--steps 1 to"),
        (["--seed", "-1"], "--seed 0 to"),
        (["--dx-km", "nan"], "--dx-km must be 0.001 to 100"),
        (["--depth", "inf"], "--depth 10 to 10000"),
        (["--latitude", "91"], "--latitude -90 to 90"),
        (["--nx", "1000000", "--ny", "1000000"], "GiB, the machine has"),
        (["--output", "nowhere/field.npz"], "there is no directory for the result"),
        (["--check", "nothing.npz"], "is not a whole result of this kernel"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert kernel.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_file_cut_short_is_told_in_a_sentence(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    run(kernel, capsys)
    whole = Path("field.npz").read_bytes()
    Path("short.npz").write_bytes(whole[: len(whole) // 2])
    assert kernel.main(["--check", "short.npz"]) == 2
    assert "is not a whole result" in capsys.readouterr().err


def test_a_launcher_that_meant_more_ranks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = load_kernel(KERNELS / "shallow_water.py")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    with pytest.raises(kernel.WrongUse, match="started 2 times"):
        kernel.find_ranks()


@pytest.mark.mpi
def test_more_ranks_than_rows_are_told_once(tmp_path: Path) -> None:
    program = [str(KERNELS / "shallow_water.py"), "--nx", "8", "--ny", "4"]
    ended = run_under_mpi(program, 5, tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.count("4 rows cannot be shared by 5 ranks") == 1


@pytest.mark.parametrize("latitude", ["-90", "90"])
def test_the_longest_step_that_is_allowed_stays_stable(
    kernel: ModuleType, capsys: pytest.CaptureFixture[str], latitude: str
) -> None:
    status, record = run(kernel, capsys, "--dx-km", "100", "--depth", "10", "--latitude", latitude)
    assert (status, record["verified"]) == (0, True)


def test_another_seed_moves_the_anomalies(kernel: ModuleType) -> None:
    heights = [kernel.initial_height(kernel.Setup(seed=seed), 0, 200) for seed in (0, 1, 2**31)]
    assert abs(heights[0] - heights[1]).max() > 0.5
    assert abs(heights[1] - heights[2]).max() > 0.5
